import { pino } from 'pino';
import { booksOf, storedEvents, untilStatus } from './support/books.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import {
  newEventId,
  notify,
  STRIPE,
  stripeEvent,
  stripePaymentIntent,
} from './support/notifying-provider.js';
import { RETURN_URL, startTestApp, type RunningApp } from './support/running-app.js';
import { capturePayment } from './support/staff-calls.js';
import { stripeFixture } from './support/stripe-fixtures.js';
import { activeSubscription, allIsHeard, MONTH, stands, untilSubscription } from './support/subscriptions.js';
import { GOOD_CARD } from './support/ways-to-pay.js';

let app: RunningApp;
const warnings: { level: number; msg: string; detail?: string }[] = [];
beforeAll(async () => {
  const log = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(JSON.parse(line)) });
  app = await startTestApp({ log, notificationListPauseMilliseconds: 50 });
});
beforeEach(() => warnings.splice(0));
afterEach(async () => {
  app.stripe.writeOldEvents(false);
  app.stripe.resumeWebhooks();
  await app.stripe.settled();
  await expectInvariants(app.dataSource);
});
afterAll(() => app.stop());

describe('a genuine event of Stripe that is nothing of ours is answered 200 and ignored:', () => {
  test.each([
    ['an object without an id', 'balance.available'],
    ['an invoice that has no id yet', 'invoice.upcoming'],
    ['a thin event of the second API', 'v1.billing.meter.error_report_triggered'],
    ['another application’s payment, in a currency that we don’t know', 'payment_intent.succeeded.COP'],
    ['another application’s refund, in a currency that we don’t know', 'charge.refunded.COP'],
    [
      'another application’s payment, in a currency that Stripe and we count differently',
      'payment_intent.succeeded.UGX',
    ],
    ['another application’s payment, of an amount that we can’t count', 'payment_intent.succeeded.ISK'],
  ])('%s (%s)', async (_, name) => {
    const event = newEventId();
    expect(await notify(app, STRIPE, stripeFixture(name, { event }))).toBe(200);
    expect(await storedEvents(app, event)).toMatchObject([{ status: 'IGNORED', tries: 1 }]);
    expect(warnings).toEqual([]);
  });

  test('also when Stripe’s list tells them', async () => {
    app.stripe.pauseWebhooks();
    const { data } = JSON.parse(stripeFixture('payment_intent.succeeded.COP'));
    const event = app.stripe.happenElsewhere('payment_intent.succeeded', data.object);
    await eventually(
      () => storedEvents(app, event),
      ([stored]) => stored?.status === 'IGNORED',
    );
    expect(warnings).toEqual([]);
  });
});

describe('an event that is not of the form that Stripe promises is answered 400 and logged:', () => {
  test.each([
    ['currency', null],
    ['currency', 12],
    ['amount_received', '1500'],
    ['id', 'pi_'.padEnd(300_000, 'x')],
    ['id', 'pi_\u0000'],
    ['status', '\ud800'],
  ])('%s: %.20j', async (field, value) => {
    const payment = await STRIPE.open(app);
    const values = { status: 'succeeded', amount_received: 1_500, [field]: value };
    const body = stripeEvent('payment_intent.succeeded', stripePaymentIntent(payment, values));
    expect(await notify(app, STRIPE, body)).toBe(400);
    expect(warnings).toMatchObject([{ msg: 'malformed a notification' }]);
    expect(await storedEvents(app, (JSON.parse(body) as { id: string }).id)).toEqual([]);
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PENDING', movements: [] });
  });
});

describe('an event of a payment of ours, whose money can’t be read, is kept beside the payment:', () => {
  const expectKept = async (body: string) => {
    expect(await notify(app, STRIPE, body)).toBe(200);
    expect(await storedEvents(app, (JSON.parse(body) as { id: string }).id)).toMatchObject([
      { status: 'UNREADABLE', intentId: expect.any(String) },
    ]);
  };

  test.each([
    ['currency', 'cop'],
    ['amount_received', 15.5],
    ['amount_received', null],
  ])('%s: %j', async (field, value) => {
    const payment = await STRIPE.open(app);
    const values = { status: 'succeeded', amount_received: 1_500, [field]: value };
    await expectKept(stripeEvent('payment_intent.succeeded', stripePaymentIntent(payment, values)));
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'REVIEW', movements: [] });
  });

  test('one that carries no mark, and names our payment by its id', async () => {
    const payment = await STRIPE.open(app);
    const values = { currency: 'cop', status: 'succeeded', amount_received: 1_500, metadata: {} };
    await expectKept(stripeEvent('payment_intent.succeeded', stripePaymentIntent(payment, values)));
  });

  test('a dispute, which never carries a mark, of a currency that we don’t count in', async () => {
    const payment = await STRIPE.open(app);
    app.stripe.pay(payment.providerReference, GOOD_CARD);
    await untilStatus(app, payment.id, 'PAID');
    const { data } = JSON.parse(
      stripeFixture('charge.dispute.created', { paymentIntent: payment.providerReference }),
    );
    await expectKept(stripeEvent('charge.dispute.created', { ...data.object, currency: 'cop' }));
  });
});

