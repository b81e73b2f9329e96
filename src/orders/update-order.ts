import type { EntityManager } from 'typeorm';
import { writeAuditEntry } from '../audit/write-audit-entry.js';
import { toRow } from '../database/rows.js';
import { violatedConstraint } from '../database/statement.js';
import { Order } from './order.js';
import { OrderError } from './order-error.js';
import { priceLines, type LineInput } from './price-lines.js';
import { lockProducts, STOCK_CONSTRAINT, STOCK_STEPS, type StockStep } from './stock.js';

/**
 * Replaces the lines of an order that nobody has paid. Stock that is held for it is held for the new lines instead.
 * A payment that is open keeps its amount until it is told to follow (`updatePaymentIntent`).
 * @throws {OrderError} ORDER_NOT_FOUND, ORDER_ALREADY_PAID, ORDER_CANCELLED, INVALID_ORDER, OUT_OF_STOCK
 */
export async function updateOrder(
  manager: EntityManager,
  reference: string,
  inputs: readonly LineInput[],
  actor: string,
): Promise<Order> {
  try {
    return await manager.transaction(async (transaction) => {
      const { before, after } = await replaceLines(transaction, reference, inputs);
      await writeAuditEntry(transaction, {
        subject: reference,
        actor,
        action: 'order.updated',
        before: { amount: before.amount, currency: before.currency },
        after: { amount: after.amount, currency: after.currency, lines: inputs },
        reason: null,
      });
      return after;
    });
  } catch (error) {
    if (violatedConstraint(error) !== STOCK_CONSTRAINT) throw error;
    const skus = inputs.flatMap((input) => ('sku' in input ? [input.sku] : []));
    throw new OrderError(
      'OUT_OF_STOCK',
      `Not enough in stock of ${skus.join(', ')}. Order fewer pieces.`,
      'lines',
    );
  }
}

async function replaceLines(
  manager: EntityManager,
  reference: string,
  inputs: readonly LineInput[],
): Promise<{ before: Order; after: Order }> {
  // The order first, then its products by SKU: the order of locks that everything keeps.
  const order = await manager.findOne(Order, { where: { reference }, lock: { mode: 'pessimistic_write' } });
  if (!order) throw new OrderError('ORDER_NOT_FOUND', 'There is no such order.', 'orderId');
  refuseClosed(order);
  const { lines, amount } = await priceLines(manager, inputs, order.currency);
  const isHeld = order.reservedUntil !== null;
  const skus = lines.flatMap(({ sku }) => sku ?? []);
  if (isHeld) await lockAllProducts(manager, order, skus);
  if (isHeld) await moveStock(manager, order, 'RELEASE');
  await manager.query('DELETE FROM order_line WHERE order_id = $1', [order.id]);
  await manager.query('INSERT INTO order_line SELECT * FROM jsonb_populate_recordset(NULL::order_line, $1)', [
    JSON.stringify(lines.map((line) => toRow({ ...line, orderId: order.id }))),
  ]);
  if (isHeld) await moveStock(manager, order, 'HOLD');
  await manager.query('UPDATE orders SET amount = $2, version = version + 1 WHERE id = $1', [
    order.id,
    amount,
  ]);
  return { before: order, after: { ...order, amount, version: order.version + 1 } };
}

/** Old and new products together, so that releasing some and holding others can't cross another order's locks. */
async function lockAllProducts(manager: EntityManager, order: Order, skus: string[]): Promise<void> {
  await manager.query(
    `SELECT id FROM product
     WHERE sku = ANY($2) OR id IN (SELECT product_id FROM order_line WHERE order_id = $1)
     ORDER BY sku FOR NO KEY UPDATE`,
    [order.id, skus],
  );
}

async function moveStock(manager: EntityManager, order: Order, step: StockStep): Promise<void> {
  const { stock, reserved } = STOCK_STEPS[step];
  await manager.query(
    `WITH ${lockProducts('$1', 'true')}
     UPDATE product p SET stock = p.stock + $2 * h.quantity, reserved = p.reserved + $3 * h.quantity
     FROM held_product h WHERE p.id = h.id`,
    [order.id, stock, reserved],
  );
}

function refuseClosed(order: Order): void {
  if (order.status === 'CONFIRMED') {
    throw new OrderError('ORDER_ALREADY_PAID', 'This order is paid and can’t be changed.');
  }
  if (order.status === 'CANCELLED') {
    throw new OrderError('ORDER_CANCELLED', 'This order was cancelled. Make a new one.');
  }
}
