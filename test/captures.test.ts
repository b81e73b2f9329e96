import { booksOf, untilStatus } from './support/books.js';
import { expectBooksToAgree } from './support/both-books.js';
import { eventually } from './support/eventually.js';
import { STRIPE } from './support/notifying-provider.js';
import { available, cancelOrder, cancelPayment, readPayment } from './support/payment-calls.js';
import { heldPayment, manualPayment, paidPayment } from './support/payments-with-money.js';
import {
  codeOf,
  CREATE_PAYMENT,
  dataOf,
  RETURN_URL,
  startTestApp,
  type RunningApp,
} from './support/running-app.js';
import { capturePayment, readAsStaff, refundPayment } from './support/staff-calls.js';
import { watch } from './support/subscriber.js';
import { expectSettled, settled } from './support/settled.js';
import { GOOD_CARD } from './support/ways-to-pay.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterEach(async () => {
  app.stripe.clearFaults();
  await expectSettled(app);
  await expectBooksToAgree(app);
});
afterAll(() => app.stop());

const CHECKOUT = { presentation: 'REDIRECT', returnUrl: RETURN_URL };

/** The job looks now, and not in half a minute. */
const lookNow = () =>
  app.dataSource.query('UPDATE payment_intent SET next_check_at = now() WHERE next_check_at IS NOT NULL');

async function captured(payment: { readonly id: string }, amount?: number) {
  return dataOf(await capturePayment(app, payment, amount)).capturePaymentIntent;
}

describe('a payment whose money is to be held', () => {
  test.each([
    ['in the shop’s own page', {}],
    ['in Checkout', CHECKOUT],
  ])('%s is AUTHORIZED when the payer has paid, and PAID when it is captured', async (_, way) => {
    const payment = await manualPayment(app, 5, way);
    const watcher = watch(app, payment.id, payment.token, 0);
    app.stripe.pay(payment.providerReference, GOOD_CARD);
    await watcher.until((heard) => heard.at(-1)?.status === 'AUTHORIZED');

    expect(await readAsStaff(app, payment)).toMatchObject({
      captureMethod: 'MANUAL',
      capturedAmount: 0,
      order: { status: 'OPEN', reservedUntil: expect.any(String) },
      attempts: [{ status: 'AUTHORIZED' }],
    });
    expect(await available(app, payment.sku)).toBe(4);

    expect(await captured(payment)).toMatchObject({
      status: 'PAID',
      capturedAmount: 1_500,
      order: { status: 'CONFIRMED' },
    });
    await watcher.until((heard) => heard.at(-1)?.status === 'PAID');
    await watcher.close();
    expect(watcher.heard.map(({ status, version }) => [version, status])).toEqual([
      [1, 'PENDING'],
      [2, 'AUTHORIZED'],
      [3, 'PAID'],
    ]);
    expect(await booksOf(app, payment.id)).toMatchObject({ stock: 4, reserved: 0 });
  });

  test('is opened by the shop; the payer goes on with that same payment, and can’t have it held themselves', async () => {
    const payment = await manualPayment(app);
    const resumed = await app.pay(payment.orderId, payment.token, {});
    expect(resumed).toMatchObject({
      id: payment.id,
      nextAction: { clientSecret: expect.stringContaining(payment.providerReference) },
    });

    const { sku } = await app.addProduct();
    const { orderId, token } = await app.order(sku);
    const input = { orderId, captureMethod: 'MANUAL' };
    expect(codeOf(await app.graphql(CREATE_PAYMENT, { input }, token))).toBe('FORBIDDEN');
  });

  test.each([
    ['MANUAL', 'AUTOMATIC'],
    ['AUTOMATIC', 'MANUAL'],
  ])(
    'is not the open one that another way was asked for: %s beside %s is refused, and names the field',
    async (wanted, open) => {
      const { sku } = await app.addProduct();
      const { orderId, token } = await app.order(sku);
      const ask = (captureMethod: string | undefined, by = app.apiKey) =>
        app.graphql(CREATE_PAYMENT, { input: { orderId, captureMethod } }, by);
      const { id } = dataOf(await ask(open)).createPaymentIntent.paymentIntent;

      const refused = await ask(wanted);

      expect(codeOf(refused)).toBe('BAD_USER_INPUT');
      expect(refused.errors![0]!.extensions.fields).toMatchObject([{ path: 'captureMethod' }]);
      expect(refused.errors![0]!.message).toContain(open);
      for (const same of [open, undefined]) {
        expect(dataOf(await ask(same)).createPaymentIntent.paymentIntent.id).toBe(id);
      }
      if (wanted === 'AUTOMATIC') expect(codeOf(await ask(wanted, token))).toBe('BAD_USER_INPUT');
      dataOf(await cancelPayment(app, id, app.apiKey));
      const { paymentIntent } = dataOf(await ask(wanted)).createPaymentIntent;
      expect(await readAsStaff(app, paymentIntent)).toMatchObject({
        status: 'PENDING',
        captureMethod: wanted,
      });
    },
  );

  test('is not taken at once because it is AUTHORIZED already', async () => {
    const { orderId } = await heldPayment(app);
    const input = { orderId, captureMethod: 'AUTOMATIC' };
    expect(codeOf(await app.graphql(CREATE_PAYMENT, { input }, app.apiKey))).toBe('BAD_USER_INPUT');
  });

  test('can’t be paid at a bank, which holds nothing', async () => {
    const { sku } = await app.addProduct();
    const { orderId } = await app.order(sku);
    const input = { orderId, captureMethod: 'MANUAL', method: 'BANK', returnUrl: RETURN_URL };
    expect(codeOf(await app.graphql(CREATE_PAYMENT, { input }, app.apiKey))).toBe('NO_WAY_TO_PAY');
  });

  test('leaves the payer nothing to do once it is held', async () => {
    const payment = await heldPayment(app);
    expect(await app.pay(payment.orderId, payment.token, {})).toMatchObject({
      id: payment.id,
      status: 'AUTHORIZED',
      nextAction: null,
    });
  });
});

