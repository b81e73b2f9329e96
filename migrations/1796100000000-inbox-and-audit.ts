import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The inbox by age; and an entry of the audit log for each payment that is older than the log. */
export class InboxAndAudit1796100000000 implements MigrationInterface {
  readonly name = 'InboxAndAudit1796100000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX webhook_event_received ON webhook_event (received_at, id)');
    await runner.query(`
      INSERT INTO audit_log (subject, actor, action, after)
      SELECT reference, 'migration', 'payment.found', jsonb_build_object(
        'status', status, 'version', version, 'amount', amount, 'currency', currency,
        'capturedAmount', captured_amount, 'refundedAmount', refunded_amount, 'disputedAmount', disputed_amount)
      FROM payment_intent i WHERE NOT EXISTS (SELECT 1 FROM audit_log WHERE subject = i.reference)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX webhook_event_received');
  }
}
