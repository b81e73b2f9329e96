import { randomUUID } from 'node:crypto';
import { BetweenSteps } from './support/between-steps.js';
import { askForOrder, bookableOrder, changeOrder, days, readBookedOrder } from './support/bookings.js';
import { untilStatus } from './support/books.js';
import { eventually } from './support/eventually.js';
import { BANK, STRIPE } from './support/notifying-provider.js';
import { cancelOrder, cancelPayment, createPayment, orderOf, readPayment } from './support/payment-calls.js';
import { heldPayment, manualPayment, payAt, underpaidPayment } from './support/payments-with-money.js';
import {
  codeOf,
  CREATE_PAYMENT,
  dataOf,
  RETURN_URL,
  startTestApp,
  type RunningApp,
} from './support/running-app.js';
import { capturePayment, readAsStaff, settleReview } from './support/staff-calls.js';
import { expectSettled, settled } from './support/settled.js';
import { watch } from './support/subscriber.js';
import { BANK as BY_BANK, BANK_DEBIT, GOOD_CARD } from './support/ways-to-pay.js';

const steps = new BetweenSteps();
let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp({ decorate: steps.decorate });
});
afterEach(async () => {
  steps.expectAllHappened();
  app.stripe.clearFaults();
  await expectSettled(app);
});
afterAll(async () => {
  await app.stop();
  steps.stop();
});

const CHECKOUT = { method: 'CARD', presentation: 'REDIRECT', returnUrl: RETURN_URL };

async function orderBy(token: string, input: object) {
  const { order, orderToken } = dataOf(await askForOrder(app, input, token)).createOrder;
  return { orderId: order.id as string, token: orderToken as string };
}

/** Two nights of a backend's, at its own price. */
const laptop = () =>
  orderBy(app.apiKey, {
    number: `INV-${randomUUID()}`,
    currency: 'EUR',
    ownLines: [{ name: 'Laptop', quantity: 1, unitAmount: 150_000 }],
    booking: days(1, 2),
  });

async function lineOf(quantity = 1) {
  return [{ sku: (await app.addProduct({ unitAmount: 990 })).sku, quantity }];
}

describe('an order that the merchant wrote', () => {
  test.each([
    ['its lines', async () => ({ lines: await lineOf() })],
    ['its booking', () => ({ booking: days(1, 30) })],
    ['away its booking', () => ({ booking: null })],
  ])('is not changed by its payer: not %s', async (_, changes) => {
    const order = await laptop();
    const before = await readBookedOrder(app, order);

    expect(codeOf(await changeOrder(app, order, await changes()))).toBe('FORBIDDEN');

    expect(await readBookedOrder(app, order)).toEqual(before);
    expect(before.amount).toBe(150_000);
  });

  test('is not cancelled by its payer', async () => {
    const order = await laptop();
    expect(codeOf(await cancelOrder(app, order.orderId, order.token))).toBe('FORBIDDEN');
    expect((await readBookedOrder(app, order)).status).toBe('OPEN');
    expect(dataOf(await cancelOrder(app, order.orderId, app.apiKey)).cancelOrder.status).toBe('CANCELLED');
  });

  test('is paid by its payer, who may change how, and end a payment that nobody has paid', async () => {
    const order = await laptop();
    const byBank = await app.pay(order.orderId, order.token, BY_BANK);
    const byCard = await app.pay(order.orderId, order.token, { method: 'CARD' });
    expect(byCard).toMatchObject({ id: byBank.id, amount: 150_000 });
    expect(dataOf(await cancelPayment(app, byCard.id, order.token)).cancelPaymentIntent.status).toBe(
      'CANCELLED',
    );
    const again = await app.pay(order.orderId, order.token, { method: 'CARD' });
    app.stripe.pay(again.nextAction.clientSecret, GOOD_CARD);
    await eventually(async () => {
      expect(await readAsStaff(app, again)).toMatchObject({ status: 'PAID', capturedAmount: 150_000 });
    });
  });

  test.each([
    [
      'has a number alone',
      async () => orderBy(app.apiKey, { number: `N-${randomUUID()}`, lines: await lineOf() }),
    ],
    ['has nothing but lines of the catalogue', async () => orderBy(app.apiKey, { lines: await lineOf() })],
    ['was written by an operator', async () => orderBy(app.operatorToken, { lines: await lineOf() })],
    ['was changed by a backend', () => changedBy(app.apiKey)],
    ['was changed by an operator', () => changedBy(app.operatorToken)],
  ])('is fixed for payers also where it %s', async (_, make) => {
    const order = await make();
    expect(codeOf(await changeOrder(app, order, { lines: await lineOf(2) }))).toBe('FORBIDDEN');
    expect(codeOf(await cancelOrder(app, order.orderId, order.token))).toBe('FORBIDDEN');
  });

  async function changedBy(token: string) {
    const order = await bookableOrder(app, await app.addProduct(), null);
    dataOf(await changeOrder(app, { ...order, token }, { lines: await lineOf(3) }));
    return order;
  }
});