describe('a capture', () => {
  test('of a part takes that part and lets go of the rest', async () => {
    const payment = await heldPayment(app);
    expect(await captured(payment, 1_000)).toMatchObject({
      status: 'PAID',
      capturedAmount: 1_000,
      refundedAmount: 0,
      order: { status: 'CONFIRMED' },
    });
    await settled(app);
    // Stripe tells of what it lets go as of a refund.
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'PAID', version: 3, refunds: [] });
    expect(app.stripe.chargesFor(payment.attemptReference)).toMatchObject([{ amountCaptured: 1_000 }]);
    expect(codeOf(await refundPayment(app, payment, { amount: 1_001 }))).toBe('BAD_USER_INPUT');
    expect(dataOf(await refundPayment(app, payment)).refundPayment).toMatchObject({ amount: 1_000 });
    expect((await readAsStaff(app, payment)).status).toBe('REFUNDED');
  });

  test('asked for again, with the same amount or with none, gives the same result', async () => {
    const payment = await heldPayment(app);
    const first = await captured(payment, 1_000);
    expect(await captured(payment, 1_000)).toEqual(first);
    expect(await captured(payment)).toEqual(first);
    expect(codeOf(await capturePayment(app, payment, 900))).toBe('PAYMENT_NOT_CAPTURABLE');
  });

  test('many times at once takes the money once', async () => {
    const payment = await heldPayment(app);
    const answers = await Promise.all([1, 2, 3, 4].map(() => captured(payment, 1_000)));
    expect(answers.map(({ status, capturedAmount }) => [status, capturedAmount])).toEqual(
      answers.map(() => ['PAID', 1_000]),
    );
    expect(app.stripe.chargesFor(payment.attemptReference)).toMatchObject([{ amountCaptured: 1_000 }]);
  });

  test('of more than is held is refused, and names the field', async () => {
    const payment = await heldPayment(app);
    const answer = await capturePayment(app, payment, 1_501);
    expect(codeOf(answer)).toBe('BAD_USER_INPUT');
    expect(answer.errors![0]!.extensions.fields).toMatchObject([{ path: expect.stringMatching(/amount$/) }]);
    expect(answer.errors![0]!.message).toContain('1500');
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'AUTHORIZED' });
  });

  test.each([0, -1])('of %d is refused', async (amount) => {
    const payment = await heldPayment(app);
    expect(codeOf(await capturePayment(app, payment, amount))).toBe('BAD_USER_INPUT');
  });

  test('that is not answered stays under way: another amount is refused, the same one goes on with it', async () => {
    const payment = await heldPayment(app);
    loseCapture('BEFORE_WORK');
    expect(await captured(payment, 1_000)).toMatchObject({ status: 'AUTHORIZED', capturedAmount: 0 });
    expect(codeOf(await capturePayment(app, payment, 900))).toBe('PAYMENT_NOT_CAPTURABLE');
    expect(await captured(payment, 1_000)).toMatchObject({ status: 'PAID', capturedAmount: 1_000 });
  });

  test.each(['BEFORE_WORK', 'AFTER_WORK'] as const)(
    'whose answer is lost %s is finished by the job, without any notification',
    async (when) => {
      const payment = await heldPayment(app);
      app.stripe.misbehave({ drop: 1 });
      loseCapture(when);
      expect(await captured(payment, 1_000)).toMatchObject({ status: 'AUTHORIZED' });
      await eventually(async () => {
        await lookNow();
        expect(await readAsStaff(app, payment)).toMatchObject({ status: 'PAID', capturedAmount: 1_000 });
      });
      app.stripe.misbehave({});
      expect(app.stripe.chargesFor(payment.attemptReference)).toMatchObject([{ amountCaptured: 1_000 }]);
    },
  );

  test('that Stripe refuses leaves the money held, and says why', async () => {
    const payment = await heldPayment(app);
    app.stripe.answerNext('payment_intents.capture', {
      answer: { kind: 'status', status: 400, code: 'amount_too_large' },
    });
    expect(codeOf(await capturePayment(app, payment, 1_000))).toBe('BAD_USER_INPUT');
    expect(await captured(payment, 900)).toMatchObject({ status: 'PAID', capturedAmount: 900 });
  });

  test('that Stripe refuses without saying how it stands is under way, and finished later', async () => {
    const payment = await heldPayment(app);
    app.stripe.answerNext('payment_intents.capture', {
      answer: { kind: 'status', status: 400, code: 'amount_too_large' },
    });
    app.stripe.answerNext('payment_intents.retrieve', {
      answer: { kind: 'status', status: 503, shouldRetry: false },
    });
    expect(await captured(payment)).toMatchObject({ status: 'AUTHORIZED' });
    expect(await captured(payment)).toMatchObject({ status: 'PAID' });
  });

  test('is not for payers, not for a payment that nobody has paid, and not for money that was taken already', async () => {
    const held = await heldPayment(app);
    expect(codeOf(await capturePayment(app, held, undefined, held.token))).toBe('FORBIDDEN');
    expect(codeOf(await refundPayment(app, held, {}, held.token))).toBe('FORBIDDEN');
    expect(codeOf(await refundPayment(app, held))).toBe('PAYMENT_NOT_REFUNDABLE');
    expect(codeOf(await capturePayment(app, await manualPayment(app)))).toBe('PAYMENT_NOT_CAPTURABLE');
    expect(codeOf(await capturePayment(app, await paidPayment(app, STRIPE)))).toBe('PAYMENT_NOT_CAPTURABLE');
    expect(codeOf(await capturePayment(app, { id: 'TXN-00000000000000000000000000' }))).toBe('NOT_FOUND');
    expect(
      dataOf(await capturePayment(app, held, undefined, app.operatorToken)).capturePaymentIntent,
    ).toMatchObject({ status: 'PAID' });
  });

  test('is in the audit log: who asked for it, and what came of it', async () => {
    const payment = await heldPayment(app);
    dataOf(await capturePayment(app, payment, 1_000, app.operatorToken));
    const entries: { actor: string; action: string }[] = await app.dataSource.query(
      'SELECT actor, action FROM audit_log WHERE subject = $1 ORDER BY position',
      [payment.id],
    );
    expect(entries.map(({ action }) => action)).toEqual([
      'payment.opened',
      'payment.status',
      'capture.asked',
      'money.moved',
      'payment.status',
    ]);
    expect(entries[2]).toMatchObject({ actor: 'operator:olga' });
  });

  function loseCapture(when: 'BEFORE_WORK' | 'AFTER_WORK'): void {
    app.stripe.answerNext('payment_intents.capture', {
      answer: { kind: 'status', status: 502, shouldRetry: false },
      when,
    });
    if (when === 'AFTER_WORK') return;
    // Nor does the notification of anything else bring it.
    app.stripe.answerNext('payment_intents.retrieve', {
      answer: { kind: 'status', status: 503, shouldRetry: false },
    });
  }
});

