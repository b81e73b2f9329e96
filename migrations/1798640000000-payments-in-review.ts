import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Payments under review are few, and looked for by a job: the ones of orders that were paid otherwise. */
export class PaymentsInReview1798640000000 implements MigrationInterface {
  readonly name = 'PaymentsInReview1798640000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE INDEX payment_intent_in_review ON payment_intent (order_id) WHERE status = 'REVIEW'`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX payment_intent_in_review');
  }
}
