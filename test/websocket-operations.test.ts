import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { BANK } from './support/notifying-provider.js';
import { payAt } from './support/payments-with-money.js';
import { startTestApp, type RunningApp } from './support/running-app.js';
import { connectRawSocket, openRawSocket, type Message, type RawSocket } from './support/raw-socket.js';
import { WATCH_PAYMENT } from './support/subscriber.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

interface Operation {
  readonly query: string;
  readonly variables?: unknown;
  readonly operationName?: unknown;
  readonly extensions?: unknown;
}

const LONE_SURROGATE = '\ud800';

/** Each has something wrong with it that is its own affair. */
const ODD: Readonly<Record<string, Operation>> = {
  'a subscription whose field is included by a variable that is true': {
    query: `subscription ($id: ID!, $live: Boolean!) { paymentStatusChanged(paymentIntentId: $id) @include(if: $live) { status } }`,
    variables: { id: 'TXN-x', live: true },
  },
  'a subscription whose field is included by a variable that is false': {
    query: `subscription ($live: Boolean!) { providerHealthChanged @include(if: $live) { provider } }`,
    variables: { live: false },
  },
  'a subscription whose only field is skipped': {
    query: 'subscription { providerHealthChanged @skip(if: true) { provider } }',
  },
  'a subscription whose only field is skipped in a fragment': {
    query:
      'subscription { ...f @include(if: false) } fragment f on Subscription { providerHealthChanged { provider } }',
  },
  'a subscription whose field is skipped by nothing': {
    query: 'subscription { providerHealthChanged @skip { provider } }',
  },
  'a subscription in an inline fragment that is skipped': {
    query: 'subscription { ... @skip(if: true) { providerHealthChanged { provider } } }',
  },
  'a subscription of two fields': {
    query: 'subscription { a: providerHealthChanged { provider } b: providerHealthChanged { provider } }',
  },
  'a subscription of __typename': { query: 'subscription { __typename }' },
  'a query whose only field is skipped': { query: '{ products @skip(if: true) { sku } }' },
  'a half of a surrogate pair in a variable': {
    query: 'query ($id: ID!) { order(id: $id) { id } }',
    variables: { id: LONE_SURROGATE },
  },
  'a half of a surrogate pair in a watch': {
    query: WATCH_PAYMENT,
    variables: { id: LONE_SURROGATE },
  },
  'a half of a surrogate pair in an e-mail address': {
    query: 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { orderToken } }',
    variables: { input: { lines: [], customer: { email: `a${LONE_SURROGATE}@example.com` } } },
  },
  'a half of a surrogate pair in the query': { query: `{ order(id: "${LONE_SURROGATE}") { id } }` },
  'a half of a surrogate pair in a name': { query: `{ ${LONE_SURROGATE} }` },
  'a zero character': {
    query: 'query ($id: ID!) { order(id: $id) { id } }',
    variables: { id: 'a\u0000b' },
  },
  'a fragment that there is not': { query: '{ ...nothing }' },
  'a fragment on a type that there is not': { query: '{ ...f } fragment f on Nothing { id }' },
  'fragments that go in circles': { query: '{ ...f } fragment f on Query { ...f }' },
  'a variable that is missing': { query: 'query ($id: ID!) { order(id: $id) { id } }' },
  'a variable of another type': {
    query: 'query ($id: ID!) { order(id: $id) { id } }',
    variables: { id: { a: [1] } },
  },
  'a variable that was not declared': { query: '{ order(id: $id) { id } }' },
  'a variable of a type that there is not': { query: 'query ($id: Nothing!) { products { sku } }' },
  'a version that is no number': { query: WATCH_PAYMENT, variables: { id: 'TXN-x', sinceVersion: 'one' } },
  'a version that is too large': { query: WATCH_PAYMENT, variables: { id: 'TXN-x', sinceVersion: 1e308 } },
  'a version below 0': { query: WATCH_PAYMENT, variables: { id: 'TXN-x', sinceVersion: -1 } },
  'a payment that there is not': { query: WATCH_PAYMENT, variables: { id: 'TXN-x' } },
  'a status that there is not': {
    query: 'subscription { paymentIntentsChanged(filter: { status: [NOTHING] }) { status } }',
  },
  'no query': { query: '' },
  'only a comment': { query: '# nothing' },
  'only a fragment': { query: 'fragment f on Query { products { sku } }' },
  'a schema': { query: 'type Query { a: Int }' },
  'syntax that is none': { query: '{ products {' },
  'an operation that there is not': { query: 'query a { products { sku } }', operationName: 'b' },
  'an operation without a name': { query: 'query a { products { sku } }', operationName: '' },
  'two operations, and none named': { query: 'query a { products { sku } } query b { products { sku } }' },
  'too many words': { query: `{ ${'products { sku } '.repeat(700)} }` },
  'too deep': { query: `{ products ${'{ a '.repeat(40)}${'}'.repeat(40)} }` },
  'a directive that there is not': { query: '{ products @nothing { sku } }' },
  '@defer': { query: '{ ... @defer { products { sku } } }' },
  'an empty selection': { query: '{ products { } }' },
  'the type of an object, of what is none': { query: '{ __type(name: "Nothing") { name } }' },
  prototypes: {
    query: 'query ($__proto__: ID, $constructor: ID) { order(id: $constructor) { id __proto__ } }',
    variables: JSON.parse('{ "__proto__": { "a": 1 }, "constructor": null }'),
  },
};

