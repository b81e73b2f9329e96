import { serverAudits } from 'graphql-http';
import { readOrder } from './support/payment-calls.js';
import { SHOP_ORIGIN, startTestApp, type GraphQLAnswer, type RunningApp } from './support/running-app.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

describe('the specification of GraphQL over HTTP, by its official audits', () => {
  const audits = serverAudits({ url: () => `${app.url}/graphql`, fetchFn: fetch });

  test('are all of them', () => expect(audits.length).toBeGreaterThan(50));

  test.each(audits.map((audit) => [audit.name, audit] as const))('%s', async (_name, audit) => {
    const result = await audit.fn();
    if (result.status !== 'ok') throw new Error(`${result.status}: ${result.reason}`);
  });
});

const JSON_TYPE = 'application/json';
const RESPONSE_TYPE = 'application/graphql-response+json';

const post = (body: object, headers: Record<string, string> = {}) =>
  fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': JSON_TYPE, ...headers },
    body: JSON.stringify(body),
  });

const get = (parameters: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(`${app.url}/graphql?${new URLSearchParams(parameters).toString()}`, { headers });

describe('the status of an answer', () => {
  const FAULTY: Readonly<Record<string, object>> = {
    GRAPHQL_PARSE_FAILED: { query: '{ products {' },
    GRAPHQL_VALIDATION_FAILED: { query: '{ nothing }' },
    QUERY_TOO_COMPLEX: { query: `{ ${expensive()} }` },
    OPERATION_RESOLUTION_FAILURE: { query: 'query a { products { sku } } query b { products { sku } }' },
    BAD_USER_INPUT: { query: 'query ($id: ID!) { order(id: $id) { id } }', variables: { id: [] } },
  };

  test.each(Object.entries(FAULTY))(
    'to a query with %s is 200 as JSON, and 400 as a response of GraphQL',
    async (code, body) => {
      for (const [accept, status] of [
        ['', 200],
        ['*/*', 200],
        [JSON_TYPE, 200],
        [RESPONSE_TYPE, 400],
        [`${RESPONSE_TYPE}, ${JSON_TYPE};q=0.9`, 400],
        [`${JSON_TYPE}, ${RESPONSE_TYPE};q=0.9`, 200],
      ] as const) {
        const answer = await post(body, accept ? { accept } : {});
        expect([accept, answer.status]).toEqual([accept, status]);
        expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code } }] });
      }
    },
  );

  test('to what a resolver refuses is 200 under both, with its data', async () => {
    for (const accept of [JSON_TYPE, RESPONSE_TYPE]) {
      const answer = await post({ query: '{ order(id: "x") { id } }' }, { accept });
      expect(answer.status).toBe(200);
      expect(await answer.json()).toMatchObject({ data: { order: null }, errors: [{ path: ['order'] }] });
    }
  });

  test('to a request that is none, or whose token isn’t good, is 4xx under both', async () => {
    for (const accept of [JSON_TYPE, RESPONSE_TYPE]) {
      expect((await post({ query: 7 }, { accept })).status).toBe(400);
      expect((await post({}, { accept })).status).toBe(400);
      const query = '{ products { sku } }';
      expect((await post({ query }, { accept, authorization: 'Bearer nonsense' })).status).toBe(401);
    }
  });
});

