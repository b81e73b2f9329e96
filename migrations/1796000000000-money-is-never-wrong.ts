import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Refunds, disputes, money that is held, what is asked again, and the log that can't be altered. */
export class MoneyIsNeverWrong1796000000000 implements MigrationInterface {
  readonly name = 'MoneyIsNeverWrong1796000000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

const UP = [
  `ALTER TABLE orders ADD refunded_at timestamptz, ADD restocked_at timestamptz`,
  `ALTER TABLE payment_intent
      ADD capture_method text NOT NULL DEFAULT 'AUTOMATIC',
      ADD disputed_amount bigint NOT NULL DEFAULT 0,
      ADD asked_at timestamptz,
      ADD end_again_at timestamptz,
      ADD CONSTRAINT payment_intent_capture_method_known CHECK (capture_method IN ('AUTOMATIC', 'MANUAL')),
      ADD CONSTRAINT payment_intent_disputed_within_captured
        CHECK (disputed_amount >= 0 AND disputed_amount <= captured_amount)`,
  `CREATE INDEX payment_intent_to_check ON payment_intent (next_check_at) WHERE next_check_at IS NOT NULL`,
  `ALTER TABLE payment_attempt ADD capture_amount bigint, DROP CONSTRAINT payment_attempt_status_known,
      ADD CONSTRAINT payment_attempt_status_known
        CHECK (status IN ('PENDING', 'PROCESSING', 'UNKNOWN', 'AUTHORIZED', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
      ADD CONSTRAINT payment_attempt_capture_amount_positive CHECK (capture_amount > 0)`,
  `ALTER TABLE movement DROP CONSTRAINT movement_kind_known, ADD CONSTRAINT movement_kind_known
      CHECK (kind IN ('CAPTURE', 'REFUND', 'REFUND_REVERSAL', 'CHARGEBACK', 'CHARGEBACK_REVERSAL'))`,
  `CREATE TABLE refund (
      id uuid NOT NULL,
      reference text NOT NULL,
      intent_id uuid NOT NULL,
      attempt_id uuid NOT NULL,
      amount bigint NOT NULL,
      currency char(3) NOT NULL,
      status text NOT NULL,
      reason text,
      restock boolean NOT NULL,
      origin text NOT NULL,
      provider text NOT NULL,
      provider_reference text,
      capture_reference text NOT NULL,
      idempotency_key text NOT NULL,
      failure_code text,
      failure_message text,
      next_check_at timestamptz,
      created_at timestamptz NOT NULL DEFAULT now(),
      settled_at timestamptz,
      CONSTRAINT refund_pkey PRIMARY KEY (id),
      CONSTRAINT refund_reference_once UNIQUE (reference),
      CONSTRAINT refund_provider_reference_once UNIQUE (provider, provider_reference),
      CONSTRAINT refund_amount_positive CHECK (amount > 0 AND amount <= 9007199254740991),
      CONSTRAINT refund_status_known CHECK (status IN ('QUEUED', 'SUBMITTED', 'SUCCEEDED', 'FAILED')),
      CONSTRAINT refund_origin_known CHECK (origin IN ('REQUESTED', 'AUTOMATIC', 'PROVIDER'))
    )`,
  `CREATE INDEX refund_intent ON refund (intent_id)`,
  `CREATE INDEX refund_to_check ON refund (next_check_at) WHERE next_check_at IS NOT NULL`,
  `CREATE TABLE dispute (
      id uuid NOT NULL,
      intent_id uuid NOT NULL,
      attempt_id uuid NOT NULL,
      amount bigint NOT NULL,
      currency char(3) NOT NULL,
      status text NOT NULL,
      reason text NOT NULL,
      provider text NOT NULL,
      provider_reference text NOT NULL,
      respond_by_at timestamptz,
      created_at timestamptz NOT NULL DEFAULT now(),
      settled_at timestamptz,
      CONSTRAINT dispute_pkey PRIMARY KEY (id),
      CONSTRAINT dispute_provider_reference_once UNIQUE (provider, provider_reference),
      CONSTRAINT dispute_amount_positive CHECK (amount > 0 AND amount <= 9007199254740991),
      CONSTRAINT dispute_status_known CHECK (status IN ('OPEN', 'WON', 'LOST'))
    )`,
  `CREATE INDEX dispute_intent ON dispute (intent_id)`,
  `ALTER TABLE webhook_event ADD intent_id uuid`,
  `CREATE INDEX webhook_event_intent ON webhook_event (intent_id) WHERE intent_id IS NOT NULL`,
  `CREATE TABLE provider_cursor (
      provider text NOT NULL,
      read_until_at timestamptz NOT NULL,
      claimed_until timestamptz,
      CONSTRAINT provider_cursor_pkey PRIMARY KEY (provider)
    )`,
  `CREATE TABLE audit_log (
      id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
      subject text NOT NULL,
      position integer NOT NULL,
      actor text NOT NULL,
      action text NOT NULL,
      before jsonb,
      after jsonb,
      reason text,
      created_at timestamptz NOT NULL DEFAULT now(),
      previous_hash text,
      hash text NOT NULL,
      CONSTRAINT audit_log_pkey PRIMARY KEY (id),
      CONSTRAINT audit_log_position_once UNIQUE (subject, position)
    )`,
  `ALTER TABLE refund ADD CONSTRAINT refund_intent_fkey FOREIGN KEY (intent_id) REFERENCES payment_intent(id)`,
  `ALTER TABLE refund ADD CONSTRAINT refund_attempt_fkey FOREIGN KEY (attempt_id) REFERENCES payment_attempt(id)`,
  `ALTER TABLE dispute ADD CONSTRAINT dispute_intent_fkey FOREIGN KEY (intent_id) REFERENCES payment_intent(id)`,
  `ALTER TABLE dispute ADD CONSTRAINT dispute_attempt_fkey FOREIGN KEY (attempt_id) REFERENCES payment_attempt(id)`,
  `ALTER TABLE webhook_event ADD CONSTRAINT webhook_event_intent_fkey
      FOREIGN KEY (intent_id) REFERENCES payment_intent(id)`,
  // Whatever our code decides: what is given back and what is about to be can't be more than what was taken. A refund
  // that somebody made at the provider is a fact, and is let in beside one of ours that the provider will then refuse.
  `CREATE FUNCTION refuse_refund_beyond_captured() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT sum(amount) FROM refund WHERE intent_id = NEW.intent_id AND status <> 'FAILED')
         > (SELECT captured_amount FROM payment_intent WHERE id = NEW.intent_id) THEN
        RAISE EXCEPTION 'more would be given back than was taken'
          USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_within_captured', TABLE = 'refund';
      END IF;
      RETURN NULL;
    END $$`,
  // A constraint trigger runs when the whole statement has been done, so it sees the intent and all of its refunds.
  `CREATE CONSTRAINT TRIGGER refund_within_captured AFTER INSERT ON refund
    FOR EACH ROW WHEN (NEW.origin <> 'PROVIDER') EXECUTE FUNCTION refuse_refund_beyond_captured()`,
  `CREATE FUNCTION audit_hash(entry audit_log) RETURNS text LANGUAGE sql STABLE AS $$
      SELECT encode(sha256(convert_to(jsonb_build_array(
        entry.subject, entry.position, entry.actor, entry.action, entry.before, entry.after, entry.reason,
        extract(epoch FROM entry.created_at), entry.previous_hash)::text, 'UTF8')), 'hex')
    $$`,
  // Writers of one subject come one after the other (they hold its order's row), so the last entry is the last.
  `CREATE FUNCTION chain_audit_entry() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      SELECT position, hash INTO NEW.position, NEW.previous_hash
        FROM audit_log WHERE subject = NEW.subject ORDER BY position DESC LIMIT 1;
      NEW.position := coalesce(NEW.position, 0) + 1;
      NEW.hash := audit_hash(NEW);
      RETURN NEW;
    END $$`,
  `CREATE TRIGGER audit_log_chained BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION chain_audit_entry()`,
  `CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`,
];

const DOWN = [
  'DROP FUNCTION audit_hash',
  'DROP TABLE audit_log',
  'DROP FUNCTION chain_audit_entry',
  'DROP TABLE provider_cursor, refund, dispute',
  'DROP FUNCTION refuse_refund_beyond_captured',
  'ALTER TABLE webhook_event DROP intent_id',
  `ALTER TABLE movement DROP CONSTRAINT movement_kind_known, ADD CONSTRAINT movement_kind_known
      CHECK (kind IN ('CAPTURE', 'REFUND', 'CHARGEBACK', 'CHARGEBACK_REVERSAL'))`,
  `ALTER TABLE payment_attempt DROP capture_amount, DROP CONSTRAINT payment_attempt_status_known,
      ADD CONSTRAINT payment_attempt_status_known
        CHECK (status IN ('PENDING', 'PROCESSING', 'UNKNOWN', 'SUCCEEDED', 'FAILED', 'CANCELLED'))`,
  'DROP INDEX payment_intent_to_check',
  'ALTER TABLE payment_intent DROP capture_method, DROP disputed_amount, DROP asked_at, DROP end_again_at',
  'ALTER TABLE orders DROP refunded_at, DROP restocked_at',
];
