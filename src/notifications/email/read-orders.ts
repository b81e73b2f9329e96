import type { EntityManager } from 'typeorm';
import { run, statement } from '../../database/statement.js';
import type { Currency } from '../../money.js';
import type { OrderFacts } from './email-facts.js';

/** An order as e-mails tell of it. */
export interface MailedOrder {
  readonly id: string;
  readonly locale: string;
  readonly currency: Currency;
  /** Collected by its provider alone. */
  readonly isOfSubscription: boolean;
  readonly facts: OrderFacts;
}

const READ = statement<MailedOrder>(
  'read_mailed_orders',
  `SELECT o.id, o.locale, o.currency, o.recurring_subscription_id IS NOT NULL AS "isOfSubscription", jsonb_build_object(
     'reference', o.reference, 'number', o.number, 'amount', o.amount, 'createdAt', o.created_at,
     'customer', jsonb_build_object('name', o.customer -> 'name', 'email', o.customer -> 'email'),
     'lines', (SELECT jsonb_agg(jsonb_build_object('name', l.name, 'quantity', l.quantity, 'unitAmount', l.unit_amount)
                 ORDER BY l.position) FROM order_line l WHERE l.order_id = o.id),
     'booking', CASE WHEN o.booking_starts_at IS NOT NULL THEN jsonb_build_object(
       'reference', (SELECT b.reference FROM booking b WHERE b.order_id = o.id),
       'startsAt', o.booking_starts_at, 'endsAt', o.booking_ends_at) END) AS facts
   FROM orders o WHERE o.id = ANY($1)`,
);

export async function readMailedOrders(
  manager: EntityManager,
  ids: Iterable<string>,
): Promise<ReadonlyMap<string, MailedOrder>> {
  const rows = await run(manager, READ, [[...new Set(ids)]]);
  return new Map(rows.map((row) => [row.id, row]));
}
