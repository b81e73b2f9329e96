import type { Product } from '../../src/orders/product.js';
import { dataOf, type GraphQLAnswer, type RunningApp } from './running-app.js';

const ORDER_WITH_BOOKING = `
  id status amount reservedUntil refundedAt
  booking { id status startsAt endsAt details }`;

const CREATE_ORDER = `mutation ($input: CreateOrderInput!) {
  createOrder(input: $input) { order { ${ORDER_WITH_BOOKING} } orderToken }
}`;

/** Far enough ahead to be no past, and the same in all tests. */
const YEAR = new Date().getUTCFullYear() + 1;

/** A day of June next year, as YYYY-MM-DD. */
export function june(day: number): string {
  return `${YEAR}-06-${String(day).padStart(2, '0')}`;
}

export interface WantedBooking {
  readonly startsAt: string;
  readonly endsAt: string;
  readonly details?: object;
}

/** From morning to evening, from the first of these days to the last, in UTC. */
export function days(first: number, last = first): WantedBooking {
  return { startsAt: `${june(first)}T08:00:00.000Z`, endsAt: `${june(last)}T18:00:00.000Z` };
}

export interface BookedOrder {
  readonly orderId: string;
  readonly token: string;
}

export function askForOrder(app: RunningApp, input: object, token?: string): Promise<GraphQLAnswer> {
  return app.graphql(CREATE_ORDER, { input }, token);
}

/** An order of one product, for some days. */
export async function bookableOrder(
  app: RunningApp,
  { sku }: Pick<Product, 'sku'>,
  booking: WantedBooking | null,
  quantity = 1,
): Promise<BookedOrder> {
  const { order, orderToken } = dataOf(
    await askForOrder(app, { lines: [{ sku, quantity }], booking }),
  ).createOrder;
  return { orderId: order.id, token: orderToken };
}

export async function readBookedOrder(app: RunningApp, { orderId, token }: BookedOrder): Promise<any> {
  const query = `query ($id: ID!) { order(id: $id) { ${ORDER_WITH_BOOKING} } }`;
  return dataOf(await app.graphql(query, { id: orderId }, token)).order;
}

export function changeOrder(
  app: RunningApp,
  { orderId, token }: BookedOrder,
  changes: object,
): Promise<GraphQLAnswer> {
  const mutation = `mutation ($input: UpdateOrderInput!) { updateOrder(input: $input) { ${ORDER_WITH_BOOKING} } }`;
  return app.graphql(mutation, { input: { orderId, ...changes } }, token);
}

/** The places that are taken, day by day, as `{ '2027-06-01': 'held 1, booked 0' }`; days without any are left out. */
export async function placesOf(
  app: Pick<RunningApp, 'dataSource'>,
  { id }: Pick<Product, 'id'>,
): Promise<Record<string, string>> {
  const rows: { day: string; held: number; booked: number }[] = await app.dataSource.query(
    `SELECT day::text AS day, held, booked FROM product_day
     WHERE product_id = $1 AND held + booked > 0 ORDER BY day`,
    [id],
  );
  return Object.fromEntries(rows.map(({ day, held, booked }) => [day, `held ${held}, booked ${booked}`]));
}
