import type { EntityManager } from 'typeorm';
import type { Order } from './order.js';
import { OrderError } from './order-error.js';

/** Says in the customer's words what the database has just refused: which SKUs, and how many pieces there are. */
export async function outOfStock(manager: EntityManager, order: Pick<Order, 'id'>): Promise<OrderError> {
  const short = await productsShortOf(manager, order);
  const list = short.map(({ sku, available }) => `${sku} (${available} left)`).join(', ');
  // Between the refusal and this question others may have given pieces back.
  const message = list
    ? `Not enough in stock: ${list}. Order fewer pieces, or try later.`
    : 'It was out of stock a moment ago. Try again.';
  return new OrderError('OUT_OF_STOCK', message);
}

/** The products of which an order that holds none wants more pieces than are free. */
export async function productsShortOf(
  manager: EntityManager,
  order: Pick<Order, 'id'>,
): Promise<{ sku: string; available: number }[]> {
  return manager.query(
    `SELECT p.sku, p.stock - p.reserved AS available
     FROM product p JOIN (
       SELECT product_id, sum(quantity) AS quantity FROM order_line WHERE order_id = $1 GROUP BY product_id
     ) wanted ON wanted.product_id = p.id
     WHERE p.stock IS NOT NULL AND p.stock - p.reserved < wanted.quantity
     ORDER BY p.sku`,
    [order.id],
  );
}
