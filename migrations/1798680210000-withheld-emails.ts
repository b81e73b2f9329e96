import type { MigrationInterface, QueryRunner } from 'typeorm';

const STATUSES = `'QUEUED', 'SENT', 'FAILED', 'DROPPED'`;

/** E-mails that cost their sender nothing have a budget; what is beyond it is kept, and not sent. */
export class WithheldEmails1798680210000 implements MigrationInterface {
  readonly name = 'WithheldEmails1798680210000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE email_message
        ADD COLUMN budget_key text,
        DROP CONSTRAINT email_message_status_known,
        ADD CONSTRAINT email_message_status_known CHECK (status IN (${STATUSES}, 'WITHHELD'))`);
    await runner.query(`
      CREATE INDEX email_message_budget ON email_message (budget_key, created_at) WHERE budget_key IS NOT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`UPDATE email_message SET status = 'DROPPED' WHERE status = 'WITHHELD'`);
    await runner.query(`
      ALTER TABLE email_message
        DROP COLUMN budget_key,
        DROP CONSTRAINT email_message_status_known,
        ADD CONSTRAINT email_message_status_known CHECK (status IN (${STATUSES}))`);
  }
}
