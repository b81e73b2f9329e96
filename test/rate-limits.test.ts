import { DEFAULT_LIMITS, NO_LIMITS, type Limits } from '../src/limits/limits.js';
import { eventually } from './support/eventually.js';
import { notify, STRIPE } from './support/notifying-provider.js';
import { codeOf, dataOf, startTestApp, type GraphQLAnswer, type RunningApp } from './support/running-app.js';
import { subscribe } from './support/subscriber.js';

let app: RunningApp;
afterEach(() => app.stop());

async function start(perMinute: Partial<Limits['perMinute']>): Promise<void> {
  app = await startTestApp({
    limits: { ...NO_LIMITS, perMinute: { ...NO_LIMITS.perMinute, ...perMinute } },
    // Each client of these tests says where it is.
    trustedProxies: ['loopback'],
  });
}

const HERE = '192.0.2.1';
const THERE = '192.0.2.2';

async function post(query: string, variables: object = {}, address = HERE, token?: string) {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-forwarded-for': address,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query, variables }),
  });
  return {
    status: response.status,
    headers: response.headers,
    answer: (await response.json()) as GraphQLAnswer,
  };
}

const CREATE_ORDER =
  'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } orderToken } }';
const CREATE_PAYMENT =
  'mutation ($input: CreatePaymentIntentInput!) { createPaymentIntent(input: $input) { paymentIntent { id } } }';
const VERIFY = 'mutation ($id: ID!) { verifyPaymentIntent(id: $id) { status } }';

const newOrder = async () => ({ input: { lines: [{ sku: (await app.addProduct()).sku, quantity: 1 }] } });
const ordersMade = async () =>
  (await app.dataSource.query('SELECT count(*)::int AS n FROM orders'))[0].n as number;

describe('createOrder, by address', () => {
  test('beyond its limit is refused with 429, says when to come back, and makes no order', async () => {
    await start({ ordersPerAddress: 2 });
    const input = await newOrder();
    const first = await post(CREATE_ORDER, input);
    expect(first.answer.errors).toBeUndefined();
    expect(first.headers.get('ratelimit-policy')).toBe('"ordersPerAddress";q=2;w=60');
    expect(first.headers.get('ratelimit')).toMatch(/^"ordersPerAddress";r=1;t=(60|5\d)$/);
    await post(CREATE_ORDER, input);
    const { status, headers, answer } = await post(CREATE_ORDER, input);
    expect(status).toBe(429);
    const { message, extensions } = answer.errors![0]!;
    const { retryAfterSeconds } = extensions as unknown as { retryAfterSeconds: number };
    expect(extensions).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    expect(retryAfterSeconds).toBeGreaterThan(0);
    expect(retryAfterSeconds).toBeLessThanOrEqual(60);
    expect(headers.get('retry-after')).toBe(String(retryAfterSeconds));
    expect(headers.get('ratelimit')).toBe(`"ordersPerAddress";r=0;t=${retryAfterSeconds}`);
    expect(message).toBe(`One address can make 2 orders a minute. Try again in ${retryAfterSeconds} s.`);
    expect(await ordersMade()).toBe(2);
  });

  test('is counted for each of the aliases of one request', async () => {
    await start({ ordersPerAddress: 4 });
    const { input } = await newOrder();
    const [line] = input.lines;
    const create = `createOrder(input: { lines: [{ sku: "${line!.sku}", quantity: 1 }] }) { orderToken }`;
    const five = await post(`mutation { a: ${create} b: ${create} c: ${create} d: ${create} e: ${create} }`);
    expect(codeOf(five.answer)).toBe('RATE_LIMITED');
    expect(await ordersMade()).toBe(0);
  });

  test('does not touch another address, a backend, or what else the same address asks for', async () => {
    await start({ ordersPerAddress: 1 });
    const input = await newOrder();
    await post(CREATE_ORDER, input);
    expect((await post(CREATE_ORDER, input)).status).toBe(429);
    expect((await post(CREATE_ORDER, input, THERE)).status).toBe(200);
    expect(dataOf((await post(CREATE_ORDER, input, HERE, app.apiKey)).answer).createOrder).toBeTruthy();
    expect((await post('{ products { sku } }')).status).toBe(200);
  });

  test('an IPv6 address counts by its network, in which a client takes any address it likes', async () => {
    await start({ ordersPerAddress: 1 });
    const input = await newOrder();
    await post(CREATE_ORDER, input, '2001:db8:1:2::1');
    expect((await post(CREATE_ORDER, input, '2001:db8:1:2:ffff::2')).status).toBe(429);
    expect((await post(CREATE_ORDER, input, '2001:db8:1:3::1')).status).toBe(200);
  });

  test('on a WebSocket is an error of the operation, and the socket goes on', async () => {
    await start({ ordersPerAddress: 1 });
    const input = await newOrder();
    const ask = async (query: string, variables = {}) => {
      const subscriber = subscribe(app.webSocketUrl, query, variables);
      await subscriber.untilEnded();
      await subscriber.close();
      return subscriber;
    };
    expect((await ask(CREATE_ORDER, input)).errors).toEqual([]);
    const refused = await ask(CREATE_ORDER, input);
    expect(refused.errors.flat()).toMatchObject([
      { extensions: { code: 'RATE_LIMITED', retryable: true, retryAfterSeconds: expect.any(Number) } },
    ]);
    expect(refused.errors.flat()[0]).not.toHaveProperty('code');
  });
});

