import type { EntityManager } from 'typeorm';
import { goThrough, type KeptForATime } from './go-through.js';

/**
 * Anybody may write orders, and most are never paid. One stays if the merchant wrote it, who may have sent a link to pay
 * it; and if anybody ever began to pay it, for money may come late and must find what it was for.
 */
const UNPAID_ORDERS: KeptForATime = {
  name: 'unpaid orders',
  table: 'orders',
  end: `unpaid AS MATERIALIZED (
      SELECT o.id FROM orders o JOIN batch USING (id)
      WHERE o.written_by = 'PAYER' AND o.status IN ('OPEN', 'CANCELLED')
        AND NOT EXISTS (SELECT 1 FROM payment_intent WHERE order_id = o.id)
        AND NOT EXISTS (SELECT 1 FROM email_message WHERE order_id = o.id)
        AND NOT EXISTS (SELECT 1 FROM subscription_invoice WHERE order_id = o.id)
      FOR UPDATE OF o SKIP LOCKED
    ),
    deleted_lines AS (DELETE FROM order_line USING unpaid WHERE order_id = unpaid.id),
    deleted_bookings AS (DELETE FROM booking USING unpaid WHERE order_id = unpaid.id),
    deleted_orders AS (DELETE FROM orders USING unpaid WHERE orders.id = unpaid.id)`,
};

/** @param keepMilliseconds since they were made. @param now by the database's clock. */
export function deleteUnpaidOrders(
  manager: EntityManager,
  keepMilliseconds: number,
  now: Date,
): Promise<void> {
  return goThrough(manager, UNPAID_ORDERS, keepMilliseconds, now);
}
