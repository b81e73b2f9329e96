import { markWith } from '../src/providers/stripe/attempt-mark.js';
import { booksOf, untilStatus } from './support/books.js';
import { notify, STRIPE, stripeEvent, type OpenPayment } from './support/notifying-provider.js';
import { historyOf, typesOf } from './support/payment-history.js';
import { startTestApp, type RunningApp } from './support/running-app.js';
import { eventually } from './support/eventually.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const GOOD_CARD = '4242424242424242';
const CAPTURE = { kind: 'CAPTURE', amount: 1_500 };
const refund = (amount: number) => ({ kind: 'REFUND', amount });

describe('charge.refunded, from the dashboard', () => {
  async function paidPayment(): Promise<OpenPayment> {
    const payment = await STRIPE.open(app);
    app.stripe.pay(payment.providerReference, GOOD_CARD);
    await untilStatus(app, payment.id, 'PAID');
    return payment;
  }

  test('in parts and then in full: PARTIALLY_REFUNDED, REFUNDED, and sums that agree', async () => {
    const payment = await paidPayment();
    app.stripe.refundInDashboard(payment.providerReference, 400);
    expect(await untilStatus(app, payment.id, 'PARTIALLY_REFUNDED')).toMatchObject({ refunded: 400 });
    app.stripe.refundInDashboard(payment.providerReference, 500);
    await eventually(async () =>
      expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PARTIALLY_REFUNDED', refunded: 900 }),
    );
    app.stripe.refundInDashboard(payment.providerReference);
    expect(await untilStatus(app, payment.id, 'REFUNDED')).toMatchObject({
      captured: 1_500,
      refunded: 1_500,
      movements: [CAPTURE, refund(400), refund(500), refund(600)],
    });
    expect(await historyOf(app, payment, 4)).toEqual(['PENDING', 'PAID', 'PARTIALLY_REFUNDED', 'REFUNDED']);
  });

  test('in full at once: REFUNDED', async () => {
    const payment = await paidPayment();
    app.stripe.refundInDashboard(payment.providerReference);
    await untilStatus(app, payment.id, 'REFUNDED');
    expect(await historyOf(app, payment, 3)).toEqual(['PENDING', 'PAID', 'REFUNDED']);
  });

  test('each one again, and backwards: nothing is given back twice', async () => {
    const payment = await paidPayment();
    for (const amount of [100, 200, 300]) app.stripe.refundInDashboard(payment.providerReference, amount);
    await eventually(async () => expect((await booksOf(app, payment.id)).refunded).toBe(600));
    const charge = { id: app.stripe.chargesFor(payment.attemptReference)[0]!.id, object: 'charge' };
    for (const total of [600, 300, 100, 600]) {
      const body = stripeEvent('charge.refunded', {
        ...charge,
        payment_intent: payment.providerReference,
        amount_captured: 1_500,
        amount_refunded: total,
        currency: 'eur',
        metadata: markWith(payment.attemptReference),
      });
      expect(await notify(app, STRIPE, body)).toBe(200);
    }
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PARTIALLY_REFUNDED', refunded: 600 });
  });

  test('before payment_intent.succeeded has come: it says both, and the late one changes nothing', async () => {
    const payment = await STRIPE.open(app);
    await app.stripe.settled();
    app.stripe.pauseWebhooks();
    app.stripe.pay(payment.providerReference, GOOD_CARD);
    app.stripe.refundInDashboard(payment.providerReference, 500);
    const [charge] = app.stripe.chargesFor(payment.attemptReference);
    const body = stripeEvent('charge.refunded', {
      id: charge!.id,
      object: 'charge',
      payment_intent: payment.providerReference,
      amount_captured: 1_500,
      amount_refunded: 500,
      currency: 'eur',
      metadata: charge!.metadata,
    });
    expect(await notify(app, STRIPE, body)).toBe(200);
    const books = await booksOf(app, payment.id);
    expect(books).toMatchObject({
      status: 'PARTIALLY_REFUNDED',
      version: 3,
      orderStatus: 'CONFIRMED',
      movements: [CAPTURE, refund(500)],
    });
    app.stripe.resumeWebhooks();
    expect(await typesOf(app, payment)).toContain('payment_intent.succeeded');
    expect(await booksOf(app, payment.id)).toEqual(books);
    expect(await historyOf(app, payment, 3)).toEqual(['PENDING', 'PAID', 'PARTIALLY_REFUNDED']);
  });
});
