import { RETURN_URL, codeOf, dataOf, startTestApp, type RunningApp } from './support/running-app.js';
import { eventually } from './support/eventually.js';
import {
  available,
  cancelPayment,
  changeQuantity,
  createPayment,
  orderOf,
  readPayment,
  sessionIn,
  untilStatus,
  updatePayment,
} from './support/payment-calls.js';
import { BANK, BANK_DEBIT, GOOD_CARD } from './support/ways-to-pay.js';
import { expectSettled } from './support/settled.js';

const REDIRECTED_CARD = { method: 'CARD', presentation: 'REDIRECT', returnUrl: RETURN_URL };

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterEach(() => expectSettled(app));
afterAll(() => app.stop());

describe('an order that changes before it is paid', () => {
  test('updatePaymentIntent gives the same PaymentIntent at Stripe the new amount', async () => {
    const { orderId, token, sku } = await orderOf(app);
    const payment = await app.pay(orderId, token);
    await changeQuantity(app, orderId, token, sku, 3);

    const updated = dataOf(await updatePayment(app, payment.id, token)).updatePaymentIntent;

    expect(updated).toMatchObject({
      id: payment.id,
      status: 'PENDING',
      amount: 4_500,
      nextAction: { clientSecret: payment.nextAction.clientSecret },
      attempts: [{ number: 1, amount: 4_500 }],
    });
    app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD);
    await untilStatus(app, payment.id, token, 'PAID');
    expect(app.stripe.chargesFor(`${payment.id}-1`)).toEqual([expect.objectContaining({ amount: 4_500 })]);
    expect(await available(app, sku)).toBe(7);
  });

  test.each([
    ['a bank', BANK],
    ['Checkout', REDIRECTED_CARD],
  ])(
    'at %s, which can’t change an amount, a new attempt takes the place of the old one',
    async (_, input) => {
      const { orderId, token, sku } = await orderOf(app);
      const payment = await app.pay(orderId, token, input);
      await changeQuantity(app, orderId, token, sku, 2);

      const updated = dataOf(await updatePayment(app, payment.id, token)).updatePaymentIntent;

      expect(updated).toMatchObject({
        id: payment.id,
        status: 'PENDING',
        amount: 3_000,
        attempts: [
          { number: 1, amount: 1_500, status: 'CANCELLED' },
          { number: 2, amount: 3_000, status: 'PENDING' },
        ],
      });
      expect(updated.nextAction.url).not.toBe(payment.nextAction.url);
      if (input === BANK) app.bank.pay(`${payment.id}-2`);
      else app.stripe.pay(sessionIn(updated.nextAction.url), GOOD_CARD);
      await untilStatus(app, payment.id, token, 'PAID');
      expect(await readPayment(app, payment.id, token)).toMatchObject({ capturedAmount: 3_000 });
    },
  );

  test('createPaymentIntent follows the order by itself', async () => {
    const { orderId, token, sku } = await orderOf(app);
    const payment = await app.pay(orderId, token);
    await changeQuantity(app, orderId, token, sku, 2);
    expect(await app.pay(orderId, token)).toMatchObject({
      id: payment.id,
      amount: 3_000,
      nextAction: { clientSecret: payment.nextAction.clientSecret },
    });
    app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD);
    await untilStatus(app, payment.id, token, 'PAID');
  });

  test('the old amount, paid before the payment was told, goes to REVIEW and confirms nothing', async () => {
    const { orderId, token, sku } = await orderOf(app);
    const payment = await app.pay(orderId, token);
    await changeQuantity(app, orderId, token, sku, 2);

    app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD);

    expect(await untilStatus(app, payment.id, token, 'REVIEW', 0)).toEqual(['PENDING', 'REVIEW']);
    expect(await readPayment(app, payment.id, token)).toMatchObject({
      failureCode: 'AMOUNT_MISMATCH',
      capturedAmount: 1_500,
      order: { status: 'OPEN', amount: 3_000 },
    });
    expect(codeOf(await updatePayment(app, payment.id, token))).toBe('PAYMENT_NOT_UPDATABLE');
    expect(codeOf(await cancelPayment(app, payment.id, token))).toBe('PAYMENT_NOT_CANCELLABLE');
    expect(await app.pay(orderId, token)).toMatchObject({
      id: payment.id,
      status: 'REVIEW',
      nextAction: null,
    });
  });

  test('the old amount, paid at the bank on the replaced attempt, goes to REVIEW', async () => {
    const { orderId, token, sku } = await orderOf(app);
    const payment = await app.pay(orderId, token, BANK);
    await changeQuantity(app, orderId, token, sku, 2);
    dataOf(await updatePayment(app, payment.id, token));

    app.bank.payLate(`${payment.id}-1`);

    await untilStatus(app, payment.id, token, 'REVIEW');
    expect(await readPayment(app, payment.id, token)).toMatchObject({
      failureCode: 'AMOUNT_MISMATCH',
      capturedAmount: 1_500,
    });
  });

  test('once the provider is processing the old amount, it can’t change any more', async () => {
    const { orderId, token, sku } = await orderOf(app);
    const payment = await app.pay(orderId, token);
    await changeQuantity(app, orderId, token, sku, 2);
    app.stripe.pay(payment.nextAction.clientSecret, BANK_DEBIT);
    await untilStatus(app, payment.id, token, 'PROCESSING');

    expect(codeOf(await updatePayment(app, payment.id, token))).toBe('PAYMENT_NOT_UPDATABLE');
    expect(await app.pay(orderId, token)).toMatchObject({
      id: payment.id,
      status: 'PROCESSING',
      nextAction: null,
    });
  });

  test.each([
    ['createPaymentIntent', (orderId: string, token: string) => createPayment(app, orderId, token)],
    ['updatePaymentIntent', (_: string, token: string, id: string) => updatePayment(app, id, token)],
  ])('%s, repeated after Stripe was unavailable, brings Stripe the new amount', async (_, repeat) => {
    const { orderId, token, sku } = await orderOf(app);
    const payment = await app.pay(orderId, token);
    await changeQuantity(app, orderId, token, sku, 2);
    app.stripe.answerNext('payment_intents.update', { answer: { kind: 'status', status: 429 } });
    const refused = await repeat(orderId, token, payment.id);
    expect([codeOf(refused), refused.errors![0]!.extensions.retryable]).toEqual([
      'PROVIDER_UNAVAILABLE',
      true,
    ]);

    expect(codeOf(await repeat(orderId, token, payment.id))).toBeUndefined();

    app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD);
    await untilStatus(app, payment.id, token, 'PAID');
    expect(await readPayment(app, payment.id, token)).toMatchObject({ capturedAmount: 3_000 });
  });

  test('the last amount counts, even when Stripe takes an earlier one after it', async () => {
    const { orderId, token, sku } = await orderOf(app);
    const payment = await app.pay(orderId, token);
    await changeQuantity(app, orderId, token, sku, 2);
    const asked = app.stripe.requests('payment_intents.update');
    // The SDK asks again once it has waited, and by then the order has changed once more.
    app.stripe.answerNext('payment_intents.update', { answer: { kind: 'hang' } });
    const early = updatePayment(app, payment.id, token);
    await eventually(
      () => app.stripe.requests('payment_intents.update'),
      (requests) => requests > asked,
    );
    await changeQuantity(app, orderId, token, sku, 3);
    dataOf(await updatePayment(app, payment.id, token));
    dataOf(await early);

    app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD);

    await untilStatus(app, payment.id, token, 'PAID');
    expect(await readPayment(app, payment.id, token)).toMatchObject({ capturedAmount: 4_500 });
  });

  test('a replaced attempt that can’t be ended is watched, and not replaced again by each repetition', async () => {
    const { orderId, token, sku } = await orderOf(app);
    const payment = await app.pay(orderId, token, BANK);
    await changeQuantity(app, orderId, token, sku, 2);
    app.bank.answerNext('cancelPayment', { kind: 'status', status: 500 });
    dataOf(await updatePayment(app, payment.id, token));
    expect((await readPayment(app, payment.id, token)).attempts).toMatchObject([
      { status: 'PENDING' },
      { status: 'PENDING' },
    ]);

    const again = await app.pay(orderId, token, BANK);

    expect(again.nextAction.url).toBe((await readPayment(app, payment.id, token)).nextAction.url);
    expect((await readPayment(app, payment.id, token)).attempts).toHaveLength(2);
    expect(app.bank.payment(`${payment.id}-2`)).toMatchObject({
      amount: '30.00',
      payment_url: again.nextAction.url,
    });
  });

  test('updatePaymentIntent is one new attempt, however many ask for it at once', async () => {
    const { orderId, token, sku } = await orderOf(app);
    const payment = await app.pay(orderId, token, BANK);
    await changeQuantity(app, orderId, token, sku, 2);

    const answers = await Promise.all(
      Array.from({ length: 10 }, () => createPayment(app, orderId, token, BANK)),
    );

    expect(answers.map(codeOf)).toEqual(answers.map(() => undefined));
    const { attempts } = await readPayment(app, payment.id, token);
    expect(attempts).toEqual([
      expect.objectContaining({ number: 1, status: 'CANCELLED' }),
      expect.objectContaining({ number: 2, status: 'PENDING', amount: 3_000 }),
    ]);
    expect(new Set(answers.map((answer) => dataOf(answer).createPaymentIntent.nextAction.url)).size).toBe(1);
  });
});
