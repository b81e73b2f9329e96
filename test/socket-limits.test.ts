import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import { DEFAULT_LIMITS, NO_LIMITS } from '../src/limits/limits.js';
import { eventually } from './support/eventually.js';
import { startTestApp, type RunningApp } from './support/running-app.js';

const SOCKETS = { perAddress: 4, operationsPerSocket: 3, subscriptionsPerSocket: 5 };

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp({ limits: { ...NO_LIMITS, sockets: SOCKETS } });
});
afterAll(() => app.stop());

const clients: Client[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.dispose();
});

function connect(token?: string): Client {
  const client = createClient({
    url: app.webSocketUrl,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    lazy: false,
    onNonLazyError: () => undefined,
    connectionParams: token ? { authorization: `Bearer ${token}` } : undefined,
  });
  clients.push(client);
  return client;
}

interface Answers {
  readonly next: any[];
  readonly errors: any[];
  end(): void;
}

function ask(client: Client, query: string, variables: Record<string, unknown> = {}): Answers {
  const next: any[] = [];
  const errors: any[] = [];
  const end = client.subscribe(
    { query, variables },
    {
      next: (answer) => next.push(answer),
      error: (error) => errors.push(...(Array.isArray(error) ? error : [error])),
      complete: () => undefined,
    },
  );
  return { next, errors, end };
}

const answered = (asked: Answers) =>
  eventually(
    () => asked,
    ({ next, errors }) => next.length + errors.length > 0,
  );
const settled = (asked: readonly Answers[]) => Promise.all(asked.map(answered));

const WATCH = 'subscription ($id: ID!) { paymentStatusChanged(paymentIntentId: $id) { version } }';

async function payment() {
  const { sku } = await app.addProduct();
  const { orderId, token } = await app.order(sku);
  return { id: (await app.pay(orderId, token, { method: 'CARD' })).id, token };
}

test('a socket that asks for more at once than it may has the rest refused, and keeps what it has', async () => {
  const { id, token } = await payment();
  const client = connect(token);
  const watched = ask(client, WATCH, { id });
  await answered(watched);
  const burst = Array.from({ length: 40 }, () => ask(client, '{ products { sku } }'));
  await settled(burst);
  const refused = burst.flatMap(({ errors }) => errors);
  expect(refused.length).toBeGreaterThan(0);
  expect(burst.filter(({ next }) => next.length === 1).length).toBeGreaterThanOrEqual(
    SOCKETS.operationsPerSocket,
  );
  expect(refused[0]).toMatchObject({
    message: expect.stringContaining('3 operations under way'),
    extensions: { code: 'RATE_LIMITED', retryable: true, retryAfterSeconds: 1 },
  });
  // What was refused is forgotten: the same socket goes on.
  const later = ask(client, '{ products { sku } }');
  await answered(later);
  expect(later.errors).toEqual([]);
  expect(watched.errors).toEqual([]);
});

test('an operation that its client has given up is still counted until it is over', async () => {
  const client = connect();
  await answered(ask(client, '{ __typename }'));
  await app.dataSource.transaction(async (manager) => {
    await manager.query('LOCK TABLE product IN ACCESS EXCLUSIVE MODE');
    const given = Array.from({ length: SOCKETS.operationsPerSocket }, () =>
      ask(client, '{ products { sku } }'),
    );
    const waiting = 'SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted';
    await eventually(
      async () => (await manager.query(waiting))[0].n,
      (n) => n === SOCKETS.operationsPerSocket,
    );
    given.forEach(({ end }) => end());
    const next = ask(client, '{ products { sku } }');
    await answered(next);
    expect(next.errors).toMatchObject([{ extensions: { code: 'RATE_LIMITED' } }]);
  });
  await eventually(
    () => answered(ask(client, '{ products { sku } }')),
    ({ errors }) => errors.length === 0,
  );
});

test('a socket has so many subscriptions, and as many again when some have ended', async () => {
  const { id, token } = await payment();
  const client = connect(token);
  const watchers: Answers[] = [];
  for (let count = 0; count < SOCKETS.subscriptionsPerSocket; count += 1) {
    const watcher = ask(client, WATCH, { id });
    watchers.push(watcher);
    await answered(watcher);
    expect(watcher.errors).toEqual([]);
  }
  const refused = ask(client, WATCH, { id });
  await answered(refused);
  expect(refused.errors).toMatchObject([
    { message: expect.stringContaining('5 subscriptions'), extensions: { code: 'RATE_LIMITED' } },
  ]);
  const query = ask(client, '{ products { sku } }');
  await answered(query);
  expect(query.errors).toEqual([]);
  watchers[0]!.end();
  await eventually(
    () => answered(ask(client, WATCH, { id })),
    ({ errors }) => errors.length === 0,
  );
});

test('subscriptions that begin all at once are counted, too', async () => {
  const { id, token } = await payment();
  const client = connect(token);
  const burst = Array.from({ length: 30 }, () => ask(client, WATCH, { id }));
  await settled(burst);
  const lasting = burst.filter(({ next }) => next.length === 1).length;
  expect(lasting).toBeGreaterThan(0);
  expect(lasting).toBeLessThanOrEqual(SOCKETS.subscriptionsPerSocket);
});

test('an address has so many sockets: the next one is refused with 429, until one is closed', async () => {
  const sockets = Array.from({ length: SOCKETS.perAddress }, () => connect());
  for (const client of sockets) await answered(ask(client, '{ __typename }'));
  const status = () =>
    new Promise<number>((resolve) => {
      const socket = new WebSocket(app.webSocketUrl, 'graphql-transport-ws');
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode!));
      socket.on('open', () => {
        socket.close();
        resolve(101);
      });
      socket.on('error', () => undefined);
    });
  expect(await status()).toBe(429);
  await sockets[0]!.dispose();
  await eventually(status, (seen) => seen === 101);
});

test('the product has limits by default, on every number', () => {
  expect(Object.values(DEFAULT_LIMITS.sockets).every((number) => number > 0)).toBe(true);
});
