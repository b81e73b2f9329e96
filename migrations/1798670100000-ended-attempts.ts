import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When an attempt ended without money, and when its provider is asked whether money came after all. */
export class EndedAttempts1798670100000 implements MigrationInterface {
  readonly name = 'EndedAttempts1798670100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE payment_attempt ADD ended_at timestamptz, ADD ask_again_at timestamptz');
    // Of those that ended before, when is not known: the recent ones are asked about once more.
    await runner.query(`
      UPDATE payment_attempt SET ended_at = created_at,
        ask_again_at = CASE WHEN provider_reference IS NOT NULL AND created_at > now() - interval '3 days' THEN now() END
      WHERE status IN ('FAILED', 'CANCELLED')`);
    await runner.query(
      'CREATE INDEX payment_attempt_ask_again ON payment_attempt (ask_again_at) WHERE ask_again_at IS NOT NULL',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE payment_attempt DROP COLUMN ask_again_at, DROP COLUMN ended_at');
  }
}
