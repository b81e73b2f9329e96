import { markWith } from '../src/providers/stripe/attempt-mark.js';
import { RETURN_URL, startTestApp, dataOf, type RunningApp } from './support/running-app.js';
import { booksOf, untilStatus } from './support/books.js';
import {
  BANK,
  notify,
  STRIPE,
  stripeEvent,
  stripePaymentIntent,
  type OpenPayment,
} from './support/notifying-provider.js';
import { historyOf, typesOf } from './support/payment-history.js';
import { BANK_DEBIT, GOOD_CARD } from './support/ways-to-pay.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const DECLINED_CARD = '4000000000009995';

const CAPTURE = { kind: 'CAPTURE', amount: 1_500 };

/** A payment on Stripe's own page. */
async function openCheckout(): Promise<OpenPayment> {
  const { sku } = await app.addProduct({ stock: 5 });
  const { orderId, token } = await app.order(sku);
  const input = { method: 'CARD', presentation: 'REDIRECT', returnUrl: RETURN_URL };
  const { id, nextAction } = await app.pay(orderId, token, input);
  const providerReference = /cs_[a-zA-Z0-9_]+/.exec(nextAction.url)![0];
  const attemptReference = `${id}-1`;
  return { id, attemptReference, providerReference, orderId, token, sku, amount: 1_500, currency: 'EUR' };
}

describe('a card in the frontend’s own page', () => {
  test('payment_intent.payment_failed: a declined card leaves it payable, and a good card then pays it', async () => {
    const payment = await STRIPE.open(app, { stock: 5 });

    app.stripe.pay(payment.providerReference, DECLINED_CARD);
    await app.stripe.settled();
    expect(await booksOf(app, payment.id)).toMatchObject({
      status: 'PENDING',
      version: 1,
      attempts: [{ status: 'PENDING', failureCode: 'insufficient_funds' }],
      movements: [],
      reserved: 1,
    });
    const resumed = await app.pay(payment.orderId, payment.token, { method: 'CARD' });
    expect(resumed).toMatchObject({ id: payment.id, nextAction: { __typename: 'ConfirmWithStripe' } });

    app.stripe.pay(resumed.nextAction.clientSecret, GOOD_CARD);
    expect(await untilStatus(app, payment.id, 'PAID')).toMatchObject({
      version: 2,
      failureCode: null,
      attempts: [{ status: 'SUCCEEDED', failureCode: null }],
      movements: [CAPTURE],
      orderStatus: 'CONFIRMED',
      stock: 4,
      reserved: 0,
    });
    expect(await typesOf(app, payment)).toEqual(
      expect.arrayContaining(['payment_intent.payment_failed', 'payment_intent.succeeded']),
    );
  });

  test('payment_intent.requires_action changes nothing, until the payer’s bank has been answered', async () => {
    const payment = await STRIPE.open(app);
    app.stripe.pay(payment.providerReference, '4000002760003184');
    await app.stripe.settled();
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PENDING', version: 1 });
    app.stripe.authenticate(payment.providerReference, 'complete');
    await untilStatus(app, payment.id, 'PAID');
  });

  test('payment_intent.processing: PROCESSING, and PAID when the debit arrives', async () => {
    const payment = await STRIPE.open(app);
    app.stripe.pay(payment.providerReference, BANK_DEBIT);
    expect(await untilStatus(app, payment.id, 'PROCESSING')).toMatchObject({ reserved: 1, movements: [] });
    app.stripe.settle(payment.providerReference, 'succeed');
    await untilStatus(app, payment.id, 'PAID');
    expect(await historyOf(app, payment, 3)).toEqual(['PENDING', 'PROCESSING', 'PAID']);
  });

  test('a debit that bounces is FAILED, with the stock free again; money that comes by it all the same is late', async () => {
    const payment = await STRIPE.open(app);
    app.stripe.pay(payment.providerReference, BANK_DEBIT);
    await untilStatus(app, payment.id, 'PROCESSING');
    app.stripe.settle(payment.providerReference, 'fail');
    expect(await untilStatus(app, payment.id, 'FAILED')).toMatchObject({ version: 3, reserved: 0 });
    app.stripe.pay(payment.providerReference, GOOD_CARD);
    await untilStatus(app, payment.id, 'PAID');
    expect(await historyOf(app, payment, 4)).toEqual(['PENDING', 'PROCESSING', 'FAILED', 'PAID']);
  });

  test('payment_intent.canceled, by somebody in the dashboard: CANCELLED, and the stock is free again', async () => {
    const payment = await STRIPE.open(app, { stock: 5 });
    const canceled = { status: 'canceled', cancellation_reason: 'abandoned' };
    const body = stripeEvent('payment_intent.canceled', stripePaymentIntent(payment, canceled));
    expect(await notify(app, STRIPE, body)).toBe(200);
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'CANCELLED', reserved: 0, stock: 5 });
    // The order is still open: another payment may be begun.
    expect(await app.pay(payment.orderId, payment.token, { method: 'CARD' })).not.toMatchObject({
      id: payment.id,
    });
  });

  test('a late payment_intent.processing does not undo PAID', async () => {
    const payment = await STRIPE.open(app);
    await notify(app, STRIPE, STRIPE.paid(payment));
    const books = await booksOf(app, payment.id);
    for (const status of ['processing', 'requires_action', 'canceled', 'requires_payment_method']) {
      const body = stripeEvent('payment_intent.processing', stripePaymentIntent(payment, { status }));
      expect(await notify(app, STRIPE, body)).toBe(200);
    }
    expect(await booksOf(app, payment.id)).toEqual(books);
  });
});

