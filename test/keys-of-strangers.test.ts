import { randomUUID } from 'node:crypto';
import { codeOf, dataOf, startTestApp, type GraphQLAnswer, type RunningApp } from './support/running-app.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp({ trustedProxies: ['loopback'] });
});
afterAll(() => app.stop());

const CREATE_ORDER = `mutation ($input: CreateOrderInput!) {
  createOrder(input: $input) { order { id } orderToken }
}`;

/** @param address of the client, as a proxy that is trusted says it. */
async function create(input: object, address: string, token?: string): Promise<GraphQLAnswer> {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-forwarded-for': address,
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query: CREATE_ORDER, variables: { input } }),
  });
  return (await response.json()) as GraphQLAnswer;
}

const orderOf = (answer: GraphQLAnswer) => dataOf(answer).createOrder.order.id as string;
const mug = async () => [{ sku: (await app.addProduct()).sku, quantity: 1 }];

const AWA = '203.0.113.7';
const STRANGER = '198.51.100.9';

describe('an idempotency key without a token', () => {
  test('gives the order again to the client whose answer was lost', async () => {
    const input = { lines: await mug(), idempotencyKey: randomUUID() };
    const first = await create(input, AWA);
    const again = dataOf(await create(input, AWA)).createOrder;
    expect(again.order.id).toBe(orderOf(first));
    const query = 'query ($id: ID!) { order(id: $id) { status } }';
    expect(dataOf(await app.graphql(query, { id: again.order.id }, again.orderToken)).order.status).toBe(
      'OPEN',
    );
  });

  test('is another one at another address: the same request makes another order', async () => {
    const input = { lines: await mug(), idempotencyKey: randomUUID() };
    const theirs = orderOf(await create(input, AWA));
    const stranger = orderOf(await create(input, STRANGER));
    expect(stranger).not.toBe(theirs);
    expect(orderOf(await create(input, AWA))).toBe(theirs);
    expect(orderOf(await create(input, STRANGER))).toBe(stranger);
  });

  test('is not refused because a stranger used it for something else', async () => {
    const idempotencyKey = randomUUID();
    await create({ lines: await mug(), idempotencyKey }, AWA);
    expect(codeOf(await create({ lines: await mug(), idempotencyKey }, STRANGER))).toBeUndefined();
  });

  test.each([
    ['a word', 'order-1-of-our-shop'],
    ['a long word', 'order-000000000000000000000000000000000001'],
    ['a UUID of zeros', '00000000-0000-4000-8000-000000000000'],
    ['a UUID of the clock and the network card', '123e4567-e89b-12d3-a456-426614174000'],
    ['a UUID of a name', '2ed6657d-e927-568b-95e1-2665a8aea6a2'],
  ])('that others could choose too is refused, saying what to send: %s', async (_, idempotencyKey) => {
    const { errors = [] } = await create({ lines: await mug(), idempotencyKey }, AWA);
    expect(errors).toMatchObject([
      {
        message: expect.stringContaining('crypto.randomUUID()'),
        extensions: { code: 'BAD_USER_INPUT', fields: [{ path: 'idempotencyKey' }] },
      },
    ]);
  });

  test('is not stored as it is, for whoever has it is given the order', async () => {
    const idempotencyKey = randomUUID();
    await create({ lines: await mug(), idempotencyKey }, AWA);
    const rows = await app.dataSource.query(`SELECT * FROM idempotency_key WHERE caller = 'anonymous'`);
    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.stringify(rows)).not.toContain(idempotencyKey);
    expect(JSON.stringify(rows)).not.toContain(AWA);
  });
});

describe('an idempotency key of a token’s holder', () => {
  test('is their own, wherever they are, and not that of callers without one', async () => {
    const { token } = await app.order((await mug())[0]!.sku);
    const { token: other } = await app.order((await mug())[0]!.sku);
    const input = { lines: await mug(), idempotencyKey: randomUUID() };
    const orders = [
      orderOf(await create(input, AWA, token)),
      orderOf(await create(input, AWA, other)),
      orderOf(await create(input, AWA)),
    ];
    expect(new Set(orders).size).toBe(3);
    expect(orderOf(await create(input, STRANGER, token))).toBe(orders[0]);
  });

  test('of a customer is another one than the same text of the shop’s', async () => {
    const customer = `mutation { createCustomer(input: { externalId: "${randomUUID()}" }) { id } }`;
    const { id } = dataOf(await app.graphql(customer, {}, app.apiKey)).createCustomer;
    const token = `mutation { createCustomerToken(customerId: "${id}") }`;
    const customerToken = dataOf(await app.graphql(token, {}, app.apiKey)).createCustomerToken as string;
    const setUp = `mutation ($input: SetUpPaymentMethodInput!) {
      setUpPaymentMethod(input: $input) { nextAction { ... on ConfirmWithStripe { clientSecret } } }
    }`;
    const input = { customerId: id, idempotencyKey: randomUUID() };
    const ask = async (as: string) =>
      dataOf(await app.graphql(setUp, { input }, as)).setUpPaymentMethod.nextAction.clientSecret as string;
    const [theirs, shops] = [await ask(customerToken), await ask(app.apiKey)];
    expect(shops).not.toBe(theirs);
    expect(await ask(customerToken)).toBe(theirs);
  });
});
