import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { NextActionSeal } from '../src/payments/sealed-next-action.js';
import { createStripeProvider } from '../src/providers/stripe/stripe-provider.js';
import { checkSubscriptions } from '../src/subscriptions/check-subscriptions.js';
import { newCustomer, payWith, saveCard, type TestCustomer } from './support/customers.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import { codeOf, dataOf, SECRET, startTestApp, type RunningApp } from './support/running-app.js';
import {
  activeSubscription,
  atProvider,
  cancelSubscription,
  chargeFromNowOn,
  DAY,
  expectEachChargeToBeOneMovement,
  inDashboard,
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
const NO_FUNDS = '4000000000000341';
/** Is in processing first. */
const BANK_DEBIT = '000123456789';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let app: RunningApp;
beforeAll(async () => {
  // Nothing is heard, in no other way either.
  app = await startTestApp({ notificationListPauseMilliseconds: DAY });
});
afterEach(async () => {
  app.stripe.misbehave({});
  app.stripe.clearFaults();
  await app.stripe.settled();
  // Time that was played forward has gone forward for those of other tests too.
  await lookAt('provider_reference IS NOT NULL', []);
  await expectInvariants(app.dataSource);
  await expectEachChargeToBeOneMovement(app);
});
afterAll(() => app.stop());

const hearNothing = () => app.stripe.misbehave({ drop: 1, seed: 1 });

/** Milliseconds from now; null when it is not to be looked at any more. */
async function nextCheck(id: string): Promise<number | null> {
  const sql = `SELECT extract(epoch FROM next_check_at - now()) * 1000 AS pause
    FROM recurring_subscription WHERE reference = $1`;
  const [{ pause }] = await app.dataSource.query(sql, [id]);
  return pause === null ? null : Number(pause);
}

/** Not yet looked at, or being looked at: claimed (for half a minute), or written with the invoices still to come. */
const UNDER_WAY = `next_check_at < now() + interval '11 minutes'
  AND (status <> 'INCOMPLETE' OR next_check_at NOT BETWEEN now() + interval '31 seconds' AND now() + interval '2 minutes')`;

/** Its time has come; waits until it was looked at. @returns how long until the next time. */
async function check(id: string): Promise<number | null> {
  await lookAt('reference = $1', [id]);
  return nextCheck(id);
}

async function lookAt(which: string, values: string[]): Promise<void> {
  await app.dataSource.query(
    `UPDATE recurring_subscription SET next_check_at = now() WHERE ${which}`,
    values,
  );
  const sql = `SELECT reference, next_check_at FROM recurring_subscription WHERE ${which} AND ${UNDER_WAY}`;
  await eventually(
    () => app.dataSource.query(sql, values),
    (rows) => rows.length === 0,
  );
}

/** Active, and looked at since: everything is known of it. */
async function known() {
  const begun = await activeSubscription(app);
  await check(begun.id);
  return begun;
}

describe('a subscription of which nothing is heard', () => {
  test('is asked about once its period is over: its renewal is an order that is paid', async () => {
    const { id } = await known();
    const { currentPeriodEndsAt } = await readSubscription(app, id);
    const untilRenewed = Date.parse(currentPeriodEndsAt) - Date.now();
    expect(await nextCheck(id)).toBeGreaterThan(untilRenewed + HOUR);
    expect(await nextCheck(id)).toBeLessThan(untilRenewed + 2 * HOUR);
    hearNothing();
    app.stripe.playTimeForward(MONTH);
    expect(await check(id)).toBeGreaterThan(untilRenewed + 27 * DAY);
    const renewed = await untilSubscription(app, id, stands('ACTIVE', 'PAID', 'PAID'));
    expect(renewed.orders[0]).toMatchObject({ status: 'CONFIRMED', amount: 1_380 });
  });

  test('for months has an order for each of them, once', async () => {
    const { id } = await known();
    hearNothing();
    app.stripe.playTimeForward(3 * MONTH);
    await check(id);
    const renewed = await untilSubscription(app, id, stands('ACTIVE', 'PAID', 'PAID', 'PAID', 'PAID'));
    await check(id);
    expect(await readSubscription(app, id)).toEqual(renewed);
  });

  test('is looked at soon after it has changed, for its invoice may not be told', async () => {
    const { id } = await known();
    hearNothing();
    app.stripe.playTimeForward(MONTH);
    app.stripe.misbehave({});
    const event = app.stripe.events().findLast(({ type }) => type === 'customer.subscription.updated');
    app.stripe.deliver(event!.id);
    await eventually(
      () => nextCheck(id),
      (pause) => pause !== null && pause <= MINUTE && pause > 0,
    );
    await check(id);
    await untilSubscription(app, id, stands('ACTIVE', 'PAID', 'PAID'));
  });

  test('is asked about while it owes: what is tried, and what comes of that', async () => {
    const begun = await known();
    await chargeFromNowOn(app, begun, NO_FUNDS);
    hearNothing();
    app.stripe.playTimeForward(MONTH);
    expect(await check(begun.id)).toBeLessThan(6 * HOUR + MINUTE);
    const owing = await untilSubscription(app, begun.id, stands('PAST_DUE', 'PAID', 'PENDING'));
    expect(paymentsOf(owing)[1]!.failureCode).toBe('generic_decline');
    app.stripe.playTimeForward(MONTH);
    expect(await check(begun.id)).toBeNull();
    await untilSubscription(app, begun.id, stands('CANCELLED', 'PAID', 'FAILED'));
  });

  test('is seen to be cancelled at its provider', async () => {
    const { id } = await known();
    hearNothing();
    await inDashboard(app, `subscriptions/${await atProvider(app, id)}`, {}, 'DELETE');
    expect(await check(id)).toBeNull();
    const ended = await untilSubscription(app, id, stands('CANCELLED', 'PAID'));
    expect(ended.endedAt).not.toBeNull();
  });

  test('that was cancelled while money was on its way is asked about until that is decided', async () => {
    const begun = await known();
    await chargeFromNowOn(app, begun, NO_FUNDS);
    app.stripe.playTimeForward(MONTH);
    const [{ id: orderId }] = (await untilSubscription(app, begun.id, stands('PAST_DUE', 'PAID', 'PENDING')))
      .orders;
    const { nextAction } = dataOf(await payWith(app, orderId, app.apiKey, {})).createPaymentIntent;
    app.stripe.pay(nextAction.clientSecret, BANK_DEBIT);
    await untilSubscription(app, begun.id, stands('PAST_DUE', 'PAID', 'PROCESSING'));
    dataOf(await cancelSubscription(app, begun.id, false));
    expect(await check(begun.id)).toBeGreaterThan(DAY - MINUTE);
    await app.stripe.settled();
    hearNothing();
    app.stripe.settle(nextAction.clientSecret, 'fail');
    expect(await check(begun.id)).toBeNull();
    await untilSubscription(app, begun.id, stands('CANCELLED', 'PAID', 'FAILED'));
  });

  test('that waits for its first payment is asked about after a minute, and ever more rarely', async () => {
    const customer = await newCustomer(app);
    const { sku } = await monthly(app);
    hearNothing();
    const begun = dataOf(await subscribeTo(app, customer, { lines: lines(sku) })).createRecurringSubscription;
    const { id } = begun.subscription;
    expect(await nextCheck(id)).toBeLessThanOrEqual(MINUTE);
    expect(await check(id)).toBeLessThanOrEqual(MINUTE);
    await app.dataSource.query(
      `UPDATE recurring_subscription SET created_at = now() - interval '10 hours' WHERE reference = $1`,
      [id],
    );
    expect(await check(id)).toBeGreaterThan(50 * MINUTE);
    app.stripe.pay(begun.nextAction.clientSecret, VISA);
    await check(id);
    await untilSubscription(app, id, stands('ACTIVE', 'PAID'));
  });

  test('is asked about again after a provider that did not answer', async () => {
    const { id } = await known();
    hearNothing();
    app.stripe.playTimeForward(MONTH);
    app.stripe.answerNext('subscriptions.retrieve', {
      answer: { kind: 'status', status: 500, shouldRetry: false },
      times: 9,
    });
    await app.dataSource.query(
      'UPDATE recurring_subscription SET next_check_at = now() WHERE reference = $1',
      [id],
    );
    await eventually(
      () => nextCheck(id),
      (pause) => pause !== null && pause > 9 * MINUTE && pause < 10 * MINUTE,
    );
    app.stripe.clearFaults();
    await check(id);
    await untilSubscription(app, id, stands('ACTIVE', 'PAID', 'PAID'));
  });
});

test('many nodes that look at the same time ask about each subscription once', async () => {
  const begun = [await known(), await known(), await known()];
  const ids = begun.map(({ id }) => id);
  const provider = createStripeProvider({
    secretKey: app.stripeSecretKey,
    publishableKey: 'pk_test_of_tests',
    webhookSecrets: ['whsec_never_used'],
    apiBase: app.stripe.url,
  });
  const node = {
    providers: new Map([[provider.name, provider]]),
    seal: new NextActionSeal(SECRET),
    log: pino({ level: 'silent' }),
    ...{ actor: 'job:test', wakeRelay: () => undefined },
  };
  const asked = app.stripe.requests('subscriptions.retrieve');
  await app.dataSource.query(
    'UPDATE recurring_subscription SET next_check_at = now() WHERE reference = ANY($1)',
    [ids],
  );
  const { manager } = app.dataSource;
  await Promise.all(Array.from({ length: 5 }, () => checkSubscriptions(manager, node)));
  for (const id of ids) {
    await eventually(
      () => nextCheck(id),
      (pause) => pause! > DAY,
    );
  }
  expect(app.stripe.requests('subscriptions.retrieve')).toBe(asked + ids.length);
});

describe('a subscription whose first answer was lost', () => {
  const input = async (customer: TestCustomer, idempotencyKey: string) => {
    const { id: savedMethodId } = await saveCard(app, customer, VISA);
    const { sku } = await monthly(app);
    return { lines: lines(sku), savedMethodId, idempotencyKey };
  };

  /** As the customer asked for it; the answer, and all that is told of it, never comes. */
  async function askInVain(customer: TestCustomer, asked: object, when: 'BEFORE_WORK' | 'AFTER_WORK') {
    hearNothing();
    app.stripe.answerNext('subscriptions.create', { answer: { kind: 'close' }, when, times: 3 });
    expect(codeOf(await subscribeTo(app, customer, asked))).toBe('PROVIDER_UNAVAILABLE');
    app.stripe.clearFaults();
    const list = 'query ($id: ID!) { recurringSubscriptions(customerId: $id) { id } }';
    const [{ id }] = dataOf(await app.graphql(list, { id: customer.id }, app.apiKey)).recurringSubscriptions;
    return id as string;
  }

  const make = (id: string, values: string) =>
    app.dataSource.query(`UPDATE recurring_subscription SET ${values} WHERE reference = $1`, [id]);

  test('is found at its provider, with what was paid', async () => {
    const customer = await newCustomer(app);
    const asked = await input(customer, randomUUID());
    const id = await askInVain(customer, asked, 'AFTER_WORK');
    await make(id, 'next_check_at = now()');
    await untilSubscription(app, id, ({ status }) => status === 'ACTIVE');
    await check(id);
    expect(stands('ACTIVE', 'PAID')(await readSubscription(app, id))).toBe(true);
    const again = dataOf(await subscribeTo(app, customer, asked)).createRecurringSubscription;
    expect(again).toMatchObject({ subscription: { id, status: 'ACTIVE' }, nextAction: null });
  });

  test('and that never began is begun by no job, and given up after a day', async () => {
    const customer = await newCustomer(app);
    const asked = await input(customer, randomUUID());
    const id = await askInVain(customer, asked, 'BEFORE_WORK');
    const calls = app.stripe.requests('subscriptions.create');
    await make(id, 'next_check_at = now()');
    await eventually(
      () => nextCheck(id),
      (pause) => pause !== null && pause > 23 * HOUR,
    );
    expect((await readSubscription(app, id)).status).toBe('INCOMPLETE');

    const aDayLater = `created_at = now() - interval '25 hours', next_check_at = now()`;
    app.stripe.answerNext('subscriptions.list', { answer: { kind: 'close' }, when: 'BEFORE_WORK', times: 3 });
    await make(id, aDayLater);
    await eventually(
      () => nextCheck(id),
      (pause) => pause !== null && pause > 5 * MINUTE,
    );
    // Not before its provider has said so.
    expect((await readSubscription(app, id)).status).toBe('INCOMPLETE');
    app.stripe.clearFaults();
    await make(id, aDayLater);
    await untilSubscription(app, id, stands('EXPIRED'));
    expect(await nextCheck(id)).toBeNull();
    const again = dataOf(await subscribeTo(app, customer, asked)).createRecurringSubscription;
    expect(again).toMatchObject({ subscription: { id, status: 'EXPIRED' }, nextAction: null });
    expect(app.stripe.requests('subscriptions.create')).toBe(calls);
  });
});
