import { randomUUID } from 'node:crypto';
import { askForOrder, changeOrder, days, june, placesOf, readBookedOrder } from './support/bookings.js';
import { untilStatus } from './support/books.js';
import { expectBooksToAgree } from './support/both-books.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import { BANK, STRIPE, type NotifyingProvider } from './support/notifying-provider.js';
import {
  available,
  createPayment,
  orderOf,
  readOrder,
  readPayment,
  updatePayment,
} from './support/payment-calls.js';
import { codeOf, dataOf, startTestApp, type RunningApp } from './support/running-app.js';
import { capturePayment, readAsStaff, refundPayment, verifyPayment } from './support/staff-calls.js';
import { settled, expectSettled } from './support/settled.js';
import { watch } from './support/subscriber.js';
import { BANK as BY_BANK, CARD, GOOD_CARD } from './support/ways-to-pay.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterEach(async () => {
  app.stripe.clearFaults();
  await expectSettled(app);
  await expectBooksToAgree(app);
  await expectInvariants(app.dataSource);
});
afterAll(() => app.stop());

async function orderBy(token: string | undefined, input: object) {
  const { order, orderToken } = dataOf(await askForOrder(app, input, token)).createOrder;
  return { orderId: order.id as string, token: orderToken as string, amount: order.amount as number };
}

/** Something that costs nothing, of which there are so many. */
const freeProduct = (stock: number | null = 5, more: object = {}) =>
  app.addProduct({ unitAmount: 0, stock, ...more });

async function freeOrder(more: object = {}) {
  const { sku } = await freeProduct();
  return { ...(await orderBy(undefined, { lines: [{ sku, quantity: 2 }], ...more })), sku };
}

const GIFT = { name: 'Gift', quantity: 1, unitAmount: 2_000 };
const VOUCHER = { name: 'Voucher', quantity: 1, unitAmount: -2_000 };

