import type { MigrationInterface, QueryRunner } from 'typeorm';

/** To count who was written to about payments that are not finished: anybody can make us write to anybody. */
export class BudgetOfEmails1798680250000 implements MigrationInterface {
  readonly name = 'BudgetOfEmails1798680250000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE INDEX email_message_unfinished ON email_message (sent_at)
      WHERE sent_at IS NOT NULL AND template IN ('PAYMENT_FAILED', 'PAYMENT_REMINDER')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX email_message_unfinished');
  }
}
