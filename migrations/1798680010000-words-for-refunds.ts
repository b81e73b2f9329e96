import type { MigrationInterface, QueryRunner } from 'typeorm';

/** By whose word money is given back, for some have limits; and refunds that another operator is asked to approve. */
export class WordsForRefunds1798680010000 implements MigrationInterface {
  readonly name = 'WordsForRefunds1798680010000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE refund
        ADD authority text,
        ADD CONSTRAINT refund_authority_known
          CHECK (authority IN ('BACKEND', 'SUPPORT', 'OPERATOR', 'TWO_PEOPLE'))`);
    await runner.query(`
      CREATE TABLE refund_request (
        id uuid NOT NULL CONSTRAINT refund_request_pkey PRIMARY KEY,
        reference text NOT NULL CONSTRAINT refund_request_reference_once UNIQUE,
        intent_id uuid NOT NULL CONSTRAINT refund_request_intent_fkey REFERENCES payment_intent (id),
        amount bigint NOT NULL,
        currency character(3) NOT NULL,
        reason text,
        restock boolean NOT NULL,
        asked_by text NOT NULL,
        decision text,
        decided_by text,
        decided_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        CONSTRAINT refund_request_amount_positive CHECK (amount > 0 AND amount <= 9007199254740991),
        CONSTRAINT refund_request_decision_known CHECK (decision IN ('APPROVED', 'DECLINED')),
        CONSTRAINT refund_request_decided_whole
          CHECK ((decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at IS NULL)),
        CONSTRAINT refund_request_approved_by_another CHECK (decision <> 'APPROVED' OR decided_by <> asked_by)
      )`);
    await runner.query('CREATE INDEX refund_request_intent ON refund_request (intent_id)');
    await runner.query('CREATE INDEX refund_request_newest ON refund_request (created_at, id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE refund_request');
    await runner.query('ALTER TABLE refund DROP COLUMN authority');
  }
}
