import { randomUUID } from 'node:crypto';
import { isNonNullType } from 'graphql';
import { createSchema } from '../src/graphql/schema.js';
import { payWith, newCustomer, saveCard } from './support/customers.js';
import { BANK } from './support/notifying-provider.js';
import { heldPayment, paidPayment, underpaidPayment } from './support/payments-with-money.js';
import { codeOf, dataOf, startTestApp, type RunningApp } from './support/running-app.js';
import { capturePayment, readAsStaff, refundPayment, seenOf, settleReview } from './support/staff-calls.js';
import { subscribe } from './support/subscriber.js';
import { GOOD_CARD } from './support/ways-to-pay.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

test('every root field is nullable, so that none takes its neighbours’ results with it', async () => {
  const schema = await createSchema();
  const roots = [schema.getQueryType()!, schema.getMutationType()!, schema.getSubscriptionType()!];
  const fields = roots.flatMap((root) => Object.values(root.getFields()));
  expect(fields.length).toBeGreaterThan(40);
  expect(fields.filter(({ type }) => isNonNullType(type)).map(({ name }) => name)).toEqual([]);
});

describe('a field that fails beside one that worked', () => {
  const TWO_REFUNDS = `mutation ($a: RefundPaymentInput!, $b: RefundPaymentInput!) {
    a: refundPayment(input: $a) { amount status } b: refundPayment(input: $b) { amount status }
  }`;

  test('leaves the refund that was made in the answer', async () => {
    const payment = await paidPayment(app, BANK);
    const refund = (amount: number) => ({
      paymentIntentId: payment.id,
      amount,
      idempotencyKey: randomUUID(),
    });
    const answer = await app.graphql(TWO_REFUNDS, { a: refund(500), b: refund(9_999) }, app.apiKey);
    expect(answer).toMatchObject({
      data: { a: { amount: 500, status: 'SUCCEEDED' }, b: null },
      errors: [{ path: ['b'], extensions: { code: 'BAD_USER_INPUT' } }],
    });
  });

  test('leaves an endpoint’s secret, which is shown once, in the answer', async () => {
    const answer = await app.graphql(
      `mutation ($a: CreateWebhookEndpointInput!, $b: CreateWebhookEndpointInput!) {
        a: createWebhookEndpoint(input: $a) { secret } b: createWebhookEndpoint(input: $b) { secret }
      }`,
      { a: { url: 'https://shop.example/hook' }, b: { url: 'ftp://shop.example/hook' } },
      app.apiKey,
    );
    expect(answer).toMatchObject({
      data: { a: { secret: expect.stringMatching(/^whsec_/) }, b: null },
      errors: [{ path: ['b'] }],
    });
  });

  test('leaves what was read in the answer, over both transports', async () => {
    const { sku } = await app.addProduct();
    const query = `{ products { sku } order(id: "ORD-nowhere") { id } }`;
    const expected = {
      data: { products: expect.arrayContaining([{ sku }]), order: null },
      errors: [{ path: ['order'], extensions: { code: 'NOT_FOUND' } }],
    };
    expect(await app.graphql(query, {}, app.apiKey)).toMatchObject(expected);
    const subscriber = subscribe(app.webSocketUrl, query, {}, app.apiKey);
    await subscriber.untilEnded();
    expect({ data: { products: subscriber.heard[0], order: null }, errors: subscriber.errors }).toMatchObject(
      expected,
    );
    await subscriber.close();
  });
});

