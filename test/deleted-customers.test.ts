import { randomUUID } from 'node:crypto';
import {
  beginSetup,
  detach,
  listSaved,
  newCustomer,
  orderFor,
  payWith,
  saveCard,
  untilSaved,
  type TestCustomer,
} from './support/customers.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import { available, cancelPayment } from './support/payment-calls.js';
import { codeOf, dataOf, startTestApp, type GraphQLAnswer, type RunningApp } from './support/running-app.js';
import {
  activeSubscription,
  allIsHeard,
  atProvider,
  cancelSubscription,
  chargeFromNowOn,
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
const MASTERCARD = '5555555555554444';
const NO_FUNDS = '4000000000000341';
const SEPA_DEBIT = 'DE89370400440532013000';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterEach(async () => {
  app.stripe.misbehave({});
  app.stripe.clearFaults();
  await allIsHeard(app);
  await expectInvariants(app.dataSource);
  await expectEachChargeToBeOneMovement(app);
});
afterAll(() => app.stop());

async function atStripe(customer: TestCustomer): Promise<string | null> {
  const [row] = await app.dataSource.query(
    `SELECT a.provider_reference AS at FROM customer_provider_account a JOIN customer c ON c.id = a.customer_id
     WHERE c.reference = $1`,
    [customer.id],
  );
  return row?.at ?? null;
}

async function savedAtStripe(id: string): Promise<string> {
  const sql = 'SELECT provider_reference AS at FROM saved_payment_method WHERE reference = $1';
  const [{ at }] = await app.dataSource.query(sql, [id]);
  return at;
}

/** A customer with a saved card, whom somebody has deleted at Stripe, and nobody was told. */
async function deletedInSilence() {
  const customer = await newCustomer(app);
  const saved = await saveCard(app, customer, VISA);
  await allIsHeard(app);
  const before = (await atStripe(customer))!;
  app.stripe.misbehave({ drop: 1, seed: 1 });
  app.stripe.deleteCustomer(before);
  await app.stripe.settled();
  app.stripe.misbehave({});
  return { customer, saved, before };
}

/** Said clearly, with the field that names it. */
function expectSavedMethodGone(answer: GraphQLAnswer): void {
  expect(codeOf(answer)).toBe('NOT_FOUND');
  const [error] = answer.errors ?? [];
  expect(error?.message).toContain('saved payment method');
  expect(error?.extensions.fields).toMatchObject([{ path: 'savedMethodId' }]);
}

const savedOf = async (customer: TestCustomer, refresh = false) =>
  dataOf(await listSaved(app, customer.id, customer.token, refresh)).savedPaymentMethods;

describe('a customer who was deleted at Stripe', () => {
  test('saves another card as if for the first time, and what they had is gone', async () => {
    const { customer, before } = await deletedInSilence();
    const { nextAction } = dataOf(await beginSetup(app, customer.id, customer.token)).setUpPaymentMethod;
    app.stripe.completeSetup(nextAction.clientSecret, MASTERCARD);
    await eventually(
      () => savedOf(customer),
      (methods) => methods.length === 1 && methods[0].brand === 'mastercard',
    );
    expect(await atStripe(customer)).not.toBe(before);
  });

  test('is made anew once, however many ask at the same time, and the same request gives the same setup', async () => {
    const { customer } = await deletedInSilence();
    const made = () => app.stripe.events().filter(({ type }) => type === 'customer.created').length;
    const before = made();
    const idempotencyKey = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => beginSetup(app, customer.id, customer.token, { idempotencyKey })),
    );
    const secrets = answers.map(
      (answer) => dataOf(answer).setUpPaymentMethod.nextAction.clientSecret as string,
    );
    expect(new Set(secrets).size).toBe(1);
    expect(made()).toBe(before + 1);
    const now = await atStripe(customer);
    const again = dataOf(await beginSetup(app, customer.id, customer.token, { idempotencyKey }));
    expect(again.setUpPaymentMethod.nextAction.clientSecret).toBe(secrets[0]);
    expect(await atStripe(customer)).toBe(now);
    expect(made()).toBe(before + 1);
  });

  test('repeats an earlier request, and begins a new setup with it', async () => {
    const customer = await newCustomer(app);
    const idempotencyKey = randomUUID();
    const begin = async () =>
      dataOf(await beginSetup(app, customer.id, customer.token, { idempotencyKey })).setUpPaymentMethod
        .nextAction.clientSecret as string;
    const first = await begin();
    app.stripe.deleteCustomer((await atStripe(customer))!);
    await allIsHeard(app);
    const second = await begin();
    expect(second).not.toBe(first);
    app.stripe.completeSetup(second, VISA);
    await untilSaved(app, customer);
  });

  test('has nothing saved when asked for', async () => {
    const { customer } = await deletedInSilence();
    expect(await savedOf(customer)).toHaveLength(1);
    expect(await savedOf(customer, true)).toEqual([]);
    expect(await savedOf(customer, true)).toEqual([]);
  });

  test('pays, and what pays is saved with the new customer', async () => {
    const { customer } = await deletedInSilence();
    const { orderId, token } = await orderFor(app, customer);
    const { nextAction } = dataOf(
      await payWith(app, orderId, token, { method: 'CARD', presentation: 'EMBEDDED', saveMethod: true }),
    ).createPaymentIntent;
    app.stripe.pay(nextAction.clientSecret, MASTERCARD);
    const [method] = await eventually(
      () => savedOf(customer),
      (methods) => methods.length === 1 && methods[0].brand === 'mastercard',
    );
    const next = await orderFor(app, customer);
    const charged = dataOf(
      await payWith(app, next.orderId, app.apiKey, { savedMethodId: method.id, offSession: true }),
    ).createPaymentIntent;
    expect(charged.paymentIntent.status).toBe('PAID');
  });

  test('can’t be charged with what was saved, is told so each time, and pays the order otherwise', async () => {
    const { customer, saved } = await deletedInSilence();
    const { orderId, token } = await orderFor(app, customer);
    const charge = () => payWith(app, orderId, app.apiKey, { savedMethodId: saved.id, offSession: true });
    expectSavedMethodGone(await charge());
    expectSavedMethodGone(await charge());
    const { nextAction } = dataOf(
      await payWith(app, orderId, token, { method: 'CARD', presentation: 'EMBEDDED' }),
    ).createPaymentIntent;
    app.stripe.pay(nextAction.clientSecret, VISA);
    await eventually(
      async () =>
        dataOf(await app.graphql('query ($id: ID!) { order(id: $id) { status } }', { id: orderId }, token))
          .order.status,
      (status) => status === 'CONFIRMED',
    );
  });

  test('detaches what is gone already, and that is no failure', async () => {
    const { customer, saved } = await deletedInSilence();
    app.stripe.forget(await savedAtStripe(saved.id));
    expect(dataOf(await detach(app, saved.id, customer.token)).detachPaymentMethod.detached).toBe(true);
  });

  test('begins a subscription anew, but not with what was saved', async () => {
    const { customer, saved } = await deletedInSilence();
    const { sku } = await monthly(app);
    const input = { lines: lines(sku), savedMethodId: saved.id, idempotencyKey: randomUUID() };
    expectSavedMethodGone(await subscribeTo(app, customer, input));
    expectSavedMethodGone(await subscribeTo(app, customer, input));
    const begun = dataOf(await subscribeTo(app, customer, { lines: lines(sku) })).createRecurringSubscription;
    app.stripe.pay(begun.nextAction.clientSecret, VISA);
    await untilSubscription(app, begun.subscription.id, stands('ACTIVE', 'PAID'));
  });

  test('begins it with the very request by which a deleted customer would have begun it', async () => {
    const { customer } = await deletedInSilence();
    const { sku } = await monthly(app);
    const input = { lines: lines(sku), idempotencyKey: randomUUID() };
    const begun = dataOf(await subscribeTo(app, customer, input)).createRecurringSubscription;
    const again = dataOf(await subscribeTo(app, customer, input)).createRecurringSubscription;
    expect(again.subscription.id).toBe(begun.subscription.id);
    app.stripe.pay(begun.nextAction.clientSecret, VISA);
    await untilSubscription(app, begun.subscription.id, stands('ACTIVE', 'PAID'));
  });

  test('whose subscription’s first answer was lost begins it anew by the same request', async () => {
    const customer = await newCustomer(app);
    const { sku } = await monthly(app);
    const input = { lines: lines(sku), idempotencyKey: randomUUID() };
    app.stripe.misbehave({ drop: 1, seed: 1 });
    const lost = { answer: { kind: 'close' }, when: 'AFTER_WORK', times: 3 } as const;
    app.stripe.answerNext('subscriptions.create', lost);
    expect(codeOf(await subscribeTo(app, customer, input))).toBe('PROVIDER_UNAVAILABLE');
    app.stripe.clearFaults();
    app.stripe.deleteCustomer((await atStripe(customer))!);
    await app.stripe.settled();
    app.stripe.misbehave({});
    const deleted = app.stripe.events().findLast(({ type }) => type === 'customer.deleted');
    app.stripe.deliver(deleted!.id);
    await eventually(
      () => atStripe(customer),
      (at) => at === null,
    );
    const begun = dataOf(await subscribeTo(app, customer, input)).createRecurringSubscription;
    app.stripe.pay(begun.nextAction.clientSecret, VISA);
    await untilSubscription(app, begun.subscription.id, stands('ACTIVE', 'PAID'));
  });
});