describe('a GET', () => {
  const PRODUCTS = '{ products { sku } }';

  test.each([
    ['of nothing but its address', {}],
    [
      'as urql sends it',
      {
        accept:
          'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed',
      },
    ],
    [
      'as Apollo Client sends it',
      { accept: `${RESPONSE_TYPE},${JSON_TYPE};q=0.9`, 'content-type': JSON_TYPE },
    ],
    ['of a browser’s address bar', { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }],
    ['of a page on the list', { origin: SHOP_ORIGIN }],
  ])('%s is answered', async (_what, headers) => {
    const answer = await get({ query: PRODUCTS }, headers);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ data: { products: [] } });
  });

  test('has variables, a name and a token, as a POST has', async () => {
    const { sku } = await app.addProduct();
    const { orderId, token } = await app.order(sku);
    const query = 'query a($id: ID!) { order(id: $id) { id } } query b { products { sku } }';
    const variables = JSON.stringify({ id: orderId });
    const answer = await get({ query, variables, operationName: 'a' }, { authorization: `Bearer ${token}` });
    expect(await answer.json()).toEqual({ data: { order: { id: orderId } } });
    await app.dataSource.query('UPDATE product SET active = false');
  });

  test.each([
    ['bare', {}],
    ['with a header that needs a preflight', { 'apollo-require-preflight': 'yes' }],
    ['as JSON', { 'content-type': JSON_TYPE }],
  ])('never changes anything: %s', async (_what, headers) => {
    const { sku } = await app.addProduct();
    const { orderId, token } = await app.order(sku);
    const cancel = `mutation cancel { cancelOrder(id: "${orderId}") { status } }`;
    for (const parameters of [
      { query: cancel, operationName: 'cancel' },
      { query: `query look { products { sku } } ${cancel}`, operationName: 'cancel' },
    ]) {
      const answer = await get(parameters, { ...headers, authorization: `Bearer ${token}` });
      expect(answer.status).toBe(405);
      expect(answer.headers.get('allow')).toBe('POST');
    }
    expect(await readOrder(app, orderId, token)).toMatchObject({ status: 'OPEN' });
    await app.dataSource.query('UPDATE product SET active = false');
  });
});

describe('a subscription over HTTP', () => {
  const WATCH = 'subscription watch { providerHealthChanged { provider } }';

  test.each<[string, () => Promise<Response>]>([
    ['POST', () => post({ query: WATCH })],
    ['POST that accepts events', () => post({ query: WATCH }, { accept: 'text/event-stream' })],
    ['POST by its name', () => post({ query: `{ products { sku } } ${WATCH}`, operationName: 'watch' })],
    [
      'POST with a condition',
      () => post({ query: 'subscription { providerHealthChanged @skip(if: true) { provider } }' }),
    ],
    ['GET', () => get({ query: WATCH })],
  ])('is refused with where to go: %s', async (_what, ask) => {
    const answer = await ask();
    expect(answer.status).toBe(400);
    const { errors } = (await answer.json()) as GraphQLAnswer;
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_REQUEST', retryable: false } }]);
    expect(errors![0]!.message).toMatch(/WebSocket.*wss:\/\/.*graphql-transport-ws/);
  });

  test('doesn’t keep a query in the same document from being answered', async () => {
    const query = `query look { products { sku } } ${WATCH}`;
    const answer = await post({ query, operationName: 'look' });
    expect(await answer.json()).toEqual({ data: { products: [] } });
  });

  test('with a condition beside a query is that document’s fault, and not ours', async () => {
    const odd = 'subscription s($live: Boolean!) { providerHealthChanged @include(if: $live) { provider } }';
    const answer = await post({ query: `query look { products { sku } } ${odd}`, operationName: 'look' });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
    });
  });
});

test('a page on the list may send the headers that clients send of their own', async () => {
  const headers = [
    'authorization',
    'content-type',
    'accept',
    'apollographql-client-name',
    'apollographql-client-version',
    'apollo-require-preflight',
    'x-apollo-operation-name',
    'x-apollo-operation-id',
    'x-requested-with',
    'traceparent',
    'baggage',
    'sentry-trace',
  ];
  const preflight = (origin: string) =>
    fetch(`${app.url}/graphql`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': headers.join(','),
      },
    });
  const allowed = await preflight(SHOP_ORIGIN);
  expect(allowed.status).toBeLessThan(300);
  expect(allowed.headers.get('access-control-allow-headers')?.split(/, ?/)).toEqual(headers);
  expect(allowed.headers.get('vary')).toMatch(/access-control-request-headers/i);
  const other = await preflight('https://evil.example');
  expect(other.headers.get('access-control-allow-origin')).toBeNull();
});

/** Two hundred lists of products. */
function expensive(): string {
  return Array.from({ length: 200 }, (_, number) => `a${number}: products { sku name available }`).join(' ');
}