describe('events in the form of old API versions are read too:', () => {
  test('a payment, its partial refund at the dashboard and its charge with a list of refunds', async () => {
    app.stripe.writeOldEvents(true);
    const payment = await STRIPE.open(app);
    app.stripe.pay(payment.providerReference, GOOD_CARD);
    await untilStatus(app, payment.id, 'PAID');
    app.stripe.refundInDashboard(payment.providerReference, 500);
    expect(await untilStatus(app, payment.id, 'PARTIALLY_REFUNDED')).toMatchObject({ refunded: 500 });
  });

  test('a charge that does not say what was captured: the provider is asked', async () => {
    const payment = await STRIPE.open(app);
    app.stripe.pauseWebhooks();
    app.stripe.pay(payment.providerReference, GOOD_CARD);
    app.stripe.refundInDashboard(payment.providerReference, 500);
    const values = { paymentIntent: payment.providerReference, attempt: payment.attemptReference };
    expect(await notify(app, STRIPE, stripeFixture('charge.refunded.2019-12-03', values))).toBe(200);
    expect(await untilStatus(app, payment.id, 'PARTIALLY_REFUNDED')).toMatchObject({ refunded: 500 });
  });

  test('a hold on Stripe’s page that lapses', async () => {
    app.stripe.writeOldEvents(true);
    const { sku } = await app.addProduct({ stock: 5 });
    const { orderId } = await app.order(sku);
    const input = {
      method: 'CARD',
      presentation: 'REDIRECT',
      returnUrl: RETURN_URL,
      captureMethod: 'MANUAL',
    };
    const { id, nextAction } = await app.pay(orderId, app.apiKey, input);
    const [session] = /cs_[a-zA-Z0-9_]+/.exec(nextAction.url)!;
    const { paymentIntentId } = app.stripe.pay(session, GOOD_CARD);
    await untilStatus(app, id, 'AUTHORIZED');
    app.stripe.lapse(paymentIntentId);
    await untilStatus(app, id, 'CANCELLED');
  });

  test('a captured hold', async () => {
    app.stripe.writeOldEvents(true);
    const { sku } = await app.addProduct();
    const { orderId } = await app.order(sku);
    const { id, nextAction } = await app.pay(orderId, app.apiKey, {
      method: 'CARD',
      captureMethod: 'MANUAL',
    });
    app.stripe.pay(nextAction.clientSecret, GOOD_CARD);
    await untilStatus(app, id, 'AUTHORIZED');
    await capturePayment(app, { id }, 1_000);
    expect(await untilStatus(app, id, 'PAID')).toMatchObject({ captured: 1_000 });
  });

  test('the invoices of a subscription, which name it at the top', async () => {
    app.stripe.writeOldEvents(true);
    const { id } = await activeSubscription(app);
    app.stripe.playTimeForward(MONTH);
    await untilSubscription(app, id, stands('ACTIVE', 'PAID', 'PAID'));
    await allIsHeard(app);
    const invoices = (await storedEvents(app)).filter(({ type }) => type === 'invoice.paid');
    expect(invoices.map(({ status }) => status)).toEqual(invoices.map(() => 'APPLIED'));
    expect(invoices.some(({ payload }) => payload.includes('"api_version":"2020-08-27"'))).toBe(true);
  });
});

describe('an event about something that Stripe says it doesn’t have', () => {
  test.each([
    ['customer.subscription.updated', 'data.object.metadata'],
    ['invoice.paid', 'data.object.parent.subscription_details.metadata'],
    ['invoice.paid.2022-11-15', ''],
  ])('%s is ignored after one try, though it carries our mark', async (name) => {
    const event = newEventId();
    const marked = stripeFixture(name, { event }).replaceAll(
      '"metadata":{}',
      '"metadata":{"quittance_subscription":"SUB-01K8Q5Z7M3N9P2R4S6T8V0W1X2"}',
    );
    const asked = app.stripe.requests('subscriptions.retrieve');
    expect(await notify(app, STRIPE, marked)).toBe(200);
    const [stored] = await eventually(
      () => storedEvents(app, event),
      ([seen]) => seen?.status !== 'WAITING',
    );
    expect(stored).toMatchObject({
      status: 'IGNORED',
      tries: 1,
      nextTryAt: null,
      outcome: expect.stringContaining('resource_missing'),
    });
    expect(app.stripe.requests('subscriptions.retrieve')).toBe(asked + 1);
  });

  test('but one that Stripe can’t be asked about now is tried again', async () => {
    const event = newEventId();
    app.stripe.answerNext('subscriptions.retrieve', { answer: { kind: 'status', status: 500 }, times: 3 });
    expect(await notify(app, STRIPE, stripeFixture('customer.subscription.updated', { event }))).toBe(200);
    const [stored] = await eventually(
      () => storedEvents(app, event),
      ([seen]) => seen?.status !== 'WAITING',
    );
    expect(stored).toMatchObject({ status: 'IGNORED', tries: 2 });
  });
});