describe('customer.deleted', () => {
  test('unlinks the account, takes what was saved, and ends the subscriptions, each once', async () => {
    const { customer, id } = await activeSubscription(app);
    expect(await savedOf(customer)).toHaveLength(1);
    app.stripe.misbehave({ duplicate: 1, reorder: true, seed: 3 });
    app.stripe.deleteCustomer((await atStripe(customer))!);
    await untilSubscription(app, id, stands('CANCELLED', 'PAID'));
    await eventually(
      () => atStripe(customer),
      (at) => at === null,
    );
    await allIsHeard(app);
    expect(await savedOf(customer)).toEqual([]);
    const noted = await app.dataSource.query(
      `SELECT actor FROM audit_log WHERE subject = $1 AND action = 'customer.deleted_at_provider'`,
      [customer.id],
    );
    expect(noted).toEqual([{ actor: 'provider:stripe' }]);
    await saveCard(app, customer, VISA);
  });

  test('cancels what was still to be collected, and the merchant is told so as of any payment', async () => {
    const { customer, id } = await activeSubscription(app);
    await chargeFromNowOn(app, { customer, id }, NO_FUNDS);
    app.stripe.playTimeForward(MONTH);
    await untilSubscription(app, id, stands('PAST_DUE', 'PAID', 'PENDING'));
    app.stripe.deleteCustomer((await atStripe(customer))!);
    const read = await untilSubscription(app, id, stands('CANCELLED', 'PAID', 'CANCELLED'));
    const told = await app.dataSource.query(
      `SELECT payload ->> 'status' AS status FROM outbox_event e JOIN payment_intent i ON i.id = e.key
       WHERE i.reference = $1 ORDER BY e.version DESC LIMIT 1`,
      [paymentsOf(read)[1]!.id],
    );
    expect(told).toEqual([{ status: 'CANCELLED' }]);
  });

  test('alone is enough, when all else that Stripe tells of it is lost', async () => {
    const { customer, id } = await activeSubscription(app);
    const known = new Set(app.stripe.events().map((event) => event.id));
    app.stripe.misbehave({ drop: 1, seed: 1 });
    app.stripe.deleteCustomer((await atStripe(customer))!);
    await app.stripe.settled();
    app.stripe.misbehave({});
    const [deleted] = app.stripe
      .events()
      .filter((event) => !known.has(event.id) && event.type === 'customer.deleted');
    app.stripe.deliver(deleted!.id);
    await untilSubscription(app, id, stands('CANCELLED', 'PAID'));
    expect(await savedOf(customer)).toEqual([]);
  });

  test('that comes after the customer was made anew changes nothing', async () => {
    const { customer, before } = await deletedInSilence();
    dataOf(await beginSetup(app, customer.id, customer.token));
    const now = await atStripe(customer);
    expect(now).not.toBe(before);
    const deleted = app.stripe.events().findLast(({ type }) => type === 'customer.deleted');
    app.stripe.deliver(deleted!.id);
    await allIsHeard(app);
    expect(await atStripe(customer)).toBe(now);
  });
});

