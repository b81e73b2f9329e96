import { randomUUID } from 'node:crypto';
import { booksOf, untilStatus } from './support/books.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import { BANK, STRIPE, type NotifyingProvider, type OpenPayment } from './support/notifying-provider.js';
import { available, readPayment } from './support/payment-calls.js';
import { codeOf, dataOf, startTestApp, type GraphQLAnswer, type RunningApp } from './support/running-app.js';
import { watch } from './support/subscriber.js';
import { GOOD_CARD } from './support/ways-to-pay.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterEach(async () => {
  app.stripe.clearFaults();
  await expectInvariants(app.dataSource);
});
afterAll(() => app.stop());

async function paidPayment(provider: NotifyingProvider, stock = 5): Promise<OpenPayment> {
  const payment = await provider.open(app, { stock });
  if (provider === BANK) app.bank.pay(payment.attemptReference);
  else app.stripe.pay(payment.providerReference, GOOD_CARD);
  await untilStatus(app, payment.id, 'PAID');
  return payment;
}

function refund(
  { id }: { readonly id: string },
  input: object = {},
  token = app.apiKey,
): Promise<GraphQLAnswer> {
  return app.graphql(
    `mutation ($input: RefundPaymentInput!) {
      refundPayment(input: $input) { id amount currency status reason restock origin failureCode failureMessage }
    }`,
    { input: { paymentIntentId: id, idempotencyKey: randomUUID(), ...input } },
    token,
  );
}

async function refunded(payment: OpenPayment, input: object = {}) {
  return dataOf(await refund(payment, input)).refundPayment;
}

async function refundsOf({ id }: OpenPayment): Promise<Record<string, unknown>[]> {
  const query =
    'query ($id: ID!) { paymentIntent(id: $id) { refunds { id amount status origin failureCode } } }';
  return dataOf(await app.graphql(query, { id }, app.apiKey)).paymentIntent.refunds;
}

/** What the provider itself has given back, in minor units. */
function givenBackAt(provider: NotifyingProvider, { attemptReference }: OpenPayment): number {
  if (provider === BANK) return app.bank.counts().refundedByReference[attemptReference] ?? 0;
  return app.stripe.chargesFor(attemptReference).reduce((sum, charge) => sum + charge.amountRefunded, 0);
}

/** The job looks now, and not in half a minute. */
const lookNow = () =>
  app.dataSource.query('UPDATE refund SET next_check_at = now() WHERE next_check_at IS NOT NULL');

