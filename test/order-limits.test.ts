import { codeOf, CREATE_PAYMENT, dataOf, startTestApp, type RunningApp } from './support/running-app.js';

let app: RunningApp;

beforeAll(async () => {
  app = await startTestApp({
    orderLimits: new Map([['EUR', { minimum: 1_000, maximum: 5_000 }]]),
  });
});

afterAll(() => app.stop());

const CREATE =
  'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } orderToken } }';
const OPTIONS = `query ($orderId: ID!, $all: Boolean!) {
  paymentOptions(orderId: $orderId, includeUnavailable: $all) {
    provider minimumAmount maximumAmount whyNot { code message }
  }
}`;
const SENTENCE =
  'Orders here come to between €10.00 and €50.00, and this one comes to €60.00. Change what is ordered.';

async function product(unitAmount: number): Promise<string> {
  return (await app.addProduct({ unitAmount })).sku;
}

function create(sku: string, quantity: number, token?: string) {
  return app.graphql(CREATE, { input: { lines: [{ sku, quantity }] } }, token);
}

/** An order of 10 €, which then comes to `amount`, as if the limits had been wider when it was made. */
async function orderOf(amount: number) {
  const { orderId, token } = await app.order(await product(1_000));
  await app.dataSource.query('UPDATE orders SET amount = $2 WHERE reference = $1', [orderId, amount]);
  return { orderId, token };
}

test.each([
  [999, 'AMOUNT_OUTSIDE_LIMITS'],
  [1_000, undefined],
  [5_000, undefined],
  [5_001, 'AMOUNT_OUTSIDE_LIMITS'],
  [0, undefined],
])('an order of %d cents by a payer is answered %s', async (amount, code) => {
  expect(codeOf(await create(await product(amount), 1))).toBe(code);
});

test('the error says the limits, and names the lines', async () => {
  const { errors } = await create(await product(1_000), 6);
  expect(errors?.[0]).toMatchObject({
    message: SENTENCE,
    extensions: { retryable: false, fields: [{ path: 'lines' }] },
  });
});

test('a currency without limits takes any total', async () => {
  const { sku } = await app.addProduct({ unitAmount: 9_000_000, currency: 'XOF' });
  expect(codeOf(await create(sku, 1))).toBeUndefined();
});

test('a backend’s order has no limits, and its payer can pay it', async () => {
  const { order, orderToken } = dataOf(await create(await product(1_000), 6, app.apiKey)).createOrder;
  const { paymentOptions } = dataOf(
    await app.graphql(OPTIONS, { orderId: order.id, all: false }, orderToken),
  );
  expect(paymentOptions).not.toHaveLength(0);
  expect((await app.pay(order.id, orderToken)).status).toBe('PENDING');
});

test('a payer does not get past the limits by changing their order', async () => {
  const sku = await product(1_000);
  const { orderId, token } = await app.order(sku);
  const update = 'mutation ($input: UpdateOrderInput!) { updateOrder(input: $input) { amount } }';
  const input = { orderId, lines: [{ sku, quantity: 6 }] };
  expect(codeOf(await app.graphql(update, { input }, token))).toBe('AMOUNT_OUTSIDE_LIMITS');
  expect(dataOf(await app.graphql(update, { input }, app.apiKey)).updateOrder.amount).toBe(6_000);
});

test('what is paid counts: a payment outside the limits is neither opened nor brought there', async () => {
  const late = await orderOf(6_000);
  const refused = await app.graphql(CREATE_PAYMENT, { input: { orderId: late.orderId } }, late.token);
  expect(refused.errors?.[0]).toMatchObject({
    message: SENTENCE,
    extensions: { code: 'AMOUNT_OUTSIDE_LIMITS', fields: [{ path: 'orderId' }] },
  });
  const open = await orderOf(1_000);
  const { id } = await app.pay(open.orderId, open.token);
  await app.dataSource.query('UPDATE orders SET amount = 6000 WHERE reference = $1', [open.orderId]);
  const update =
    'mutation ($input: UpdatePaymentIntentInput!) { updatePaymentIntent(input: $input) { amount } }';
  const updated = await app.graphql(update, { input: { paymentIntentId: id } }, open.token);
  expect(codeOf(updated)).toBe('AMOUNT_OUTSIDE_LIMITS');
});

test('paymentOptions gives the limits, and says why it offers nothing', async () => {
  const inside = await orderOf(1_000);
  const offered = dataOf(await app.graphql(OPTIONS, { orderId: inside.orderId, all: false }, inside.token));
  expect(offered.paymentOptions[0]).toMatchObject({ minimumAmount: 1_000, maximumAmount: 5_000, whyNot: [] });
  const outside = await orderOf(6_000);
  const none = await app.graphql(OPTIONS, { orderId: outside.orderId, all: false }, outside.token);
  expect(none.errors?.[0]).toMatchObject({
    message: SENTENCE,
    extensions: { code: 'AMOUNT_OUTSIDE_LIMITS' },
  });
  const all = dataOf(await app.graphql(OPTIONS, { orderId: outside.orderId, all: true }, app.operatorToken));
  expect(all.paymentOptions[0].whyNot[0]).toEqual({ code: 'ORDER_LIMITS', message: SENTENCE });
});

test('an order that costs nothing is confirmed, though it is below the least', async () => {
  const { orderId, token } = await app.order(await product(0));
  expect((await app.pay(orderId, token)).status).toBe('PAID');
});
