import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which refunds were made in the role of support, whose sum of an order is limited. */
export class RefundsBySupport1798680010000 implements MigrationInterface {
  readonly name = 'RefundsBySupport1798680010000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE refund ADD by_support boolean NOT NULL DEFAULT false');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE refund DROP COLUMN by_support');
  }
}
