import { eventually } from './support/eventually.js';
import { watch } from './support/subscriber.js';
import { startTestApp, type RunningApp } from './support/running-app.js';
import { booksOf, storedEvents, untilStatus } from './support/books.js';
import { BANK, newEventId, notify, STRIPE, type OpenPayment } from './support/notifying-provider.js';
import { RETURN_URL, dataOf, codeOf } from './support/running-app.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

async function cancel(payment: OpenPayment): Promise<void> {
  const answer = await app.graphql(
    'mutation ($id: ID!) { cancelPaymentIntent(id: $id) { status } }',
    { id: payment.id },
    payment.token,
  );
  expect(dataOf(answer).cancelPaymentIntent.status).toBe('CANCELLED');
}

/** Its time is up now, and not in half an hour. */
async function expire(payment: OpenPayment): Promise<void> {
  const sql = 'UPDATE payment_intent SET expires_at = now() WHERE reference = $1';
  await app.dataSource.query(sql, [payment.id]);
  await untilStatus(app, payment.id, 'EXPIRED');
}

const untilRefund = (id: string, status: string) =>
  eventually(async () =>
    expect(
      await app.dataSource.query(
        'SELECT r.status FROM refund r JOIN payment_intent i ON i.id = r.intent_id WHERE i.reference = $1',
        [id],
      ),
    ).toEqual([{ status }]),
  );

test('money that comes after CANCELLED, with the stock gone, is given back by itself', async () => {
  const payment = await BANK.open(app, { stock: 1 });
  await cancel(payment);
  const other = await app.order(payment.sku);
  await app.pay(other.orderId, other.token, { method: 'CARD' });
  app.bank.payLate(payment.attemptReference);
  expect(await untilStatus(app, payment.id, 'REFUNDED')).toMatchObject({
    failureCode: 'PAID_WITHOUT_STOCK',
    orderStatus: 'OPEN',
    captured: 1_500,
    refunded: 1_500,
    stock: 1,
    reserved: 1,
  });
});

test('money that comes for an order that was cancelled is given back by itself', async () => {
  const payment = await BANK.open(app, { stock: 5 });
  const cancelOrder = 'mutation ($id: ID!) { cancelOrder(id: $id) { status } }';
  dataOf(await app.graphql(cancelOrder, { id: payment.orderId }, payment.token));
  app.bank.payLate(payment.attemptReference);
  expect(await untilStatus(app, payment.id, 'REFUNDED')).toMatchObject({
    failureCode: 'ORDER_CANCELLED',
    orderStatus: 'CANCELLED',
    stock: 5,
    reserved: 0,
  });
});

describe.each([STRIPE, BANK])('a notification of $name', (provider) => {
  test.each([
    ['too little', 1_499],
    ['too much', 1_501],
  ])('with %s money: REVIEW, with the money in the books and the stock still held', async (_how, amount) => {
    const payment = await provider.open(app, { stock: 5 });
    expect(await notify(app, provider, provider.paid(payment, { amount }))).toBe(200);
    expect(await booksOf(app, payment.id)).toMatchObject({
      status: 'REVIEW',
      version: 2,
      failureCode: 'AMOUNT_MISMATCH',
      captured: amount,
      movements: [{ kind: 'CAPTURE', amount }],
      orderStatus: 'OPEN',
      reserved: 1,
      stock: 5,
    });
  });

  test('in another currency: REVIEW, no total that mixes currencies, and the notification kept', async () => {
    const payment = await provider.open(app, { stock: 5 });
    const eventId = newEventId();
    const body = provider.paid(payment, { eventId, currency: 'USD' });
    expect(await notify(app, provider, body)).toBe(200);
    expect(await booksOf(app, payment.id)).toMatchObject({
      status: 'REVIEW',
      failureCode: 'CURRENCY_MISMATCH',
      captured: 0,
      orderStatus: 'OPEN',
      reserved: 1,
    });
    expect(await storedEvents(app, eventId)).toMatchObject([{ status: 'APPLIED', payload: body }]);
  });

  test('for the amount of before, when the order has been changed meanwhile: REVIEW', async () => {
    const payment = await provider.open(app, { stock: 5 });
    // As it stands between the change of the order and that of the payment.
    const sql = 'UPDATE orders SET amount = 2000, version = version + 1 WHERE reference = $1';
    await app.dataSource.query(sql, [payment.orderId]);
    expect(await notify(app, provider, provider.paid(payment))).toBe(200);
    expect(await booksOf(app, payment.id)).toMatchObject({
      status: 'REVIEW',
      failureCode: 'AMOUNT_MISMATCH',
      captured: 1_500,
      orderStatus: 'OPEN',
      reserved: 1,
    });
  });

  test.each([
    ['CANCELLED', cancel],
    ['EXPIRED', expire],
  ])('that comes after %s, with stock there: PAID, and the order is confirmed', async (_status, end) => {
    const payment = await provider.open(app, { stock: 1 });
    await end(payment);
    expect(await booksOf(app, payment.id)).toMatchObject({ reserved: 0, stock: 1 });
    expect(await notify(app, provider, provider.paid(payment))).toBe(200);
    expect(await booksOf(app, payment.id)).toMatchObject({
      status: 'PAID',
      version: 3,
      failureCode: null,
      orderStatus: 'CONFIRMED',
      movements: [{ kind: 'CAPTURE', amount: 1_500 }],
      stock: 0,
      reserved: 0,
    });
  });

  test.each([
    ['CANCELLED', cancel],
    ['EXPIRED', expire],
  ])(
    'that comes after %s, with the stock gone, and that the provider does not give back: REVIEW, and nothing is oversold',
    async (_status, end) => {
      const payment = await provider.open(app, { stock: 1 });
      await end(payment);
      const other = await app.order(payment.sku);
      await app.pay(other.orderId, other.token, { method: 'CARD' });
      expect(await notify(app, provider, provider.paid(payment))).toBe(200);
      await untilRefund(payment.id, 'FAILED');
      expect(await booksOf(app, payment.id)).toMatchObject({
        status: 'REVIEW',
        failureCode: 'PAID_WITHOUT_STOCK',
        orderStatus: 'OPEN',
        captured: 1_500,
        refunded: 0,
        stock: 1,
        reserved: 1,
      });
    },
  );

  test('for a payment that was cancelled, while another one of the same order is open: the order is paid once', async () => {
    const payment = await provider.open(app, { stock: 5 });
    await cancel(payment);
    const second = await app.pay(payment.orderId, payment.token, { method: 'CARD' });
    expect(await notify(app, provider, provider.paid(payment))).toBe(200);
    expect(await booksOf(app, payment.id)).toMatchObject({
      status: 'PAID',
      orderStatus: 'CONFIRMED',
      stock: 4,
      reserved: 0,
    });

    app.stripe.pay(second.nextAction.clientSecret, '4242424242424242');
    expect(await untilStatus(app, second.id, 'REFUNDED')).toMatchObject({
      failureCode: 'ORDER_ALREADY_PAID',
      captured: 1_500,
      refunded: 1_500,
      stock: 4,
      reserved: 0,
    });
  });

  // REVIEW would be a second open intent of the order, and the database refuses that: the money waits, and is parked.
  test('of a wrong amount for a cancelled payment, while another one is open: the money is in the books', async () => {
    const payment = await provider.open(app, { stock: 5 });
    await cancel(payment);
    const second = await app.pay(payment.orderId, payment.token, { method: 'CARD' });
    const eventId = newEventId();
    expect(await notify(app, provider, provider.paid(payment, { eventId, amount: 700 }))).toBe(200);
    expect(await storedEvents(app, eventId)).toMatchObject([{ status: 'APPLIED' }]);
    expect(await booksOf(app, payment.id)).toMatchObject({
      captured: 700,
      failureCode: 'AMOUNT_MISMATCH',
      orderStatus: 'OPEN',
    });
    expect(await booksOf(app, second.id)).toMatchObject({ status: 'PENDING', reserved: 1 });
  });
});

