import { NO_LIMITS } from '../src/limits/limits.js';
import { deleteOldHolds } from '../src/orders/hold-limits.js';
import { eventually } from './support/eventually.js';
import { codeOf, dataOf, startTestApp, type GraphQLAnswer, type RunningApp } from './support/running-app.js';
import { settled } from './support/settled.js';
import { GOOD_CARD } from './support/ways-to-pay.js';

const ORDER =
  'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } orderToken } }';
const PAY = `mutation ($input: CreatePaymentIntentInput!) { createPaymentIntent(input: $input) {
  paymentIntent { id status } nextAction { ... on ConfirmWithStripe { clientSecret } } } }`;
const CANCEL = 'mutation ($id: ID!) { cancelPaymentIntent(id: $id) { status } }';
const UPDATE = 'mutation ($input: UpdateOrderInput!) { updateOrder(input: $input) { amount } }';

interface Placed {
  readonly orderId: string;
  readonly token: string;
}

describe('stock that is held without payment', () => {
  let app: RunningApp;
  let addresses = 0;

  beforeAll(async () => {
    app = await startTestApp({
      trustedProxies: ['loopback'],
      limits: { ...NO_LIMITS, holds: { atOnce: 5, sharePercent: 25, perDay: 10 } },
    });
  });
  afterAll(() => app.stop());

  const newAddress = () => `203.0.113.${(addresses += 1)}`;

  const ask = async (address: string, query: string, variables: object, token?: string) => {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-forwarded-for': address,
        ...(token && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as GraphQLAnswer;
  };

  const order = async (sku: string, quantity = 1, token?: string, more: object = {}): Promise<Placed> => {
    const input = { lines: [{ sku, quantity }], ...more };
    const placed = dataOf(await ask(newAddress(), ORDER, { input }, token)).createOrder;
    return { orderId: placed.order.id, token: placed.orderToken };
  };

  const pay = (address: string, { orderId, token }: Placed, as = token) =>
    ask(address, PAY, { input: { orderId, method: 'CARD' } }, as);

  const open = async (address: string, placed: Placed) => {
    const { paymentIntent, nextAction } = dataOf(await pay(address, placed)).createPaymentIntent;
    return { id: paymentIntent.id as string, clientSecret: nextAction.clientSecret as string };
  };

  const cancel = async (id: string, { token }: Placed) =>
    dataOf(await ask(newAddress(), CANCEL, { id }, token));

  const reserved = async (sku: string) => {
    const [row] = await app.dataSource.query('SELECT reserved::integer FROM product WHERE sku = $1', [sku]);
    return row.reserved as number;
  };

  const refusalOf = ({ errors }: GraphQLAnswer) => {
    const { code, retryAfterSeconds } = errors![0]!.extensions as unknown as {
      code: string;
      retryAfterSeconds: number;
    };
    return { code, retryAfterSeconds, message: errors![0]!.message };
  };

  test('is five orders at most for one address, however many ask at once; what is refused holds nothing', async () => {
    // Of fifty products: no lock of one makes the others wait.
    const products = await Promise.all(Array.from({ length: 50 }, () => app.addProduct()));
    const placed = await Promise.all(products.map(({ sku }) => order(sku)));
    const address = newAddress();
    const answers = await Promise.all(placed.map((one) => pay(address, one)));
    const codes = answers.map((answer) => codeOf(answer));
    expect(codes.filter((code) => code === undefined)).toHaveLength(5);
    expect(codes.filter((code) => code === 'RATE_LIMITED')).toHaveLength(45);
    const held = await Promise.all(products.map(({ sku }) => reserved(sku)));
    expect(held.reduce((sum, pieces) => sum + pieces)).toBe(5);
    const refusal = refusalOf(answers.find(({ errors }) => errors)!);
    expect(refusal.message).toMatch(
      /^5 unpaid orders from here hold their goods already. Pay or cancel one of them, or try again in \d+ min.$/,
    );
    expect(refusal.retryAfterSeconds).toBeGreaterThan(1_700);
    expect(refusal.retryAfterSeconds).toBeLessThanOrEqual(1_800);
    expect(codeOf(await pay(newAddress(), placed[0]!))).toBeUndefined();
  });

  test('makes room again when it is paid or cancelled', async () => {
    const { sku } = await app.addProduct({ stock: 10_000 });
    const address = newAddress();
    const held = [];
    for (let n = 0; n < 5; n += 1) {
      const placed = await order(sku);
      held.push({ placed, ...(await open(address, placed)) });
    }
    expect(codeOf(await pay(address, await order(sku)))).toBe('RATE_LIMITED');
    app.stripe.pay(held[0]!.clientSecret, GOOD_CARD);
    await settled(app);
    await open(address, await order(sku));
    expect(codeOf(await pay(address, await order(sku)))).toBe('RATE_LIMITED');
    await cancel(held[1]!.id, held[1]!.placed);
    await open(address, await order(sku));
  });

  test('is five orders at most for one customer, wherever they are; backends and operators are not limited', async () => {
    const { sku } = await app.addProduct({ stock: 10_000 });
    const customer = dataOf(
      await app.graphql(
        'mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { id } }',
        { input: { externalId: `user-${addresses}` } },
        app.apiKey,
      ),
    ).createCustomer.id as string;
    const theirs = () => order(sku, 1, app.apiKey, { customerId: customer });
    for (let n = 0; n < 5; n += 1) await open(newAddress(), await theirs());
    const next = await theirs();
    expect(codeOf(await pay(newAddress(), next))).toBe('RATE_LIMITED');
    expect(codeOf(await pay(newAddress(), next, app.apiKey))).toBeUndefined();
    expect(codeOf(await pay(newAddress(), await theirs(), app.operatorToken))).toBeUndefined();
  });

  test('is a quarter of a product for one address, in all its orders together', async () => {
    const { sku } = await app.addProduct({ stock: 10 });
    const address = newAddress();
    // 25 % of 10, and what is begun counts: 3.
    await open(address, await order(sku, 2));
    const next = await order(sku, 2);
    const refusal = refusalOf(await pay(address, next));
    expect(refusal.code).toBe('RATE_LIMITED');
    expect(refusal.message).toContain(`more of ${sku} than one buyer can have, which is 3`);
    await open(address, await order(sku, 1));
    await open(newAddress(), next);
    expect(await reserved(sku)).toBe(5);
  });

  test('that would be too much in one order is no matter of waiting; the merchant’s own order may be', async () => {
    const { sku } = await app.addProduct({ stock: 10 });
    const answer = await pay(newAddress(), await order(sku, 4));
    expect(answer.errors![0]).toMatchObject({
      message: `One buyer can have 3 of ${sku}. Order fewer.`,
      extensions: { code: 'BAD_USER_INPUT', retryable: false, fields: [{ path: 'orderId' }] },
    });
    await open(newAddress(), await order(sku, 9, app.apiKey));
  });

  test('is one piece of the last ones', async () => {
    const { sku } = await app.addProduct({ stock: 2 });
    const address = newAddress();
    await open(address, await order(sku));
    expect(codeOf(await pay(address, await order(sku)))).toBe('RATE_LIMITED');
    await open(newAddress(), await order(sku));
  });

  test('does not grow beyond its limits by changing an order', async () => {
    const { sku } = await app.addProduct({ stock: 100 });
    const other = await app.addProduct({ stock: 100 });
    const uncounted = await app.addProduct({ stock: null });
    const address = newAddress();
    const placed = await order(uncounted.sku);
    await open(address, placed);
    const change = (product: string, quantity: number, token = placed.token) =>
      ask(
        address,
        UPDATE,
        { input: { orderId: placed.orderId, lines: [{ sku: product, quantity }] } },
        token,
      );
    const refused = await change(sku, 26);
    expect(refused.errors![0]).toMatchObject({
      extensions: { code: 'BAD_USER_INPUT', fields: [{ path: 'lines' }] },
    });
    expect(await reserved(sku)).toBe(0);
    dataOf(await change(sku, 25));
    await open(address, await order(other.sku, 20));
    expect(codeOf(await change(other.sku, 6))).toBe('RATE_LIMITED');
    expect(await reserved(other.sku)).toBe(20);
    dataOf(await change(other.sku, 60, app.apiKey));
    expect(await reserved(other.sku)).toBe(80);
  });

  test('is a quarter of a day’s places', async () => {
    const { sku } = await app.addProduct({ dailyCapacity: 8, stock: null });
    const address = newAddress();
    const booked = async (quantity: number) =>
      order(sku, quantity, undefined, {
        booking: { startsAt: '2031-06-02T10:00:00Z', endsAt: '2031-06-03T10:00:00Z' },
      });
    await open(address, await booked(2));
    const refusal = refusalOf(await pay(address, await booked(1)));
    expect(refusal.code).toBe('RATE_LIMITED');
    expect(refusal.message).toContain(`${sku} on 2031-06-02 than one buyer can have, which is 2`);
    await open(newAddress(), await booked(2));
  });

  test('is not renewed without end, by whichever orders', async () => {
    const { sku } = await app.addProduct({ stock: 10_000 });
    const elsewhere = await app.addProduct({ stock: 10_000 });
    const address = newAddress();
    const placed = await order(sku);
    for (let n = 0; n < 10; n += 1) await cancel((await open(address, placed)).id, placed);
    // What it holds is known from when it was held, whatever the order says now.
    const lines = [{ sku: elsewhere.sku, quantity: 1 }];
    dataOf(await ask(address, UPDATE, { input: { orderId: placed.orderId, lines } }, placed.token));
    const refusal = refusalOf(await pay(address, await order(sku)));
    expect(refusal.message).toMatch(`${sku} was held from here 10 times within 24 hours and not paid.`);
    expect(refusal.retryAfterSeconds).toBeGreaterThan(86_000);
    await open(address, await order(elsewhere.sku));
    await open(newAddress(), await order(sku));
    await app.dataSource.query(`UPDATE stock_hold SET began_at = began_at - interval '1 day'`);
    await open(address, await order(sku));
  });

  test('that was paid does not count among the renewals', async () => {
    const { sku } = await app.addProduct({ stock: 10_000 });
    const address = newAddress();
    for (let n = 0; n < 12; n += 1) {
      app.stripe.pay((await open(address, await order(sku))).clientSecret, GOOD_CARD);
      await settled(app);
    }
    await eventually(async () => expect(await reserved(sku)).toBe(0));
  });

  test('leaves no address in the database, and no digest longer than it counts', async () => {
    const [{ rows }] = await app.dataSource.query(
      `SELECT count(*)::integer AS rows FROM stock_hold h WHERE to_jsonb(h)::text LIKE '%203.0.113.%'`,
    );
    expect(rows).toBe(0);
    await app.dataSource.query(`UPDATE stock_hold SET began_at = began_at - interval '25 hours'`);
    const count = `SELECT count(*) FILTER (WHERE released_at IS NULL)::integer AS held,
      count(*) FILTER (WHERE released_at IS NOT NULL)::integer AS old FROM stock_hold`;
    const [before] = await app.dataSource.query(count);
    expect(before.old).toBeGreaterThan(0);
    await deleteOldHolds(app.dataSource.manager);
    expect((await app.dataSource.query(count))[0]).toEqual({ held: before.held, old: 0 });
  });
});
