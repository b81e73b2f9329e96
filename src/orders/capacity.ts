import type { StockStep } from './stock.js';

/** For each place that an order has on a day, how much the day's `held` and `booked` change. */
export const PLACE_STEPS: Readonly<Record<StockStep, PlaceStep>> = {
  HOLD: { held: 1, booked: 0, takesFree: true },
  RELEASE: { held: -1, booked: 0, takesFree: false },
  TAKE_HELD: { held: -1, booked: 1, takesFree: false },
  TAKE_FREE: { held: 0, booked: 1, takesFree: true },
  RETURN: { held: 0, booked: -1, takesFree: false },
};

export interface PlaceStep {
  readonly held: -1 | 0 | 1;
  readonly booked: -1 | 0 | 1;
  /** Whether it takes places that are free, rather than moving those that the order has. */
  readonly takesFree: boolean;
}

/** The constraint that stands between two orders and the last place of a day. */
export const CAPACITY_CONSTRAINT = 'product_day_within_capacity';

/**
 * A query, `(product_id, sku, day, quantity, capacity)`: the places that an order needs for its booking, by its lines.
 * @param order an expression: its id.
 */
export function neededPlaces(order: string): string {
  return `SELECT p.id AS product_id, p.sku, day::date AS day, wanted.quantity, p.daily_capacity AS capacity
    FROM orders o
      CROSS JOIN generate_series(o.booking_first_day::timestamp, o.booking_last_day::timestamp, interval '1 day') AS day
      CROSS JOIN (
        SELECT product_id, sum(quantity)::integer AS quantity FROM order_line
        WHERE order_id = ${order} AND product_id IS NOT NULL GROUP BY product_id
      ) AS wanted
      JOIN product p ON p.id = wanted.product_id
    WHERE o.id = ${order} AND p.daily_capacity IS NOT NULL`;
}

/**
 * CTEs that take a step with the places of an order, whose row is locked. Days are locked after the products, in the
 * order of SKU and day, so that no two bookings wait for each other in a circle.
 *
 * Taking what is free, and nothing else, brings a day to its product's present capacity: where there are fewer places
 * than are taken, nobody new comes in, and who is in stays. What an order has taken stands in `order_place`, and only that
 * is moved or given back.
 * @param order an expression: the order's id.
 * @param step expressions: the members of a `PlaceStep`.
 * @param after a condition to be computed before any day is locked.
 */
export function movePlaces(
  order: string,
  step: Readonly<Record<keyof PlaceStep, string>>,
  after = 'true',
): string {
  const { held, booked, takesFree } = step;
  return `needed_place AS MATERIALIZED (
    SELECT * FROM (${neededPlaces(order)}) AS needed WHERE ${takesFree} AND ${after}
  ),
  taken_day AS (
    INSERT INTO product_day AS d (product_id, day, capacity, held, booked)
    SELECT product_id, day, capacity, ${held} * quantity, ${booked} * quantity FROM needed_place ORDER BY sku, day
    ON CONFLICT (product_id, day) DO UPDATE SET
      capacity = excluded.capacity,
      held = d.held + excluded.held,
      booked = d.booked + excluded.booked
  ),
  taken_place AS (
    INSERT INTO order_place (order_id, product_id, day, quantity)
    SELECT ${order}, product_id, day, quantity FROM needed_place
  ),
  own_place AS MATERIALIZED (
    SELECT d.product_id, d.day, own.quantity
    FROM order_place own JOIN product p ON p.id = own.product_id
      JOIN product_day d ON d.product_id = own.product_id AND d.day = own.day
    WHERE own.order_id = ${order} AND NOT ${takesFree} AND ${after}
    ORDER BY p.sku, d.day FOR NO KEY UPDATE OF d
  ),
  moved_day AS (
    UPDATE product_day d SET held = d.held + ${held} * own.quantity, booked = d.booked + ${booked} * own.quantity
    FROM own_place own WHERE d.product_id = own.product_id AND d.day = own.day
  ),
  given_back AS (
    DELETE FROM order_place WHERE order_id = ${order} AND ${held} + ${booked} < 0
  )`;
}