describe('an order that costs nothing', () => {
  test('is paid without a provider, and nothing has to be chosen: PAID at once, CONFIRMED, its stock taken', async () => {
    const { orderId, token, sku } = await freeOrder();
    const options = dataOf(
      await app.graphql(
        'query ($id: ID!) { paymentOptions(orderId: $id) { provider } }',
        { id: orderId },
        token,
      ),
    ).paymentOptions;
    expect(options).toEqual([]);

    const payment = await app.pay(orderId, token);

    expect(payment).toMatchObject({ status: 'PAID', version: 2, amount: 0, nextAction: null });
    expect(await readPayment(app, payment.id, token)).toMatchObject({
      capturedAmount: 0,
      attempts: [],
      nextAction: null,
      order: { status: 'CONFIRMED', amount: 0, reservedUntil: null },
    });
    expect(await available(app, sku)).toBe(3);
    const [{ stock, reserved }] = await app.dataSource.query(
      'SELECT stock, reserved FROM product WHERE sku = $1',
      [sku],
    );
    expect([stock, reserved]).toEqual([3, 0]);
    expect(codeOf(await createPayment(app, orderId, token))).toBe('ORDER_ALREADY_PAID');
  });

  test('is told live as any other, version by version', async () => {
    const { orderId, token } = await freeOrder();
    const { id } = await app.pay(orderId, token, CARD);

    const watcher = watch(app, id, token, 0);
    await watcher.until((heard) => heard.length === 2);
    await watcher.close();
    expect(
      watcher.heard.map(({ version, previousStatus, status }) => [version, previousStatus, status]),
    ).toEqual([
      [1, null, 'PENDING'],
      [2, 'PENDING', 'PAID'],
    ]);
  });

  test('is paid while every provider is down', async () => {
    const { orderId, token } = await freeOrder();
    app.stripe.answerNext('payment_intents.create', {
      answer: { kind: 'status', status: 503, shouldRetry: false },
    });
    expect(await app.pay(orderId, token, BY_BANK)).toMatchObject({ status: 'PAID', nextAction: null });
  });

  test('books what it asked for, and its places are booked', async () => {
    const product = await freeProduct(null, { dailyCapacity: 2 });
    const input = { lines: [{ sku: product.sku, quantity: 1 }], booking: days(1, 2) };
    const order = await orderBy(undefined, input);
    await app.pay(order.orderId, order.token);
    expect(await readBookedOrder(app, order)).toMatchObject({
      status: 'CONFIRMED',
      booking: { status: 'CONFIRMED', id: expect.stringMatching(/^BKG-/) },
    });
    expect(await placesOf(app, product)).toEqual({
      [june(1)]: 'held 0, booked 1',
      [june(2)]: 'held 0, booked 1',
    });
  });

  test('is not confirmed beyond its stock or its places', async () => {
    const { sku } = await freeProduct(1);
    const first = await orderBy(undefined, { lines: [{ sku, quantity: 1 }] });
    const second = await orderBy(undefined, { lines: [{ sku, quantity: 1 }] });
    const answers = await Promise.all(
      [first, second].map(({ orderId, token }) => createPayment(app, orderId, token)),
    );
    expect(answers.map(codeOf).sort()).toEqual(['OUT_OF_STOCK', undefined]);

    const product = await freeProduct(null, { dailyCapacity: 1 });
    const input = { lines: [{ sku: product.sku, quantity: 1 }], booking: days(3) };
    const [one, other] = [await orderBy(undefined, input), await orderBy(undefined, input)];
    await app.pay(one.orderId, one.token);
    expect(codeOf(await createPayment(app, other.orderId, other.token))).toBe('FULLY_BOOKED');
  });

  test('asked to be paid many times at once is one payment; the same key gives it again', async () => {
    const { orderId, token, sku } = await freeOrder();
    const input = { idempotencyKey: randomUUID() };
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => createPayment(app, orderId, token, input)));
    const ids = answers.map((answer) => dataOf(answer).createPaymentIntent.paymentIntent.id);
    expect(new Set(ids).size).toBe(1);
    expect(await app.pay(orderId, token, input)).toMatchObject({
      id: ids[0],
      status: 'PAID',
      nextAction: null,
    });
    expect(codeOf(await createPayment(app, orderId, token, { ...input, method: 'CARD' }))).toBe(
      'IDEMPOTENCY_KEY_REUSED',
    );
    expect((await readOrder(app, orderId, token)).paymentIntents).toHaveLength(1);
    expect(await available(app, sku)).toBe(3);
  });

  test('gives nothing back, holds nothing and has nothing to find out', async () => {
    const { orderId, token } = await freeOrder();
    const payment = await app.pay(orderId, token);
    const refused = await refundPayment(app, payment);
    expect(codeOf(refused)).toBe('PAYMENT_NOT_REFUNDABLE');
    expect(refused.errors![0]!.message).toContain('No money was taken');
    expect(codeOf(await capturePayment(app, payment))).toBe('PAYMENT_NOT_CAPTURABLE');
    expect(dataOf(await verifyPayment(app, payment, token)).verifyPaymentIntent.status).toBe('PAID');
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'PAID', version: 2, refunds: [] });
  });

  test('leaves what was asked to be saved alone: there is nothing that is paid with', async () => {
    const create = 'mutation { createCustomer(input: { externalId: "user-without-cost" }) { id } }';
    const { id: customerId } = dataOf(await app.graphql(create, {}, app.apiKey)).createCustomer;
    const { sku } = await freeProduct();
    const order = await orderBy(app.apiKey, { lines: [{ sku, quantity: 1 }], customerId });
    const asked = app.stripe.requests('customers.create');
    expect(await app.pay(order.orderId, order.token, { saveMethod: true })).toMatchObject({ status: 'PAID' });
    expect(app.stripe.requests('customers.create')).toBe(asked);
  });
});

describe('a voucher', () => {
  test('is an own line of less than nothing, down to a total of 0', async () => {
    const half = { ...VOUCHER, unitAmount: -500 };
    const order = await orderBy(app.apiKey, { currency: 'EUR', ownLines: [GIFT, half] });
    expect(order.amount).toBe(1_500);
    expect(
      dataOf(await changeOrder(app, { ...order, token: app.apiKey }, { ownLines: [GIFT, VOUCHER] })),
    ).toMatchObject({
      updateOrder: { amount: 0 },
    });
    expect(await app.pay(order.orderId, order.token)).toMatchObject({ status: 'PAID', amount: 0 });
  });

  test('takes no order below 0, whatever its lines add up to on the way', async () => {
    const tooMuch = await askForOrder(
      app,
      { currency: 'EUR', ownLines: [GIFT, VOUCHER, VOUCHER] },
      app.apiKey,
    );
    expect(codeOf(tooMuch)).toBe('BAD_USER_INPUT');
    expect(tooMuch.errors![0]!.extensions.fields).toMatchObject([{ path: 'ownLines' }]);
    const huge = { name: 'Ship', quantity: 100_000, unitAmount: 9_007_199_254_740_991 };
    const ownLines = [huge, { ...GIFT, unitAmount: 1 }, { ...huge, unitAmount: -9_007_199_254_740_991 }];
    expect((await orderBy(app.apiKey, { currency: 'EUR', ownLines })).amount).toBe(1);
  });

  test('is not for payers', async () => {
    const { sku } = await app.addProduct();
    const input = { lines: [{ sku, quantity: 1 }], ownLines: [VOUCHER] };
    expect(codeOf(await askForOrder(app, input))).toBe('UNAUTHENTICATED');
  });
});