describe('what is not at Stripe any more', () => {
  test('a saved card is told as not found when it is charged, and the payment can be paid otherwise', async () => {
    const customer = await newCustomer(app);
    const saved = await saveCard(app, customer, VISA);
    await allIsHeard(app);
    app.stripe.forget(await savedAtStripe(saved.id));
    const { orderId, token } = await orderFor(app, customer);
    const answer = await payWith(app, orderId, app.apiKey, { savedMethodId: saved.id, offSession: true });
    expectSavedMethodGone(answer);
    expect(await savedOf(customer)).toEqual([]);
    const opened = dataOf(
      await payWith(app, orderId, token, { method: 'CARD', presentation: 'EMBEDDED' }),
    ).createPaymentIntent;
    expect(opened.paymentIntent.status).toBe('PENDING');
    app.stripe.pay(opened.nextAction.clientSecret, MASTERCARD);
    await allIsHeard(app);
  });

  test('nor does a subscription begin with it', async () => {
    const customer = await newCustomer(app);
    const saved = await saveCard(app, customer, VISA);
    await allIsHeard(app);
    app.stripe.forget(await savedAtStripe(saved.id));
    const { sku } = await monthly(app);
    const answer = await subscribeTo(app, customer, { lines: lines(sku), savedMethodId: saved.id });
    expectSavedMethodGone(answer);
  });

  test('a subscription can be cancelled here, and is not taken for ended before', async () => {
    const { id } = await activeSubscription(app);
    app.stripe.forget(await atProvider(app, id));
    await app.dataSource.query(
      'UPDATE recurring_subscription SET next_check_at = now() WHERE reference = $1',
      [id],
    );
    await eventually(
      () =>
        app.dataSource.query(
          `SELECT 1 FROM recurring_subscription WHERE reference = $1 AND next_check_at > now() + interval '23 hours'`,
          [id],
        ),
      (rows) => rows.length === 1,
    );
    expect((await readSubscription(app, id)).status).toBe('ACTIVE');
    const cancelled = dataOf(await cancelSubscription(app, id, false)).cancelRecurringSubscription;
    expect(cancelled).toMatchObject({ status: 'CANCELLED', endedAt: expect.any(String) });
  });

  test('a payment can be cancelled, and gives its stock back', async () => {
    const { sku } = await app.addProduct({ stock: 1 });
    const { orderId, token } = await app.order(sku);
    const { paymentIntent, nextAction } = dataOf(
      await payWith(app, orderId, token, { method: 'CARD', presentation: 'EMBEDDED' }),
    ).createPaymentIntent;
    app.stripe.forget((nextAction.clientSecret as string).split('_secret_')[0]!);
    expect(dataOf(await cancelPayment(app, paymentIntent.id, token)).cancelPaymentIntent.status).toBe(
      'CANCELLED',
    );
    expect(await available(app, sku)).toBe(1);
  });
});

