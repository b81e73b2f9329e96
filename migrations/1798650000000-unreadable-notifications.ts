import type { MigrationInterface, QueryRunner } from 'typeorm';

const TEMPLATES = `'ORDER_CONFIRMED', 'PAYMENT_FAILED', 'REFUND_MADE', 'PAID_LATE', 'PAYMENT_GIVEN_BACK',
  'PAYMENT_UNDER_REVIEW', 'PAYMENT_REMINDER', 'DISPUTE_OPENED', 'REVIEW_NEEDED', 'UNEXPECTED_MONEY', 'PAYER_NEEDED',
  'ENDPOINT_DISABLED', 'REFUND_FAILED', 'REFUND_ACTION_NEEDED'`;
const STATUSES = `'APPLIED', 'IGNORED', 'WAITING', 'PARKED'`;

/** A notification that can't be read is kept, and the same id with other content is another notification. */
export class UnreadableNotifications1798650000000 implements MigrationInterface {
  readonly name = 'UnreadableNotifications1798650000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE webhook_event
        ADD content_digest text NOT NULL DEFAULT '',
        ADD raw_body text,
        DROP CONSTRAINT webhook_event_status_known,
        ADD CONSTRAINT webhook_event_status_known CHECK (status IN (${STATUSES}, 'UNREADABLE')),
        DROP CONSTRAINT webhook_event_once,
        ADD CONSTRAINT webhook_event_once UNIQUE (provider, event_id, content_digest)`);
    await runner.query(`
      ALTER TABLE email_message
        DROP CONSTRAINT email_message_template_known,
        ADD CONSTRAINT email_message_template_known CHECK (template IN (${TEMPLATES}, 'NOTIFICATION_UNREADABLE')),
        DROP CONSTRAINT email_message_about_order,
        ADD CONSTRAINT email_message_about_order CHECK (num_nulls(order_id, intent_id) =
          CASE WHEN template IN ('ENDPOINT_DISABLED', 'NOTIFICATION_UNREADABLE') THEN 2 ELSE 0 END)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DELETE FROM email_message WHERE template = 'NOTIFICATION_UNREADABLE'`);
    await runner.query(`
      ALTER TABLE email_message
        DROP CONSTRAINT email_message_template_known,
        ADD CONSTRAINT email_message_template_known CHECK (template IN (${TEMPLATES})),
        DROP CONSTRAINT email_message_about_order,
        ADD CONSTRAINT email_message_about_order
          CHECK (num_nulls(order_id, intent_id) = CASE WHEN template = 'ENDPOINT_DISABLED' THEN 2 ELSE 0 END)`);
    await runner.query(`UPDATE webhook_event SET status = 'PARKED' WHERE status = 'UNREADABLE'`);
    // Of several with one id, the first stays.
    await runner.query(`
      DELETE FROM webhook_event later USING webhook_event earlier
      WHERE later.provider = earlier.provider AND later.event_id = earlier.event_id AND later.id > earlier.id`);
    await runner.query(`
      ALTER TABLE webhook_event
        DROP CONSTRAINT webhook_event_once,
        ADD CONSTRAINT webhook_event_once UNIQUE (provider, event_id),
        DROP CONSTRAINT webhook_event_status_known,
        ADD CONSTRAINT webhook_event_status_known CHECK (status IN (${STATUSES})),
        DROP content_digest,
        DROP raw_body`);
  }
}
