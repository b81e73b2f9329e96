import { codeOf, dataOf, RETURN_URL, startTestApp, type RunningApp } from './support/running-app.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import {
  available,
  cancelOrder,
  cancelPayment,
  createPayment,
  readOrder,
  readPayment,
  untilStatus,
} from './support/payment-calls.js';
import { watch } from './support/subscriber.js';
import { GOOD_CARD } from './support/ways-to-pay.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const times = <Result>(count: number, one: (index: number) => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => one(index)));

const allPaid = (ids: readonly string[]) =>
  eventually(
    () =>
      app.dataSource.query(
        `SELECT count(*)::integer AS paid FROM payment_intent WHERE reference = ANY($1) AND status = 'PAID'`,
        [ids],
      ),
    ([{ paid }]) => paid === ids.length,
    20_000,
  );

test('of 200 payers who race for 50 pieces, 50 get a payment and 150 are told OUT_OF_STOCK; all 50 can pay', async () => {
  const product = await app.addProduct({ stock: 50 });
  const orders = await times(200, () => app.order(product.sku));

  const answers = await Promise.all(
    orders.map(({ orderId, token }) => createPayment(app, orderId, token, { method: 'CARD' })),
  );

  const codes = answers.map((answer) => codeOf(answer) ?? 'OPENED');
  expect(codes.filter((code) => code === 'OPENED')).toHaveLength(50);
  expect(codes.filter((code) => code === 'OUT_OF_STOCK')).toHaveLength(150);
  expect(await available(app, product.sku)).toBe(0);
  await expectInvariants(app.dataSource, [product]);

  const opened = answers
    .filter((answer) => !answer.errors)
    .map((answer) => dataOf(answer).createPaymentIntent);
  for (const { nextAction } of opened) app.stripe.pay(nextAction.clientSecret, GOOD_CARD);
  await allPaid(opened.map(({ paymentIntent }) => paymentIntent.id));

  await app.stripe.settled();
  await expectInvariants(app.dataSource, [product]);
  const [left] = await app.dataSource.query('SELECT stock, reserved FROM product WHERE id = $1', [
    product.id,
  ]);
  expect(left).toEqual({ stock: 0, reserved: 0 });
  expect(app.stripe.charges()).toHaveLength(50);
});

test('pieces that are given back go to those who ask again, and never to two', async () => {
  const product = await app.addProduct({ stock: 5 });
  const orders = await times(25, () => app.order(product.sku));
  const rounds = orders.map(async ({ orderId, token }) => {
    const answer = await createPayment(app, orderId, token);
    if (answer.errors) return codeOf(answer);
    const { id } = dataOf(answer).createPaymentIntent.paymentIntent;
    return dataOf(await cancelPayment(app, id, token)).cancelPaymentIntent.status as string;
  });
  expect(new Set(await Promise.all(rounds))).toEqual(new Set(['CANCELLED', 'OUT_OF_STOCK']));
  expect(await available(app, product.sku)).toBe(5);
  await app.stripe.settled();
  await expectInvariants(app.dataSource, [product]);
});

test('orders of the same products in opposite order don’t stand in each other’s way', async () => {
  const [one, other] = [await app.addProduct({ stock: 100 }), await app.addProduct({ stock: 100 })];
  const orders = await times(100, async (index) => {
    const skus = index % 2 ? [one.sku, other.sku] : [other.sku, one.sku];
    const answer = await app.graphql(
      'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } orderToken } }',
      { input: { lines: skus.map((sku) => ({ sku, quantity: 1 })) } },
    );
    const { order, orderToken } = dataOf(answer).createOrder;
    return { orderId: order.id as string, token: orderToken as string };
  });

  const payments = await Promise.all(
    orders.map(({ orderId, token }) => app.pay(orderId, token, { method: 'CARD' })),
  );
  for (const { nextAction } of payments) app.stripe.pay(nextAction.clientSecret, GOOD_CARD);
  await allPaid(payments.map(({ id }) => id));

  await app.stripe.settled();
  await expectInvariants(app.dataSource, [one, other]);
  expect([await available(app, one.sku), await available(app, other.sku)]).toEqual([0, 0]);
});