let watched: { id: string; token: string; attemptReference: string };
let socket: RawSocket;

/** A watch on the very socket that the odd operations use. */
async function watchOn(id: string, token: string): Promise<RawSocket> {
  const opened = await connectRawSocket(app.webSocketUrl, { authorization: `Bearer ${token}` });
  opened.send({ id: 'watch', type: 'subscribe', payload: { query: WATCH_PAYMENT, variables: { id } } });
  await opened.until(() => statuses(opened).length === 1);
  return opened;
}

const statuses = ({ messages }: RawSocket): string[] =>
  messages
    .filter(({ id, type }) => id === 'watch' && type === 'next')
    .map(({ payload }) => payload.data.paymentStatusChanged.status);

/** The watch lives on: it is told what happens next. */
async function expectWatchAlive(): Promise<void> {
  payAt(app, BANK, watched as never);
  await socket.until(() => statuses(socket).includes('PAID'));
  expect(socket.closed).toBeNull();
}

async function answerTo(payload: unknown): Promise<readonly Message[]> {
  const id = randomUUID();
  socket.send({ id, type: 'subscribe', payload });
  return socket.ended(id);
}

beforeEach(async () => {
  watched = await BANK.open(app, {});
  socket = await watchOn(watched.id, watched.token);
});
afterEach(() => socket.close());

test('an operation that is odd is answered for itself, and a watch beside it goes on', async () => {
  for (const [what, operation] of Object.entries(ODD)) {
    const answer = await answerTo(operation);
    const errors = answer.flatMap(({ type, payload }) =>
      type === 'error' ? payload : (payload?.errors ?? []),
    );
    const codes = errors.map(({ extensions }: any) => extensions.code);
    expect([what, codes]).toEqual([what, codes.filter((code: unknown) => typeof code === 'string')]);
    expect([what, codes]).not.toEqual([what, expect.arrayContaining(['INTERNAL_SERVER_ERROR'])]);
  }
  await expectWatchAlive();
});

test('the same over HTTP is never a fault of ours', async () => {
  for (const [what, operation] of Object.entries(ODD)) {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(operation),
    });
    const { errors = [] } = (await response.json()) as { errors?: { extensions: { code: string } }[] };
    expect([what, response.status]).toEqual([what, response.status === 200 ? 200 : 400]);
    expect([what, errors.map(({ extensions }) => extensions.code)]).not.toEqual([
      what,
      expect.arrayContaining(['INTERNAL_SERVER_ERROR']),
    ]);
  }
});

