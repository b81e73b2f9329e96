import { randomUUID } from 'node:crypto';
import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import { ApiKeys, createApiKey } from '../src/access/api-keys.js';
import { signOperatorToken } from '../src/access/operator-token.js';
import { ALL_SCOPES, type Scope } from '../src/access/scopes.js';
import { eventually } from './support/eventually.js';
import { STRIPE } from './support/notifying-provider.js';
import { paidPayment } from './support/payments-with-money.js';
import {
  codeOf,
  dataOf,
  OPERATOR_JWT_SECRET,
  startTestApp,
  type GraphQLAnswer,
  type RunningApp,
} from './support/running-app.js';
import { readAsStaff, refundPayment } from './support/staff-calls.js';
import { subscribe, watch } from './support/subscriber.js';

let app: RunningApp;
const sockets: Client[] = [];
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(async () => {
  for (const socket of sockets) await socket.dispose();
  await app.stop();
});

const newKey = (scopes: readonly Scope[] = ALL_SCOPES, lifetimeSeconds: number | null = null) =>
  createApiKey(app.dataSource.manager, { name: 'a shop', scopes, lifetimeSeconds });

/** Behind the server's back, as the command does it in another process. */
const revoke = (key: string) => change(key, 'revoked_at = now()');

async function change(key: string, values: string): Promise<void> {
  const [{ hash }] = await app.dataSource.query(
    `SELECT rtrim(translate(encode(sha256($1::bytea), 'base64'), '+/', '-_'), '=') AS hash`,
    [key],
  );
  const [, changed] = await app.dataSource.query(`UPDATE api_key SET ${values} WHERE hash = $1`, [hash]);
  expect(changed).toBe(1);
}

/** One socket that stays open, and asks over it. */
function openSocket(token: string) {
  let closed: { readonly code: number; readonly reason: string } | undefined;
  const socket = createClient({
    url: app.webSocketUrl,
    webSocketImpl: WebSocket,
    lazy: false,
    retryAttempts: 0,
    onNonLazyError: () => undefined,
    connectionParams: { authorization: `Bearer ${token}` },
    on: { closed: (event) => void (closed = event as typeof closed) },
  });
  sockets.push(socket);
  return {
    closed: () => closed,
    async ask(query: string, variables: Record<string, unknown> = {}): Promise<GraphQLAnswer> {
      try {
        for await (const answer of socket.iterate({ query, variables })) return answer as GraphQLAnswer;
      } catch (errors) {
        if (Array.isArray(errors)) return { data: null, errors } as unknown as GraphQLAnswer;
        throw errors;
      }
      throw new Error('nothing was answered');
    },
  };
}

const REFUND = 'mutation ($input: RefundPaymentInput!) { refundPayment(input: $input) { amount } }';

describe('an API key that was revoked', () => {
  test('refunds nothing more, over HTTP and over a socket that was opened before', async () => {
    const payment = await paidPayment(app, STRIPE);
    const key = await newKey();
    const socket = openSocket(key);
    const part = () => ({ amount: 100, idempotencyKey: randomUUID() });
    const ask = () => socket.ask(REFUND, { input: { paymentIntentId: payment.id, ...part() } });
    dataOf(await ask());
    dataOf(await refundPayment(app, payment, part(), key));

    await revoke(key);

    expect(codeOf(await ask())).toBe('UNAUTHENTICATED');
    expect(codeOf(await refundPayment(app, payment, part(), key))).toBe('UNAUTHENTICATED');
    await eventually(async () => {
      expect(await readAsStaff(app, payment)).toMatchObject({ refundedAmount: 200 });
    });
  });

  test('ends what is watched with it, whether or not anything happens', async () => {
    const key = await newKey(['read']);
    const { sku } = await app.addProduct();
    const { orderId, token } = await app.order(sku);
    const { id } = await app.pay(orderId, token, { method: 'CARD' });
    const one = watch(app, id, key);
    const all = subscribe(app.webSocketUrl, 'subscription { paymentIntentsChanged { status } }', {}, key);
    const theirs = watch(app, id, token);
    await one.until((heard) => heard.length === 1);
    await theirs.until((heard) => heard.length === 1);

    await revoke(key);

    await Promise.all([one.untilEnded(), all.untilEnded()]);
    for (const { errors } of [one, all]) expect(errors).toMatchObject([{ code: 4403 }]);
    expect(theirs.ended).toBe(false);
    for (const watcher of [one, all, theirs]) await watcher.close();
  });

  test('is refused with the answer to a question that was asked after it, and not one from before', async () => {
    const key = await newKey();
    const keys = new ApiKeys(app.dataSource.manager);
    const before = Array.from({ length: 20 }, () => keys.find(key));
    await revoke(key);
    expect(await keys.find(key)).toBeNull();
    await Promise.all(before);
    expect(await keys.find(key)).toBeNull();
  });
});

describe('an API key that expires', () => {
  test('is good until then by the database’s clock, and then no more, also where it is connected', async () => {
    const key = await newKey(['read'], 3_600);
    const socket = openSocket(key);
    const query = '{ webhookEndpoints { id } }';
    dataOf(await socket.ask(query));
    dataOf(await app.graphql(query, {}, key));

    await change(key, 'expires_at = now()');

    expect(codeOf(await app.graphql(query, {}, key))).toBe('UNAUTHENTICATED');
    await eventually(() => {
      expect(socket.closed()).toMatchObject({ code: 4403, reason: 'The API key has expired or was revoked' });
    });
  });
});

describe('an API key with other scopes than before', () => {
  test('may what it has now, over a socket that was opened before', async () => {
    const key = await newKey(['read', 'refunds']);
    const socket = openSocket(key);
    const input = { paymentIntentId: 'TXN-nowhere', amount: 1, idempotencyKey: randomUUID() };
    expect(codeOf(await socket.ask(REFUND, { input }))).toBe('NOT_FOUND');
    await change(key, `scopes = '{read}'`);
    const { errors } = await socket.ask(REFUND, { input });
    expect(errors).toMatchObject([
      { message: expect.stringContaining('the scope "refunds"'), extensions: { code: 'FORBIDDEN' } },
    ]);
  });
});

describe('an operator’s token that runs out', () => {
  test('is disconnected', async () => {
    const socket = openSocket(await signOperatorToken(OPERATOR_JWT_SECRET, 'olga', 1_500));
    dataOf(await socket.ask('{ providerHealth { provider } }'));
    await eventually(() => {
      expect(socket.closed()).toMatchObject({ code: 4403, reason: 'The token has expired' });
    });
  });
});
