import type { EntityManager } from 'typeorm';
import { neededPlaces } from './capacity.js';
import type { Order } from './order.js';
import { OrderError } from './order-error.js';

const MOST_DAYS_NAMED = 5;

/** A day on which an order needs more places than there are. */
export interface FullDay {
  readonly sku: string;
  /** YYYY-MM-DD, in the shop's time zone. */
  readonly day: string;
  readonly left: number;
}

/** Says what the database has just refused: which products, on which days, and how many places are left. */
export async function fullyBooked(manager: EntityManager, order: Pick<Order, 'id'>): Promise<OrderError> {
  return fullyBookedOn(await daysShortOf(manager, order));
}

export function fullyBookedOn(days: readonly FullDay[], field?: string): OrderError {
  const named = days.slice(0, MOST_DAYS_NAMED).map(({ sku, day, left }) => `${sku} on ${day} (${left} left)`);
  if (days.length > named.length) named.push(`${days.length - named.length} more`);
  // Between the refusal and the question others may have given places back.
  const message = named.length
    ? `Fully booked: ${named.join(', ')}. Choose other days with updateOrder.`
    : 'It was fully booked a moment ago. Try again.';
  return new OrderError('FULLY_BOOKED', message, field);
}

/** The days on which an order that has no places yet needs more than are free. */
export async function daysShortOf(manager: EntityManager, order: Pick<Order, 'id'>): Promise<FullDay[]> {
  return manager.query(
    `SELECT needed.sku, needed.day::text AS day,
       greatest(needed.capacity - coalesce(d.held + d.booked, 0), 0) AS left
     FROM (${neededPlaces('$1')}) AS needed
       LEFT JOIN product_day d ON d.product_id = needed.product_id AND d.day = needed.day
     WHERE needed.capacity - coalesce(d.held + d.booked, 0) < needed.quantity
     ORDER BY needed.sku, needed.day`,
    [order.id],
  );
}
