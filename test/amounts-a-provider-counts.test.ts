import { createStripeProvider } from '../src/providers/stripe/stripe-provider.js';
import { CURRENCIES } from '../src/money.js';
import { newCustomer } from './support/customers.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import { BY_PHONE } from './support/mobile-money.js';
import {
  codeOf,
  CREATE_PAYMENT,
  dataOf,
  RETURN_URL,
  startTestApp,
  type GraphQLAnswer,
  type RunningApp,
} from './support/running-app.js';
import { capturePayment, refundPayment } from './support/staff-calls.js';
import { lines, monthly, subscribeTo } from './support/subscriptions.js';
import { GOOD_CARD } from './support/ways-to-pay.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterEach(async () => {
  app.stripe.clearFaults();
  await app.stripe.settled();
  await expectInvariants(app.dataSource);
});
afterAll(() => app.stop());

/** An order of a backend's, whose total is this amount. */
async function orderOf(currency: string, amount: number) {
  const mutation = `mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } orderToken } }`;
  const line = { name: 'Something', quantity: 1, unitAmount: amount };
  const answer = await app.graphql(mutation, { input: { currency, ownLines: [line] } }, app.apiKey);
  const { order, orderToken } = dataOf(answer).createOrder;
  return { orderId: order.id as string, token: orderToken as string };
}

async function pay(
  orderId: string,
  token: string,
  input: object = { method: 'CARD' },
): Promise<GraphQLAnswer> {
  return app.graphql(CREATE_PAYMENT, { input: { orderId, ...input } }, token);
}

async function optionsOf(orderId: string, token: string): Promise<string[]> {
  const query = `query ($id: ID!) { paymentOptions(orderId: $id) { provider } }`;
  const { paymentOptions } = dataOf(await app.graphql(query, { id: orderId }, token));
  return paymentOptions.map(({ provider }: { provider: string }) => provider);
}

/** Opens a payment whose money is held or taken. */
async function paid(currency: string, amount: number, captureMethod = 'AUTOMATIC') {
  const { orderId } = await orderOf(currency, amount);
  const { id, nextAction } = await app.pay(orderId, app.apiKey, { method: 'CARD', captureMethod });
  app.stripe.pay(nextAction.clientSecret, GOOD_CARD);
  const status = captureMethod === 'MANUAL' ? 'AUTHORIZED' : 'PAID';
  await untilOf(id, status);
  return { id };
}

async function untilOf(id: string, status: string): Promise<void> {
  const query = `query ($id: ID!) { paymentIntent(id: $id) { status } }`;
  await eventually(
    async () => dataOf(await app.graphql(query, { id }, app.apiKey)).paymentIntent.status as string,
    (seen) => seen === status,
  );
}

const expectNotTaken = (answer: GraphQLAnswer, field: string, message: RegExp) => {
  expect(codeOf(answer)).toBe('BAD_USER_INPUT');
  expect(answer.errors![0]!.extensions.fields).toEqual([
    { path: field, message: expect.stringMatching(message) },
  ]);
};

const STEPS = [
  ['KWD', 5_124, 5_120, /multiples of 10 \(minor units\), so of 0\.010 KWD, and 5\.124 is none/],
  ['TND', 12_345, 12_340, /multiples of 10 /],
  ['BHD', 1_001, 1_000, /multiples of 10 /],
  ['MGA', 500_001, 500_000, /multiples of 100 \(minor units\), so of 1\.00 MGA, and 5000\.01 is none/],
] as const;

