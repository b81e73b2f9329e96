import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * An order says who wrote what it costs and contains. Of orders that exist, those are the merchant's that show the hand
 * of a backend, an operator or a subscription; all others are their payers'.
 */
export class WritersOfOrders1798600000000 implements MigrationInterface {
  readonly name = 'WritersOfOrders1798600000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE orders
        ADD written_by text NOT NULL DEFAULT 'PAYER',
        ADD CONSTRAINT orders_written_by_known CHECK (written_by IN ('PAYER', 'MERCHANT'))`);
    // Payers may give none of these. A backend's order without any of them is known by its idempotency key, while it is kept.
    await runner.query(`
      UPDATE orders o SET written_by = 'MERCHANT'
      WHERE o.number IS NOT NULL OR o.customer_id IS NOT NULL OR o.recurring_subscription_id IS NOT NULL
        OR o.metadata <> '{}'
        OR EXISTS (SELECT FROM order_line l WHERE l.order_id = o.id AND l.product_id IS NULL)
        OR EXISTS (SELECT FROM audit_log a WHERE a.subject = o.reference AND a.action = 'order.updated'
          AND (a.actor LIKE 'backend:%' OR a.actor LIKE 'operator:%'))
        OR EXISTS (SELECT FROM idempotency_key k WHERE k.resource_id = o.id
          AND (k.caller LIKE 'backend:%' OR k.caller LIKE 'operator:%'))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE orders DROP CONSTRAINT orders_written_by_known, DROP written_by');
  }
}
