import { RETURN_URL, startTestApp, type RunningApp } from './support/running-app.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import {
  available,
  orderOf,
  readOrder,
  readPayment,
  sessionIn,
  untilStatus,
} from './support/payment-calls.js';
import { BANK, BANK_DEBIT, CARD, GOOD_CARD } from './support/ways-to-pay.js';
import { expectSettled } from './support/settled.js';

const SESSION = { method: 'CARD', presentation: 'REDIRECT', returnUrl: RETURN_URL };

/** Long enough to do something before the time is up, short enough to wait for it. */
const RESERVATION_MILLISECONDS = 700;

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp({ reservationMilliseconds: RESERVATION_MILLISECONDS });
});
afterEach(() => expectSettled(app));
afterAll(() => app.stop());

/** The job's claim of a payment, as if its minute were over. */
const endClaims = () =>
  app.dataSource.query('UPDATE payment_intent SET end_again_at = now() WHERE end_again_at > now()');

/** A payment that was opened later has expired: the job has been by since then. */
async function untilTheJobWasBy(): Promise<void> {
  const { orderId, token } = await orderOf(app);
  const { id } = await app.pay(orderId, token, BANK);
  await untilStatus(app, id, token, 'EXPIRED');
}

describe('when the time is up', () => {
  test.each([
    ['by card', CARD],
    ['in Checkout', SESSION],
    ['at the bank', BANK],
  ])(
    'a payment %s ends at its provider and says EXPIRED; the stock is back and the order payable anew',
    async (_, way) => {
      const { orderId, token, sku } = await orderOf(app);
      const payment = await app.pay(orderId, token, way);
      expect(await available(app, sku)).toBe(9);

      expect(await untilStatus(app, payment.id, token, 'EXPIRED', 0)).toEqual(['PENDING', 'EXPIRED']);

      expect(await readPayment(app, payment.id, token)).toMatchObject({
        nextAction: null,
        attempts: [{ status: 'CANCELLED' }],
        order: { status: 'OPEN', reservedUntil: null },
      });
      expect(await available(app, sku)).toBe(10);
      const secretOrSession = payment.nextAction.clientSecret ?? sessionIn(payment.nextAction.url);
      if (way !== BANK) expect(() => app.stripe.pay(secretOrSession, GOOD_CARD)).toThrow(/canceled|expired/);
      else
        expect(app.bank.payment(`${payment.id}-1`)).toMatchObject({
          status: expect.stringMatching(/CANCELLED|EXPIRED/),
        });
      const next = await app.pay(orderId, token, CARD);
      expect([next.id === payment.id, next.status]).toEqual([false, 'PENDING']);
      app.stripe.pay(next.nextAction.clientSecret, GOOD_CARD);
      await untilStatus(app, next.id, token, 'PAID');
      expect((await readOrder(app, orderId, token)).paymentIntents.map(({ status }: any) => status)).toEqual([
        'EXPIRED',
        'PAID',
      ]);
    },
  );

  test('a provider that can’t be reached is not believed to have ended it: the stock stays held until it says so', async () => {
    const { orderId, token, sku } = await orderOf(app);
    const { id } = await app.pay(orderId, token, CARD);
    const asked = app.stripe.requests('payment_intents.cancel');
    app.stripe.answerNext('payment_intents.cancel', {
      answer: { kind: 'status', status: 500, shouldRetry: false },
    });
    await eventually(
      () => app.stripe.requests('payment_intents.cancel'),
      (requests) => requests > asked,
    );
    await untilTheJobWasBy();
    expect(await readPayment(app, id, token)).toMatchObject({ status: 'PENDING', version: 1 });
    expect(await available(app, sku)).toBe(9);

    await endClaims();

    await untilStatus(app, id, token, 'EXPIRED');
    expect(await available(app, sku)).toBe(10);
  });

  test.each([
    ['by card', CARD],
    ['in Checkout', SESSION],
    ['at the bank', BANK],
  ])('a payer who paid %s just before has paid, even when their notification is late', async (_, way) => {
    const { orderId, token, sku } = await orderOf(app);
    const payment = await app.pay(orderId, token, way);
    app.stripe.pauseWebhooks();
    app.bank.pauseWebhooks();
    try {
      if (way === BANK) app.bank.pay(`${payment.id}-1`);
      else app.stripe.pay(payment.nextAction.clientSecret ?? sessionIn(payment.nextAction.url), GOOD_CARD);
      expect(await untilStatus(app, payment.id, token, 'PAID', 0)).toEqual(['PENDING', 'PAID']);
    } finally {
      app.stripe.resumeWebhooks();
      app.bank.resumeWebhooks();
    }
    await app.stripe.settled();
    await app.bank.settled();
    expect(await readPayment(app, payment.id, token)).toMatchObject({ version: 2, capturedAmount: 1_500 });
    expect(await available(app, sku)).toBe(9);
  });

  test('a payment that is being processed does not expire', async () => {
    const { orderId, token, sku } = await orderOf(app);
    const payment = await app.pay(orderId, token, CARD);
    const { paymentIntentId } = app.stripe.pay(payment.nextAction.clientSecret, BANK_DEBIT);
    await untilStatus(app, payment.id, token, 'PROCESSING');
    await untilTheJobWasBy();
    expect(await readPayment(app, payment.id, token)).toMatchObject({ status: 'PROCESSING', version: 2 });
    expect(await available(app, sku)).toBe(9);

    app.stripe.settle(paymentIntentId, 'succeed');

    await untilStatus(app, payment.id, token, 'PAID');
  });

  test('a payment whose beginning is unknown, and that the bank has, ends there', async () => {
    const { orderId, token, sku } = await orderOf(app);
    app.bank.answerNext('createPayment', { kind: 'close', afterDoing: true });
    const payment = await app.pay(orderId, token, BANK);
    expect(payment).toMatchObject({ status: 'UNKNOWN', nextAction: null });

    const told = await untilEnded(payment.id, token);

    // Whether its page was found before the time was up depends on when the job came by.
    expect(told.filter((status) => status !== 'PENDING')).toEqual(['UNKNOWN', 'EXPIRED']);
    expect(await available(app, sku)).toBe(10);
  });

  // The repeated call is refused ("already expired"), which proves nothing of the first one.
  test('a payment whose beginning is unknown, and that the bank never got, ends too', async () => {
    const { orderId, token } = await orderOf(app);
    app.bank.answerNext('createPayment', { kind: 'close' });
    const payment = await app.pay(orderId, token, BANK);
    await eventually(
      async () => {
        await endClaims();
        return readPayment(app, payment.id, token);
      },
      ({ status }) => status !== 'UNKNOWN',
      RESERVATION_MILLISECONDS + 1_500,
    );
  });
});

