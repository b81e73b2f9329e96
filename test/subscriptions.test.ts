import { randomUUID } from 'node:crypto';
import { newCustomer, saveCard } from './support/customers.js';
import { expectInvariants } from './support/invariants.js';
import { codeOf, dataOf, startTestApp, type RunningApp } from './support/running-app.js';
import { refundPayment } from './support/staff-calls.js';
import {
  activeSubscription,
  allIsHeard,
  atProvider,
  cancelSubscription,
  expectEachChargeToBeOneMovement,
  lines,
  MONTH,
  monthly,
  paymentsOf,
  readSubscription,
  stands,
  subscribeTo,
  untilSubscription,
} from './support/subscriptions.js';

const VISA = '4242424242424242';
const ALWAYS_ASKS = '4000002760003184';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterEach(async () => {
  app.stripe.misbehave({});
  app.stripe.clearFaults();
  app.stripe.resumeWebhooks();
  await allIsHeard(app);
  await expectInvariants(app.dataSource);
  await expectEachChargeToBeOneMovement(app);
});
afterAll(() => app.stop());

describe('a recurring subscription', () => {
  test('begins with a saved way to pay, and its first payment is an order that is paid', async () => {
    const customer = await newCustomer(app);
    const { id: savedMethodId } = await saveCard(app, customer, VISA);
    const { sku } = await monthly(app);
    const begun = dataOf(await subscribeTo(app, customer, { lines: lines(sku, 2), savedMethodId }));
    const { subscription, nextAction } = begun.createRecurringSubscription;
    expect(nextAction).toBeNull();
    expect(subscription).toMatchObject({
      id: expect.stringMatching(/^SUB-[0-9A-Z]{26}$/),
      ...{ amount: 1_380, currency: 'EUR', interval: 'MONTH', intervalCount: 1, cancelAtPeriodEnd: false },
    });
    const active = await untilSubscription(app, subscription.id, stands('ACTIVE', 'PAID'));
    expect(active.orders).toMatchObject([
      {
        ...{ status: 'CONFIRMED', amount: 1_380, lines: [{ sku, quantity: 2, unitAmount: 690 }] },
        paymentIntents: [{ capturedAmount: 1_380, attempts: [{ number: 1, status: 'SUCCEEDED' }] }],
      },
    ]);
    expect(Date.parse(active.currentPeriodEndsAt)).toBeGreaterThan(Date.now());
  });

  test('begins with what the customer gives for the first payment, and goes on with that', async () => {
    const customer = await newCustomer(app);
    const { sku } = await monthly(app);
    const begun = dataOf(await subscribeTo(app, customer, { lines: lines(sku) })).createRecurringSubscription;
    expect(begun).toMatchObject({
      subscription: { status: 'INCOMPLETE', orders: [] },
      nextAction: { __typename: 'ConfirmWithStripe', publishableKey: 'pk_test_of_tests' },
    });
    app.stripe.pay(begun.nextAction.clientSecret, '4000000000000002');
    app.stripe.pay(begun.nextAction.clientSecret, VISA);
    await untilSubscription(app, begun.subscription.id, stands('ACTIVE', 'PAID'));
    app.stripe.playTimeForward(MONTH);
    await untilSubscription(app, begun.subscription.id, stands('ACTIVE', 'PAID', 'PAID'));
  });

  test('asks a customer for what their bank wants, and begins then', async () => {
    const customer = await newCustomer(app);
    const { id: savedMethodId } = await saveCard(app, customer, ALWAYS_ASKS);
    const { sku } = await monthly(app);
    const begun = dataOf(await subscribeTo(app, customer, { lines: lines(sku), savedMethodId }));
    const { subscription, nextAction } = begun.createRecurringSubscription;
    expect(subscription.status).toBe('INCOMPLETE');
    app.stripe.authenticate(nextAction.clientSecret, 'complete');
    await untilSubscription(app, subscription.id, stands('ACTIVE', 'PAID'));
  });

  test('is one, however often the same is asked, also after a lost answer', async () => {
    const customer = await newCustomer(app);
    const { id: savedMethodId } = await saveCard(app, customer, VISA);
    const { sku } = await monthly(app);
    const input = { lines: lines(sku), savedMethodId, idempotencyKey: randomUUID() };
    const made = () =>
      app.stripe.events().filter(({ type }) => type === 'customer.subscription.created').length;
    const before = made();
    app.stripe.pauseWebhooks();
    app.stripe.answerNext('subscriptions.create', {
      answer: { kind: 'close' },
      when: 'AFTER_WORK',
      times: 3,
    });
    expect(codeOf(await subscribeTo(app, customer, input))).toBe('PROVIDER_UNAVAILABLE');
    app.stripe.clearFaults();
    const ask = async () => dataOf(await subscribeTo(app, customer, input)).createRecurringSubscription;
    const [one, two] = await Promise.all([ask(), ask()]);
    expect(one.subscription.id).toBe(two.subscription.id);
    expect(made()).toBe(before + 1);
    const other = { ...input, lines: lines(sku, 2) };
    expect(codeOf(await subscribeTo(app, customer, other))).toBe('IDEMPOTENCY_KEY_REUSED');
    app.stripe.resumeWebhooks();
    await untilSubscription(app, one.subscription.id, stands('ACTIVE', 'PAID'));
  });

  test('whose answer was lost is found by its notifications alone', async () => {
    const customer = await newCustomer(app);
    const { id: savedMethodId } = await saveCard(app, customer, VISA);
    const { sku } = await monthly(app);
    app.stripe.answerNext('subscriptions.create', {
      answer: { kind: 'close' },
      when: 'AFTER_WORK',
      times: 3,
    });
    const input = { lines: lines(sku), savedMethodId };
    expect(codeOf(await subscribeTo(app, customer, input))).toBe('PROVIDER_UNAVAILABLE');
    const query = 'query ($id: ID!) { recurringSubscriptions(customerId: $id) { id } }';
    const [{ id }] = dataOf(
      await app.graphql(query, { id: customer.id }, customer.token),
    ).recurringSubscriptions;
    await untilSubscription(app, id, stands('ACTIVE', 'PAID'));
  });

  test('is for backends to begin, of products that have a recurring price, all in one rhythm', async () => {
    const customer = await newCustomer(app);
    const { sku } = await monthly(app);
    const { sku: yearly } = await monthly(app, { recurringInterval: 'YEAR' });
    const { sku: once } = await app.addProduct();
    const code = async (skus: string[], token = app.apiKey) =>
      codeOf(await subscribeTo(app, customer, { lines: skus.flatMap((one) => lines(one)) }, token));
    expect(await code([sku], customer.token)).toBe('FORBIDDEN');
    expect(await code([once])).toBe('BAD_USER_INPUT');
    expect(await code([sku, yearly])).toBe('BAD_USER_INPUT');
    expect(await code([])).toBe('BAD_USER_INPUT');
    const order = 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } } }';
    expect(codeOf(await app.graphql(order, { input: { lines: lines(sku) } }))).toBe('BAD_USER_INPUT');
  });
});

