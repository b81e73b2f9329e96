import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far each table has been gone through for what is kept for a time only. */
export class Retention1798680300000 implements MigrationInterface {
  readonly name = 'Retention1798680300000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE retention_cursor (
        name text CONSTRAINT retention_cursor_pkey PRIMARY KEY,
        last_id uuid NOT NULL
      )`);
    await runner.query(`
      INSERT INTO retention_cursor VALUES
        ('unpaid orders', '00000000-0000-0000-0000-000000000000'),
        ('webhook bodies', '00000000-0000-0000-0000-000000000000')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE retention_cursor');
  }
}