describe('money that a backend or an operator moves', () => {
  const operations: readonly [string, string, object][] = [
    ['refundPayment', 'RefundPaymentInput', {}],
    ['capturePaymentIntent', 'CapturePaymentIntentInput', {}],
    [
      'settlePaymentReview',
      'SettlePaymentReviewInput',
      {
        decision: 'REFUND',
        reason: 'asked',
        seen: { version: 1, capturedAmount: 0, refundedAmount: 0, disputedAmount: 0 },
      },
    ],
  ];

  test.each(operations)('moves only with a key: %s without one names it', async (name, type, input) => {
    const mutation = `mutation ($input: ${type}!) { ${name}(input: $input) { id } }`;
    for (const key of [{}, { idempotencyKey: null }, { idempotencyKey: '' }, { idempotencyKey: 'short' }]) {
      const variables = { input: { paymentIntentId: 'TXN-nowhere', ...input, ...key } };
      const answer = await app.graphql(mutation, variables, app.operatorToken);
      expect(answer.errors).toMatchObject([
        { extensions: { code: 'BAD_USER_INPUT', fields: [{ path: 'idempotencyKey' }] } },
      ]);
    }
  });

  test('a saved card is charged by a backend only with a key; its payer needs none', async () => {
    const customer = await newCustomer(app);
    const { id: savedMethodId } = await saveCard(app, customer, GOOD_CARD);
    const { sku } = await app.addProduct();
    const { order, orderToken } = dataOf(
      await app.graphql(
        'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } orderToken } }',
        { input: { customerId: customer.id, lines: [{ sku, quantity: 1 }] } },
        app.apiKey,
      ),
    ).createOrder;
    for (const offSession of [true, false]) {
      const input = { savedMethodId, offSession, idempotencyKey: null };
      const refused = await payWith(app, order.id, app.apiKey, input);
      expect(refused.errors).toMatchObject([
        { extensions: { code: 'BAD_USER_INPUT', fields: [{ path: 'idempotencyKey' }] } },
      ]);
    }
    expect(app.stripe.counts().charges).toEqual({ failed: 0, succeeded: 0 });
    const paid = dataOf(await payWith(app, order.id, orderToken, { savedMethodId })).createPaymentIntent;
    expect(paid.paymentIntent.status).toBe('PAID');
  });

  test('a refund that is repeated with its key is one, and with another key two', async () => {
    const payment = await paidPayment(app, BANK);
    const input = { amount: 500, idempotencyKey: randomUUID() };
    const answers = await Promise.all([1, 2, 3].map(() => refundPayment(app, payment, input)));
    expect(new Set(answers.map((answer) => dataOf(answer).refundPayment.id)).size).toBe(1);
    expect(await readAsStaff(app, payment)).toMatchObject({ refundedAmount: 500 });
    dataOf(await refundPayment(app, payment, { amount: 500 }));
    expect(await readAsStaff(app, payment)).toMatchObject({ refundedAmount: 1_000 });
  });

  test('a refund of everything that is repeated at the same moment is one, and no answer says that nothing is left', async () => {
    const payment = await paidPayment(app, BANK);
    const input = { idempotencyKey: randomUUID() };
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => refundPayment(app, payment, input)));
    expect(new Set(answers.map((answer) => dataOf(answer).refundPayment.id)).size).toBe(1);
  });

  test('a capture that is repeated with its key is one, also once its money was given back', async () => {
    const payment = await heldPayment(app);
    const key = randomUUID();
    const capture = (amount?: number) => capturePayment(app, payment, amount, app.apiKey, key);
    const answers = await Promise.all([capture(900), capture(900)]);
    for (const answer of answers) {
      expect(dataOf(answer).capturePaymentIntent).toMatchObject({ status: 'PAID', capturedAmount: 900 });
    }
    expect(codeOf(await capture(800))).toBe('IDEMPOTENCY_KEY_REUSED');
    dataOf(await refundPayment(app, payment));
    expect(dataOf(await capture(900)).capturePaymentIntent).toMatchObject({ status: 'REFUNDED' });
    expect(codeOf(await capturePayment(app, payment, 900))).toBe('PAYMENT_NOT_CAPTURABLE');
  });

  test('a decision that is repeated with its key is one, and says what became of it', async () => {
    const payment = await underpaidPayment(app, BANK);
    const seen = await seenOf(app, payment);
    const key = randomUUID();
    const settle = (decision: 'REFUND' | 'CLOSE') =>
      settleReview(app, payment, decision, app.operatorToken, 'talked to the payer', seen, key);
    const answers = await Promise.all([settle('REFUND'), settle('REFUND'), settle('REFUND')]);
    answers.push(await settle('REFUND'));
    for (const answer of answers) expect(codeOf(answer)).toBeUndefined();
    expect(dataOf(answers.at(-1)!).settlePaymentReview).toMatchObject({
      status: 'REFUNDED',
      refundedAmount: 1_500,
      refunds: [{ amount: 1_500, status: 'SUCCEEDED' }],
    });
    expect(codeOf(await settle('CLOSE'))).toBe('IDEMPOTENCY_KEY_REUSED');
  });
});