test('createPaymentIntent is limited by order, and no stranger can use another’s limit up', async () => {
  await start({ paymentsPerOrder: 2 });
  const { sku } = await app.addProduct();
  const { orderId, token } = await app.order(sku);
  const other = await app.order(sku);
  const pay = (bearer: string, address = HERE) =>
    post(CREATE_PAYMENT, { input: { orderId, method: 'CARD' } }, address, bearer);
  for (let times = 0; times < 3; times += 1) await pay(other.token);
  expect((await pay(token)).answer.errors).toBeUndefined();
  expect((await pay(token, THERE)).answer.errors).toBeUndefined();
  expect((await pay(token, '192.0.2.3')).status).toBe(429);
});

test('createPaymentIntent is limited by address, over all its orders', async () => {
  await start({ paymentsPerAddress: 2 });
  const { sku } = await app.addProduct();
  const statuses: number[] = [];
  for (let times = 0; times < 3; times += 1) {
    const { orderId, token } = await app.order(sku);
    statuses.push((await post(CREATE_PAYMENT, { input: { orderId, method: 'CARD' } }, HERE, token)).status);
  }
  expect(statuses).toEqual([200, 200, 429]);
});

test('verifyPaymentIntent is limited by order', async () => {
  await start({ verifiesPerOrder: 2 });
  const { sku } = await app.addProduct();
  const { orderId, token } = await app.order(sku);
  const { id } = await app.pay(orderId, token, { method: 'CARD' });
  const statuses: number[] = [];
  for (let times = 0; times < 3; times += 1) statuses.push((await post(VERIFY, { id }, HERE, token)).status);
  expect(statuses).toEqual([200, 200, 429]);
});

describe('tokens that are not good, by address', () => {
  test('beyond the limit are answered with 429, and good ones still work', async () => {
    await start({ badTokensPerAddress: 2 });
    const bad = () => post('{ products { sku } }', {}, HERE, 'qk_guessed');
    expect([(await bad()).status, (await bad()).status]).toEqual([401, 401]);
    const third = await bad();
    expect(third.status).toBe(429);
    expect(codeOf(third.answer)).toBe('RATE_LIMITED');
    expect(third.headers.get('retry-after')).toMatch(/^\d+$/);
    expect((await post('{ products { sku } }', {}, HERE, app.apiKey)).status).toBe(200);
    expect((await post('{ products { sku } }', {}, THERE, 'qk_guessed')).status).toBe(401);
  });

  test('count on WebSockets, too', async () => {
    await start({ badTokensPerAddress: 1 });
    const closed = async () => {
      const subscriber = subscribe(app.webSocketUrl, '{ products { sku } }', {}, 'qk_guessed');
      await subscriber.untilEnded();
      await subscriber.close();
      return subscriber.errors;
    };
    expect(await closed()).toMatchObject([{ code: 4403 }]);
    expect(await closed()).toMatchObject([{ code: 4429 }]);
  });
});

test('refused webhooks are limited by address; what is signed is taken all the same', async () => {
  await start({ refusedWebhooksPerAddress: 2 });
  const payment = await STRIPE.open(app);
  const body = STRIPE.paid(payment);
  const forged = () => notify(app, STRIPE, body, {});
  expect([await forged(), await forged(), await forged()]).toEqual([400, 400, 429]);
  const elsewhere = await fetch(`${app.url}/webhooks/nobody`, { method: 'POST', body: '{}' });
  expect(elsewhere.status).toBe(429);
  expect(elsewhere.headers.get('retry-after')).toMatch(/^\d+$/);
  expect(await notify(app, STRIPE, body, STRIPE.sign(body))).toBe(200);
  const { id } = payment;
  const status = async () =>
    dataOf(await app.graphql(`{ paymentIntent(id: "${id}") { status } }`, {}, app.apiKey));
  await eventually(status, ({ paymentIntent }) => paymentIntent.status === 'PAID');
});

test('an API key has its own limit, over all addresses', async () => {
  await start({ operationsPerApiKey: 2 });
  const ask = (address: string) => post('{ products { sku } }', {}, address, app.apiKey);
  expect([(await ask(HERE)).status, (await ask(THERE)).status, (await ask('192.0.2.3')).status]).toEqual([
    200, 200, 429,
  ]);
  expect((await post('{ products { sku } }')).status).toBe(200);
});

test('the price of all queries of an address is limited, and an operator is not', async () => {
  await start({ costPerAddress: 1_000 });
  const products = '{ products { sku name } }';
  const statuses: number[] = [];
  for (let times = 0; times < 4; times += 1) statuses.push((await post(products)).status);
  expect(statuses).toEqual([200, 200, 429, 429]);
  expect((await post(products, {}, HERE, app.operatorToken)).status).toBe(200);
  expect((await post(products, {}, THERE)).status).toBe(200);
});

test('every rate limit is on by default', async () => {
  await start({});
  expect(DEFAULT_LIMITS.perMinute).toMatchObject({
    ordersPerAddress: 20,
    paymentsPerOrder: 10,
    paymentsPerAddress: 30,
    verifiesPerOrder: 30,
    badTokensPerAddress: 20,
    refusedWebhooksPerAddress: 60,
    operationsPerApiKey: 1_000,
  });
  expect(Object.values(DEFAULT_LIMITS.perMinute).every((most) => most > 0)).toBe(true);
});