describe('what can be saved is what is listed', () => {
  test('a SEPA debit is not offered when a way to pay is saved', async () => {
    const customer = await newCustomer(app);
    const { nextAction } = dataOf(await beginSetup(app, customer.id, customer.token)).setUpPaymentMethod;
    expect(() => app.stripe.completeSetup(nextAction.clientSecret, SEPA_DEBIT)).toThrow('sepa_debit');
    app.stripe.completeSetup(nextAction.clientSecret, VISA);
    await untilSaved(app, customer);
  });

  test('nor with a payment that saves; it pays where nothing is saved', async () => {
    const customer = await newCustomer(app);
    const saving = await orderFor(app, customer);
    const way = { method: 'CARD', presentation: 'EMBEDDED' };
    const opened = dataOf(
      await payWith(app, saving.orderId, saving.token, { ...way, saveMethod: true }),
    ).createPaymentIntent;
    expect(() => app.stripe.pay(opened.nextAction.clientSecret, SEPA_DEBIT)).toThrow('sepa_debit');
    const plain = await orderFor(app, customer);
    const { nextAction } = dataOf(await payWith(app, plain.orderId, plain.token, way)).createPaymentIntent;
    expect(app.stripe.pay(nextAction.clientSecret, SEPA_DEBIT).status).toBe('processing');
    app.stripe.settle(nextAction.clientSecret, 'succeed');
    await allIsHeard(app);
  });
});
