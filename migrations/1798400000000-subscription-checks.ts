import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When a provider is to be asked about a subscription of which nothing was heard. */
export class SubscriptionChecks1798400000000 implements MigrationInterface {
  readonly name = 'SubscriptionChecks1798400000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

const UP = [
  'ALTER TABLE recurring_subscription ADD next_check_at timestamptz',
  'UPDATE recurring_subscription SET next_check_at = now() WHERE ended_at IS NULL',
  `CREATE INDEX recurring_subscription_to_check ON recurring_subscription (next_check_at)
    WHERE next_check_at IS NOT NULL`,
];

const DOWN = [
  'DROP INDEX recurring_subscription_to_check',
  'ALTER TABLE recurring_subscription DROP COLUMN next_check_at',
];
