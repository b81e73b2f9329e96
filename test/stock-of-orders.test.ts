import fc from 'fast-check';
import { StockOfOrders1798670000000 } from '../migrations/1798670000000-stock-of-orders.js';
import type { Product } from '../src/orders/product.js';
import { bookableOrder, days, placesOf } from './support/bookings.js';
import { eventually } from './support/eventually.js';
import { cancelPayment, changeQuantity, readPayment, untilStatus } from './support/payment-calls.js';
import { codeOf, CREATE_PAYMENT, dataOf, startTestApp, type RunningApp } from './support/running-app.js';
import { expectSettled, settled } from './support/settled.js';
import { refundPayment } from './support/staff-calls.js';
import { GOOD_CARD } from './support/ways-to-pay.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterEach(() => expectSettled(app));
afterAll(() => app.stop());

/** As a shop does whose catalogue is kept elsewhere: in the table. */
async function setStock({ id }: Product, stock: number | null): Promise<void> {
  await app.dataSource.query('UPDATE product SET stock = $2 WHERE id = $1', [id, stock]);
}

async function stockOf({ id }: Product): Promise<{ stock: number | null; reserved: number }> {
  const [row] = await app.dataSource.query('SELECT stock, reserved FROM product WHERE id = $1', [id]);
  return row;
}

async function openPayment(product: Product, quantity = 1) {
  const { orderId, token } = await app.order(product.sku, quantity);
  return { orderId, token, ...(await app.pay(orderId, token)) };
}

type Payment = Awaited<ReturnType<typeof openPayment>>;

async function payFor(payment: Payment): Promise<void> {
  app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD);
  await untilStatus(app, payment.id, payment.token, 'PAID');
}

async function expire({ id, token }: Payment): Promise<void> {
  await app.dataSource.query(`UPDATE payment_intent SET expires_at = now() WHERE reference = $1`, [id]);
  await untilStatus(app, id, token, 'EXPIRED');
}

describe('a product whose pieces begin to be counted while a payment is open', () => {
  test('keeps all its pieces when the payment succeeds: none of them was held for it', async () => {
    const product = await app.addProduct({ stock: null });
    const payment = await openPayment(product, 3);
    await setStock(product, 10);
    await payFor(payment);
    expect(await stockOf(product)).toEqual({ stock: 10, reserved: 0 });
  });

  test.each([
    ['is cancelled', (payment: Payment) => cancelPayment(app, payment.id, payment.token)],
    ['expires', expire],
  ])('keeps all its pieces when the payment %s', async (_, end) => {
    const product = await app.addProduct({ stock: null });
    const payment = await openPayment(product, 3);
    await setStock(product, 10);
    await end(payment);
    expect(await readPayment(app, payment.id, payment.token)).toMatchObject({
      order: { reservedUntil: null },
    });
    expect(await stockOf(product)).toEqual({ stock: 10, reserved: 0 });
  });

  test('holds pieces for what the order is changed to', async () => {
    const product = await app.addProduct({ stock: null });
    const { orderId, token } = await openPayment(product, 3);
    await setStock(product, 10);
    await changeQuantity(app, orderId, token, product.sku, 4);
    expect(await stockOf(product)).toEqual({ stock: 10, reserved: 4 });
  });

  test('gets no piece back by a refund that puts back what was sold: nothing had been taken', async () => {
    const product = await app.addProduct({ stock: null });
    const payment = await openPayment(product, 3);
    await payFor(payment);
    await setStock(product, 10);
    dataOf(await refundPayment(app, payment, { restock: true }));
    await untilStatus(app, payment.id, payment.token, 'REFUNDED');
    expect(await stockOf(product)).toEqual({ stock: 10, reserved: 0 });
  });
});

describe('a product whose pieces are no longer counted while a payment is open', () => {
  test('has nothing reserved any more when the payment succeeds', async () => {
    const product = await app.addProduct({ stock: 10 });
    const payment = await openPayment(product, 3);
    await setStock(product, null);
    await payFor(payment);
    expect(await stockOf(product)).toEqual({ stock: null, reserved: 0 });
  });

  test('has nothing reserved any more when the payment is cancelled', async () => {
    const product = await app.addProduct({ stock: 10 });
    const payment = await openPayment(product, 3);
    await setStock(product, null);
    dataOf(await cancelPayment(app, payment.id, payment.token));
    expect(await stockOf(product)).toEqual({ stock: null, reserved: 0 });
  });

  test('has nothing reserved any more when the order is changed, and what is held from then on is recorded', async () => {
    const product = await app.addProduct({ stock: 10 });
    const { orderId, token, id } = await openPayment(product, 3);
    await setStock(product, null);
    await changeQuantity(app, orderId, token, product.sku, 2);
    await setStock(product, 10);
    expect(await stockOf(product)).toEqual({ stock: 10, reserved: 0 });
    dataOf(await cancelPayment(app, id, token));
    expect(await stockOf(product)).toEqual({ stock: 10, reserved: 0 });
  });

  test('is sold and held right when its pieces are counted again before the payment ends', async () => {
    const product = await app.addProduct({ stock: 10 });
    const [paid, cancelled] = [await openPayment(product, 3), await openPayment(product, 2)];
    await setStock(product, null);
    const uncounted = await openPayment(product, 4);
    await setStock(product, 8);
    await payFor(paid);
    dataOf(await cancelPayment(app, cancelled.id, cancelled.token));
    dataOf(await cancelPayment(app, uncounted.id, uncounted.token));
    expect(await stockOf(product)).toEqual({ stock: 5, reserved: 0 });
  });
});

