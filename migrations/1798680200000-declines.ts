import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How often cards were declined for a payment, and from whose address it was opened: for those who try cards out. */
export class Declines1798680200000 implements MigrationInterface {
  readonly name = 'Declines1798680200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE payment_intent
        ADD client_digest text,
        ADD declines integer NOT NULL DEFAULT 0,
        ADD declined_at timestamptz,
        ADD CONSTRAINT payment_intent_declines_not_negative CHECK (declines >= 0)`);
    await runner.query(
      'CREATE INDEX payment_intent_declined ON payment_intent (declined_at) WHERE declined_at IS NOT NULL',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'ALTER TABLE payment_intent DROP COLUMN declined_at, DROP COLUMN declines, DROP COLUMN client_digest',
    );
  }
}
