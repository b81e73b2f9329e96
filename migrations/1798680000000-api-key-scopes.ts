import type { MigrationInterface, QueryRunner } from 'typeorm';

/** API keys have scopes, and may expire. Those that are there could do everything, and still can. */
export class ApiKeyScopes1798680000000 implements MigrationInterface {
  readonly name = 'ApiKeyScopes1798680000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE api_key
        ADD scopes text[] NOT NULL DEFAULT '{read,orders,payments,refunds,customers,webhooks}',
        ADD expires_at timestamptz,
        ADD CONSTRAINT api_key_has_scopes CHECK (cardinality(scopes) > 0),
        ADD CONSTRAINT api_key_scopes_known
          CHECK (scopes <@ ARRAY['read', 'orders', 'payments', 'refunds', 'customers', 'webhooks'])`);
    // From now on each new key says what it may.
    await runner.query('ALTER TABLE api_key ALTER scopes DROP DEFAULT');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE api_key DROP COLUMN expires_at, DROP COLUMN scopes');
  }
}