test('a product that is renamed and taken out of the catalogue while a payment is open gives back what was held', async () => {
  const product = await app.addProduct({ stock: 10 });
  const [kept, ended] = [await openPayment(product, 3), await openPayment(product, 2)];
  await app.dataSource.query(`UPDATE product SET sku = sku || '-OLD', active = false WHERE id = $1`, [
    product.id,
  ]);
  await payFor(kept);
  dataOf(await cancelPayment(app, ended.id, ended.token));
  expect(await stockOf(product)).toEqual({ stock: 7, reserved: 0 });
});

test('a product that others hold can’t be deleted', async () => {
  const product = await app.addProduct({ stock: 10 });
  const payment = await openPayment(product);
  await expect(app.dataSource.query('DELETE FROM product WHERE id = $1', [product.id])).rejects.toThrow();
  await payFor(payment);
});

test('the migration records what orders held and had taken before, and frees what was reserved for nobody', async () => {
  const counted = await app.addProduct({ stock: 10 });
  const [held, taken] = [await openPayment(counted, 3), await openPayment(counted, 2)];
  await payFor(taken);
  const newlyCounted = await app.addProduct({ stock: null });
  const uncounted = await openPayment(newlyCounted, 3);
  await setStock(newlyCounted, 2);
  const leaked = await app.addProduct({ stock: 10, reserved: 4 });
  const runner = app.dataSource.createQueryRunner();
  const migration = new StockOfOrders1798670000000();
  await runner.startTransaction();
  await migration.down(runner);
  await migration.up(runner);
  await runner.commitTransaction();
  await runner.release();

  expect(await stockOf(leaked)).toEqual({ stock: 10, reserved: 0 });
  expect(await stockOf(counted)).toEqual({ stock: 8, reserved: 3 });
  dataOf(await cancelPayment(app, held.id, held.token));
  dataOf(await refundPayment(app, taken, { restock: true }));
  await untilStatus(app, taken.id, taken.token, 'REFUNDED');
  expect(await stockOf(counted)).toEqual({ stock: 10, reserved: 0 });
  await payFor(uncounted);
  expect(await stockOf(newlyCounted)).toEqual({ stock: 2, reserved: 0 });
});

describe('places of a booking', () => {
  const setCapacity = ({ id }: Product, capacity: number | null) =>
    app.dataSource.query('UPDATE product SET daily_capacity = $2 WHERE id = $1', [id, capacity]);

  async function openBooking(product: Product) {
    const order = await bookableOrder(app, product, days(10, 11));
    const { paymentIntent, nextAction } = dataOf(
      await app.graphql(CREATE_PAYMENT, { input: { orderId: order.orderId, method: 'CARD' } }, order.token),
    ).createPaymentIntent;
    return { ...order, id: paymentIntent.id, nextAction } as Payment;
  }

  test.each([
    ['a product gets days', null, 5],
    ['a product has no days any more', 5, null],
    ['a product has fewer places', 5, 0],
  ])('are released and booked as they were held when %s', async (_, before, after) => {
    const product = await app.addProduct({ stock: null, dailyCapacity: before });
    const [paid, cancelled] = [await openBooking(product), await openBooking(product)];
    await setCapacity(product, after);
    await payFor(paid);
    dataOf(await cancelPayment(app, cancelled.id, cancelled.token));
    const booked =
      before === null ? [] : [10, 11].map((day) => [days(day).startsAt.slice(0, 10), 'held 0, booked 1']);
    expect(await placesOf(app, product)).toEqual(Object.fromEntries(booked));
  });
});

