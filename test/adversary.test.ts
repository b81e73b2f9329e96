import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { createDataSource } from '../src/database/data-source.js';
import { LIMIT_VARIABLES } from '../src/limits-config.js';
import { Product } from '../src/orders/product.js';
import { Client, CREATE_ORDER, CREATE_PAYMENT, type Answer, type Prey } from './support/adversary.js';
import { startAdversary } from './support/adversary-starter.js';
import { startKillableServer, type KillableServer } from './support/killable-server.js';
import { createTestDatabase, type TestDatabase } from './support/postgres.js';

/** `ADVERSARY_SEED=7` runs another fight. */
const SEED = Number(process.env.ADVERSARY_SEED ?? 12);
const ATTACKERS = 100;
const CREATES = 1_000;

/**
 * What is promised on a machine of its own. Here the adversary, the doubles and other tests share it, so a payment may also
 * take so many times what the same payment took in quiet.
 */
const SECOND = 1_000;
const TIMES_QUIET = 60;

let database: TestDatabase;
let server: KillableServer;
let prey: Prey;

beforeAll(async () => {
  database = await createTestDatabase();
  const dataSource = await createDataSource({ url: database.url, poolSize: 1 }).initialize();
  const product = { name: 'Wanted', unitAmount: 1_500, currency: 'EUR' as const, stock: 100_000_000 };
  await dataSource.manager.insert(Product, { ...product, id: uuidv7(), sku: 'WANTED' });
  await dataSource.manager.insert(Product, { ...product, id: uuidv7(), sku: 'DAYS', dailyCapacity: 10 });
  await dataSource.destroy();
  server = await startKillableServer({
    databaseUrl: database.url,
    environment: {
      // As they are when nobody sets them.
      ...Object.fromEntries(Object.keys(LIMIT_VARIABLES).map((name) => [name, ''])),
      TRUSTED_PROXIES: 'loopback',
    },
  });
  prey = { url: server.url, sku: 'WANTED', skuOfDays: 'DAYS' };
});
afterAll(async () => {
  await server.stop();
  await database.drop();
});

/** An honest buyer's whole payment, at an address of their own: until they see that it is PAID. @returns milliseconds. */
async function pay(address: string): Promise<number> {
  const buyer = new Client(server.url, address);
  const start = performance.now();
  const ordered = await asked(() =>
    buyer.graphql(CREATE_ORDER, { input: { lines: [{ sku: prey.sku, quantity: 1 }] } }),
  );
  const { order, orderToken } = ordered.createOrder;
  const input = { orderId: order.id, method: 'CARD' };
  const { paymentIntent, nextAction } = (
    await asked(() => buyer.graphql(CREATE_PAYMENT, { input }, orderToken))
  ).createPaymentIntent;
  server.stripe.pay(nextAction.clientSecret, '4242424242424242');
  const look = 'query ($id: ID!) { paymentIntent(id: $id) { status } }';
  const deadline = start + 15 * SECOND;
  for (;;) {
    const seen = (await asked(() => buyer.graphql(look, { id: paymentIntent.id }, orderToken))).paymentIntent;
    if (seen.status === 'PAID') break;
    if (performance.now() > deadline)
      throw new Error(`after 15 s the payment is ${seen.status}: ${server.program.output}`);
    await sleep(20);
  }
  buyer.close();
  return performance.now() - start;
}

/** A client that is told to come again does: nothing was done. The time that it takes counts. */
async function asked(ask: () => Promise<Answer>): Promise<Record<string, any>> {
  for (let tries = 1; ; tries += 1) {
    const answer = await ask();
    if (answer.status !== 503 || tries === 5) return good(answer);
    await sleep(SECOND);
  }
}

function good({ status, body }: Answer): Record<string, any> {
  if (status === 200 && !body.errors) return body.data as Record<string, any>;
  throw new Error(`an honest buyer was answered ${status} ${JSON.stringify(body)}`);
}

const seconds = (milliseconds: number) => `${(milliseconds / SECOND).toFixed(2)} s`;

async function payments(network: number, count: number): Promise<number[]> {
  const taken: number[] = [];
  for (let buyer = 0; buyer < count; buyer += 1) taken.push(await pay(`203.0.${network}.${buyer}`));
  return taken;
}

const middle = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function health(): Promise<void> {
  for (const path of ['/healthz', '/readyz']) {
    const { status } = await fetch(server.url + path);
    if (status !== 200) throw new Error(`${path} answered ${status}`);
  }
}

test(`while ${ATTACKERS} clients do all that anybody can do, an honest buyer pays as if they were not there`, async () => {
  const quiet = middle(await payments(1, 5));
  const adversary = await startAdversary(prey, ATTACKERS, SEED);
  const checks: number[] = [];
  let paid: number[];
  let answers: object;
  try {
    await sleep(500);
    paid = await payments(2, 6);
    for (let count = 0; count < 10; count += 1) checks.push(await timed(health));
  } finally {
    answers = await adversary.stop();
  }
  console.log(
    `seed ${SEED}: quiet ${seconds(quiet)}; under ${JSON.stringify(answers)} ${paid.map(seconds).join(', ')}; ` +
      `health ${checks.map(seconds).join(', ')}`,
  );
  expect(middle(paid)).toBeLessThan(Math.max(SECOND, TIMES_QUIET * quiet));
}, 120_000);

test(`${CREATES} creates at once are answered or refused in time, while health and a payment's notification are served`, async () => {
  const quiet = middle(await payments(3, 5));
  const clients = Array.from(
    { length: CREATES },
    (_, index) => new Client(server.url, `10.1.${index >> 8}.${index & 255}`),
  );
  let answered = 0;
  const input = { lines: [{ sku: prey.sku, quantity: 1 }] };
  const creating = clients.map(async (client) => {
    const answer = await client.graphql(CREATE_ORDER, { input });
    answered += 1;
    return answer;
  });
  const checked = await timed(health);
  const answeredBefore = answered;
  const forged = await timed(() => new Client(server.url, '10.2.0.1').post('/webhooks/stripe', '{}'));
  const answers = await Promise.all(creating);
  clients.forEach((client) => client.close());
  const refused = answers.filter(({ status }) => status !== 200);
  const slowest = Math.max(0, ...refused.map(({ milliseconds }) => milliseconds));
  console.log(
    `of ${CREATES} creates at once ${answers.length - refused.length} were made (slowest ` +
      `${seconds(Math.max(...answers.map(({ milliseconds }) => milliseconds)))}), ${refused.length} refused (slowest ` +
      `${seconds(slowest)}); health ${seconds(checked)} (after ${answeredBefore} answers), a webhook ${seconds(forged)}`,
  );
  expect(new Set(refused.map(({ body }) => body.errors[0].extensions.code))).toEqual(
    new Set(refused.length > 0 ? ['SERVICE_UNAVAILABLE'] : []),
  );
  for (const { body } of refused) expect(body.errors[0].extensions.retryAfterSeconds).toBe(1);
  // Health was not behind the crowd.
  expect(answeredBefore).toBeLessThan(CREATES);
  expect(slowest).toBeLessThan(Math.max(2 * SECOND, 2 * TIMES_QUIET * quiet));
  await pay('203.0.113.1');
}, 120_000);