/** UNKNOWN has a time of its own at which it is looked at again: here it is always now. */
async function untilEnded(id: string, token: string): Promise<string[]> {
  await eventually(
    async () => {
      await endClaims();
      return readPayment(app, id, token);
    },
    ({ status }) => status === 'EXPIRED',
  );
  return untilStatus(app, id, token, 'EXPIRED', 0);
}

describe('money that comes after the time was up', () => {
  async function expiredAtBank(stock: number) {
    const order = await orderOf(app, { stock });
    const { id } = await app.pay(order.orderId, order.token, BANK);
    await untilStatus(app, id, order.token, 'EXPIRED');
    return { ...order, id };
  }

  test('takes the stock again and confirms the order, where there is stock', async () => {
    const { id, token, sku } = await expiredAtBank(1);
    app.bank.payLate(`${id}-1`);
    expect(await untilStatus(app, id, token, 'PAID', 0)).toEqual(['PENDING', 'EXPIRED', 'PAID']);
    expect(await readPayment(app, id, token)).toMatchObject({
      order: { status: 'CONFIRMED' },
      failureCode: null,
    });
    expect(await available(app, sku)).toBe(0);
  });

  test('goes to REVIEW where the stock is sold, and oversells nothing', async () => {
    const { id, token, sku } = await expiredAtBank(1);
    const other = await app.order(sku);
    const others = await app.pay(other.orderId, other.token, CARD);
    app.stripe.pay(others.nextAction.clientSecret, GOOD_CARD);
    await untilStatus(app, others.id, other.token, 'PAID');

    app.bank.payLate(`${id}-1`);

    await untilStatus(app, id, token, 'REVIEW');
    expect(await readPayment(app, id, token)).toMatchObject({
      failureCode: 'PAID_WITHOUT_STOCK',
      capturedAmount: 1_500,
      order: { status: 'OPEN' },
    });
  });

  test('beside a new payment of the same order pays it once, and the new one’s money goes to REVIEW', async () => {
    const { id, token, orderId, sku } = await expiredAtBank(2);
    const next = await app.pay(orderId, token, CARD);
    app.stripe.pauseWebhooks();
    try {
      app.stripe.pay(next.nextAction.clientSecret, GOOD_CARD);
      app.bank.payLate(`${id}-1`);
      await untilStatus(app, id, token, 'PAID');
    } finally {
      app.stripe.resumeWebhooks();
    }
    await untilStatus(app, next.id, token, 'REVIEW');
    expect(await readPayment(app, next.id, token)).toMatchObject({
      failureCode: 'ORDER_ALREADY_PAID',
      capturedAmount: 1_500,
    });
    expect(await available(app, sku)).toBe(1);
  });
});

describe('a payment whose time is up, while the job has not come by yet', () => {
  let slow: RunningApp;
  beforeAll(async () => {
    slow = await startTestApp({ reservationMilliseconds: 200, jobPauseMilliseconds: 60_000 });
  });
  afterAll(() => slow.stop());

  const isOverdue = ({ reservedUntil }: { reservedUntil: string }) => new Date(reservedUntil) < new Date();

  test('is ended by the payer who asks again, so that they get one that they can finish', async () => {
    const product = await slow.addProduct({ stock: 1 });
    const { orderId, token } = await slow.order(product.sku);
    const first = await slow.pay(orderId, token, CARD);
    await eventually(() => readOrder(slow, orderId, token), isOverdue);

    const second = await slow.pay(orderId, token, CARD);

    expect(second.id).not.toBe(first.id);
    expect((await readPayment(slow, first.id, token)).status).toBe('EXPIRED');
    expect(() => slow.stripe.pay(first.nextAction.clientSecret, GOOD_CARD)).toThrow('canceled');
    slow.stripe.pay(second.nextAction.clientSecret, GOOD_CARD);
    await untilStatus(slow, second.id, token, 'PAID');
    await expectInvariants(slow.dataSource, [product]);
  });
});
