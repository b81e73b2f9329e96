import type { EntityManager } from 'typeorm';
import { Field, Int, ObjectType } from 'type-graphql';
import { GraphQLLocalDate } from 'graphql-scalars';
import { databaseNow } from '../database/database-clock.js';
import { run, statement } from '../database/statement.js';
import { daysTouched, type Day } from './booking-days.js';
import { OrderError } from './order-error.js';
import { Product } from './product.js';

@ObjectType({ description: 'How many places of a product are free on one day.' })
export class FreePlaces {
  @Field(() => GraphQLLocalDate, { description: 'In the shop’s time zone.' })
  day: Day;

  @Field(() => Int, {
    description: 'So many can be booked: held and booked places are not free. 0 on days that are over.',
  })
  free: number;
}

/** Of what, and from which day to which, both included. */
export interface WantedDays {
  readonly sku: string;
  readonly from: Day;
  readonly to: Day;
}

const MOST_DAYS = 366;
const DAY_MILLISECONDS = 24 * 60 * 60 * 1_000;

const TAKEN = statement<{ day: Day; taken: number }>(
  'taken_places',
  `SELECT day::text AS day, held + booked AS taken FROM product_day
   WHERE product_id = $1 AND day BETWEEN $2::date AND $3::date`,
);

/**
 * What can still be booked, day by day. It promises nothing: places are held once a payment begins.
 * @throws {OrderError} PRODUCT_NOT_FOUND, PRODUCT_WITHOUT_DAYS, INVALID_DAYS
 */
export async function freePlaces(
  manager: EntityManager,
  { sku, from, to }: WantedDays,
  shopTimeZone: string,
): Promise<FreePlaces[]> {
  const days = daysBetween(from, to);
  const { id, dailyCapacity } = await productWithDays(manager, sku);
  const now = await databaseNow(manager);
  const { lastDay: today } = daysTouched(now, new Date(now.getTime() + 1), shopTimeZone);
  const rows = to < today ? [] : await run(manager, TAKEN, [id, from < today ? today : from, to]);
  const taken = new Map(rows.map((row) => [row.day, row.taken]));
  return days.map((day) => ({
    day,
    // A shop that has fewer places now keeps to what it has sold.
    free: day < today ? 0 : Math.max(0, dailyCapacity - (taken.get(day) ?? 0)),
  }));
}

/** As texts of one form, days compare like the times that they stand for. */
function daysBetween(from: Day, to: Day): Day[] {
  if (to < from) throw new OrderError('INVALID_DAYS', 'to must not be before from.', 'to');
  const first = Date.parse(from);
  const count = (Date.parse(to) - first) / DAY_MILLISECONDS + 1;
  if (count > MOST_DAYS) {
    throw new OrderError('INVALID_DAYS', `Ask for at most ${MOST_DAYS} days at once, not ${count}.`, 'to');
  }
  return Array.from({ length: count }, (_, index) =>
    new Date(first + index * DAY_MILLISECONDS).toISOString().slice(0, 10),
  );
}

async function productWithDays(
  manager: EntityManager,
  sku: string,
): Promise<{ id: string; dailyCapacity: number }> {
  const product = await manager.findOneBy(Product, { sku, active: true });
  if (!product) throw new OrderError('PRODUCT_NOT_FOUND', 'There is no such product to be had.', 'sku');
  const { id, dailyCapacity } = product;
  if (dailyCapacity !== null) return { id, dailyCapacity };
  throw new OrderError(
    'PRODUCT_WITHOUT_DAYS',
    'This product has no days: it has no dailyCapacity, and can be ordered without a booking.',
    'sku',
  );
}
