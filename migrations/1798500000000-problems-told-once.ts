import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A payment remembers what was wrong with it and has been told. */
export class ProblemsToldOnce1798500000000 implements MigrationInterface {
  readonly name = 'ProblemsToldOnce1798500000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE payment_intent ADD noted_problems text[] NOT NULL DEFAULT '{}'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE payment_intent DROP COLUMN noted_problems');
  }
}