describe.each([STRIPE, BANK])('a refund at $name', (provider) => {
  test('of everything: SUCCEEDED, and the payment and its order say REFUNDED, live', async () => {
    const payment = await paidPayment(provider);
    const watcher = watch(app, payment.id, payment.token, 0);
    expect(await refunded(payment, { reason: 'REQUESTED_BY_CUSTOMER' })).toMatchObject({
      amount: 1_500,
      currency: 'EUR',
      status: 'SUCCEEDED',
      reason: 'REQUESTED_BY_CUSTOMER',
      origin: 'REQUESTED',
    });
    await watcher.until((heard) => heard.at(-1)?.status === 'REFUNDED');
    await watcher.close();
    expect(watcher.heard.map(({ status }) => status)).toEqual(['PENDING', 'PAID', 'REFUNDED']);
    expect(givenBackAt(provider, payment)).toBe(1_500);
    const query = 'query ($id: ID!) { order(id: $id) { status refundedAt } }';
    const { order } = dataOf(await app.graphql(query, { id: payment.orderId }, payment.token));
    expect(order).toEqual({ status: 'CONFIRMED', refundedAt: expect.stringMatching(/^\d{4}-/) });
    // The pieces were sold, and nobody said that they come back.
    expect(await booksOf(app, payment.id)).toMatchObject({ stock: 4, reserved: 0 });
  });

  test('of parts: each is told to watchers, and the sum is never more than was taken', async () => {
    const payment = await paidPayment(provider);
    const watcher = watch(app, payment.id, payment.token, 0);
    for (const amount of [400, 500]) await refunded(payment, { amount });
    expect(codeOf(await refund(payment, { amount: 601 }))).toBe('BAD_USER_INPUT');
    await refunded(payment);
    await watcher.until((heard) => heard.at(-1)?.status === 'REFUNDED');
    await watcher.close();
    expect(watcher.heard.map(({ status, version }) => [version, status])).toEqual([
      [1, 'PENDING'],
      [2, 'PAID'],
      [3, 'PARTIALLY_REFUNDED'],
      [4, 'PARTIALLY_REFUNDED'],
      [5, 'REFUNDED'],
    ]);
    expect((await refundsOf(payment)).map(({ amount }) => amount)).toEqual([400, 500, 600]);
    expect(givenBackAt(provider, payment)).toBe(1_500);
  });

  test('two of 60 % at once: exactly one is made, and the other says how much is left', async () => {
    const payment = await paidPayment(provider);
    const answers = await Promise.all([900, 900].map((amount) => refund(payment, { amount })));
    const [refusal] = answers.filter(({ errors }) => errors);
    expect(answers.filter(({ errors }) => !errors)).toHaveLength(1);
    expect(codeOf(refusal!)).toBe('BAD_USER_INPUT');
    expect(refusal!.errors![0]!.extensions.fields).toMatchObject([
      { path: expect.stringMatching(/amount$/) },
    ]);
    expect(refusal!.errors![0]!.message).toMatch(/^At most 600 EUR/);
    expect(givenBackAt(provider, payment)).toBe(900);
  });

  test('asked for twice with one key, at once and later, is made once; the key with another amount is refused', async () => {
    const payment = await paidPayment(provider);
    const input = { amount: 400, idempotencyKey: randomUUID() };
    const answers = await Promise.all([1, 2, 3].map(() => refunded(payment, input)));
    answers.push(await refunded(payment, input));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(codeOf(await refund(payment, { ...input, amount: 401 }))).toBe('IDEMPOTENCY_KEY_REUSED');
    expect(givenBackAt(provider, payment)).toBe(400);
  });

  test('of all that is left, asked for with one key by many at once, is made once, and nobody is told that it is too much', async () => {
    for (let round = 0; round < 3; round += 1) {
      const payment = await paidPayment(provider);
      const input = { idempotencyKey: randomUUID() };
      const answers = await Promise.all(Array.from({ length: 10 }, () => refunded(payment, input)));
      expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    }
  });

  test('whose answer is lost stays QUEUED, is asked about, and is given back once', async () => {
    const payment = await paidPayment(provider);
    loseAnswersOf(provider, 'AFTER_DOING');
    const { id, status } = await refunded(payment, { amount: 400 });
    expect(['QUEUED', 'SUCCEEDED']).toContain(status);
    await eventually(async () => {
      await lookNow();
      expect(await refundsOf(payment)).toMatchObject([{ id, status: 'SUCCEEDED' }]);
    });
    expect(givenBackAt(provider, payment)).toBe(400);
  });

  test('that never reached the provider is made by the job', async () => {
    const payment = await paidPayment(provider);
    loseAnswersOf(provider, 'BEFORE_DOING');
    expect(await refunded(payment, { amount: 400 })).toMatchObject({ status: 'QUEUED' });
    expect(givenBackAt(provider, payment)).toBe(0);
    await eventually(async () => {
      await lookNow();
      expect(await refundsOf(payment)).toMatchObject([{ status: 'SUCCEEDED' }]);
    });
    expect(givenBackAt(provider, payment)).toBe(400);
  });

  test('with restock puts the pieces back; a part of the money doesn’t say which pieces', async () => {
    const payment = await paidPayment(provider);
    expect(codeOf(await refund(payment, { amount: 400, restock: true }))).toBe('BAD_USER_INPUT');
    await refunded(payment, { restock: true });
    expect(await available(app, payment.sku)).toBe(5);
  });

  test('made at the provider is found, and enters the books', async () => {
    const payment = await paidPayment(provider);
    if (provider === BANK) app.bank.refundAtBank(payment.attemptReference, 400);
    else app.stripe.refundInDashboard(payment.providerReference, 400);
    await untilStatus(app, payment.id, 'PARTIALLY_REFUNDED');
    expect(await refundsOf(payment)).toMatchObject([
      { amount: 400, status: 'SUCCEEDED', origin: 'PROVIDER' },
    ]);
    expect(await refunded(payment)).toMatchObject({ amount: 1_100, status: 'SUCCEEDED' });
    expect(await readPayment(app, payment.id, payment.token)).toMatchObject({ status: 'REFUNDED' });
  });

  function loseAnswersOf({ name }: NotifyingProvider, when: 'BEFORE_DOING' | 'AFTER_DOING'): void {
    if (name === 'bank-x') {
      app.bank.answerNext('createRefund', {
        kind: 'status',
        status: 502,
        afterDoing: when === 'AFTER_DOING',
      });
      if (when === 'AFTER_DOING') app.bank.answerNext('getPayment', { kind: 'status', status: 503 });
    } else {
      app.stripe.answerNext('refunds.create', {
        answer: { kind: 'status', status: 502, shouldRetry: false },
        when: when === 'AFTER_DOING' ? 'AFTER_WORK' : 'BEFORE_WORK',
      });
    }
  }
});

