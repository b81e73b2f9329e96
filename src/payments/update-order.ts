import type { EntityManager } from 'typeorm';
import { inQuotes } from '../database/in-quotes.js';
import { run, statement } from '../database/statement.js';
import type { Order } from '../orders/order.js';
import type { OrderContext } from '../orders/order-context.js';
import { refuseOutsideLimits } from '../orders/order-limits.js';
import { changeOrder, type OrderChanges } from '../orders/update-order.js';
import {
  moneyStateOf,
  requireChangeable,
  totalNotChangeable,
  type MoneyState,
  type Party,
} from './order-rights.js';
import { OPEN_STATUSES } from './transitions.js';

/** An attempt can be further than its payment: beside one that is processed, the payer may have begun another. */
const STATUSES = statement<{ status: string }>(
  'statuses_of_order',
  `WITH payment AS (
     SELECT id, status FROM payment_intent
     WHERE order_id = $1 AND status IN (${inQuotes([...OPEN_STATUSES, 'REVIEW'])})
   )
   SELECT status FROM payment
   UNION SELECT a.status FROM payment_attempt a JOIN payment p ON a.intent_id = p.id`,
);

/**
 * Changes an order that nobody has paid, as far as the party may. The order's row is locked before its payments are read,
 * and each change of a payment begins with that lock: neither can come between the other's decision and its writing.
 * @throws {AccessError} FORBIDDEN @throws {OrderError} ORDER_NOT_CHANGEABLE, ORDER_NOT_FOUND, ORDER_ALREADY_PAID,
 * ORDER_CANCELLED, INVALID_ORDER, AMOUNT_OUTSIDE_LIMITS, OUT_OF_STOCK, FULLY_BOOKED
 */
export function updateOrder(
  context: Pick<OrderContext, 'manager' | 'shopTimeZone' | 'orderLimits'>,
  party: Party,
  reference: string,
  changes: OrderChanges,
  actor: string,
): Promise<Order> {
  return changeOrder(context, reference, changes, actor, async (transaction, before) => {
    const money = await moneyOf(transaction, before);
    const { mayChangeTotal } = requireChangeable(party, before, money);
    const writtenBy = party === 'MERCHANT' ? ('MERCHANT' as const) : before.writtenBy;
    return {
      writtenBy,
      checkTotal: (amount) => {
        if (!mayChangeTotal && amount !== before.amount) throw totalNotChangeable(money);
        refuseOutsideLimits(context.orderLimits, { ...before, writtenBy, amount }, 'lines');
      },
    };
  });
}

async function moneyOf(manager: EntityManager, { id }: Order): Promise<MoneyState> {
  const rows = await run(manager, STATUSES, [id]);
  return moneyStateOf(rows.map(({ status }) => status));
}
