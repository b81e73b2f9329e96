import type { EntityManager } from 'typeorm';
import { run, statement } from '../database/statement.js';
import type { Order } from './order.js';

const CANCEL = statement<{ id: string }>(
  'cancel_unpaid_order',
  `WITH cancelled AS (
     UPDATE orders SET status = 'CANCELLED', version = version + 1
     WHERE id = $1 AND version = $2 AND status = 'OPEN' AND reserved_until IS NULL RETURNING id, reference
   ),
   audited AS (
     INSERT INTO audit_log (subject, actor, action, before, after)
     SELECT reference, $3, 'order.cancelled', '{"status": "OPEN"}', '{"status": "CANCELLED"}' FROM cancelled
   )
   SELECT id FROM cancelled`,
);

/**
 * Cancels an order that holds no stock, that is, whose payments are over. False, and nothing done, when the order has
 * changed since it was read.
 */
export async function cancelUnpaidOrder(
  manager: EntityManager,
  order: Order,
  actor: string,
): Promise<boolean> {
  const rows = await run(manager, CANCEL, [order.id, order.version, actor]);
  return rows.length === 1;
}