test('payers may not give money back, and strangers don’t see that there is a payment', async () => {
  const payment = await paidPayment(STRIPE);
  expect(codeOf(await refund(payment, {}, payment.token))).toBe('FORBIDDEN');
  expect(codeOf(await refund({ id: 'TXN-00000000000000000000000000' }))).toBe('NOT_FOUND');
  expect(dataOf(await refund(payment, {}, app.operatorToken)).refundPayment.status).toBe('SUCCEEDED');
});

test('a payment without money has nothing to give back, and says so', async () => {
  const payment = await STRIPE.open(app);
  const answer = await refund(payment);
  expect(codeOf(answer)).toBe('PAYMENT_NOT_REFUNDABLE');
  expect(answer.errors![0]!.message).toBe('This payment is PENDING: no money was taken.');
});

test.each([0, -1])('an amount of %d is refused', async (amount) => {
  const payment = await paidPayment(STRIPE);
  expect(codeOf(await refund(payment, { amount }))).toBe('BAD_USER_INPUT');
});

test('a refund that Stripe has taken and not made is SUBMITTED, and SUCCEEDED when it says so', async () => {
  const payment = await STRIPE.open(app);
  // Stripe's test card whose refunds are pending at first.
  app.stripe.pay(payment.providerReference, '4000000000007726');
  await untilStatus(app, payment.id, 'PAID');
  expect(await refunded(payment, { amount: 400 })).toMatchObject({ status: 'SUBMITTED' });
  expect((await booksOf(app, payment.id)).refunded).toBe(0);
  await untilStatus(app, payment.id, 'PARTIALLY_REFUNDED');
  expect(await refundsOf(payment)).toMatchObject([{ status: 'SUCCEEDED' }]);
});

test('a refund that fails after it had succeeded takes the status back, and the money can be given back again', async () => {
  const payment = await STRIPE.open(app);
  // Stripe's test card whose refunds fail after a while.
  app.stripe.pay(payment.providerReference, '4000000000005126');
  await untilStatus(app, payment.id, 'PAID');
  expect(await refunded(payment)).toMatchObject({ status: 'SUCCEEDED' });
  await untilStatus(app, payment.id, 'PAID');
  expect(await refundsOf(payment)).toMatchObject([
    { status: 'FAILED', failureCode: 'expired_or_canceled_card' },
  ]);
  expect(await booksOf(app, payment.id)).toMatchObject({
    refunded: 0,
    movements: [{ kind: 'CAPTURE' }, { kind: 'REFUND' }, { kind: 'REFUND_REVERSAL' }],
  });
  const query = 'query ($id: ID!) { order(id: $id) { refundedAt } }';
  expect(dataOf(await app.graphql(query, { id: payment.orderId }, app.apiKey)).order.refundedAt).toBeNull();
  expect(await refunded(payment)).toMatchObject({ amount: 1_500, status: 'SUCCEEDED' });
}, 20_000);

test('the database refuses more than was taken, whoever writes it', async () => {
  const payment = await paidPayment(STRIPE);
  await refunded(payment, { amount: 1_000 });
  const copy = `INSERT INTO refund SELECT (jsonb_populate_record(r, jsonb_build_object(
      'id', gen_random_uuid(), 'reference', 'RFD-X', 'provider_reference', NULL, 'amount', $2::bigint))).*
    FROM refund r JOIN payment_intent i ON i.id = r.intent_id WHERE i.reference = $1`;
  await expect(app.dataSource.query(copy, [payment.id, 501])).rejects.toThrow('more would be given back');
});

test('every act is in the audit log, with who did it', async () => {
  const payment = await paidPayment(STRIPE);
  dataOf(await refund(payment, { amount: 400 }, app.operatorToken));
  const entries: { actor: string; action: string }[] = await app.dataSource.query(
    'SELECT actor, action FROM audit_log WHERE subject = $1 ORDER BY position',
    [payment.id],
  );
  expect(entries.map(({ actor, action }) => `${actor.split(':')[0]} ${action}`)).toEqual([
    'payer payment.opened',
    'provider money.moved',
    'provider payment.status',
    'operator refund.queued',
    expect.stringMatching(/^(operator|provider) refund.succeeded$/),
    expect.stringMatching(/^(operator|provider) money.moved$/),
    expect.stringMatching(/^(operator|provider) payment.status$/),
  ]);
});