describe('an order that its payer wrote', () => {
  test('is theirs to change and to cancel, also while a payment of it is open', async () => {
    const { sku, orderId, token } = await orderOf(app);
    await app.pay(orderId, token);
    const changes = { lines: [{ sku, quantity: 2 }] };
    expect(dataOf(await changeOrder(app, { orderId, token }, changes)).updateOrder.amount).toBe(3_000);
    expect(dataOf(await cancelOrder(app, orderId, token)).cancelOrder.status).toBe('CANCELLED');
  });

  test.each([
    ['PROCESSING', processingPayment, 'PAYMENT_NOT_CANCELLABLE'],
    ['AUTHORIZED', () => heldPayment(app), 'FORBIDDEN'],
    ['REVIEW', () => underpaidPayment(app, BANK), 'PAYMENT_NOT_CANCELLABLE'],
  ] as const)('stays as it is while its payment is %s', async (status, make, code) => {
    const payment = await make();
    for (const changes of [{ lines: await lineOf(80) }, { booking: days(1, 30) }]) {
      const refused = await changeOrder(app, payment, changes);
      expect(codeOf(refused)).toBe('ORDER_NOT_CHANGEABLE');
      expect(refused.errors![0]!.message).toContain(status);
    }
    expect(codeOf(await cancelOrder(app, payment.orderId, payment.token))).toBe(code);
    expect(codeOf(await cancelPayment(app, payment.id, payment.token))).toBe(code);
    expect(await readAsStaff(app, payment)).toMatchObject({ status, order: { status: 'OPEN' } });
  });
});

async function processingPayment() {
  const payment = await STRIPE.open(app);
  app.stripe.pay(payment.providerReference, BANK_DEBIT);
  await untilStatus(app, payment.id, 'PROCESSING');
  return payment;
}

