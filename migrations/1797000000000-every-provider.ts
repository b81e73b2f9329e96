import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What paying by phone needs, how much a notification proved, and the log of the calls of providers. */
export class EveryProvider1797000000000 implements MigrationInterface {
  readonly name = 'EveryProvider1797000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE payment_attempt
        ADD phone_number text, ADD country text, ADD operator text, ADD fallback_of integer,
        ADD CONSTRAINT payment_attempt_fallback_of_earlier CHECK (fallback_of < number)`);
    // Until now, whatever was kept had been signed.
    await runner.query(`
      ALTER TABLE webhook_event
        ADD proof text NOT NULL DEFAULT 'SIGNED',
        ADD CONSTRAINT webhook_event_proof_known CHECK (proof IN ('SIGNED', 'STATIC_SECRET', 'NONE'))`);
    await runner.query('ALTER TABLE webhook_event ALTER proof DROP DEFAULT');
    await runner.query(`
      CREATE TABLE provider_call (
        id uuid CONSTRAINT provider_call_pkey PRIMARY KEY,
        provider text NOT NULL,
        operation text NOT NULL,
        attempt_id uuid CONSTRAINT provider_call_attempt_fkey REFERENCES payment_attempt,
        refund_reference text,
        outcome text NOT NULL
          CONSTRAINT provider_call_outcome_known
          CHECK (outcome IN ('OK', 'DECLINED', 'REJECTED', 'UNAVAILABLE', 'OUTCOME_UNKNOWN', 'BUG')),
        failure_code text,
        tries integer NOT NULL,
        milliseconds integer NOT NULL,
        exchanges jsonb NOT NULL,
        started_at timestamptz NOT NULL
      )`);
    await runner.query(
      'CREATE INDEX provider_call_attempt ON provider_call (attempt_id) WHERE attempt_id IS NOT NULL',
    );
    await runner.query('CREATE INDEX provider_call_started ON provider_call (started_at, id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE provider_call');
    await runner.query('ALTER TABLE webhook_event DROP COLUMN proof');
    await runner.query(`
      ALTER TABLE payment_attempt
        DROP COLUMN phone_number, DROP COLUMN country, DROP COLUMN operator, DROP COLUMN fallback_of`);
  }
}