test('400 random operations on one socket leave a watch beside them alive, and none is a fault of ours', async () => {
  const operations = fc.sample(anyOperation(), { numRuns: 400, seed: 12 });
  for (const [number, payload] of operations.entries()) {
    const id = `odd-${number}`;
    socket.send({ id, type: 'subscribe', payload });
    // A subscription that happens to be good would go on for ever.
    if (number >= 100) socket.send({ id: `odd-${number - 100}`, type: 'complete' });
  }
  await expectWatchAlive();
  // Messages are read in their order, so all of them have been.
  await answerTo({ query: '{ __typename }' });
  const errors = socket.messages.flatMap(({ type, payload }) => (type === 'error' ? payload : []));
  expect(errors.length).toBeGreaterThan(100);
  expect(errors.filter(({ extensions }: any) => extensions.code === 'INTERNAL_SERVER_ERROR')).toEqual([]);
});

/** Good and odd operations, with pieces put in, taken away and doubled, and variables of any kind. */
function anyOperation(): fc.Arbitrary<object> {
  const watch: Operation = { query: WATCH_PAYMENT, variables: { id: watched.id } };
  const base = fc.constantFrom(...Object.values(ODD), watch, watch, watch);
  const piece = fc.constantFrom(
    ...['@skip(if: true)', '@include(if: $live)', '...f', '...', 'subscription', '__typename', 'null'],
    ...['{', '}', '(', ')', ':', '!', '[', '$', '#', '"', '"""', '\\u{10FFFF}', LONE_SURROGATE],
    ...['fragment f on Query { __typename }', 'fragment f on Subscription { a }', '9'.repeat(400)],
  );
  const edit = fc.record({ at: fc.nat(200), length: fc.nat(8), put: piece });
  const variables = fc.option(fc.dictionary(fc.constantFrom('id', 'input', 'live', 'x'), fc.jsonValue()));
  return fc
    .record({ base, edits: fc.array(edit, { maxLength: 3 }), variables, isAsItWas: fc.boolean() })
    .map(({ base, edits, variables, isAsItWas }) => ({
      ...base,
      query: edits.reduce(
        (text, { at, length, put }) => `${text.slice(0, at)} ${put} ${text.slice(at + length)}`,
        base.query,
      ),
      variables: isAsItWas ? base.variables : variables,
    }));
}

describe('what breaks the protocol closes the socket, with its own code', () => {
  const PRODUCTS = { query: '{ products { sku } }' };
  const LONG_ID = 'x'.repeat(500);
  const TOO_LARGE = { type: 'ping', payload: { x: 'x'.repeat(101 * 1_024) } };

  test.each<[string, number, string]>([
    ['no JSON', 4400, '{ "type": '],
    ['JSON that is no message', 4400, '[]'],
    ['null', 4400, 'null'],
    ['a message of a type that there is not', 4400, '{ "type": "start" }'],
    ['a message that only servers send', 4400, '{ "type": "connection_ack" }'],
    ['a result', 4400, '{ "type": "next", "id": "1", "payload": {} }'],
    ['an operation without a query', 4400, '{ "type": "subscribe", "id": "1", "payload": {} }'],
    ['an operation without an id', 4400, '{ "type": "subscribe", "payload": { "query": "{ a }" } }'],
    [
      'variables that are a text',
      4400,
      '{ "type": "subscribe", "id": "1", "payload": { "query": "{ a }", "variables": "x" } }',
    ],
    ['a second connection_init', 4429, '{ "type": "connection_init" }'],
    ['a message that is too large', 1009, JSON.stringify(TOO_LARGE)],
  ])('%s: %d', async (_what, code, text) => {
    socket.sendText(text);
    expect(await socket.untilClosed()).toMatchObject({ code });
  });

  test.each([
    ['a short one', '1'],
    ['a long one', LONG_ID],
    ['an odd one', `${LONE_SURROGATE}${'é'.repeat(100)}`],
  ])('an id that is in use, %s: 4409', async (_what, id) => {
    const watch = { id, type: 'subscribe', payload: { query: WATCH_PAYMENT, variables: { id: watched.id } } };
    socket.send(watch);
    socket.send(watch);
    expect(await socket.untilClosed()).toMatchObject({ code: 4409 });
  });

  test('an operation before connection_init: 4401', async () => {
    const early = await openRawSocket(app.webSocketUrl);
    early.send({ id: '1', type: 'subscribe', payload: PRODUCTS });
    expect(await early.untilClosed()).toMatchObject({ code: 4401 });
  });

  test('an id whose operation has ended may be used again', async () => {
    for (const id of ['1', '1', '__proto__', '__proto__', LONG_ID, LONG_ID]) {
      const before = socket.messages.length;
      socket.send({ id, type: 'subscribe', payload: PRODUCTS });
      const isOver = (message: Message) => message.id === id && message.type === 'complete';
      await socket.until((messages) => messages.slice(before).some(isOver));
    }
    await expectWatchAlive();
  });

  test('pings, and completing what there is not, break nothing', async () => {
    socket.send({ id: 'nothing', type: 'complete' });
    socket.send({ type: 'ping', payload: { a: 1 } });
    socket.send({ type: 'pong' });
    await socket.until((messages) => messages.some(({ type }) => type === 'pong'));
    await expectWatchAlive();
  });
});

