import type { EntityManager } from 'typeorm';
import { databaseNow } from '../database/database-clock.js';
import { writeAuditEntry } from '../audit/write-audit-entry.js';
import { toRow } from '../database/rows.js';
import { bookingColumns, NO_BOOKING, refuseMissingBooking, type BookingRequest } from './booking-request.js';
import { moveHeldPlaces } from './capacity-move.js';
import { fullyBookedOn } from './fully-booked.js';
import { countHoldAnew, excessHold } from './hold-limits.js';
import { isOfSubscription, Order, type OrderWriter } from './order.js';
import type { OrderContext } from './order-context.js';
import { OrderError } from './order-error.js';
import { priceLines, type LineInput } from './price-lines.js';
import { whatIsSoldOut } from './sold-out.js';
import { moveStock, STOCK_STEPS, type StockStep } from './stock.js';

export interface OrderChanges {
  /** They replace all lines; null: the lines stay. */
  readonly lines: readonly LineInput[] | null;
  /** Null: no booking any more. Undefined: it stays as it is. */
  readonly booking?: BookingRequest | null;
}

/** What may be changed, by who asks and by the order's payments, of which an order itself knows nothing. */
export interface Permission {
  /** Whose the order is afterwards. */
  readonly writtenBy: OrderWriter;
  /** @throws where the order may not come to this total, in minor units. */
  readonly checkTotal: (amount: number) => void;
}

/**
 * Changes an order that nobody has paid. Stock and places that are held for it are held for what it is then instead, or
 * nothing changes. A payment that is open keeps its amount until it is told to follow (`updatePaymentIntent`).
 * @param permit asked once the order's row is locked; throws where nothing may be changed.
 * @throws {OrderError} ORDER_NOT_FOUND, ORDER_ALREADY_PAID, ORDER_CANCELLED, INVALID_ORDER, OUT_OF_STOCK, FULLY_BOOKED
 * @throws {LimitError} RATE_LIMITED: a payer would hold too much
 */
export async function changeOrder(
  { manager, shopTimeZone }: Pick<OrderContext, 'manager' | 'shopTimeZone'>,
  reference: string,
  changes: OrderChanges,
  actor: string,
  permit: (transaction: EntityManager, order: Order) => Promise<Permission>,
): Promise<Order> {
  const { lines, booking } = changes;
  try {
    return await manager.transaction(async (transaction) => {
      const { before, after } = await change(transaction, reference, changes, shopTimeZone, permit);
      const { amount, currency, writtenBy } = after;
      const changesHands = writtenBy !== before.writtenBy;
      await writeAuditEntry(transaction, {
        subject: reference,
        actor,
        action: 'order.updated',
        before: {
          amount: before.amount,
          currency: before.currency,
          ...(booking !== undefined && times(before)),
          ...(changesHands && { writtenBy: before.writtenBy }),
        },
        after: {
          amount,
          currency,
          ...(lines && { lines }),
          ...(booking !== undefined && times(after)),
          ...(changesHands && { writtenBy }),
        },
        reason: null,
      });
      return after;
    });
  } catch (error) {
    const excess = excessHold(error, 'lines');
    if (excess) throw excess;
    const gone = whatIsSoldOut(error);
    if (gone === null) throw error;
    // The days are looked at before they are taken: their product has got fewer places in between.
    if (gone === 'PLACES') throw fullyBookedOn([]);
    const skus = lines?.flatMap((input) => ('sku' in input ? [input.sku] : [])) ?? [];
    throw new OrderError(
      'OUT_OF_STOCK',
      `Not enough in stock of ${skus.join(', ')}. Order fewer pieces.`,
      'lines',
    );
  }
}

/** Of a booking, what the audit log keeps: its details may be personal. */
function times({ bookingStartsAt, bookingEndsAt }: Order): object {
  return { booking: bookingStartsAt && { startsAt: bookingStartsAt, endsAt: bookingEndsAt } };
}

