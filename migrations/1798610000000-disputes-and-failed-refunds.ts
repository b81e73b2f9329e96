import type { MigrationInterface, QueryRunner } from 'typeorm';

const STATUSES = `'PENDING', 'PROCESSING', 'UNKNOWN', 'AUTHORIZED', 'PAID', 'FAILED', 'CANCELLED', 'EXPIRED', 'REVIEW',
  'PARTIALLY_REFUNDED', 'REFUNDED', 'DISPUTED'`;

const TEMPLATES = `'ORDER_CONFIRMED', 'PAYMENT_FAILED', 'REFUND_MADE', 'PAID_LATE', 'PAYMENT_GIVEN_BACK',
  'PAYMENT_UNDER_REVIEW', 'PAYMENT_REMINDER', 'DISPUTE_OPENED', 'REVIEW_NEEDED', 'UNEXPECTED_MONEY', 'PAYER_NEEDED',
  'ENDPOINT_DISABLED'`;

/**
 * Each movement of a dispute names it, a dispute knows when its status was said, and a charge that the bank keeps has a
 * status of its own. Movements of before have their dispute's id as their own reference.
 */
export class DisputesAndFailedRefunds1798610000000 implements MigrationInterface {
  readonly name = 'DisputesAndFailedRefunds1798610000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE movement ADD dispute_reference text');
    await runner.query(
      'ALTER TABLE dispute ADD said_at timestamptz, ADD refundable boolean NOT NULL DEFAULT false',
    );
    // Exchange rates make a bank take more than was paid, or return more than it took; they never double a price.
    await runner.query(`
      ALTER TABLE payment_intent
        DROP CONSTRAINT payment_intent_disputed_within_captured,
        ADD CONSTRAINT payment_intent_disputed_near_captured
          CHECK (disputed_amount >= -captured_amount AND disputed_amount <= 2 * captured_amount),
        DROP CONSTRAINT payment_intent_status_known,
        ADD CONSTRAINT payment_intent_status_known CHECK (status IN (${STATUSES}, 'CHARGED_BACK'))`);
    await runner.query(templates(`${TEMPLATES}, 'REFUND_FAILED', 'REFUND_ACTION_NEEDED'`));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `DELETE FROM email_message WHERE template IN ('REFUND_FAILED', 'REFUND_ACTION_NEEDED')`,
    );
    await runner.query(templates(TEMPLATES));
    await runner.query(`
      ALTER TABLE payment_intent
        DROP CONSTRAINT payment_intent_status_known,
        ADD CONSTRAINT payment_intent_status_known CHECK (status IN (${STATUSES})),
        DROP CONSTRAINT payment_intent_disputed_near_captured,
        ADD CONSTRAINT payment_intent_disputed_within_captured
          CHECK (disputed_amount >= 0 AND disputed_amount <= captured_amount)`);
    await runner.query('ALTER TABLE dispute DROP said_at, DROP refundable');
    await runner.query('ALTER TABLE movement DROP dispute_reference');
  }
}

function templates(list: string): string {
  return `ALTER TABLE email_message
    DROP CONSTRAINT email_message_template_known,
    ADD CONSTRAINT email_message_template_known CHECK (template IN (${list}))`;
}
