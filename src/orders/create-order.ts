import { v7 as uuidv7 } from 'uuid';
import type { EntityManager } from 'typeorm';
import { databaseNow } from '../database/database-clock.js';
import { toRow } from '../database/rows.js';
import { run, statement, violatedConstraint } from '../database/statement.js';
import {
  IdempotencyKeyReused,
  KEY_CONSTRAINT,
  keyExpiry,
  keyUse,
  type KeyUse,
} from '../idempotency/key-use.js';
import { IdempotencyKey } from '../idempotency/idempotency-key.js';
import { findCustomer } from '../customers/create-customer.js';
import type { Customer } from '../customers/customer.js';
import { newReference } from '../references.js';
import { bookingColumns, NO_BOOKING, refuseMissingBooking, type BookingRequest } from './booking-request.js';
import { Order, type OrderCustomer, type OrderWriter } from './order.js';
import type { OrderContext } from './order-context.js';
import { OrderError } from './order-error.js';
import { refuseOutsideLimits } from './order-limits.js';
import { priceLines, type LineInput } from './price-lines.js';

export interface CreateOrder {
  readonly lines: readonly LineInput[];
  readonly currency?: string | null;
  /** The merchant's own; only backends may give one. */
  readonly number?: string | null;
  readonly customer?: OrderCustomer | null;
  /** The public id of the merchant's user who buys; only backends may give one. */
  readonly customerId?: string | null;
  readonly metadata?: Record<string, unknown> | null;
  readonly locale?: string | null;
  readonly booking?: BookingRequest | null;
  readonly writtenBy: OrderWriter;
  readonly caller: string;
  readonly idempotencyKey?: string | null;
}

const DEFAULT_LOCALE = 'en';

const INSERT = statement(
  'insert_order',
  `WITH new_order AS (INSERT INTO orders SELECT * FROM jsonb_populate_record(NULL::orders, $1)),
  lines AS (INSERT INTO order_line SELECT * FROM jsonb_populate_recordset(NULL::order_line, $2))
  INSERT INTO idempotency_key SELECT * FROM jsonb_populate_recordset(NULL::idempotency_key, $3)`,
);

/**
 * Writes an order down. No stock is held yet: that begins with its payment.
 * @throws {OrderError} INVALID_ORDER, AMOUNT_OUTSIDE_LIMITS, ORDER_NUMBER_TAKEN @throws {CustomerError} CUSTOMER_NOT_FOUND
 * @throws {IdempotencyKeyReused}
 */
export async function createOrder(
  manager: EntityManager,
  request: CreateOrder,
  { shopTimeZone, orderLimits }: Pick<OrderContext, 'shopTimeZone' | 'orderLimits'>,
): Promise<Order> {
  const { writtenBy: _writtenBy, ...asked } = request;
  const key = keyUse('createOrder', asked);
  const earlier = key && (await orderOfKey(manager, key));
  if (earlier) return earlier;
  const order = await newOrder(manager, request, shopTimeZone);
  refuseOutsideLimits(orderLimits, order.order, 'lines');
  try {
    await run(manager, INSERT, [
      JSON.stringify(toRow(order.order)),
      JSON.stringify(order.lines.map((line) => toRow({ ...line, orderId: order.order.id }))),
      JSON.stringify(
        key
          ? [toRow({ ...key, resourceId: order.order.id, expiresAt: keyExpiry(order.order.createdAt) })]
          : [],
      ),
    ]);
    return order.order;
  } catch (error) {
    const constraint = violatedConstraint(error);
    const same = key && constraint === KEY_CONSTRAINT ? await orderOfKey(manager, key) : null;
    if (same) return same;
    if (constraint !== 'orders_number_once') throw error;
    throw new OrderError('ORDER_NUMBER_TAKEN', `There is an order ${request.number} already.`, 'number');
  }
}

async function newOrder(manager: EntityManager, request: CreateOrder, shopTimeZone: string) {
  const priced = await priceLines(manager, request.lines, request.currency);
  const { lines, amount, currency } = priced;
  if (!request.booking) refuseMissingBooking(priced.skusWithDays);
  const customer = request.customerId ? await findCustomer(manager, { reference: request.customerId }) : null;
  const now = await databaseNow(manager);
  const order: Order = {
    id: uuidv7(),
    reference: newReference('ORD'),
    number: request.number ?? null,
    status: 'OPEN',
    writtenBy: request.writtenBy,
    amount,
    currency,
    customer: request.customer ?? (customer && detailsOf(customer)),
    customerId: customer?.id ?? null,
    recurringSubscriptionId: null,
    metadata: request.metadata ?? {},
    locale: request.locale ?? customer?.locale ?? DEFAULT_LOCALE,
    reservedUntil: null,
    version: 1,
    createdAt: now,
    confirmedAt: null,
    refundedAt: null,
    restockedAt: null,
    ...(request.booking ? bookingColumns(request.booking, now, shopTimeZone) : NO_BOOKING),
  };
  return { order, lines };
}

export function detailsOf({ name, email }: Customer): OrderCustomer | null {
  if (name === null && email === null) return null;
  return { ...(name !== null && { name }), ...(email !== null && { email }) };
}

async function orderOfKey(manager: EntityManager, key: KeyUse): Promise<Order | null> {
  const used = await manager.findOneBy(IdempotencyKey, { caller: key.caller, key: key.key });
  if (!used) return null;
  if (used.fingerprint !== key.fingerprint) throw new IdempotencyKeyReused();
  return manager.findOneByOrFail(Order, { id: used.resourceId });
}
