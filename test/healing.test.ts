import { booksOf, untilStatus } from './support/books.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import { BANK, STRIPE } from './support/notifying-provider.js';
import { readPayment } from './support/payment-calls.js';
import { RETURN_URL, startTestApp, type RunningApp } from './support/running-app.js';
import { GOOD_CARD } from './support/ways-to-pay.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterEach(async () => {
  app.stripe.clearFaults();
  app.stripe.resumeWebhooks();
  app.bank.resumeWebhooks();
  await expectInvariants(app.dataSource);
});
afterAll(() => app.stop());

/** The job looks now, and not in half a minute. */
const lookNow = (id: string) =>
  app.dataSource.query('UPDATE payment_intent SET next_check_at = now() WHERE reference = $1', [id]);

async function nextCheckOf(id: string): Promise<Date | null> {
  const [row] = await app.dataSource.query<{ next_check_at: Date | null }[]>(
    'SELECT next_check_at FROM payment_intent WHERE reference = $1',
    [id],
  );
  return row!.next_check_at;
}

test('every open payment has a time at which it is looked at, within a minute; one that is over has none', async () => {
  const payment = await STRIPE.open(app);
  const next = await nextCheckOf(payment.id);
  expect(next!.getTime() - Date.now()).toBeGreaterThan(10_000);
  expect(next!.getTime() - Date.now()).toBeLessThan(60_000);
  app.stripe.pay(payment.providerReference, GOOD_CARD);
  await untilStatus(app, payment.id, 'PAID');
  expect(await nextCheckOf(payment.id)).toBeNull();
});

test('an attempt whose call was cut off by a crash is begun again with its own key: one payment at the provider', async () => {
  const payment = await STRIPE.open(app);
  // As the first of the two writes leaves it.
  await app.dataSource.query(
    `UPDATE payment_attempt SET provider_reference = NULL, sealed_next_action = NULL
     WHERE intent_id = (SELECT id FROM payment_intent WHERE reference = $1)`,
    [payment.id],
  );
  const { paymentIntents } = app.stripe.counts().objects;
  await lookNow(payment.id);
  await eventually(
    () => readPayment(app, payment.id, payment.token),
    ({ nextAction }) => nextAction?.clientSecret?.startsWith(payment.providerReference),
  );
  expect(app.stripe.counts().objects.paymentIntents).toBe(paymentIntents);
});

test.each([STRIPE, BANK])(
  'a payment at $name whose notification is lost is healed by asking',
  async (provider) => {
    const payment = await provider.open(app);
    app.stripe.pauseWebhooks();
    app.bank.pauseWebhooks();
    if (provider === BANK) app.bank.pay(payment.attemptReference);
    else app.stripe.pay(payment.providerReference, GOOD_CARD);
    await lookNow(payment.id);
    expect(await untilStatus(app, payment.id, 'PAID')).toMatchObject({ orderStatus: 'CONFIRMED' });
  },
);

test('a payment of which nobody knows whether it was opened is UNKNOWN, and found out by asking', async () => {
  const { sku } = await app.addProduct({ stock: 5 });
  const { orderId, token } = await app.order(sku);
  app.bank.answerNext('createPayment', { kind: 'hang', afterDoing: true });
  const { id, status } = await app.pay(orderId, token, { method: 'BANK', returnUrl: RETURN_URL });
  expect(status).toBe('UNKNOWN');
  const payments = app.bank.counts().payments;
  await lookNow(id);
  await untilStatus(app, id, 'PENDING');
  expect(await readPayment(app, id, token)).toMatchObject({ nextAction: { url: expect.any(String) } });
  expect(app.bank.counts().payments).toBe(payments);
});

test('a provider that can’t be asked is asked again later', async () => {
  const payment = await STRIPE.open(app);
  const answer = { kind: 'status', status: 500, shouldRetry: false } as const;
  app.stripe.answerNext('payment_intents.retrieve', { answer });
  const asked = app.stripe.requests('payment_intents.retrieve');
  await lookNow(payment.id);
  await eventually(
    () => app.stripe.requests('payment_intents.retrieve'),
    (requests) => requests > asked,
  );
  await eventually(
    () => nextCheckOf(payment.id),
    (next) => next !== null && next.getTime() > Date.now() + 10_000,
  );
  expect((await booksOf(app, payment.id)).status).toBe('PENDING');
});

test('an attempt that lives on after another one was paid is ended at its provider', async () => {
  const payment = await STRIPE.open(app);
  const answer = { kind: 'status', status: 500, shouldRetry: false } as const;
  app.stripe.answerNext('payment_intents.cancel', { answer });
  await app.pay(payment.orderId, payment.token, { method: 'BANK', returnUrl: RETURN_URL });
  app.bank.pay(`${payment.id}-2`);
  await eventually(
    () => readPayment(app, payment.id, payment.token),
    ({ attempts }) => attempts[0].status === 'CANCELLED' && attempts[1].status === 'SUCCEEDED',
  );
  expect(() => app.stripe.pay(payment.providerReference, GOOD_CARD)).toThrow('canceled');
  await eventually(
    () => nextCheckOf(payment.id),
    (next) => next === null,
  );
});

test('an open payment of an order that was paid otherwise is ended', async () => {
  const first = await BANK.open(app, { stock: 5 });
  await app.graphql(
    'mutation ($id: ID!) { cancelPaymentIntent(id: $id) { status } }',
    { id: first.id },
    first.token,
  );
  const second = await app.pay(first.orderId, first.token, { method: 'CARD' });
  app.bank.payLate(first.attemptReference);
  await untilStatus(app, first.id, 'PAID');
  await lookNow(second.id);
  await untilStatus(app, second.id, 'CANCELLED');
  expect(() => app.stripe.pay(second.nextAction.clientSecret, GOOD_CARD)).toThrow('canceled');
  expect(await booksOf(app, first.id)).toMatchObject({ status: 'PAID', stock: 4, reserved: 0 });
});
