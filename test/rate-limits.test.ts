import { createClient } from 'graphql-ws';
import Stripe from 'stripe';
import { WebSocket } from 'ws';
import { DEFAULT_LIMITS, NO_LIMITS } from '../src/limits/limits.js';
import { dataOf, startTestApp, STRIPE_WEBHOOK_SECRET, type RunningApp } from './support/running-app.js';

const PER_MINUTE = {
  ...NO_LIMITS.perMinute,
  ordersPerAddress: 4,
  paymentsPerOrder: 3,
  paymentsPerAddress: 5,
  verifiesPerOrder: 2,
  badTokensPerAddress: 3,
  refusedWebhooksPerAddress: 4,
  operationsPerApiKey: 6,
};

const ORDER =
  'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } orderToken } }';
const PAY =
  'mutation ($input: CreatePaymentIntentInput!) { createPaymentIntent(input: $input) { paymentIntent { id } } }';
const VERIFY = 'mutation ($id: ID!) { verifyPaymentIntent(id: $id) { status } }';
const PRODUCTS = '{ products { sku } }';

describe('a limit by the minute', () => {
  let app: RunningApp;
  let sku: string;
  let addresses = 0;

  beforeAll(async () => {
    app = await startTestApp({
      limits: { ...NO_LIMITS, perMinute: PER_MINUTE },
      trustedProxies: ['loopback'],
    });
    ({ sku } = await app.addProduct());
  });
  afterAll(() => app.stop());

  const newAddress = () => `203.0.113.${(addresses += 1)}`;

  const ask = async (address: string, query: string, variables: object = {}, token?: string) => {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-forwarded-for': address,
        ...(token && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query, variables }),
    });
    return { status: response.status, headers: response.headers, ...((await response.json()) as any) };
  };

  const order = async (address: string) => {
    const answer = await ask(address, ORDER, { input: { lines: [{ sku, quantity: 1 }] } });
    return answer.data?.createOrder as { order: { id: string }; orderToken: string };
  };

  const limited = { errors: [{ extensions: { code: 'RATE_LIMITED', retryable: true } }] };

  it('is told before it is used up, and refuses with 429 and when to come again', async () => {
    const address = newAddress();
    const input = { lines: [{ sku, quantity: 1 }] };
    for (const left of [3, 2, 1, 0]) {
      const answer = await ask(address, ORDER, { input });
      expect([answer.status, answer.errors]).toEqual([200, undefined]);
      expect(answer.headers.get('ratelimit-policy')).toBe('"ordersPerAddress";q=4;w=60');
      expect(answer.headers.get('ratelimit')).toMatch(new RegExp(`^"ordersPerAddress";r=${left};t=\\d+$`));
    }
    const refused = await ask(address, ORDER, { input });
    expect(refused).toMatchObject({ status: 429, ...limited });
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
    expect(refused.errors[0].extensions.retryAfterSeconds).toBe(seconds);
    expect(refused.errors[0].message).toContain('One address can make 4 orders a minute.');
    expect(refused.headers.get('ratelimit')).toMatch(/;r=0;/);
    // Others, and the shop itself, are served.
    expect(await order(newAddress())).toBeDefined();
    dataOf(await app.graphql(ORDER, { input }, app.apiKey));
  });

  it('counts each of several orders in one request, and IPv6 by its network', async () => {
    const five = `mutation ($input: CreateOrderInput!) { ${[1, 2, 3, 4, 5]
      .map((n) => `o${n}: createOrder(input: $input) { orderToken }`)
      .join(' ')} }`;
    const input = { lines: [{ sku, quantity: 1 }] };
    expect(await ask('2001:db8:1:2::1', five, { input })).toMatchObject({ status: 429, ...limited });
    expect(await ask('2001:db8:1:2::2', ORDER, { input })).toMatchObject({ status: 429, ...limited });
    expect(await ask('2001:db8:1:3::2', ORDER, { input })).toMatchObject({ status: 200 });
  });

  it('of payments counts by the order, wherever its payer is, and by the address, whatever the order', async () => {
    const { order: one, orderToken } = await order(newAddress());
    const pay = (address: string, orderId: string, token: string) =>
      ask(address, PAY, { input: { orderId, method: 'CARD' } }, token);
    for (const address of [newAddress(), newAddress(), newAddress()]) {
      expect(await pay(address, one.id, orderToken)).toMatchObject({ status: 200 });
    }
    expect(await pay(newAddress(), one.id, orderToken)).toMatchObject({ status: 429, ...limited });

    const address = newAddress();
    const statuses: number[] = [];
    for (let n = 0; n < 6; n += 1) {
      const other = await order(newAddress());
      statuses.push((await pay(address, other.order.id, other.orderToken)).status);
    }
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
  });

  it('of verifying counts by the order', async () => {
    const placed = await order(newAddress());
    const { data } = await ask(
      newAddress(),
      PAY,
      { input: { orderId: placed.order.id, method: 'CARD' } },
      placed.orderToken,
    );
    const verify = () =>
      ask(newAddress(), VERIFY, { id: data.createPaymentIntent.paymentIntent.id }, placed.orderToken);
    expect([(await verify()).status, (await verify()).status, (await verify()).status]).toEqual([
      200, 200, 429,
    ]);
  });

  it('of tokens that are not good refuses to look at more of them, and never refuses a good one', async () => {
    const address = newAddress();
    const { orderToken } = await order(newAddress());
    const statuses: number[] = [];
    for (let n = 0; n < 5; n += 1) statuses.push((await ask(address, PRODUCTS, {}, `qk_guess${n}`)).status);
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    expect((await ask(address, PRODUCTS, {}, orderToken)).status).toBe(200);
  });

  it('of an API key counts its operations', async () => {
    const { data } = await ask(newAddress(), PRODUCTS);
    expect(data.products).toBeDefined();
    const statuses: number[] = [];
    for (let n = 0; n < 7; n += 1) statuses.push((await ask(newAddress(), PRODUCTS, {}, app.apiKey)).status);
    expect(statuses.at(-1)).toBe(429);
    expect((await ask(newAddress(), PRODUCTS, {}, app.operatorToken)).status).toBe(200);
  });

  it('of webhooks that are refused never refuses one that is signed', async () => {
    const address = newAddress();
    const body = JSON.stringify({
      id: 'evt_1',
      object: 'event',
      type: 'balance.available',
      data: { object: {} },
    });
    const send = async (signature: string, path = 'stripe') =>
      (
        await fetch(`${app.url}/webhooks/${path}`, {
          method: 'POST',
          headers: { 'stripe-signature': signature, 'x-forwarded-for': address },
          body,
        })
      ).status;
    const statuses = [
      await send('t=1,v1=00'),
      await send(''),
      await send('', 'nobody'),
      await send('', 'bank-x'),
    ];
    expect(statuses).toEqual([400, 400, 404, 401]);
    expect([await send(''), await send('', 'nobody')]).toEqual([429, 429]);
    const signature = Stripe.webhooks.generateTestHeaderString({
      payload: body,
      secret: STRIPE_WEBHOOK_SECRET,
    });
    expect(await send(signature)).toBe(200);
  });

  it('is an error of its operation on a WebSocket, which stays open', async () => {
    const client = createClient({
      url: app.webSocketUrl,
      webSocketImpl: class extends WebSocket {
        constructor(url: string, protocols: string[]) {
          super(url, protocols, { headers: { 'x-forwarded-for': '203.0.113.250' } });
        }
      },
      retryAttempts: 0,
      lazy: false,
    });
    const asked = async (query: string, variables: Record<string, unknown> = {}) => {
      for await (const answer of client.iterate({ query, variables })) return answer;
      return undefined;
    };
    const input = { lines: [{ sku, quantity: 1 }] };
    for (let n = 0; n < 4; n += 1) expect(await asked(ORDER, { input })).toMatchObject({ data: {} });
    await expect(asked(ORDER, { input })).rejects.toMatchObject([
      { extensions: { code: 'RATE_LIMITED', retryAfterSeconds: expect.any(Number) } },
    ]);
    expect(await asked(PRODUCTS)).toMatchObject({ data: { products: expect.any(Array) } });
    await client.dispose();
  });

  it('is on by default', () => {
    expect(DEFAULT_LIMITS.perMinute).toEqual({
      ordersPerAddress: 20,
      paymentsPerOrder: 10,
      paymentsPerAddress: 30,
      verifiesPerOrder: 30,
      badTokensPerAddress: 20,
      refusedWebhooksPerAddress: 60,
      costPerAddress: 100_000,
      operationsPerApiKey: 1_000,
    });
  });
});