describe.each(STEPS)('Stripe can’t count %s %d in minor units, but %d:', (currency, odd, good, message) => {
  test('it is not offered for such an order, and refused when it is asked for', async () => {
    const { orderId, token } = await orderOf(currency, odd);
    expect(await optionsOf(orderId, token)).toEqual(['bank-x']);
    const creations = app.stripe.requests('payment_intents.create');
    expectNotTaken(await pay(orderId, token), 'orderId', message);
    expect(app.stripe.requests('payment_intents.create')).toBe(creations);
    expect((await pay(orderId, token)).errors![0]!.message).toContain('It can be with: bank-x BANK REDIRECT');
    expect(codeOf(await pay(orderId, token, { method: 'BANK', returnUrl: RETURN_URL }))).toBeUndefined();

    const fine = await orderOf(currency, good);
    expect(await optionsOf(fine.orderId, fine.token)).toContain('stripe');
    expect(codeOf(await pay(fine.orderId, fine.token))).toBeUndefined();
  });

  test('a payment that is open can’t be brought to it; the payer may pay the new total elsewhere', async () => {
    const { orderId, token } = await orderOf(currency, good);
    const { id } = await app.pay(orderId, app.apiKey, { method: 'CARD' });
    const change = `mutation ($input: UpdateOrderInput!) { updateOrder(input: $input) { id amount } }`;
    const line = { name: 'Something', quantity: 1, unitAmount: odd };
    dataOf(await app.graphql(change, { input: { orderId, ownLines: [line] } }, app.apiKey));

    const update = `mutation ($input: UpdatePaymentIntentInput!) { updatePaymentIntent(input: $input) { amount } }`;
    const refused = await app.graphql(update, { input: { paymentIntentId: id } }, app.apiKey);
    expectNotTaken(refused, 'paymentIntentId', message);
    const [intent] = await app.dataSource.query(
      'SELECT amount, status FROM payment_intent WHERE reference = $1',
      [id],
    );
    expect({ ...intent, amount: Number(intent.amount) }).toEqual({ amount: good, status: 'PENDING' });

    const elsewhere = dataOf(await pay(orderId, token, { method: 'BANK', returnUrl: RETURN_URL }));
    expect(elsewhere.createPaymentIntent.paymentIntent).toMatchObject({ amount: odd, status: 'PENDING' });
    await untilOf(id, 'CANCELLED');
    expectNotTaken(await pay(orderId, token), 'orderId', message);
  });

  test('no such part is taken of what is held, or given back', async () => {
    const held = await paid(currency, good, 'MANUAL');
    expectNotTaken(await capturePayment(app, held, good - 1), 'amount', /multiples of/);
    expect(codeOf(await capturePayment(app, held, good))).toBeUndefined();
    await untilOf(held.id, 'PAID');
    const refunds = app.stripe.requests('refunds.create');
    expectNotTaken(await refundPayment(app, held, { amount: 1 }), 'amount', /multiples of/);
    expect(app.stripe.requests('refunds.create')).toBe(refunds);
    expect(codeOf(await refundPayment(app, held, { amount: 100 }))).toBeUndefined();
  });

  test('no subscription has such a price', async () => {
    const customer = await newCustomer(app);
    const { sku } = await monthly(app, { currency, unitAmount: odd });
    expectNotTaken(await subscribeTo(app, customer, { lines: lines(sku) }), 'lines.0.sku', message);
    const { count } = (
      await app.dataSource.query(
        'SELECT count(*)::int AS count FROM recurring_subscription WHERE currency = $1',
        [currency],
      )
    )[0];
    expect(count).toBe(0);
  });
});

describe('the smallest and the largest amount', () => {
  test.each([
    ['EUR', 49, /at least 50 EUR/],
    ['EUR', 100_000_000, /at most 99999999 EUR/],
    ['ISK', 1_000_000, /at most 999999 ISK/],
  ])('of %s: %d is not offered, and refused', async (currency, amount, message) => {
    const { orderId, token } = await orderOf(currency, amount);
    expect(await optionsOf(orderId, token)).not.toContain('stripe');
    expectNotTaken(await pay(orderId, token), 'orderId', message);
    const customer = await newCustomer(app);
    const { sku } = await monthly(app, { currency, unitAmount: amount });
    expectNotTaken(await subscribeTo(app, customer, { lines: lines(sku) }), 'lines', message);
  });

  test('that Stripe knows better, after conversion, is refused in the same way', async () => {
    const { orderId, token } = await orderOf('VND', 100);
    app.stripe.answerNext('payment_intents.create', {
      answer: { kind: 'status', status: 400, code: 'amount_too_small' },
    });
    expectNotTaken(await pay(orderId, token), 'orderId', /smaller than the card provider takes/);
  });

  test('of a subscription in a currency that Stripe doesn’t take', async () => {
    const customer = await newCustomer(app);
    const { sku } = await monthly(app, { currency: 'UGX', unitAmount: 5_000 });
    expectNotTaken(await subscribeTo(app, customer, { lines: lines(sku) }), 'lines', /doesn’t take UGX/);
  });

  test('of a payer’s operator at PawaPay, which is known only with their number', async () => {
    const { sku } = await app.addProduct({ currency: 'XOF', unitAmount: 9_000_000 });
    const { orderId, token } = await app.order(sku);
    expectNotTaken(await pay(orderId, token, BY_PHONE), 'orderId', /MTN.* takes .* XOF at once/);
    expect(app.pawapay.counts().requests.createDeposit ?? 0).toBe(0);
  });
});

test('each amount within the limits that Stripe’s adapter states is one that Stripe takes', async () => {
  const { capabilities } = createStripeProvider({
    ...{ secretKey: 'sk_test_1', publishableKey: 'pk_test_1', webhookSecrets: ['whsec_1'] },
  });
  for (const currency of CURRENCIES) {
    if (capabilities.currencies !== 'ANY' && !capabilities.currencies.includes(currency)) continue;
    const { minimum = 1, maximum, step = 1 } = capabilities.limits(currency);
    const amount = Math.ceil(Math.max(minimum, step * 7_000) / step) * step;
    expect(amount).toBeLessThan(maximum!);
    const { orderId, token } = await orderOf(currency, amount);
    expect([currency, codeOf(await pay(orderId, token))]).toEqual([currency, undefined]);
  }
});