describe('money that is held', () => {
  test('is let go by the merchant alone, whatever the payer asks for', async () => {
    const payment = await heldPayment(app);
    const { id, orderId, token } = payment;
    expect(codeOf(await cancelPayment(app, id, token))).toBe('FORBIDDEN');
    expect(codeOf(await cancelOrder(app, orderId, token))).toBe('FORBIDDEN');
    expect(dataOf(await createPayment(app, orderId, token, BY_BANK)).createPaymentIntent).toMatchObject({
      paymentIntent: { id, status: 'AUTHORIZED' },
      nextAction: null,
    });
    expect(app.stripe.chargesFor(payment.attemptReference)).toMatchObject([{ amountRefunded: 0 }]);
    expect(dataOf(await capturePayment(app, payment)).capturePaymentIntent.status).toBe('PAID');
  });

  test.each([
    ['held', () => heldPayment(app)],
    ['processed', processingPayment],
  ])('or %s lets a backend change what is ordered, and not what it costs', async (_, make) => {
    const payment = await make();
    const asBackend = { ...payment, token: app.apiKey };
    const other = await app.addProduct({ unitAmount: payment.amount });
    const lines = [{ sku: other.sku, quantity: 1 }];
    expect(codeOf(await changeOrder(app, asBackend, { lines, booking: days(3, 4) }))).toBeUndefined();
    const dearer = await changeOrder(app, asBackend, { lines: [{ sku: other.sku, quantity: 2 }] });
    expect(codeOf(dearer)).toBe('ORDER_NOT_CHANGEABLE');
    expect(await readBookedOrder(app, asBackend)).toMatchObject({
      amount: payment.amount,
      booking: { endsAt: days(3, 4).endsAt },
    });
  });

  test('is told to nobody while a payer’s end of the payment is on its way to Stripe', async () => {
    const payment = await manualPayment(app);
    const watcher = watch(app, payment.id, payment.token, 0);
    steps.before('stripe.cancel', async () => {
      payAt(app, STRIPE, payment);
      await eventually(async () => {
        // Held, or let go by the job already.
        const { attempts } = await readPayment(app, payment.id, payment.token);
        expect(attempts).toMatchObject([{ status: expect.stringMatching(/^(AUTHORIZED|CANCELLED)$/) }]);
      });
    });
    dataOf(await cancelPayment(app, payment.id, payment.token));
    await watcher.until((heard) => heard.at(-1)?.status === 'CANCELLED');
    await settled(app);
    expect(app.stripe.chargesFor(payment.attemptReference)).toMatchObject([
      { amountCaptured: 0, amountRefunded: 1_500 },
    ]);
    expect(watcher.heard.map(({ status }) => status)).toEqual(['PENDING', 'CANCELLED']);
    await watcher.close();
  });

  test('by one attempt stays, though the payer was just choosing another way', async () => {
    const payment = await manualPayment(app);
    steps.before('stripe.initiate', async () => {
      payAt(app, STRIPE, payment);
      await untilStatus(app, payment.id, 'AUTHORIZED');
    });
    expect(await app.pay(payment.orderId, payment.token, CHECKOUT)).toMatchObject({
      id: payment.id,
      status: 'AUTHORIZED',
      nextAction: null,
    });
    expect(app.stripe.chargesFor(payment.attemptReference)).toMatchObject([{ amountRefunded: 0 }]);
    expect((await untilStatus(app, payment.id, 'AUTHORIZED')).attempts.map(({ status }) => status)).toEqual([
      'AUTHORIZED',
      'CANCELLED',
    ]);
    expect(dataOf(await capturePayment(app, payment)).capturePaymentIntent.status).toBe('PAID');
  });

  test('that lapses ends the payment, also beside another attempt that could not be ended', async () => {
    const payment = await manualPayment(app);
    steps.before('stripe.initiate', async () => {
      payAt(app, STRIPE, payment);
      await untilStatus(app, payment.id, 'AUTHORIZED');
      app.stripe.answerNext('checkout.sessions.expire', {
        answer: { kind: 'status', status: 500, shouldRetry: false },
      });
    });
    await app.pay(payment.orderId, payment.token, CHECKOUT);
    app.stripe.lapse(payment.providerReference);
    await untilStatus(app, payment.id, 'CANCELLED');
    await eventually(async () => {
      await app.dataSource.query(
        'UPDATE payment_intent SET next_check_at = now() WHERE next_check_at IS NOT NULL',
      );
      const { attempts } = await untilStatus(app, payment.id, 'CANCELLED');
      expect(attempts.map(({ status }) => status)).toEqual(['CANCELLED', 'CANCELLED']);
    });
  });
});

describe('an order under review', () => {
  test('is frozen for everybody: accepted, it is what the operator read', async () => {
    const payment = await underpaidPayment(app, BANK);
    for (const token of [payment.token, app.apiKey, app.operatorToken]) {
      const asCaller = { ...payment, token };
      const many = await changeOrder(app, asCaller, { lines: [{ sku: payment.sku, quantity: 80 }] });
      expect(codeOf(many)).toBe('ORDER_NOT_CHANGEABLE');
      expect(codeOf(await changeOrder(app, asCaller, { booking: days(1, 30) }))).toBe('ORDER_NOT_CHANGEABLE');
      expect(codeOf(await cancelOrder(app, payment.orderId, token))).toBe('PAYMENT_NOT_CANCELLABLE');
      expect(codeOf(await cancelPayment(app, payment.id, token))).toBe('PAYMENT_NOT_CANCELLABLE');
    }
    expect(dataOf(await settleReview(app, payment, 'ACCEPT')).settlePaymentReview.order.status).toBe(
      'CONFIRMED',
    );
  });
});

