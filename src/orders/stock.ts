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

export interface StockMove {
  /** For each piece, how much the product's `stock` changes. */
  readonly stock: -1 | 0 | 1;
  /** For each piece, how much the product's `reserved` changes. */
  readonly reserved: -1 | 0 | 1;
  /** Takes free pieces, by the order's lines, and records them; else it moves the pieces that are recorded. */
  readonly takesFree: boolean;
  /** The order has no pieces afterwards. */
  readonly givesBack: boolean;
}

export const STOCK_STEPS: Readonly<Record<StockStep, StockMove>> = {
  HOLD: { stock: 0, reserved: 1, takesFree: true, givesBack: false },
  RELEASE: { stock: 0, reserved: -1, takesFree: false, givesBack: true },
  TAKE_HELD: { stock: -1, reserved: -1, takesFree: false, givesBack: false },
  TAKE_FREE: { stock: -1, reserved: 0, takesFree: true, givesBack: false },
  RETURN: { stock: 1, reserved: 0, takesFree: false, givesBack: true },
};

/** Moves nothing. */
export const NO_STOCK_MOVE: StockMove = { stock: 0, reserved: 0, takesFree: false, givesBack: false };

/** The constraint that stands between a sale and a piece that isn't there. */
export const STOCK_CONSTRAINT = 'product_reserved_within_stock';

/**
 * CTEs that take a step with the stock of an order, whose row is locked; `moved_product(id, quantity)` are the products
 * that it concerns, locked. Products are locked in the order of their SKU, so that two orders for the same
 * products never wait for each other in a circle; and with NO KEY UPDATE, so that a new order line, which only refers to
 * the product, doesn't wait at all.
 *
 * Only what takes free pieces asks whether the product's pieces are counted. What an order has stands in `order_stock`,
 * and only that is moved or given back, whatever has become of the product meanwhile.
 *
 * `wanted_stock` stands by itself because a row that was waited for is joined again, and a UNION inside that join would
 * lose rows then.
 * @param order an expression: the order's id.
 * @param move expressions: the members of a `StockMove`.
 */
export function moveStock(order: string, move: Readonly<Record<keyof StockMove, string>>): string {
  const { stock, reserved, takesFree, givesBack } = move;
  return `wanted_stock AS MATERIALIZED (
    SELECT product_id, sum(quantity)::bigint AS quantity FROM order_line
    WHERE ${takesFree} AND order_id = ${order} AND product_id IS NOT NULL GROUP BY product_id
    UNION ALL
    SELECT product_id, quantity FROM order_stock
    WHERE (${stock} <> 0 OR ${reserved} <> 0) AND NOT ${takesFree} AND order_id = ${order}
  ),
  moved_product AS MATERIALIZED (
    SELECT p.id, wanted.quantity FROM wanted_stock wanted JOIN product p ON p.id = wanted.product_id
    WHERE p.stock IS NOT NULL OR NOT ${takesFree}
    ORDER BY p.sku FOR NO KEY UPDATE OF p
  ),
  stocked AS (
    UPDATE product p SET
      stock = p.stock + ${stock} * moved.quantity, reserved = p.reserved + ${reserved} * moved.quantity
    FROM moved_product moved WHERE p.id = moved.id
  ),
  taken_stock AS (
    INSERT INTO order_stock (order_id, product_id, quantity)
    SELECT ${order}, id, quantity FROM moved_product WHERE ${takesFree}
  ),
  returned_stock AS (
    DELETE FROM order_stock WHERE ${givesBack} AND order_id = ${order}
  )`;
}