describe('money that is held', () => {
  test.each([
    ['its payment', (id: string, _order: string) => cancelPayment(app, id, app.apiKey)],
    ['its order', (_id: string, order: string) => cancelOrder(app, order, app.apiKey)],
  ])('is let go when %s is cancelled, and the stock is back', async (_, cancel) => {
    const payment = await heldPayment(app);
    dataOf(await cancel(payment.id, payment.orderId));
    expect(await readPayment(app, payment.id, payment.token)).toMatchObject({
      status: 'CANCELLED',
      failureCode: 'AUTHORIZATION_RELEASED',
      capturedAmount: 0,
      attempts: [{ status: 'CANCELLED' }],
    });
    expect(await available(app, payment.sku)).toBe(5);
    await settled(app);
    expect(app.stripe.chargesFor(payment.attemptReference)).toMatchObject([
      { amountCaptured: 0, amountRefunded: 1_500 },
    ]);
  });

  test('is let go by Stripe when nobody captures it: CANCELLED, and the stock is back', async () => {
    const payment = await heldPayment(app);
    app.stripe.lapse(payment.providerReference);
    expect(await untilStatus(app, payment.id, 'CANCELLED')).toMatchObject({
      failureCode: 'AUTHORIZATION_RELEASED',
      captured: 0,
      orderStatus: 'OPEN',
      stock: 5,
      reserved: 0,
    });
    expect(codeOf(await capturePayment(app, payment))).toBe('PAYMENT_NOT_CAPTURABLE');
    await settled(app);
    expect((await readAsStaff(app, payment)).refunds).toEqual([]);
  });

  test('in Checkout, is let go by Stripe or by a cancellation as well', async () => {
    for (const letGo of [
      (paymentIntentId: string) => app.stripe.lapse(paymentIntentId),
      (_: string, id: string) => cancelPayment(app, id, app.apiKey),
    ]) {
      const payment = await manualPayment(app, 5, CHECKOUT);
      app.stripe.pay(payment.providerReference, GOOD_CARD);
      await untilStatus(app, payment.id, 'AUTHORIZED');
      const [charge] = app.stripe.chargesFor(payment.attemptReference);
      await letGo(charge!.paymentIntentId, payment.id);
      expect(await untilStatus(app, payment.id, 'CANCELLED')).toMatchObject({ stock: 5, reserved: 0 });
    }
  });

  test('of which Stripe’s letting go was not heard is found out by the job', async () => {
    const payment = await heldPayment(app);
    app.stripe.misbehave({ drop: 1 });
    app.stripe.lapse(payment.providerReference);
    app.stripe.misbehave({});
    await eventually(async () => {
      await lookNow();
      expect(await readAsStaff(app, payment)).toMatchObject({ status: 'CANCELLED' });
    });
  });
});
