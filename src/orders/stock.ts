/**
 * What a change does to the stock of an order's products. A held piece counts in `stock` and in `reserved`, so what is
 * available is `stock - reserved`, and the product's CHECK refuses whatever would oversell.
 */
export type StockStep =
  /** The payer pays: pieces are held. */
  | 'HOLD'
  /** The payer did not pay: held pieces are free again. */
  | 'RELEASE'
  /** The payer paid: held pieces leave. */
  | 'TAKE_HELD'
  /** The payer paid after the pieces had been released: free pieces leave, if there are any. */
  | 'TAKE_FREE'
  /** All the money went back, and the pieces with it. */
  | 'RETURN';

/** For each piece of the order, how much `stock` and `reserved` change. */
export const STOCK_STEPS: Readonly<Record<StockStep, { readonly stock: number; readonly reserved: number }>> =
  {
    HOLD: { stock: 0, reserved: 1 },
    RELEASE: { stock: 0, reserved: -1 },
    TAKE_HELD: { stock: -1, reserved: -1 },
    TAKE_FREE: { stock: -1, reserved: 0 },
    RETURN: { stock: 1, reserved: 0 },
  };

/** The constraint that stands between a sale and a piece that isn't there. */
export const STOCK_CONSTRAINT = 'product_reserved_within_stock';

/**
 * A CTE, `held_product(id, quantity)`: the counted products of an order, locked. Products are locked in the order of
 * their SKU, so that two orders for the same products never wait for each other in a circle; and with NO KEY UPDATE,
 * so that a new order line, which only refers to the product, doesn't wait at all.
 */
export function lockProducts(orderId: string, where: string): string {
  return `held_product AS MATERIALIZED (
    SELECT p.id, wanted.quantity
    FROM (
      SELECT product_id, sum(quantity)::bigint AS quantity FROM order_line
      WHERE order_id = ${orderId} AND product_id IS NOT NULL GROUP BY product_id
    ) AS wanted JOIN product p ON p.id = wanted.product_id
    WHERE p.stock IS NOT NULL AND ${where}
    ORDER BY p.sku FOR NO KEY UPDATE OF p
  )`;
}
