import { QueryFailedError, type EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { violatedConstraint } from '../database/statement.js';
import { LimitError } from '../limits/limit-error.js';
import type { HoldLimits } from '../limits/limits.js';
import type { Order } from './order.js';
import { OrderError } from './order-error.js';
import type { StockHold } from './stock-hold.js';

/** Who holds: a payer at an address. */
export interface Holder {
  readonly clientDigest: string;
  readonly limits: HoldLimits;
}

/** A hold before it is written, which finds out what is counted of it. */
export type NewStockHold = Omit<StockHold, 'order' | 'products' | 'releasedAt'>;

/**
 * The row of what is about to be held for an order; null where no limit is set. How much of a product the merchant's own
 * order has is the merchant's affair: it only counts as one order.
 */
export function newHold(order: Order, { clientDigest, limits }: Holder, now: Date): NewStockHold | null {
  const { atOnce, sharePercent, perDay } = limits;
  if (atOnce === 0 && sharePercent === 0 && perDay === 0) return null;
  return {
    id: uuidv7(),
    orderId: order.id,
    clientDigest,
    customerId: order.customerId,
    atOnce,
    sharePercent: order.writtenBy === 'MERCHANT' ? 0 : sharePercent,
    perDay,
    beganAt: now,
  };
}

/** In SQL: the products of an order whose pieces or places are counted. */
export function countedProducts(order: string): string {
  return `ARRAY(SELECT DISTINCT p.id FROM order_line l JOIN product p ON p.id = l.product_id
    WHERE l.order_id = ${order} AND (p.stock IS NOT NULL OR p.daily_capacity IS NOT NULL) ORDER BY p.id)`;
}

/**
 * After a held order has other lines or days, and holds them: counted anew. What it held before counts on, for a day.
 * Nothing for an order that no payer holds.
 */
export async function countHoldAnew(
  manager: EntityManager,
  { id, writtenBy }: Pick<Order, 'id' | 'writtenBy'>,
): Promise<void> {
  await manager.query(
    `UPDATE stock_hold h SET
       products = ARRAY(SELECT unnest(h.products) UNION SELECT unnest(${countedProducts('$1')}) ORDER BY 1),
       share_percent = CASE WHEN $2 = 'MERCHANT' THEN 0 ELSE h.share_percent END
     WHERE h.order_id = $1 AND h.released_at IS NULL`,
    [id, writtenBy],
  );
}

/** Those that no limit counts any more, and with them the digests of addresses. */
export async function deleteOldHolds(manager: EntityManager): Promise<void> {
  await manager.query(
    `DELETE FROM stock_hold WHERE released_at IS NOT NULL AND began_at < now() - interval '24 hours'`,
  );
}

interface Excess {
  readonly most: number;
  /** Seconds until it may be different; null where nothing else is held, or its time is up. */
  readonly wait: number | null;
  readonly sku?: string;
  readonly day?: string | null;
  /** Whether this order is too much by itself. */
  readonly alone?: boolean;
}

/** The database's names of them. */
const LIMITS = new Set(['stock_hold_share', 'stock_hold_at_once', 'stock_hold_per_day']);

const SHORTEST_WAIT_SECONDS = 60;

/**
 * In the customer's words, what the database has just refused to hold; null for every other error.
 * @param field of the input that asks for it.
 */
export function excessHold(error: unknown, field: 'orderId' | 'lines'): LimitError | OrderError | null {
  const constraint = violatedConstraint(error);
  if (constraint === undefined || !LIMITS.has(constraint)) return null;
  const cause = (error instanceof QueryFailedError ? error.driverError : error) as { detail?: string };
  const { most, wait, sku, day, alone } = JSON.parse(cause.detail ?? '{}') as Excess;
  const goods = day ? `${sku} on ${day}` : sku;
  if (alone) {
    return new OrderError('INVALID_ORDER', `One buyer can have ${most} of ${goods}. Order fewer.`, field);
  }
  const seconds = Math.max(SHORTEST_WAIT_SECONDS, wait ?? 0);
  const later = `try again in ${Math.ceil(seconds / 60)} min`;
  const sentences: Readonly<Record<string, string>> = {
    stock_hold_at_once: `${most} unpaid orders from here hold their goods already. Pay or cancel one of them, or ${later}.`,
    stock_hold_share: `Unpaid orders from here would hold more of ${goods} than one buyer can have, which is ${most}. Pay or cancel one of them, or ${later}.`,
    stock_hold_per_day: `${sku} was held from here ${most} times within 24 hours and not paid. Ask the shop, or ${later}.`,
  };
  return new LimitError('RATE_LIMITED', sentences[constraint]!, seconds);
}
