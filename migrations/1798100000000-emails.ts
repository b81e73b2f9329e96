import type { MigrationInterface, QueryRunner } from 'typeorm';

/** E-mails: what is to be written to whom, and what became of it. */
export class Emails1798100000000 implements MigrationInterface {
  readonly name = 'Emails1798100000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE email_message (
        id uuid CONSTRAINT email_message_pkey PRIMARY KEY,
        order_id uuid NOT NULL CONSTRAINT email_message_order_fkey REFERENCES orders,
        intent_id uuid NOT NULL CONSTRAINT email_message_intent_fkey REFERENCES payment_intent,
        template text NOT NULL
          CONSTRAINT email_message_template_known
          CHECK (template IN ('ORDER_CONFIRMED', 'PAYMENT_FAILED', 'REFUND_MADE', 'PAID_LATE', 'PAYMENT_GIVEN_BACK',
            'PAYMENT_UNDER_REVIEW', 'PAYMENT_REMINDER', 'DISPUTE_OPENED', 'REVIEW_NEEDED', 'UNEXPECTED_MONEY')),
        transition text NOT NULL,
        recipient text NOT NULL,
        locale text NOT NULL,
        data jsonb NOT NULL,
        status text NOT NULL
          CONSTRAINT email_message_status_known CHECK (status IN ('QUEUED', 'SENT', 'FAILED', 'DROPPED')),
        tries integer NOT NULL,
        edition integer NOT NULL,
        next_try_at timestamptz,
        claimed_until timestamptz,
        last_error text,
        created_at timestamptz NOT NULL DEFAULT now(),
        sent_at timestamptz,
        CONSTRAINT email_message_once UNIQUE (order_id, template, transition),
        CONSTRAINT email_message_due_while_queued CHECK ((status = 'QUEUED') = (next_try_at IS NOT NULL))
      )`);
    await runner.query(
      'CREATE INDEX email_message_due ON email_message (next_try_at) WHERE next_try_at IS NOT NULL',
    );
    await runner.query('CREATE INDEX email_message_intent ON email_message (intent_id)');
    await runner.query('CREATE INDEX email_message_created ON email_message (created_at, id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE email_message');
  }
}
