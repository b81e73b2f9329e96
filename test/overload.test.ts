import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { NO_LIMITS } from '../src/limits/limits.js';
import { Turnstile } from '../src/limits/turnstile.js';
import { eventually } from './support/eventually.js';
import { notify, STRIPE } from './support/notifying-provider.js';
import { startTestApp, type GraphQLAnswer, type RunningApp } from './support/running-app.js';
import { subscribe } from './support/subscriber.js';

const PLACES = 4;

let app: RunningApp;
beforeEach(async () => {
  app = await startTestApp({
    limits: { ...NO_LIMITS, operationsAtOnce: PLACES },
    trustedProxies: ['loopback'],
  });
});
afterEach(() => app.stop());

const FLOODER = '192.0.2.1';
const BUYER = '192.0.2.2';
const PRODUCTS = '{ products { sku } }';

interface Asked {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly answer: GraphQLAnswer;
}

function post(query: string, address: string): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const asked = request(
      `${app.url}/graphql`,
      {
        method: 'POST',
        agent: false,
        headers: { 'content-type': 'application/json', 'x-forwarded-for': address },
      },
      (response) => {
        json(response).then(
          (answer) =>
            resolve({
              status: response.statusCode!,
              headers: response.headers,
              answer: answer as GraphQLAnswer,
            }),
          reject,
        );
      },
    );
    asked.on('error', reject);
    asked.end(JSON.stringify({ query }));
  });
}

/** While every operation that reads products waits, as behind a provider or a lock that holds all connections up. */
async function whileProductsAreLocked(
  work: (waiting: () => Promise<number>) => Promise<void>,
): Promise<void> {
  await app.dataSource.transaction(async (manager) => {
    await manager.query('LOCK TABLE product IN ACCESS EXCLUSIVE MODE');
    await work(async () => {
      const [{ n }] = await manager.query(
        `SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted AND relation = 'product'::regclass`,
      );
      return n as number;
    });
  });
}

test('what finds no place is refused within a second, health and webhooks are served, and nothing was done', async () => {
  const payment = await STRIPE.open(app);
  const body = STRIPE.paid(payment);
  await whileProductsAreLocked(async (waiting) => {
    const flood = Array.from({ length: 12 }, () => post(PRODUCTS, FLOODER));
    await eventually(waiting, (n) => n === PLACES - 1);
    expect((await fetch(`${app.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${app.url}/readyz`)).status).toBe(200);
    // Stock is a row of product: it is stored, and applied once the lock is gone.
    const notified = notify(app, STRIPE, body, STRIPE.sign(body));
    const refused = await Promise.race(flood);
    expect(refused.status).toBe(503);
    expect(refused.headers['retry-after']).toBe('1');
    expect(refused.answer.errors).toMatchObject([
      { extensions: { code: 'SERVICE_UNAVAILABLE', retryable: true, retryAfterSeconds: 1 } },
    ]);
    void notified.catch(() => undefined);
  });
});

test('one client never has all places: another is served while it floods', async () => {
  await whileProductsAreLocked(async (waiting) => {
    const flood = Array.from({ length: 20 }, () => post(PRODUCTS, FLOODER));
    await eventually(waiting, (n) => n === PLACES - 1);
    expect((await post('{ providerHealth { provider } }', BUYER)).status).toBe(200);
    void Promise.all(flood);
  });
});

test('clients take turns: who asks once is not behind a hundred of another', async () => {
  const turnstile = new Turnstile(16);
  const order: string[] = [];
  const enter = async (client: string) => {
    const place = await turnstile.enter(client);
    order.push(client);
    await nextTurn();
    place.leave();
  };
  const flood = Array.from({ length: 100 }, () => enter(FLOODER));
  await Promise.all([...flood, enter(BUYER)]);
  expect(order.indexOf(BUYER)).toBeLessThan(2);
});

test('a client for whom too much waits already is refused at once, and not the others', async () => {
  const turnstile = new Turnstile(PLACES);
  const inside = await Promise.all(Array.from({ length: PLACES - 1 }, () => turnstile.enter(FLOODER)));
  const flood = Array.from({ length: 100 }, () => turnstile.enter(FLOODER));
  const refused = await Promise.race(flood.map((entered) => entered.catch((error: unknown) => error)));
  expect(refused).toMatchObject({ kind: 'RATE_LIMITED', retryAfterSeconds: 1 });
  const buyer = await turnstile.enter(BUYER);
  for (const place of [...inside, buyer]) place.leave();
  const entered = await Promise.allSettled(flood.map(async (waiting) => (await waiting).leave()));
  // Three quarters of what may wait: sixteen for each place.
  expect(entered.filter(({ status }) => status === 'fulfilled')).toHaveLength(48);
});

test('where the queue is full, who has asked for most gives way, and not who comes last', async () => {
  const turnstile = new Turnstile(2);
  const inside = await Promise.all([turnstile.enter('first'), turnstile.enter('second')]);
  const enter = async (client: string) => (await turnstile.enter(client)).leave();
  const crowd = Array.from({ length: 32 }, (_, n) => enter(`crowd ${n % 4}`));
  const buyer = enter(BUYER);
  const refused = await Promise.race(crowd.map((entered) => entered.catch((error: unknown) => error)));
  expect(refused).toMatchObject({ kind: 'OVERLOADED' });
  for (const place of inside) place.leave();
  await buyer;
  const entered = await Promise.allSettled(crowd);
  expect(entered.filter(({ status }) => status === 'rejected')).toHaveLength(1);
});

test('operations of WebSockets take the same places, and are refused one by one', async () => {
  await whileProductsAreLocked(async (waiting) => {
    const sockets = Array.from({ length: 6 }, () => subscribe(app.webSocketUrl, PRODUCTS));
    await eventually(waiting, (n) => n === PLACES - 1);
    const refused = await eventually(
      () => sockets.flatMap(({ errors }) => errors.flat()),
      (errors) => errors.length > 0,
    );
    expect(refused[0]).toMatchObject({ extensions: { code: 'SERVICE_UNAVAILABLE', retryAfterSeconds: 1 } });
    await Promise.all(sockets.map((socket) => socket.close()));
  });
});