describe('the token of a connection', () => {
  const READ = 'query ($id: ID!) { paymentIntent(id: $id) { id } }';
  const bearer = () => `Bearer ${watched.token}`;

  test.each<[string, () => [Record<string, unknown>?, Record<string, string>?]]>([
    ['authorization', () => [{ authorization: bearer() }]],
    ['Authorization', () => [{ Authorization: bearer() }]],
    ['headers.authorization', () => [{ headers: { authorization: bearer() } }]],
    ['headers.Authorization', () => [{ headers: { Authorization: bearer() } }]],
    ['both, the same', () => [{ authorization: bearer(), headers: { Authorization: bearer() } }]],
    ['the header of the upgrade', () => [undefined, { authorization: bearer() }]],
    [
      'parameters, beside what a proxy asks for',
      () => [{ authorization: bearer() }, { authorization: 'Basic eDp5' }],
    ],
  ])('counts as %s', async (_where, given) => {
    const connected = await connectRawSocket(app.webSocketUrl, ...given());
    connected.send({ id: '1', type: 'subscribe', payload: { query: READ, variables: { id: watched.id } } });
    const [answer] = await connected.ended('1');
    expect(answer?.payload).toEqual({ data: { paymentIntent: { id: watched.id } } });
    await connected.close();
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ['without Bearer', { authorization: 'nonsense' }, /"Bearer" and a token/],
    ['that is no text', { authorization: { token: 'x' } }, /must be a text/],
    ['that is no token', { headers: { Authorization: 'Bearer nonsense' } }, /not valid/],
    [
      'that is another one twice',
      { authorization: 'Bearer a', headers: { authorization: 'Bearer b' } },
      /differ/,
    ],
    ['in another place', { authToken: 'x' }, /as authorization: "Bearer …", not as authToken/],
    ['by another name', { token: 'x' }, /not as token/],
  ])('is refused with words, never taken for none: one %s', async (_what, payload, words) => {
    const refused = await openRawSocket(app.webSocketUrl);
    refused.send({ type: 'connection_init', payload });
    const { code, reason } = await refused.untilClosed();
    expect(code).toBe(4403);
    expect(reason).toMatch(words);
  });

  test('isn’t needed, and a proxy’s own is none', async () => {
    const connected = await connectRawSocket(
      app.webSocketUrl,
      { lang: 'fr' },
      { authorization: 'Basic eDp5' },
    );
    connected.send({ id: '1', type: 'subscribe', payload: { query: '{ products { sku } }' } });
    expect(await connected.ended('1')).toMatchObject([{ type: 'next' }, { type: 'complete' }]);
    await connected.close();
  });
});