describe('each renewal', () => {
  test('is an order with its payment, once, whatever becomes of the notifications', async () => {
    const { id } = await activeSubscription(app);
    app.stripe.misbehave({ duplicate: 1, reorder: true, seed: 11 });
    for (const paid of [2, 3, 4]) {
      app.stripe.playTimeForward(MONTH);
      await untilSubscription(app, id, stands('ACTIVE', ...Array<string>(paid).fill('PAID')));
    }
    await app.stripe.settled();
    const { orders } = await readSubscription(app, id);
    expect(orders.map(({ status }: { status: string }) => status)).toEqual(Array(4).fill('CONFIRMED'));
  });

  test.each(['invoice.paid', 'payment_intent.succeeded'])(
    'is counted once when %s comes first',
    async (first) => {
      const { id } = await activeSubscription(app);
      app.stripe.pauseWebhooks();
      const known = new Set(app.stripe.events().map((event) => event.id));
      app.stripe.playTimeForward(MONTH);
      const types = ['invoice.paid', 'payment_intent.succeeded'].sort((one) => (one === first ? -1 : 1));
      const events = app.stripe.events().filter((event) => !known.has(event.id));
      app.stripe.resumeWebhooks();
      await app.stripe.settled();
      for (const type of types) {
        for (const event of events.filter((one) => one.type === type)) app.stripe.deliver(event.id);
        await app.stripe.settled();
      }
      await untilSubscription(app, id, stands('ACTIVE', 'PAID', 'PAID'));
    },
  );

  test('that was missed by every notification is found in the provider’s list of them', async () => {
    const listing = await startTestApp({ notificationListPauseMilliseconds: 200 });
    try {
      const customer = await newCustomer(listing);
      const { id: savedMethodId } = await saveCard(listing, customer, VISA);
      const { sku } = await monthly(listing);
      listing.stripe.misbehave({ drop: 1, seed: 1 });
      const answer = await subscribeTo(listing, customer, { lines: lines(sku), savedMethodId });
      const { id } = dataOf(answer).createRecurringSubscription.subscription;
      await untilSubscription(listing, id, stands('ACTIVE', 'PAID'));
      await expectInvariants(listing.dataSource);
    } finally {
      await listing.stop();
    }
  });

  test('can be given back, by the API and at the provider', async () => {
    const { id } = await activeSubscription(app);
    app.stripe.playTimeForward(MONTH);
    const [first, second] = paymentsOf(await untilSubscription(app, id, stands('ACTIVE', 'PAID', 'PAID')));
    dataOf(await refundPayment(app, first!, { amount: 380 }));
    const [{ reference }] = await app.dataSource.query(
      `SELECT m.provider_reference AS reference FROM movement m JOIN payment_intent i ON i.id = m.intent_id
       WHERE i.reference = $1`,
      [second!.id],
    );
    app.stripe.refundInDashboard(reference);
    await untilSubscription(app, id, stands('ACTIVE', 'PARTIALLY_REFUNDED', 'REFUNDED'));
  });

  test('that was given back before we had heard of it is known as both', async () => {
    const { id } = await activeSubscription(app);
    app.stripe.pauseWebhooks();
    const subscription = await atProvider(app, id);
    const known = new Set(app.stripe.chargesFor(subscription).map((charge) => charge.id));
    const events = new Set(app.stripe.events().map((event) => event.id));
    app.stripe.playTimeForward(MONTH);
    const [charge] = app.stripe.chargesFor(subscription).filter((one) => !known.has(one.id));
    app.stripe.refundInDashboard(charge!.paymentIntentId);
    const fresh = app.stripe.events().filter((event) => !events.has(event.id));
    app.stripe.misbehave({ drop: 1, seed: 1 });
    app.stripe.resumeWebhooks();
    await app.stripe.settled();
    app.stripe.misbehave({});
    // What was given back is told first, and what was paid last.
    for (const type of ['refund.created', 'charge.refunded', 'invoice.paid']) {
      for (const event of fresh.filter((one) => one.type === type)) app.stripe.deliver(event.id);
      await app.stripe.settled();
    }
    await untilSubscription(app, id, stands('ACTIVE', 'PAID', 'REFUNDED'));
  });
});