describe('a card on Stripe’s page', () => {
  test('checkout.session.completed: PAID once, whatever else tells of it', async () => {
    const payment = await openCheckout();
    app.stripe.pay(payment.providerReference, GOOD_CARD);
    await untilStatus(app, payment.id, 'PAID');
    expect(await typesOf(app, payment)).toEqual(
      expect.arrayContaining(['checkout.session.completed', 'payment_intent.succeeded']),
    );
    expect(await booksOf(app, payment.id)).toMatchObject({
      version: 2,
      movements: [CAPTURE],
      orderStatus: 'CONFIRMED',
    });
  });

  test('checkout.session.completed is enough by itself, and payment_intent.succeeded adds nothing later', async () => {
    const payment = await openCheckout();
    await app.stripe.settled();
    app.stripe.pauseWebhooks();
    const { paymentIntentId } = app.stripe.pay(payment.providerReference, GOOD_CARD);
    const completed = {
      id: payment.providerReference,
      object: 'checkout.session',
      status: 'complete',
      payment_status: 'paid',
      payment_intent: paymentIntentId,
      amount_total: 1_500,
      currency: 'eur',
      metadata: markWith(payment.attemptReference),
    };
    expect(await notify(app, STRIPE, stripeEvent('checkout.session.completed', completed))).toBe(200);
    const books = await booksOf(app, payment.id);
    expect(books).toMatchObject({ status: 'PAID', version: 2, movements: [CAPTURE] });
    app.stripe.resumeWebhooks();
    expect(await typesOf(app, payment)).toContain('payment_intent.succeeded');
    expect(await booksOf(app, payment.id)).toEqual(books);
  });

  test('a declined card on the page leaves the page open', async () => {
    const payment = await openCheckout();
    app.stripe.pay(payment.providerReference, DECLINED_CARD);
    await app.stripe.settled();
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PENDING', version: 1, reserved: 1 });
    app.stripe.pay(payment.providerReference, GOOD_CARD);
    await untilStatus(app, payment.id, 'PAID');
  });

  test.each([
    ['checkout.session.async_payment_succeeded', 'succeed', 'PAID', 'CONFIRMED'],
    ['checkout.session.async_payment_failed', 'fail', 'FAILED', 'OPEN'],
  ] as const)('%s: after PROCESSING comes %s → %s', async (type, decision, status, orderStatus) => {
    const payment = await openCheckout();
    const { paymentIntentId } = app.stripe.pay(payment.providerReference, BANK_DEBIT);
    await untilStatus(app, payment.id, 'PROCESSING');
    app.stripe.settle(paymentIntentId, decision);
    await untilStatus(app, payment.id, status);
    expect(await typesOf(app, payment)).toContain(type);
    expect(await booksOf(app, payment.id)).toMatchObject({ status, orderStatus, reserved: 0 });
  });

  test('checkout.session.expired: over, and the stock is free again', async () => {
    const payment = await openCheckout();
    const session = { id: payment.providerReference, object: 'checkout.session', status: 'expired' };
    const metadata = markWith(payment.attemptReference);
    const body = stripeEvent('checkout.session.expired', {
      ...session,
      metadata,
      payment_status: 'unpaid',
      payment_intent: null,
    });
    expect(await notify(app, STRIPE, body)).toBe(200);
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'CANCELLED', reserved: 0, stock: 5 });
  });
});

test('the API’s totals are those of the movements', async () => {
  const payment = await BANK.open(app);
  await notify(app, BANK, BANK.paid(payment));
  const query = `{ paymentIntent(id: "${payment.id}") { status capturedAmount refundedAmount paidAt } }`;
  const { paymentIntent } = dataOf(await app.graphql(query, {}, payment.token));
  expect(paymentIntent).toEqual({
    status: 'PAID',
    capturedAmount: 1_500,
    refundedAmount: 0,
    paidAt: expect.any(String),
  });
});
