import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How often each phone number was asked for consent within the last hour. */
export class PhonePrompts1798680220000 implements MigrationInterface {
  readonly name = 'PhonePrompts1798680220000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE phone_prompt (
        number_digest text CONSTRAINT phone_prompt_pkey PRIMARY KEY,
        prompted_at timestamptz[] NOT NULL CONSTRAINT phone_prompt_some CHECK (cardinality(prompted_at) > 0)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE phone_prompt');
  }
}
