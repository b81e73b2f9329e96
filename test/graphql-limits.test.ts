import { jest } from '@jest/globals';
import { getNullableType, isListType, isObjectType } from 'graphql';
import { LIST_SIZES } from '../src/graphql/list-sizes.js';
import { createSchema } from '../src/graphql/schema.js';
import { codeOf, startTestApp, type GraphQLAnswer, type RunningApp } from './support/running-app.js';
import { subscribe } from './support/subscriber.js';

let app: RunningApp;
let closed: RunningApp;
beforeAll(async () => {
  [app, closed] = await Promise.all([startTestApp(), startTestApp({ introspection: false })]);
});
afterAll(() => Promise.all([app.stop(), closed.stop()]));

type Fault = NonNullable<GraphQLAnswer['errors']>[number];
type Ask = (asked: RunningApp, query: string, variables?: object) => Promise<readonly Fault[]>;

const overHttp: Ask = async (asked, query, variables) => (await asked.graphql(query, variables)).errors ?? [];

const overWebSocket: Ask = async (asked, query, variables) => {
  const subscriber = subscribe(asked.webSocketUrl, query, { ...variables });
  await subscriber.untilEnded();
  await subscriber.close();
  return subscriber.errors.flat();
};

/** An order in its payments in their order …: as deep as wanted. */
function nested(depth: number): string {
  const links = ['paymentIntents', 'order'];
  const opened = Array.from({ length: depth - 2 }, (_, index) => `{ ${links[index % 2]} `);
  return `{ order(id: "ORD-any") ${opened.join('')} { id } ${'}'.repeat(depth - 2)} }`;
}

const aliases = (count: number, field: string) =>
  `{ ${Array.from({ length: count }, (_, index) => `a${index}: ${field}`).join(' ')} }`;

/** Each fragment spreads the next one twice: 2^count selections, were they all walked. */
function exponential(count: number): string {
  const fragments = Array.from({ length: count }, (_, index) => {
    const inside = index + 1 < count ? `...f${index + 1} ...f${index + 1}` : 'id';
    return `fragment f${index} on Order { ${inside} }`;
  });
  return `{ order(id: "ORD-any") { ...f0 } } ${fragments.join(' ')}`;
}

/** Each fragment opens two fields with the next one inside: 2^count fields to compare and to answer. */
function exponentialFields(count: number): string {
  const fragments = Array.from({ length: count }, (_, index) => {
    const next = index + 1 < count ? `...g${index + 1}` : 'id';
    return `fragment g${index} on Order { a: paymentIntents { order { ${next} } } b: paymentIntents { order { ${next} } } }`;
  });
  return `{ order(id: "ORD-any") { ...g0 } } ${fragments.join(' ')}`;
}

