import { untilStatus } from './support/books.js';
import { bookableOrder, days, june } from './support/bookings.js';
import { cancelPayment } from './support/payment-calls.js';
import { codeOf, dataOf, startTestApp, type RunningApp } from './support/running-app.js';
import { expectSettled } from './support/settled.js';
import { refundPayment } from './support/staff-calls.js';
import { GOOD_CARD } from './support/ways-to-pay.js';

let app: RunningApp;
beforeAll(async () => {
  // Fourteen hours ahead of UTC: its day is another one for most of ours.
  app = await startTestApp({ shopTimeZone: 'Pacific/Kiritimati' });
});
afterEach(() => expectSettled(app));
afterAll(() => app.stop());

const QUERY = `query ($sku: String!, $from: LocalDate!, $to: LocalDate!) {
  freePlaces(sku: $sku, from: $from, to: $to) { day free }
}`;

const ask = (sku: string, from: string, to: string, token?: string) =>
  app.graphql(QUERY, { sku, from, to }, token);

async function free(sku: string, first: number, last = first): Promise<number[]> {
  const { freePlaces } = dataOf(await ask(sku, june(first), june(last)));
  return freePlaces.map((one: { free: number }) => one.free);
}

const parking = (dailyCapacity: number | null) => app.addProduct({ dailyCapacity, stock: null });

/** From noon to noon, shop time: two days. */
const twoDays = (first: number) => {
  const { startsAt } = days(first - 1);
  return {
    startsAt: startsAt.replace('T08', 'T22'),
    endsAt: days(first).endsAt.replace('T18', 'T22'),
  };
};

test('places are free until they are held, taken once they are booked, and free again after a full refund', async () => {
  const { sku, ...product } = await parking(3);
  expect(dataOf(await ask(sku, june(9), june(12))).freePlaces).toEqual([
    { day: june(9), free: 3 },
    { day: june(10), free: 3 },
    { day: june(11), free: 3 },
    { day: june(12), free: 3 },
  ]);

  const order = await bookableOrder(app, { ...product, sku }, twoDays(10), 2);
  expect(await free(sku, 9, 12)).toEqual([3, 3, 3, 3]);

  const payment = await app.pay(order.orderId, order.token, { method: 'CARD' });
  expect(await free(sku, 9, 12)).toEqual([3, 1, 1, 3]);

  app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD);
  await untilStatus(app, payment.id, 'PAID');
  expect(await free(sku, 9, 12)).toEqual([3, 1, 1, 3]);

  dataOf(await refundPayment(app, payment, { amount: 500 }));
  expect(await free(sku, 10)).toEqual([1]);
  dataOf(await refundPayment(app, payment));
  await expectSettled(app);
  expect(await free(sku, 9, 12)).toEqual([3, 3, 3, 3]);
});

test('places that were held are free again when the payment is cancelled', async () => {
  const product = await parking(1);
  const order = await bookableOrder(app, product, twoDays(10));
  const payment = await app.pay(order.orderId, order.token, { method: 'CARD' });
  expect(await free(product.sku, 10)).toEqual([0]);
  dataOf(await cancelPayment(app, payment.id, order.token));
  expect(await free(product.sku, 10)).toEqual([1]);
});

test('a shop that has fewer places now than it has sold has none free, and not less than none', async () => {
  const product = await parking(2);
  const order = await bookableOrder(app, product, twoDays(10), 2);
  await app.pay(order.orderId, order.token, { method: 'CARD' });
  await app.dataSource.query('UPDATE product SET daily_capacity = 1 WHERE sku = $1', [product.sku]);
  expect(await free(product.sku, 9, 12)).toEqual([1, 0, 0, 1]);
});

test('whoever may order may ask: anybody, with or without a token', async () => {
  const product = await parking(2);
  const { token } = await bookableOrder(app, product, twoDays(5));
  for (const caller of [undefined, token, app.apiKey, app.operatorToken]) {
    expect(dataOf(await ask(product.sku, june(1), june(1), caller)).freePlaces).toEqual([
      { day: june(1), free: 2 },
    ]);
  }
});

test('days that are over have none, by the shop’s own clock', async () => {
  const { sku } = await parking(2);
  const dayOf = (offset: number) => {
    const there = new Date(Date.now() + 14 * 3_600_000 + offset * 24 * 3_600_000);
    return there.toISOString().slice(0, 10);
  };
  const { freePlaces } = dataOf(await ask(sku, dayOf(-1), dayOf(1)));
  expect(freePlaces.map((one: { free: number }) => one.free)).toEqual([0, 2, 2]);
  expect(dataOf(await ask(sku, '0000-02-28', '0000-03-01')).freePlaces).toEqual([
    { day: '0000-02-28', free: 0 },
    { day: '0000-02-29', free: 0 },
    { day: '0000-03-01', free: 0 },
  ]);
});

test('a whole year can be asked for at once, and not more', async () => {
  const { sku } = await parking(2);
  const { freePlaces } = dataOf(await ask(sku, '2028-01-01', '2028-12-31'));
  expect(freePlaces).toHaveLength(366);
  expect(freePlaces.at(-1)).toEqual({ day: '2028-12-31', free: 2 });
  const answer = await ask(sku, '2028-01-01', '2029-01-01');
  expect(answer.errors![0]!.message).toBe('Ask for at most 366 days at once, not 367.');
});

test('what can’t be answered is refused, with the field at fault', async () => {
  const { sku } = await parking(2);
  const withoutDays = await parking(null);
  const gone = await parking(2);
  await app.dataSource.query('UPDATE product SET active = false WHERE sku = $1', [gone.sku]);
  for (const [asked, code, field] of [
    [() => ask(sku, june(2), june(1)), 'BAD_USER_INPUT', 'to'],
    [() => ask('NOTHING', june(1), june(2)), 'NOT_FOUND', 'sku'],
    [() => ask(gone.sku, june(1), june(2)), 'NOT_FOUND', 'sku'],
    [() => ask(withoutDays.sku, june(1), june(2)), 'BAD_USER_INPUT', 'sku'],
  ] as const) {
    const answer = await asked();
    expect(codeOf(answer)).toBe(code);
    expect(answer.errors![0]!.extensions.fields).toMatchObject([{ path: field }]);
  }
  for (const day of ['2027-02-30', 'tomorrow', '2027-06-01T00:00:00Z']) {
    expect(codeOf(await ask(sku, day, june(2)))).toBe('BAD_USER_INPUT');
  }
  expect(codeOf(await ask('\u0000', june(1), june(2)))).toBe('BAD_USER_INPUT');
});