test('the same notification twenty times at once is applied once, and told once', async () => {
  const product = await app.addProduct();
  const { orderId, token } = await app.order(product.sku);
  const payment = await app.pay(orderId, token, { method: 'CARD' });
  await app.stripe.settled();
  const watcher = watch(app, payment.id, token, 0);
  await watcher.until((heard) => heard.length === 1);
  app.stripe.pauseWebhooks();
  app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD);
  const { id: eventId } = app.stripe.events().findLast(({ type }) => type === 'payment_intent.succeeded')!;
  for (let copy = 1; copy < 20; copy += 1) app.stripe.deliver(eventId);
  const sent = app.stripe.webhooksSent;
  app.stripe.resumeWebhooks();

  await watcher.until((heard) => heard.at(-1)?.status === 'PAID');
  await app.stripe.settled();

  expect(app.stripe.webhooksSent - sent).toBeGreaterThanOrEqual(20);
  expect(watcher.heard.map(({ version }) => version)).toEqual([1, 2]);
  await watcher.close();
  const kept = await app.dataSource.query('SELECT status FROM webhook_event WHERE event_id = $1', [eventId]);
  expect(kept).toEqual([{ status: 'APPLIED' }]);
  expect(await readPayment(app, payment.id, token)).toMatchObject({ capturedAmount: 1_500, version: 2 });
  await expectInvariants(app.dataSource, [product]);
});

test('a payment that is paid, cancelled, resumed and whose order is cancelled at once ends in one of two ways, whole', async () => {
  const product = await app.addProduct({ stock: 100 });
  const ends = await times(20, async (index) => {
    const { orderId, token } = await app.order(product.sku);
    const payment = await app.pay(orderId, token, { method: 'CARD' });
    const pay = async () => {
      // Before, between or after the others, as it comes.
      for (let turn = 0; turn < index % 5; turn += 1) await readPayment(app, payment.id, token);
      try {
        app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD);
      } catch (error) {
        expect(String(error)).toContain('canceled');
      }
    };
    const answers = await Promise.all([
      cancelPayment(app, payment.id, token),
      createPayment(app, orderId, token, { method: 'BANK', returnUrl: RETURN_URL }),
      createPayment(app, orderId, token, { method: 'CARD' }),
      index % 2 ? cancelOrder(app, orderId, token) : cancelPayment(app, payment.id, token),
      pay(),
    ]);
    const faults = answers.flatMap((answer) => answer?.errors ?? []).map(({ extensions }) => extensions.code);
    expect(
      faults.filter((code) => !/^(PAYMENT_NOT_CANCELLABLE|ORDER_ALREADY_PAID|ORDER_CANCELLED)$/.test(code)),
    ).toEqual([]);
    return { orderId, token };
  });
  await app.stripe.settled();
  await app.bank.settled();
  await expectInvariants(app.dataSource, [product]);
  for (const { orderId, token } of ends) {
    const { status, reservedUntil, paymentIntents } = await readOrder(app, orderId, token);
    const paid = paymentIntents.filter((payment: { status: string }) => payment.status === 'PAID');
    expect([status, paid.length]).toEqual(
      status === 'CONFIRMED' ? ['CONFIRMED', 1] : [expect.stringMatching('OPEN|CANCELLED'), 0],
    );
    if (status !== 'OPEN') expect(reservedUntil).toBeNull();
  }
});

test('versions reach each of twenty watchers in order and once, while everything changes at once', async () => {
  const product = await app.addProduct({ stock: 10 });
  const { orderId, token } = await app.order(product.sku);
  app.bank.answerNext('createPayment', { kind: 'close', afterDoing: true });
  const way = { method: 'BANK', returnUrl: RETURN_URL };
  const { id } = await app.pay(orderId, token, way);
  const watchers = Array.from({ length: 20 }, () => watch(app, id, token, 0));
  await times(10, () => app.pay(orderId, token, way));
  app.bank.authorise(`${id}-1`);
  app.bank.pay(`${id}-1`);
  await untilStatus(app, id, token, 'PAID');
  for (const watcher of watchers) {
    const heard = await watcher.until((all) => all.at(-1)?.status === 'PAID');
    expect(heard.map(({ version }) => version)).toEqual(heard.map((_, index) => index + 1));
    await watcher.close();
  }
  await app.bank.settled();
  await expectInvariants(app.dataSource, [product]);
});