describe('an order that comes to cost nothing while a payment of it is open', () => {
  /** Something for 15.00, whose payer is paying; then the merchant gives it for nothing. */
  async function givenForNothing(provider: NotifyingProvider) {
    const payment = await provider.open(app, { stock: 5 });
    const present = await freeProduct();
    const lines = [{ sku: present.sku, quantity: 1 }];
    dataOf(await changeOrder(app, { ...payment, token: app.apiKey }, { lines }));
    return { ...payment, present: present.sku };
  }

  test.each([
    ['Stripe', STRIPE],
    ['a bank', BANK],
  ])('ends that payment at %s, and is confirmed by a payment of nothing', async (_, provider) => {
    const { id, orderId, token, present, sku } = await givenForNothing(provider);
    const free = await app.pay(orderId, token);
    expect(free).toMatchObject({ status: 'PAID', amount: 0 });
    expect(free.id).not.toBe(id);
    expect(await readPayment(app, id, token)).toMatchObject({
      status: 'CANCELLED',
      attempts: [{ status: 'CANCELLED' }],
    });
    expect([await available(app, present), await available(app, sku)]).toEqual([4, 5]);
  });

  test('ends it by updatePaymentIntent, too, and is confirmed by nobody before it is asked for', async () => {
    const { id, orderId, token } = await givenForNothing(STRIPE);
    expect(dataOf(await updatePayment(app, id, token)).updatePaymentIntent.status).toBe('CANCELLED');
    expect(dataOf(await updatePayment(app, id, token)).updatePaymentIntent.status).toBe('CANCELLED');
    expect((await readOrder(app, orderId, token)).status).toBe('OPEN');
    expect(await app.pay(orderId, token)).toMatchObject({ status: 'PAID', amount: 0 });
  });

  test('is under review where the payer had paid the old total', async () => {
    const { id, orderId, token, providerReference } = await givenForNothing(STRIPE);
    app.stripe.pay(providerReference, GOOD_CARD);
    await eventually(async () => {
      expect(await readPayment(app, id, token)).toMatchObject({
        status: 'REVIEW',
        failureCode: 'AMOUNT_MISMATCH',
      });
    });
    expect(await app.pay(orderId, token)).toMatchObject({ id, status: 'REVIEW', nextAction: null });
    await settled(app);
  });

  test('is confirmed by nothing while the provider doesn’t say whether the payment ended', async () => {
    const { id, orderId, token } = await givenForNothing(STRIPE);
    for (const call of ['payment_intents.cancel', 'payment_intents.retrieve'] as const) {
      app.stripe.answerNext(call, { answer: { kind: 'status', status: 503, shouldRetry: false } });
    }
    expect(codeOf(await createPayment(app, orderId, token))).toBe('PROVIDER_UNAVAILABLE');
    expect(await readPayment(app, id, token)).toMatchObject({ status: 'PENDING', order: { status: 'OPEN' } });
    app.stripe.clearFaults();
    expect(await app.pay(orderId, token)).toMatchObject({ status: 'PAID', amount: 0 });
  });

  test('gives money back that came late, when the payment of nothing had confirmed it', async () => {
    const { id, orderId, token, attemptReference } = await givenForNothing(BANK);
    await app.pay(orderId, token);
    app.bank.payLate(attemptReference);
    await eventually(async () => {
      expect(await readPayment(app, id, token)).toMatchObject({
        status: 'REFUNDED',
        failureCode: 'ORDER_ALREADY_PAID',
      });
    });
    expect((await readOrder(app, orderId, token)).status).toBe('CONFIRMED');
  });
});

test('an order of nothing that comes to cost something is paid at a provider, and back again it is not', async () => {
  const { orderId, token, sku } = await orderOf(app, { unitAmount: 900 });
  const free = await freeProduct();
  const become = (wanted: string) =>
    changeOrder(app, { orderId, token }, { lines: [{ sku: wanted, quantity: 1 }] });
  dataOf(await become(free.sku));
  dataOf(await become(sku));
  const payment = await app.pay(orderId, token, CARD);
  expect(payment).toMatchObject({ status: 'PENDING', amount: 900 });
  dataOf(await become(free.sku));
  dataOf(await become(sku));
  expect(await app.pay(orderId, token, CARD)).toMatchObject({ id: payment.id, amount: 900 });
  app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD);
  await untilStatus(app, payment.id, 'PAID');
});