test('two attempts of one payment are both paid: the second money is given back by itself, and the order confirmed once', async () => {
  const payment = await STRIPE.open(app, { stock: 5 });
  // So that the first attempt can't be ended before it is paid too.
  app.stripe.answerNext('payment_intents.cancel', {
    answer: { kind: 'status', status: 500, shouldRetry: false },
    times: 1_000,
  });
  const input = { method: 'BANK', returnUrl: RETURN_URL };
  expect(await app.pay(payment.orderId, payment.token, input)).toMatchObject({ id: payment.id });
  app.bank.pay(`${payment.id}-2`);
  await untilStatus(app, payment.id, 'PAID');

  app.stripe.pay(payment.providerReference, '4242424242424242');

  await eventually(async () =>
    expect(await booksOf(app, payment.id)).toMatchObject({
      status: 'PAID',
      failureCode: 'CAPTURED_TWICE',
      captured: 3_000,
      refunded: 1_500,
      attempts: [{ status: 'SUCCEEDED' }, { status: 'SUCCEEDED' }],
      orderStatus: 'CONFIRMED',
      stock: 4,
      reserved: 0,
    }),
  );
  app.stripe.clearFaults();
  const watcher = watch(app, payment.id, payment.token, 0);
  const heard = await watcher.until((all) => all.length === 4);
  await watcher.close();
  expect(heard.map(({ status, version }) => [status, version])).toEqual([
    ['PENDING', 1],
    ['PAID', 2],
    ['PAID', 3],
    ['PAID', 4],
  ]);
  expect(app.stripe.chargesFor(payment.attemptReference)).toMatchObject([{ amountRefunded: 1_500 }]);
}, 15_000);

test('a late failure of the first attempt does not touch the success of the second', async () => {
  const payment = await STRIPE.open(app);
  const input = { method: 'BANK', returnUrl: RETURN_URL };
  await app.pay(payment.orderId, payment.token, input);
  app.bank.pay(`${payment.id}-2`);
  await untilStatus(app, payment.id, 'PAID');
  await app.stripe.settled();
  expect(await booksOf(app, payment.id)).toMatchObject({
    status: 'PAID',
    version: 2,
    failureCode: null,
    attempts: [
      { provider: 'stripe', status: 'CANCELLED' },
      { provider: 'bank-x', status: 'SUCCEEDED' },
    ],
    orderStatus: 'CONFIRMED',
  });
});

test('a bank that credits a payment it had cancelled is believed', async () => {
  const payment = await BANK.open(app, { stock: 5 });
  await cancel(payment);
  app.bank.payLate(payment.attemptReference);
  await untilStatus(app, payment.id, 'PAID');
  const again = await app.graphql(
    'mutation ($id: ID!) { cancelPaymentIntent(id: $id) { status } }',
    { id: payment.id },
    payment.token,
  );
  expect(codeOf(again)).toBe('PAYMENT_NOT_CANCELLABLE');
});
