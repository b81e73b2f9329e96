import type { EntityManager } from 'typeorm';
import { movePlaces, neededPlaces, PLACE_STEPS } from './capacity.js';
import { daysShortOf, fullyBookedOn } from './fully-booked.js';
import type { Order } from './order.js';
import type { StockStep } from './stock.js';

/**
 * Gives back the places that an order holds, and holds those that it needs now. The order and its products are locked.
 * @param manager of a transaction that has written the order's new lines and booking.
 * @param field of the input that asks for it.
 * @throws {OrderError} FULLY_BOOKED; the transaction is to be given up then.
 */
export async function moveHeldPlaces(
  manager: EntityManager,
  order: Pick<Order, 'id'>,
  field: 'lines' | 'booking',
): Promise<void> {
  await lockAllDays(manager, order);
  await takeStep(manager, order, 'RELEASE');
  const short = await daysShortOf(manager, order);
  if (short.length > 0) throw fullyBookedOn(short, field);
  await takeStep(manager, order, 'HOLD');
}

/** Old and new days together, for the reason that `lockAllProducts` has; days that have no row yet get one. */
async function lockAllDays(manager: EntityManager, { id }: Pick<Order, 'id'>): Promise<void> {
  await manager.query(
    `INSERT INTO product_day AS d (product_id, day, capacity, held, booked)
     SELECT product_id, day, max(capacity), 0, 0 FROM (
       SELECT product_id, sku, day, capacity FROM (${neededPlaces('$1')}) AS needed
       UNION ALL
       SELECT own.product_id, p.sku, own.day, 0 FROM order_place own JOIN product p ON p.id = own.product_id
       WHERE own.order_id = $1
     ) AS every_place
     GROUP BY product_id, sku, day ORDER BY sku, day
     ON CONFLICT (product_id, day) DO UPDATE SET held = d.held`,
    [id],
  );
}

async function takeStep(manager: EntityManager, { id }: Pick<Order, 'id'>, step: StockStep): Promise<void> {
  const { held, booked, takesFree } = PLACE_STEPS[step];
  const expressions = { held: '$2::integer', booked: '$3::integer', takesFree: '$4::boolean' };
  await manager.query(`WITH ${movePlaces('$1::uuid', expressions)} SELECT 1`, [id, held, booked, takesFree]);
}
