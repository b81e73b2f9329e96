import type { EntityManager } from 'typeorm';
import { violatedConstraint } from '../database/statement.js';
import { CAPACITY_CONSTRAINT } from './capacity.js';
import { daysShortOf, fullyBooked } from './fully-booked.js';
import type { Order } from './order.js';
import type { OrderError } from './order-error.js';
import { outOfStock, productsShortOf } from './out-of-stock.js';
import { STOCK_CONSTRAINT } from './stock.js';

/** What an order can't have any more, because others have it. */
export type SoldOut = 'STOCK' | 'PLACES';

/** What the database has just refused to sell twice; null for every other error. */
export function whatIsSoldOut(error: unknown): SoldOut | null {
  const constraint = violatedConstraint(error);
  if (constraint === STOCK_CONSTRAINT) return 'STOCK';
  return constraint === CAPACITY_CONSTRAINT ? 'PLACES' : null;
}

/** The same in the customer's words. */
export function soldOutError(
  manager: EntityManager,
  order: Pick<Order, 'id'>,
  what: SoldOut,
): Promise<OrderError> {
  return what === 'STOCK' ? outOfStock(manager, order) : fullyBooked(manager, order);
}

/** What the database would refuse to an order that holds nothing. */
export async function foreseeSoldOut(
  manager: EntityManager,
  order: Pick<Order, 'id' | 'bookingStartsAt'>,
): Promise<SoldOut | null> {
  if ((await productsShortOf(manager, order)).length > 0) return 'STOCK';
  const short = order.bookingStartsAt ? await daysShortOf(manager, order) : [];
  return short.length > 0 ? 'PLACES' : null;
}