describe('cancelling', () => {
  test('now ends it: nothing more is collected', async () => {
    const { customer, id } = await activeSubscription(app);
    const stranger = await newCustomer(app);
    expect(codeOf(await cancelSubscription(app, id, false, stranger.token))).toBe('NOT_FOUND');
    const cancelled = dataOf(
      await cancelSubscription(app, id, false, customer.token),
    ).cancelRecurringSubscription;
    expect(cancelled).toMatchObject({ status: 'CANCELLED', endedAt: expect.any(String) });
    const again = dataOf(await cancelSubscription(app, id, false)).cancelRecurringSubscription;
    expect(again.status).toBe('CANCELLED');
    app.stripe.playTimeForward(2 * MONTH);
    await app.stripe.settled();
    expect(stands('CANCELLED', 'PAID')(await readSubscription(app, id))).toBe(true);
  });

  test('at the end of the period lets what was paid for go on until then', async () => {
    const { id } = await activeSubscription(app);
    const asked = dataOf(await cancelSubscription(app, id, true)).cancelRecurringSubscription;
    expect(asked).toMatchObject({ status: 'ACTIVE', cancelAtPeriodEnd: true, endedAt: null });
    app.stripe.playTimeForward(MONTH);
    await untilSubscription(app, id, stands('CANCELLED', 'PAID'));
  });

  test('of what was never paid is left to time', async () => {
    const customer = await newCustomer(app);
    const { sku } = await monthly(app);
    const answer = await subscribeTo(app, customer, { lines: lines(sku) });
    const { id } = dataOf(answer).createRecurringSubscription.subscription;
    app.stripe.playTimeForward(24 * 3_600_000);
    await untilSubscription(app, id, stands('EXPIRED'));
  });
});
