import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Each earlier secret of an endpoint, and until when it signs: a second rotation took the first one's promise back. */
export class EarlierEndpointSecrets1798680500000 implements MigrationInterface {
  readonly name = 'EarlierEndpointSecrets1798680500000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE webhook_endpoint
        ADD earlier_secrets jsonb NOT NULL DEFAULT '[]'
          CONSTRAINT webhook_endpoint_earlier_secrets_few
            CHECK (jsonb_typeof(earlier_secrets) = 'array' AND jsonb_array_length(earlier_secrets) <= 5)`);
    await runner.query(`
      UPDATE webhook_endpoint SET earlier_secrets =
        jsonb_build_array(jsonb_build_object('sealed', sealed_previous_secret, 'until', previous_secret_until))
      WHERE sealed_previous_secret IS NOT NULL`);
    await runner.query(`
      ALTER TABLE webhook_endpoint DROP CONSTRAINT webhook_endpoint_previous_secret_ends,
        DROP COLUMN sealed_previous_secret, DROP COLUMN previous_secret_until`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE webhook_endpoint ADD sealed_previous_secret text, ADD previous_secret_until timestamptz,
        ADD CONSTRAINT webhook_endpoint_previous_secret_ends
          CHECK ((sealed_previous_secret IS NULL) = (previous_secret_until IS NULL))`);
    // The newest one: there is room for no more.
    await runner.query(`
      UPDATE webhook_endpoint SET sealed_previous_secret = earlier_secrets -> 0 ->> 'sealed',
        previous_secret_until = (earlier_secrets -> 0 ->> 'until')::timestamptz
      WHERE earlier_secrets <> '[]'`);
    await runner.query('ALTER TABLE webhook_endpoint DROP COLUMN earlier_secrets');
  }
}