describe.each([
  ['HTTP', overHttp],
  ['WebSocket', overWebSocket],
])('over %s', (_transport, ask) => {
  const codes = async (query: string, variables?: object, asked = app) =>
    (await ask(asked, query, variables)).map(({ extensions }) => extensions.code);

  test('a query of a sensible depth is answered', async () => {
    expect(await codes(nested(5))).toEqual(['NOT_FOUND']);
  });

  test('a query that is too deep is refused', async () => {
    const [fault] = await ask(app, nested(14));
    expect(fault).toMatchObject({ extensions: { code: 'QUERY_TOO_COMPLEX', retryable: false } });
    expect(fault!.message).toContain('14 deep, and 13 is allowed');
  });

  test('a query that asks for too much at once is refused', async () => {
    expect(await codes(aliases(8, 'products { sku name available }'))).toEqual([]);
    const [fault] = await ask(app, aliases(9, 'products { sku name available }'));
    expect(fault).toMatchObject({ extensions: { code: 'QUERY_TOO_COMPLEX', retryable: false } });
    expect(fault!.message).toContain('5000 is allowed');
  });

  test('a list of days is priced by its days, whether they stand in the query or in variables', async () => {
    const { sku } = await app.addProduct({ dailyCapacity: 1 });
    const from = '2027-01-01';
    const written = (count: number, to: string) =>
      aliases(count, `freePlaces(sku: "${sku}", from: "${from}", to: "${to}") { day free }`);
    expect(await codes(written(6, '2027-12-31'))).toEqual([]);
    expect(await codes(written(7, '2027-12-31'))).toEqual(['QUERY_TOO_COMPLEX']);
    expect(await codes(written(20, '2027-01-31'))).toEqual([]);
    const given = (count: number) =>
      `query ($sku: String!, $from: LocalDate!, $to: LocalDate!) ${aliases(count, 'freePlaces(sku: $sku, from: $from, to: $to) { day free }')}`;
    expect(await codes(given(20), { sku, from, to: '2027-01-31' })).toEqual([]);
    expect(await codes(given(7), { sku, from, to: '2027-12-31' })).toEqual(['QUERY_TOO_COMPLEX']);
    expect(await codes(given(7), { sku, from, to: 'never' })).toEqual(['QUERY_TOO_COMPLEX']);
  });

  test('a page is priced by its size, whether it stands in the query, in variables or in their defaults', async () => {
    const page = 'webhookEvents(first: $first) { edges { node { id provider status } } }';
    const pages = (count: number, declared: string) => `query (${declared}) ${aliases(count, page)}`;
    const priced = async (query: string, variables: object = {}) =>
      (await codes(query, variables)).includes('QUERY_TOO_COMPLEX');
    expect(await priced(pages(3, '$first: Int!'), { first: 200 })).toBe(false);
    expect(await priced(pages(4, '$first: Int!'), { first: 200 })).toBe(true);
    expect(await priced(pages(4, '$first: Int! = 200'))).toBe(true);
    expect(await priced(pages(4, '$first: Int! = 50'))).toBe(false);
    expect(await priced(aliases(4, page.replace('$first', '200')))).toBe(true);
    expect(await priced(aliases(4, page.replace('(first: $first)', '')))).toBe(false);
  });

  test('one request has few mutations, so that each can be counted: five are done, of six none', async () => {
    const { sku } = await app.addProduct();
    const create = (count: number) =>
      `mutation ${aliases(count, `createOrder(input: { lines: [{ sku: "${sku}", quantity: 1 }] }) { orderToken }`)}`;
    const orders = async () => (await app.dataSource.query('SELECT count(*)::int AS n FROM orders'))[0].n;
    const before = await orders();
    expect(await codes(create(5))).toEqual([]);
    expect(await orders()).toBe(before + 5);
    const [fault] = await ask(app, create(6));
    expect(fault).toMatchObject({ extensions: { code: 'QUERY_TOO_COMPLEX', retryable: false } });
    expect(fault!.message).toContain('5 mutations');
    expect(await orders()).toBe(before + 5);
  });

  test('one request has few fields of Query, aliases and fragments included', async () => {
    const fields = (count: number) => aliases(count, '__typename');
    expect(await codes(fields(20))).toEqual([]);
    expect(await codes(fields(21))).toEqual(['QUERY_TOO_COMPLEX']);
    expect(await codes(`{ ...a ...a } fragment a on Query ${fields(11)}`)).toEqual(['QUERY_TOO_COMPLEX']);
  });

  test('a document that takes long to validate is refused before', async () => {
    const many = `{ order(id: "x") { ${'formatted(locale: "fr") '.repeat(101)} } }`;
    expect(await codes(many)).toEqual(['QUERY_TOO_COMPLEX']);
    const fragments = Array.from({ length: 51 }, (_, i) => `fragment f${i} on Order { id }`).join(' ');
    expect(await codes(`{ order(id: "x") { id } } ${fragments}`)).toEqual(['QUERY_TOO_COMPLEX']);
  });

  test('lists within lists are counted for each of their members', async () => {
    const list = (inside: string) => `paymentIntents { order { ${inside} } }`;
    const query = `{ order(id: "ORD-any") { ${list(list(list(list('id'))))} } }`;
    expect(await codes(query)).toEqual(['QUERY_TOO_COMPLEX']);
  });

  test('nothing is hidden from the limits in fragments', async () => {
    const query = `{ ...many } fragment many on Query ${aliases(9, 'products { sku name available }')}`;
    expect(await codes(query)).toEqual(['QUERY_TOO_COMPLEX']);
    const inline = `{ ... on Query ${aliases(9, 'products { sku name available }')} }`;
    expect(await codes(inline)).toEqual(['QUERY_TOO_COMPLEX']);
  });

  test('a query of too many words is not even parsed', async () => {
    const [fault] = await ask(app, aliases(700, '__typename'));
    expect(fault).toMatchObject({ extensions: { code: 'GRAPHQL_PARSE_FAILED', retryable: false } });
    expect(fault!.message).toContain('2000 tokens');
  });

  test.each([
    ['spreads', exponential(200)],
    ['fields', exponentialFields(40)],
  ])('fragments that grow exponentially are answered quickly: %s', async (_what, query) => {
    const start = performance.now();
    const faults = await ask(app, query);
    expect(faults.length).toBeGreaterThan(0);
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  test('fragments that go in circles are refused', async () => {
    const query = '{ order(id: "x") { ...a } } fragment a on Order { ...b } fragment b on Order { ...a }';
    expect(new Set(await codes(query))).toEqual(new Set(['GRAPHQL_VALIDATION_FAILED']));
  });

  test('a syntax error, and a field that there is not, are the query’s faults', async () => {
    expect(await codes('{ products {')).toEqual(['GRAPHQL_PARSE_FAILED']);
    expect(await codes('{ nothing }')).toEqual(['GRAPHQL_VALIDATION_FAILED']);
  });

  test.each([
    ['of another type', { id: { a: 1 } }],
    ['missing', {}],
    ['null', { id: null }],
  ])('a variable that is %s is bad input, with its name', async (_what, variables) => {
    const [fault] = await ask(app, 'query ($id: ID!) { order(id: $id) { id } }', variables);
    expect(fault).toMatchObject({ extensions: { code: 'BAD_USER_INPUT', fields: [{ path: 'id' }] } });
  });

  test('a field deep within a variable is named by its path', async () => {
    const query = 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { orderToken } }';
    const lines = [
      { sku: 'A', quantity: 1 },
      { sku: 'B', quantity: 'two' },
    ];
    const [fault] = await ask(app, query, { input: { lines } });
    expect(fault).toMatchObject({
      extensions: { code: 'BAD_USER_INPUT', retryable: false, fields: [{ path: 'lines.1.quantity' }] },
    });
  });

  test('the schema can be read where the settings say so, and only there', async () => {
    const query = '{ __schema { types { name fields { name } } } __type(name: "Order") { name } }';
    expect(await codes(query)).toEqual([]);
    expect(new Set(await codes(query, {}, closed))).toEqual(new Set(['GRAPHQL_VALIDATION_FAILED']));
    expect(await codes('{ __typename products { sku } }', {}, closed)).toEqual([]);
  });

  test('a mistyped name is answered with the right one only where the schema can be read', async () => {
    const mistyped: readonly [string, object][] = [
      ['{ product { sku } }', {}],
      ['{ products { skus } }', {}],
      ['{ order(ids: "x") { id } }', {}],
      ['mutation { createOrder(input: { line: [] }) { orderToken } }', {}],
      ['query ($id: Stringg) { products { sku } }', {}],
      [
        'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { orderToken } }',
        { input: { line: [] } },
      ],
      [
        'mutation ($input: CreatePaymentIntentInput!) { createPaymentIntent(input: $input) { paymentIntent { id } } }',
        { input: { orderId: 'x', method: 'CARDS' } },
      ],
    ];
    for (const [query, variables] of mistyped) {
      const hint = JSON.stringify(await ask(app, query, variables));
      expect(hint).toContain('Did you mean');
      const silence = JSON.stringify(await ask(closed, query, variables));
      expect(silence).toContain('"code"');
      expect(silence).not.toContain('Did you mean');
    }
  });
});

describe('the size of a request', () => {
  const large = (bytes: number) => `{ products { sku } } # ${'x'.repeat(bytes)}`;

  test('is limited over HTTP', async () => {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: large(101 * 1_024) }),
    });
    expect(response.status).toBe(413);
    expect(await response.text()).not.toContain('at ');
    expect(codeOf(await app.graphql(large(90 * 1_024)))).toBeUndefined();
  });

  test('is limited over WebSocket, by closing it as too big', async () => {
    const complaints = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    const subscriber = subscribe(app.webSocketUrl, large(101 * 1_024));
    await subscriber.untilEnded();
    expect(subscriber.errors).toMatchObject([{ code: 1009 }]);
    await subscriber.close();
    complaints.mockRestore();
    expect(await overWebSocket(app, large(90 * 1_024))).toEqual([]);
  });
});

test('one request is one operation: a batch is refused', async () => {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([{ query: '{ products { sku } }' }, { query: '{ products { sku } }' }]),
  });
  expect(response.status).toBe(400);
  expect(codeOf((await response.json()) as GraphQLAnswer)).toBe('BAD_REQUEST');
});

test('each list of the schema has a size, so that it can be priced', async () => {
  const schema = await createSchema();
  const lists = Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .filter(({ name }) => !name.startsWith('__'))
    .flatMap((type) =>
      Object.values(type.getFields())
        .filter((field) => isListType(getNullableType(field.type)))
        .map((field) => `${type.name}.${field.name}`),
    );
  // Those of a connection are as long as its page.
  const priced = lists.filter((name) => !name.endsWith('Connection.edges'));
  expect(Object.keys(LIST_SIZES).sort()).toEqual(priced.sort());
});
