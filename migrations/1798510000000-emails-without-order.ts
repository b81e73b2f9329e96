import type { MigrationInterface, QueryRunner } from 'typeorm';

const BEFORE = `'ORDER_CONFIRMED', 'PAYMENT_FAILED', 'REFUND_MADE', 'PAID_LATE', 'PAYMENT_GIVEN_BACK',
  'PAYMENT_UNDER_REVIEW', 'PAYMENT_REMINDER', 'DISPUTE_OPENED', 'REVIEW_NEEDED', 'UNEXPECTED_MONEY', 'PAYER_NEEDED'`;

/** An e-mail may be about an endpoint of webhooks, and then about no order. */
export class EmailsWithoutOrder1798510000000 implements MigrationInterface {
  readonly name = 'EmailsWithoutOrder1798510000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE email_message
        ALTER order_id DROP NOT NULL,
        ALTER intent_id DROP NOT NULL,
        DROP CONSTRAINT email_message_template_known,
        ADD CONSTRAINT email_message_template_known CHECK (template IN (${BEFORE}, 'ENDPOINT_DISABLED')),
        ADD CONSTRAINT email_message_about_order
          CHECK (num_nulls(order_id, intent_id) = CASE WHEN template = 'ENDPOINT_DISABLED' THEN 2 ELSE 0 END)`);
    await runner.query(`
      CREATE UNIQUE INDEX email_message_once_without_order ON email_message (template, transition)
      WHERE order_id IS NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DELETE FROM email_message WHERE order_id IS NULL`);
    await runner.query('DROP INDEX email_message_once_without_order');
    await runner.query(`
      ALTER TABLE email_message
        DROP CONSTRAINT email_message_about_order,
        DROP CONSTRAINT email_message_template_known,
        ADD CONSTRAINT email_message_template_known CHECK (template IN (${BEFORE})),
        ALTER order_id SET NOT NULL,
        ALTER intent_id SET NOT NULL`);
  }
}