async function change(
  manager: EntityManager,
  reference: string,
  { lines, booking }: OrderChanges,
  shopTimeZone: string,
  permit: (transaction: EntityManager, order: Order) => Promise<Permission>,
): Promise<{ before: Order; after: Order }> {
  // The order first, then its products by SKU, then their days: the order of locks that everything keeps.
  const before = await manager.findOne(Order, { where: { reference }, lock: { mode: 'pessimistic_write' } });
  if (!before) throw new OrderError('ORDER_NOT_FOUND', 'There is no such order.', 'orderId');
  refuseClosed(before);
  const { writtenBy, checkTotal } = await permit(manager, before);
  const columns = booking === undefined ? {} : await columnsOf(manager, booking, shopTimeZone);
  const after = { ...before, ...columns, writtenBy, version: before.version + 1 };
  if (lines) after.amount = await replaceLines(manager, after, lines, checkTotal);
  else if (after.bookingStartsAt === null) refuseMissingBooking(await skusWithDays(manager, before));
  await manager.query(
    `UPDATE orders SET amount = $2, version = $3, booking_starts_at = $4, booking_ends_at = $5,
       booking_first_day = $6, booking_last_day = $7, booking_details = $8, written_by = $9 WHERE id = $1`,
    [
      after.id,
      after.amount,
      after.version,
      after.bookingStartsAt,
      after.bookingEndsAt,
      after.bookingFirstDay,
      after.bookingLastDay,
      after.bookingDetails && JSON.stringify(after.bookingDetails),
      after.writtenBy,
    ],
  );
  const movesPlaces = lines !== null || !touchesSameDays(before, after);
  const hasPlaces = before.bookingStartsAt !== null || after.bookingStartsAt !== null;
  if (before.reservedUntil !== null && movesPlaces && hasPlaces) {
    await moveHeldPlaces(manager, after, booking === undefined ? 'lines' : 'booking');
  }
  if (before.reservedUntil !== null) await countHoldAnew(manager, after);
  return { before, after };
}

async function columnsOf(manager: EntityManager, booking: BookingRequest | null, shopTimeZone: string) {
  if (!booking) return NO_BOOKING;
  const now = await databaseNow(manager);
  return bookingColumns(booking, now, shopTimeZone);
}

/** @returns the new total. */
async function replaceLines(
  manager: EntityManager,
  order: Order,
  inputs: readonly LineInput[],
  checkTotal: Permission['checkTotal'],
): Promise<number> {
  const { lines, amount, skusWithDays: needBooking } = await priceLines(manager, inputs, order.currency);
  checkTotal(amount);
  if (order.bookingStartsAt === null) refuseMissingBooking(needBooking);
  const isHeld = order.reservedUntil !== null;
  const skus = lines.flatMap(({ sku }) => sku ?? []);
  if (isHeld) await lockAllProducts(manager, order, skus);
  if (isHeld) await takeStockStep(manager, order, 'RELEASE');
  await manager.query('DELETE FROM order_line WHERE order_id = $1', [order.id]);
  await manager.query('INSERT INTO order_line SELECT * FROM jsonb_populate_recordset(NULL::order_line, $1)', [
    JSON.stringify(lines.map((line) => toRow({ ...line, orderId: order.id }))),
  ]);
  if (isHeld) await takeStockStep(manager, order, 'HOLD');
  return amount;
}

async function skusWithDays(manager: EntityManager, order: Order): Promise<string[]> {
  const rows: { sku: string }[] = await manager.query(
    `SELECT DISTINCT p.sku FROM order_line l JOIN product p ON p.id = l.product_id
     WHERE l.order_id = $1 AND p.daily_capacity IS NOT NULL ORDER BY p.sku`,
    [order.id],
  );
  return rows.map(({ sku }) => sku);
}

function touchesSameDays(one: Order, other: Order): boolean {
  return one.bookingFirstDay === other.bookingFirstDay && one.bookingLastDay === other.bookingLastDay;
}

/** Old and new products together, so that releasing some and holding others can't cross another order's locks. */
async function lockAllProducts(manager: EntityManager, order: Order, skus: string[]): Promise<void> {
  await manager.query(
    `SELECT id FROM product
     WHERE sku = ANY($2) OR id IN (SELECT product_id FROM order_stock WHERE order_id = $1)
     ORDER BY sku FOR NO KEY UPDATE`,
    [order.id, skus],
  );
}

async function takeStockStep(manager: EntityManager, order: Order, step: StockStep): Promise<void> {
  const { stock, reserved, takesFree, givesBack } = STOCK_STEPS[step];
  const expressions = {
    stock: '$2::bigint',
    reserved: '$3::bigint',
    takesFree: '$4::boolean',
    givesBack: '$5::boolean',
  };
  await manager.query(`WITH ${moveStock('$1::uuid', expressions)} SELECT 1`, [
    order.id,
    stock,
    reserved,
    takesFree,
    givesBack,
  ]);
}

function refuseClosed(order: Order): void {
  if (order.status === 'CONFIRMED') {
    throw new OrderError('ORDER_ALREADY_PAID', 'This order is paid and can’t be changed.');
  }
  if (order.status === 'CANCELLED') {
    throw new OrderError('ORDER_CANCELLED', 'This order was cancelled. Make a new one.');
  }
  if (isOfSubscription(order)) {
    throw new OrderError(
      'INVALID_ORDER',
      'What a subscription costs is not changed by its orders.',
      'orderId',
    );
  }
}