describe('whatever becomes of products around payments', () => {
  /** Codes with which a payer may rightly be refused in such a life. */
  const REFUSALS = [
    undefined,
    'OUT_OF_STOCK',
    'FULLY_BOOKED',
    'BAD_USER_INPUT',
    'BOOKING_REQUIRED',
    'ORDER_ALREADY_PAID',
    'ORDER_NOT_CHANGEABLE',
    'PAYMENT_NOT_CANCELLABLE',
    'PAYMENT_NOT_REFUNDABLE',
    'AMOUNT_TOO_LARGE',
    'PAYMENT_IN_REVIEW',
    'CONFLICT',
  ];

  type Step = (life: Life) => Promise<unknown>;

  interface Life {
    readonly product: Product;
    readonly payments: Payment[];
  }

  async function skuOf({ id }: Product): Promise<string> {
    const [{ sku }] = await app.dataSource.query('SELECT sku FROM product WHERE id = $1', [id]);
    return sku;
  }

  const among = <Item>(items: readonly Item[], index: number): Item | undefined =>
    items[index % items.length];

  const refused = (answer: { errors?: readonly { extensions: { code: string } }[] }) =>
    expect(REFUSALS).toContain(codeOf(answer as never));

  const open =
    (quantity: number): Step =>
    async ({ product, payments }) => {
      const order = await bookableOrder(app, { sku: await skuOf(product) }, days(12), quantity).catch(
        () => undefined,
      );
      // It has no such product to offer at the moment.
      if (!order) return;
      const { orderId, token } = order;
      const answer = await app.graphql(CREATE_PAYMENT, { input: { orderId, method: 'CARD' } }, token);
      refused(answer);
      if (answer.errors) return;
      const { paymentIntent, nextAction } = answer.data.createPaymentIntent;
      payments.push({ orderId, token, ...paymentIntent, nextAction });
    };
  const change =
    (index: number, quantity: number): Step =>
    async ({ product, payments }) => {
      const payment = among(payments, index);
      if (!payment) return;
      const mutation = `mutation ($input: UpdateOrderInput!) { updateOrder(input: $input) { amount } }`;
      const sku = await skuOf(product);
      refused(
        await app.graphql(
          mutation,
          { input: { orderId: payment.orderId, lines: [{ sku, quantity }] } },
          payment.token,
        ),
      );
    };
  const pay =
    (index: number): Step =>
    ({ payments }) => {
      const payment = among(payments, index);
      try {
        if (payment) app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD);
      } catch {
        // It is paid, or cancelled, already.
      }
      return Promise.resolve();
    };
  const cancel =
    (index: number): Step =>
    async ({ payments }) => {
      const payment = among(payments, index);
      if (payment) refused(await cancelPayment(app, payment.id, payment.token));
    };
  const giveBack =
    (index: number): Step =>
    async ({ payments }) => {
      const payment = among(payments, index);
      if (payment) refused(await refundPayment(app, payment, { restock: true }));
    };
  const count =
    (pieces: number | null): Step =>
    ({ product }) =>
      app.dataSource.query(
        'UPDATE product SET stock = CASE WHEN $2::bigint IS NOT NULL THEN greatest($2, reserved) END WHERE id = $1',
        [product.id, pieces],
      );
  const limit =
    (capacity: number | null): Step =>
    ({ product }) =>
      app.dataSource.query('UPDATE product SET daily_capacity = $2 WHERE id = $1', [product.id, capacity]);
  const rename: Step = ({ product }) =>
    app.dataSource.query(
      `UPDATE product SET sku = 'SKU-' || gen_random_uuid(), active = NOT active WHERE id = $1`,
      [product.id],
    );

  const small = fc.nat(6);
  const quantity = fc.integer({ min: 1, max: 3 });
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 4, arbitrary: quantity.map(open) },
    { weight: 2, arbitrary: fc.tuple(small, quantity).map(([index, pieces]) => change(index, pieces)) },
    { weight: 3, arbitrary: small.map(pay) },
    { weight: 2, arbitrary: small.map(cancel) },
    { weight: 1, arbitrary: small.map(giveBack) },
    { weight: 3, arbitrary: fc.option(fc.nat(8)).map(count) },
    { weight: 1, arbitrary: fc.option(fc.nat(8)).map(limit) },
    { weight: 1, arbitrary: fc.constant(rename) },
    { weight: 2, arbitrary: fc.constant<Step>(() => settled(app)) },
  );

  test('what is reserved is what is recorded as held, nothing is negative, and no notification is stuck', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.option(fc.nat(8)),
        fc.array(step, { minLength: 8, maxLength: 24 }),
        async (stock, steps) => {
          const life: Life = { product: await app.addProduct({ stock }), payments: [] };
          for (const take of steps) await take(life);
          await expectSettled(app);
          const stuck = await app.dataSource.query(
            `SELECT outcome FROM webhook_event WHERE status IN ('WAITING', 'PARKED')`,
          );
          expect(stuck).toEqual([]);
          // Once nobody pays any more, nothing is held.
          await app.dataSource.query(`UPDATE payment_intent SET expires_at = now() WHERE status = 'PENDING'`);
          await eventually(
            () =>
              app.dataSource
                .query(`SELECT reference FROM orders WHERE reserved_until IS NOT NULL AND NOT EXISTS (
              SELECT FROM payment_intent i WHERE i.order_id = orders.id AND i.status = 'REVIEW')`),
            (held: unknown[]) => held.length === 0,
          );
          await expectSettled(app);
          const { reserved } = await stockOf(life.product);
          expect(reserved).toBeGreaterThanOrEqual(0);
        },
      ),
      { numRuns: 12 },
    );
  });
});