describe('a change of an order and a change of its payment at once', () => {
  /** Lets both wait for the order's row, in this order, and then go on. */
  async function inThisOrder(orderId: string, first: () => unknown, second: () => Promise<unknown>) {
    const other = app.dataSource.createQueryRunner();
    await other.startTransaction();
    await other.query(`SELECT 1 FROM orders WHERE reference = $1 FOR UPDATE`, [orderId]);
    const acts: unknown[] = [];
    for (const [index, act] of [first, second].entries()) {
      acts.push(act());
      await eventually(async () => {
        const waiting = await app.dataSource.query(
          `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        expect(waiting).toHaveLength(index + 1);
      });
    }
    await other.commitTransaction();
    await other.release();
    return Promise.all(acts);
  }

  test('whose money is held first is not changed by its payer, who asked while nobody knew of the hold', async () => {
    const payment = await manualPayment(app);
    const changes = { lines: [{ sku: payment.sku, quantity: 3 }] };
    const [, answer] = await inThisOrder(
      payment.orderId,
      () => payAt(app, STRIPE, payment),
      () => changeOrder(app, payment, changes),
    );
    expect(codeOf(answer as never)).toBe('ORDER_NOT_CHANGEABLE');
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'AUTHORIZED' });
    expect(await readBookedOrder(app, payment)).toMatchObject({ amount: 1_500 });
  });

  test('that the payer changes first is under review with what is held for the old total', async () => {
    const payment = await manualPayment(app);
    const changes = { lines: [{ sku: payment.sku, quantity: 3 }] };
    await inThisOrder(
      payment.orderId,
      () => changeOrder(app, payment, changes),
      () => Promise.resolve(payAt(app, STRIPE, payment)),
    );
    await untilStatus(app, payment.id, 'REVIEW');
    expect(await readPayment(app, payment.id, payment.token)).toMatchObject({
      failureCode: 'AMOUNT_MISMATCH',
      capturedAmount: 0,
      order: { amount: 4_500 },
    });
  });

  test('that becomes the merchant’s while its payer cancels it stays open', async () => {
    const { sku, orderId, token } = await orderOf(app);
    const payment = await app.pay(orderId, token);
    steps.before('stripe.cancel', async () => {
      const changes = { lines: [{ sku, quantity: 2 }] };
      dataOf(await changeOrder(app, { orderId, token: app.apiKey }, changes));
    });
    expect(codeOf(await cancelOrder(app, orderId, token))).toBe('FORBIDDEN');
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'CANCELLED', order: { status: 'OPEN' } });
  });
});

test('a customer’s token reaches no order', async () => {
  const create = 'mutation { createCustomer(input: { externalId: "user-of-rights" }) { id } }';
  const { id } = dataOf(await app.graphql(create, {}, app.apiKey)).createCustomer;
  const sign = 'mutation ($id: ID!) { createCustomerToken(customerId: $id) }';
  const customerToken = dataOf(await app.graphql(sign, { id }, app.apiKey)).createCustomerToken;
  const order = await orderBy(app.apiKey, { customerId: id, lines: await lineOf() });
  const payment = await app.pay(order.orderId, order.token);
  const asCustomer = { ...order, token: customerToken };
  const answers = [
    await changeOrder(app, asCustomer, { lines: await lineOf() }),
    await cancelOrder(app, order.orderId, customerToken),
    await cancelPayment(app, payment.id, customerToken),
    await app.graphql(CREATE_PAYMENT, { input: { orderId: order.orderId } }, customerToken),
  ];
  expect(answers.map(codeOf)).toEqual(answers.map(() => 'NOT_FOUND'));
});
