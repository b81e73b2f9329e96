import { hkdfSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey, type JWTPayload } from 'jose';
import { createApiKey } from '../src/access/api-keys.js';
import { ALL_SCOPES } from '../src/access/scopes.js';
import { signOperatorToken } from '../src/access/operator-token.js';
import { ORDER_TOKEN_ISSUER, OrderTokens } from '../src/access/order-token.js';
import { startApp, type App, type AppSettings } from '../src/app.js';
import { eventually } from './support/eventually.js';
import { buildProduct, type BuiltProduct } from './support/program.js';
import {
  codeOf,
  dataOf,
  OPERATOR_JWT_SECRET,
  RETURN_URL,
  SECRET,
  startTestApp,
  type RunningApp,
} from './support/running-app.js';
import { subscribe, watch, WATCH_PAYMENT } from './support/subscriber.js';

const HOUR = 60 * 60 * 1_000;

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const key = (secret: string) => new TextEncoder().encode(secret);
const inAnHour = () => Math.floor((Date.now() + HOUR) / 1_000);

/** Everything that is done with an order and its payment, by whoever holds a token. */
const DEEDS: Readonly<Record<string, (orderId: string, paymentId: string) => [string, object]>> = {
  order: (id) => ['query ($id: ID!) { order(id: $id) { id } }', { id }],
  paymentOptions: (id) => ['query ($id: ID!) { paymentOptions(orderId: $id) { provider } }', { id }],
  updateOrder: (orderId) => [
    'mutation ($input: UpdateOrderInput!) { updateOrder(input: $input) { id } }',
    { input: { orderId, lines: [{ sku: 'ANY', quantity: 1 }] } },
  ],
  cancelOrder: (id) => ['mutation ($id: ID!) { cancelOrder(id: $id) { id } }', { id }],
  createPaymentIntent: (orderId) => [
    'mutation ($input: CreatePaymentIntentInput!) { createPaymentIntent(input: $input) { paymentIntent { id } } }',
    { input: { orderId } },
  ],
  paymentIntent: (_, id) => ['query ($id: ID!) { paymentIntent(id: $id) { id } }', { id }],
  updatePaymentIntent: (_, id) => [
    'mutation ($id: ID!) { updatePaymentIntent(input: { paymentIntentId: $id }) { id } }',
    { id },
  ],
  cancelPaymentIntent: (_, id) => ['mutation ($id: ID!) { cancelPaymentIntent(id: $id) { id } }', { id }],
};

async function orderInPayment() {
  const { sku } = await app.addProduct();
  const order = await app.order(sku);
  const payment = await app.pay(order.orderId, order.token, { method: 'CARD' });
  return { ...order, paymentId: payment.id };
}

/** Errors without what differs from one request to the next. */
const comparable = (answer: Awaited<ReturnType<RunningApp['graphql']>>) =>
  answer.errors?.map(({ message, extensions }) => ({ message, extensions }));

async function statusAndCode(url: string, token: string): Promise<[number, string | undefined]> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: '{ products { sku } }' }),
  });
  return [response.status, codeOf((await response.json()) as never)];
}

async function expectRefusedEverywhere(token: string): Promise<void> {
  expect(await statusAndCode(app.url, token)).toEqual([401, 'UNAUTHENTICATED']);
  const watcher = watch(app, 'TXN-any', token);
  await watcher.untilEnded();
  expect(watcher.errors).toMatchObject([{ code: 4403 }]);
  expect(watcher.heard).toEqual([]);
  await watcher.close();
}

describe('an order token', () => {
  test('opens its own order and payment', async () => {
    const { orderId, paymentId, token } = await orderInPayment();
    for (const deed of ['order', 'paymentOptions', 'createPaymentIntent', 'paymentIntent']) {
      const [query, variables] = DEEDS[deed]!(orderId, paymentId);
      expect(await app.graphql(query, variables, token)).not.toHaveProperty('errors');
    }
    const watcher = watch(app, paymentId, token);
    await watcher.until((heard) => heard.length === 1);
    await watcher.close();
  });

  test.each(Object.keys(DEEDS))('of another order finds nothing: %s', async (deed) => {
    const { orderId, paymentId } = await orderInPayment();
    const stranger = await orderInPayment();
    const answer = await app.graphql(...DEEDS[deed]!(orderId, paymentId), stranger.token);
    expect(codeOf(answer)).toBe('NOT_FOUND');
    const nowhere = await app.graphql(...DEEDS[deed]!('ORD-nowhere', 'TXN-nowhere'), stranger.token);
    expect(comparable(answer)).toEqual(comparable(nowhere));
  });

  test.each(Object.keys(DEEDS))('is needed: without any, nothing is there either: %s', async (deed) => {
    const { orderId, paymentId } = await orderInPayment();
    const answer = await app.graphql(...DEEDS[deed]!(orderId, paymentId));
    expect(['UNAUTHENTICATED', 'NOT_FOUND']).toContain(codeOf(answer));
    const nowhere = await app.graphql(...DEEDS[deed]!('ORD-nowhere', 'TXN-nowhere'));
    expect(comparable(answer)).toEqual(comparable(nowhere));
  });

  test('of another order hears nothing of a payment, and can’t tell whether it is there', async () => {
    const { paymentId } = await orderInPayment();
    const stranger = await orderInPayment();
    const refusals = [];
    for (const id of [paymentId, 'TXN-nowhere']) {
      const watcher = watch(app, id, stranger.token);
      await watcher.untilEnded();
      refusals.push(watcher.errors.map(({ message, extensions }) => ({ message, extensions })));
      expect(watcher.heard).toEqual([]);
      await watcher.close();
    }
    expect(refusals[0]).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
    expect(refusals[0]).toEqual(refusals[1]);
  });

  test('changes nothing of the other order it is tried on', async () => {
    const { orderId, paymentId, token } = await orderInPayment();
    const stranger = await orderInPayment();
    for (const deed of Object.values(DEEDS)) await app.graphql(...deed(orderId, paymentId), stranger.token);
    const query = '{ order(id: "' + orderId + '") { status paymentIntents { id status version } } }';
    expect(dataOf(await app.graphql(query, {}, token)).order).toEqual({
      status: 'OPEN',
      paymentIntents: [{ id: paymentId, status: 'PENDING', version: 1 }],
    });
  });

  test('does not watch every payment, and makes no new tokens', async () => {
    const { orderId, token } = await orderInPayment();
    const all = subscribe(app.webSocketUrl, 'subscription { paymentIntentsChanged { status } }', {}, token);
    await all.untilEnded();
    expect(all.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    await all.close();
    const answer = await app.graphql(`mutation { createOrderToken(orderId: "${orderId}") }`, {}, token);
    expect(codeOf(answer)).toBe('FORBIDDEN');
  });

  test('is made anew by a backend, for a payer whose own has expired', async () => {
    const { orderId } = await orderInPayment();
    const answer = await app.graphql(`mutation { createOrderToken(orderId: "${orderId}") }`, {}, app.apiKey);
    const token = dataOf(answer).createOrderToken;
    expect(codeOf(await app.graphql(...DEEDS.order!(orderId, ''), token))).toBeUndefined();
  });

  const orderKeyOf = (secret: string) => new OrderTokens(secret, HOUR);
  const claims = (more: JWTPayload = {}): JWTPayload => ({
    iss: ORDER_TOKEN_ISSUER,
    aud: 'quittance:order',
    sub: 'ORD-any',
    exp: inAnHour(),
    ...more,
  });
  /** With the very key of order tokens, so that only the claims can be what is wrong. */
  const signedByUs = (payload: JWTPayload) =>
    new SignJWT(payload)
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new Uint8Array(hkdfSync('sha256', SECRET, 'quittance', 'order token', 32)));

  test('needs nothing but its claims and the right key', async () => {
    expect(await statusAndCode(app.url, await signedByUs(claims()))).toEqual([200, undefined]);
  });

  const bad: Readonly<Record<string, () => Promise<string> | string>> = {
    'has expired': () => new OrderTokens(SECRET, HOUR).sign('ORD-any', new Date(Date.now() - 2 * HOUR)),
    'is signed with another secret': () => orderKeyOf('another secret, and long enough too').sign('ORD-any'),
    'is not signed at all': () => new UnsecuredJWT(claims()).encode(),
    'is signed by the operators’ key': () =>
      new SignJWT(claims({ role: 'operator' }))
        .setProtectedHeader({ alg: 'HS256' })
        .sign(key(OPERATOR_JWT_SECRET)),
    'is signed with the installation’s secret itself': () =>
      new SignJWT(claims()).setProtectedHeader({ alg: 'HS256' }).sign(key(SECRET)),
    'was changed after it was signed': async () => {
      const [header, , signature] = (await orderKeyOf(SECRET).sign('ORD-any')).split('.');
      const other = Buffer.from(JSON.stringify(claims({ sub: 'ORD-other' }))).toString('base64url');
      return `${header}.${other}.${signature}`;
    },
    'is no token': () => 'ORD-any',
    'never expires': () => signedByUs(claims({ exp: undefined })),
    'is of no order': () => signedByUs(claims({ sub: undefined })),
    'is meant for something else': () => signedByUs(claims({ aud: 'quittance:receipt' })),
  };

  test.each(Object.keys(bad))('that %s is refused, over HTTP and WebSocket', async (what) => {
    await expectRefusedEverywhere(await bad[what]!());
  });

  test('sent in another manner than "Bearer" is refused, and never taken for none', async () => {
    const { token } = await orderInPayment();
    for (const authorization of [token, `Basic ${token}`, 'Bearer', '', `Bearer ${token} ${token}`]) {
      const response = await fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization },
        body: JSON.stringify({ query: '{ products { sku } }' }),
      });
      expect([authorization, response.status]).toEqual([authorization, 401]);
    }
  });

  test('that runs out while its payment is watched ends the watching', async () => {
    const { orderId, paymentId } = await orderInPayment();
    const token = await new OrderTokens(SECRET, 1_500).sign(orderId);
    const watcher = watch(app, paymentId, token);
    await watcher.until((heard) => heard.length === 1);
    await watcher.untilEnded();
    expect(watcher.errors).toMatchObject([{ code: 4403, reason: 'The token has expired' }]);
    await watcher.close();
  });
});

describe('an API key', () => {
  test('is stored as a hash alone', async () => {
    const made = await createApiKey(app.dataSource.manager, { name: 'a shop', scopes: ALL_SCOPES });
    const rows = await app.dataSource.query('SELECT * FROM api_key WHERE name = $1', ['a shop']);
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(made);
    expect(JSON.stringify(rows)).not.toContain(made.slice('qk_'.length));
    expect(await statusAndCode(app.url, made)).toEqual([200, undefined]);
  });

  test('that only reads is shown nothing with which it could act as the payer', async () => {
    const { orderId } = await orderInPayment();
    const reader = await createApiKey(app.dataSource.manager, { name: 'reader', scopes: ['read'] });
    const query = '{ order(id: "' + orderId + '") { paymentIntents { nextAction { __typename } } } }';
    const seenBy = async (key: string) => dataOf(await app.graphql(query, {}, key)).order.paymentIntents;
    expect(await seenBy(reader)).toEqual([{ nextAction: null }]);
    expect(await seenBy(app.apiKey)).toEqual([{ nextAction: { __typename: 'ConfirmWithStripe' } }]);
  });

  test('without the scope for customers makes no token that charges what a customer saved', async () => {
    const customer = 'mutation { createCustomer(input: { externalId: "saver" }) { id } }';
    const { id: customerId } = dataOf(await app.graphql(customer, {}, app.apiKey)).createCustomer;
    const { sku } = await app.addProduct();
    const create = 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } } }';
    const input = { lines: [{ sku, quantity: 1 }], customerId };
    const { order } = dataOf(await app.graphql(create, { input }, app.apiKey)).createOrder;
    const scopes = ['read', 'orders', 'payments', 'refunds', 'webhooks'] as const;
    const key = await createApiKey(app.dataSource.manager, { name: 'no customers', scopes });
    const answers = [
      await app.graphql(create, { input }, key),
      await app.graphql(`mutation { createOrderToken(orderId: "${order.id}") }`, {}, key),
    ];
    for (const { errors } of answers) {
      expect(errors).toMatchObject([{ message: expect.stringContaining('the scope "customers"') }]);
    }
    dataOf(await app.graphql(`mutation { createOrderToken(orderId: "${order.id}") }`, {}, app.apiKey));
  });

  test('sees every order and payment', async () => {
    const { orderId, paymentId } = await orderInPayment();
    expect(codeOf(await app.graphql(...DEEDS.order!(orderId, ''), app.apiKey))).toBeUndefined();
    expect(codeOf(await app.graphql(...DEEDS.paymentIntent!('', paymentId), app.apiKey))).toBeUndefined();
  });

  test('that nobody made is refused, over HTTP and WebSocket', async () => {
    await expectRefusedEverywhere(`qk_${'A'.repeat(43)}`);
    await expectRefusedEverywhere('qk_');
  });

  test('that is revoked stops working at once, also for who is watching with it', async () => {
    const made = await createApiKey(app.dataSource.manager, { name: 'soon revoked', scopes: ALL_SCOPES });
    const { orderId, token, paymentId } = await orderInPayment();
    const one = watch(app, paymentId, made);
    const every = subscribe(app.webSocketUrl, 'subscription { paymentIntentsChanged { version } }', {}, made);
    await one.until((heard) => heard.length === 1);
    await app.dataSource.query('UPDATE api_key SET revoked_at = now() WHERE name = $1', ['soon revoked']);
    expect(await statusAndCode(app.url, made)).toEqual([401, 'UNAUTHENTICATED']);
    const heardBefore = every.heard.length;

    await app.graphql(...DEEDS.cancelOrder!(orderId, ''), token);
    await Promise.all([one.untilEnded(), every.untilEnded()]);
    for (const { errors } of [one, every]) {
      // Refused with the next change, or, where none comes within a second, disconnected.
      const [error] = errors.flat();
      expect(error.code ?? error.extensions.code).toEqual(
        error.code === undefined ? 'UNAUTHENTICATED' : 4403,
      );
    }
    expect(one.heard).toHaveLength(1);
    expect(every.heard).toHaveLength(heardBefore);
    await Promise.all([one.close(), every.close()]);
  });
});

describe('the command that makes API keys', () => {
  let product: BuiltProduct;
  beforeAll(async () => {
    product = await buildProduct();
  });
  afterAll(() => product.remove());

  async function command(
    given: string[],
    environment: Record<string, string> = { DATABASE_URL: app.databaseUrl },
  ): Promise<{ readonly code: number | null; readonly output: string }> {
    const program = product.start('access/create-api-key.js', { arguments: given, environment });
    return { code: await program.ended(), output: program.output };
  }

  test('makes a key that works, lists it without the key, and revokes it', async () => {
    const made = await command(['--name', 'my shop', '--scopes', 'read, refunds']);
    expect(made).toMatchObject({ code: 0, output: expect.stringContaining('only its hash is stored') });
    expect(made.output).toContain('Its scopes: read, refunds.\n');
    const [key = ''] = /^qk_[\w-]{43}$/m.exec(made.output) ?? [];
    expect(await statusAndCode(app.url, key)).toEqual([200, undefined]);

    const listed = await command(['--list']);
    const line = listed.output.split('\n').find((each) => each.endsWith('  my shop'))!;
    expect(line).toContain('  valid  read,refunds  ');
    expect(listed.output).not.toContain('qk_');

    const id = line.split('  ')[0]!;
    expect(await command(['--revoke', id])).toMatchObject({
      code: 0,
      output: expect.stringContaining('my shop'),
    });
    const [row] = await app.dataSource.query('SELECT revoked_at FROM api_key WHERE id = $1', [id]);
    expect(row.revoked_at).not.toBeNull();
    expect((await command(['--list'])).output).toMatch(new RegExp(`${id}.*revoked.*my shop`));
  }, 60_000);

  test('makes a key that only reads where nothing else is said, and says how to give it more', async () => {
    const made = await command(['--name', 'a reader']);
    expect(made.output).toContain('Its scopes: read. It can change nothing: for more, give --scopes');
    const [key = ''] = /^qk_[\w-]{43}$/m.exec(made.output) ?? [];
    expect(codeOf(await app.graphql('{ webhookEndpoints { id } }', {}, key))).toBeUndefined();
    const { errors } = await app.graphql('mutation { createOrderToken(orderId: "ORD-any") }', {}, key);
    expect(errors).toMatchObject([
      { message: expect.stringContaining('the scope "orders"'), extensions: { code: 'FORBIDDEN' } },
    ]);
  }, 60_000);

  test('makes a key that expires, by the database’s clock', async () => {
    await command(['--name', 'for a while', '--scopes', 'all', '--expires', '90d']);
    const [row] = await app.dataSource.query(
      `SELECT scopes, expires_at - created_at = interval '90 days' AS "isOf90Days" FROM api_key WHERE name = $1`,
      ['for a while'],
    );
    expect(row).toEqual({ scopes: ALL_SCOPES, isOf90Days: true });
    expect((await command(['--list'])).output).toMatch(/ {2}valid until \S+Z {2}read,\S+ {2}for a while/);
    await app.dataSource.query(`UPDATE api_key SET expires_at = now() WHERE name = 'for a while'`);
    expect((await command(['--list'])).output).toMatch(/ {2}expired \S+Z {2}read,\S+ {2}for a while/);
  }, 60_000);

  test('says what is wrong with what it was given', async () => {
    const complaints: readonly [string[], string][] = [
      [[], 'Give one of --name, --list and --revoke'],
      [['--list', '--name', 'x'], 'Give one of --name, --list and --revoke'],
      [['--name', ' '], '--name must have 1 to 100 characters'],
      [['--nmae', 'x'], '--nmae'],
      [['--name', 'x', '--scopes', 'read,write'], '--scopes has “write”: it can have read, orders'],
      [['--name', 'x', '--scopes', ''], '--scopes has “”'],
      [['--name', 'x', '--expires', '90'], '--expires must be days or hours, such as 90d or 12h'],
      [['--name', 'x', '--expires', '0d'], '--expires must be days or hours'],
      [['--list', '--scopes', 'read'], '--scopes and --expires go with --name'],
      [['--revoke', '00000000-0000-7000-8000-000000000000'], 'There is no API key'],
      [['--revoke', 'my shop'], 'There is no API key with the id my shop'],
    ];
    const ended = await Promise.all(complaints.map(([given]) => command(given)));
    for (const [index, [, complaint]] of complaints.entries()) {
      expect(ended[index]).toMatchObject({ code: 1, output: expect.stringContaining(complaint) });
      expect(ended[index]!.output).not.toMatch(/\n {4}at /);
    }
  }, 60_000);

  test('says which database it can’t open, without the password', async () => {
    const { code, output } = await command(['--list'], {
      DATABASE_URL: 'postgres://shop:hunter2@127.0.0.1:1/quittance',
    });
    expect(code).toBe(1);
    expect(output).toContain('the database quittance on 127.0.0.1:1');
    expect(output).not.toContain('hunter2');
    expect(output).not.toMatch(/\n {4}at /);
  });

  test('says what is wrong with the configuration', async () => {
    const { code, output } = await command(['--list'], { PORT: 'many' });
    expect(code).toBe(1);
    expect(output).toContain('PORT must be a whole number');
  });
});

describe('an operator', () => {
  test('sees every order, but never what only its payer may do next', async () => {
    const { orderId, paymentId, token } = await orderInPayment();
    const query = '{ order(id: "' + orderId + '") { paymentIntents { id nextAction { __typename } } } }';
    const paymentIntents = async (who: string) =>
      dataOf(await app.graphql(query, {}, who)).order.paymentIntents;
    expect(await paymentIntents(app.operatorToken)).toEqual([{ id: paymentId, nextAction: null }]);
    expect(await paymentIntents(token)).toMatchObject([{ nextAction: { __typename: 'ConfirmWithStripe' } }]);

    const everything = JSON.stringify(
      await app.graphql(
        `{ paymentIntent(id: "${paymentId}") { attempts { provider status method } nextAction { __typename } } }`,
        {},
        app.operatorToken,
      ),
    );
    expect(everything).not.toContain('_secret_');
  });

  test('does not get at it by asking for the payment again either', async () => {
    const { orderId } = await orderInPayment();
    const again = await app.graphql(
      `mutation { createPaymentIntent(input: { orderId: "${orderId}" }) { nextAction { __typename } } }`,
      {},
      app.operatorToken,
    );
    expect(dataOf(again).createPaymentIntent.nextAction).toBeNull();
  });

  test('hears of every payment', async () => {
    const all = subscribe(
      app.webSocketUrl,
      'subscription { paymentIntentsChanged { status paymentIntent { id nextAction { __typename } } } }',
      {},
      app.operatorToken,
    );
    const { sku } = await app.addProduct();
    const order = await app.order(sku);
    await eventually(
      async () => {
        const { orderId, token } = await app.order(sku);
        await app.pay(orderId, token, { method: 'CARD' });
        return all.heard.length;
      },
      (count) => count > 0,
    );
    const { id } = await app.pay(order.orderId, order.token, { method: 'BANK', returnUrl: RETURN_URL });
    await all.until((heard) => heard.some(({ paymentIntent }) => paymentIntent.id === id));
    expect(all.heard.every(({ paymentIntent }) => paymentIntent.nextAction === null)).toBe(true);
    await all.close();
  });

  const claims = (more: JWTPayload = {}): JWTPayload => ({
    sub: 'olga',
    role: 'operator',
    exp: inAnHour(),
    ...more,
  });
  const signed = (payload: JWTPayload, secret = OPERATOR_JWT_SECRET, alg = 'HS256') =>
    new SignJWT(payload).setProtectedHeader({ alg }).sign(key(secret));

  test.each([
    [{ role: 'operator' }],
    [{ role: undefined, roles: ['viewer', 'operator'] }],
    [{ role: 'support' }],
    [{ role: undefined, roles: ['something else', 'viewer'] }],
  ])('is who carries the role: %j', async (role) => {
    expect(await statusAndCode(app.url, await signed(claims(role)))).toEqual([200, undefined]);
  });

  const bad: Readonly<Record<string, () => Promise<string> | string>> = {
    'carries no role': () => signed(claims({ role: undefined })),
    'carries a role that nobody knows': () => signed(claims({ role: 'admin' })),
    'carries a role in another spelling': () => signed(claims({ role: 'Operator' })),
    'carries no role in its list': () => signed(claims({ role: 'operator', roles: [] })),
    'carries other roles, and the right one only as their part': () =>
      signed(claims({ role: undefined, roles: ['operators'] })),
    'has expired': () => signed(claims({ exp: inAnHour() - 7_200 })),
    'is not valid yet': () => signed(claims({ nbf: inAnHour() })),
    'never expires': () => signed(claims({ exp: undefined })),
    'names nobody': () => signed(claims({ sub: undefined })),
    'is signed with another secret': () => signed(claims(), 'yet another secret, long enough too'),
    'is signed in another manner': () => signed(claims(), OPERATOR_JWT_SECRET.repeat(2), 'HS512'),
    'is not signed at all': () => new UnsecuredJWT(claims()).encode(),
  };
  test.each(Object.keys(bad))('is nobody whose token %s', async (what) => {
    await expectRefusedEverywhere(await bad[what]!());
  });

  test('is nobody where no operators are configured', async () => {
    const closed = await startSecondApp({ operators: undefined });
    const token = await signOperatorToken(OPERATOR_JWT_SECRET, 'olga', HOUR);
    expect(await statusAndCode(urlOf(closed), token)).toEqual([401, 'UNAUTHENTICATED']);
    await closed.close();
  });

  test('whose token runs out while watching hears no more', async () => {
    const token = await signOperatorToken(OPERATOR_JWT_SECRET, 'olga', 1_500);
    const query = 'subscription { paymentIntentsChanged { status } }';
    const all = subscribe(app.webSocketUrl, query, {}, token);
    await all.untilEnded();
    expect(all.errors).toMatchObject([{ code: 4403 }]);
    await all.close();
  });
});

describe('operators of an identity provider', () => {
  let identityProvider: Server;
  let keys: { readonly publicKey: CryptoKey; readonly privateKey: CryptoKey };
  let theirs: App;

  beforeAll(async () => {
    keys = await generateKeyPair('ES256');
    const published = {
      keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }],
    };
    identityProvider = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(published));
    });
    identityProvider.listen(0, '127.0.0.1');
    await once(identityProvider, 'listening');
    const { port } = identityProvider.address() as AddressInfo;
    theirs = await startSecondApp({
      operators: {
        jwksUrl: new URL(`http://127.0.0.1:${port}/jwks.json`),
        issuer: 'https://identity.example',
        audience: 'quittance',
      },
    });
  });
  afterAll(async () => {
    await theirs.close();
    identityProvider.closeAllConnections();
    identityProvider.close();
    await once(identityProvider, 'close');
  });

  const claims = (more: JWTPayload = {}): JWTPayload => ({
    iss: 'https://identity.example',
    aud: 'quittance',
    sub: 'olga',
    role: 'operator',
    exp: inAnHour(),
    ...more,
  });
  const signed = (payload: JWTPayload, privateKey = keys.privateKey, kid = 'one') =>
    new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey);

  test('are let in by the keys that it publishes, over HTTP and WebSocket', async () => {
    const { orderId, paymentId } = await orderInPayment();
    const token = await signed(claims());
    const response = await fetch(`${urlOf(theirs)}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: `{ order(id: "${orderId}") { id } }` }),
    });
    expect(await response.json()).toEqual({ data: { order: { id: orderId } } });
    const watcher = subscribe(webSocketUrlOf(theirs), WATCH_PAYMENT, { id: paymentId }, token);
    await watcher.until((heard) => heard.length === 1);
    await watcher.close();
  });

  test('are nobody with a token that is not the provider’s, or not for us', async () => {
    const stranger = await generateKeyPair('ES256');
    const publicKeyAsSecret = key(JSON.stringify(await exportJWK(keys.publicKey)));
    const tokens = [
      await signed(claims({ iss: 'https://other.example' })),
      await signed(claims({ aud: 'another-service' })),
      await signed(claims({ role: 'admin' })),
      await signed(claims(), stranger.privateKey),
      await signed(claims(), keys.privateKey, 'two'),
      await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', kid: 'one' }).sign(publicKeyAsSecret),
      await signOperatorToken(OPERATOR_JWT_SECRET, 'olga', HOUR),
    ];
    for (const [index, token] of tokens.entries()) {
      expect([index, ...(await statusAndCode(urlOf(theirs), token))]).toEqual([
        index,
        401,
        'UNAUTHENTICATED',
      ]);
    }
  });
});

const urlOf = ({ port }: App) => `http://127.0.0.1:${port}`;
const webSocketUrlOf = ({ port }: App) => `ws://127.0.0.1:${port}/graphql`;

/** Another server on the same database, for other operators. */
function startSecondApp({ operators }: Pick<AppSettings, 'operators'>): Promise<App> {
  return startApp({
    dataSource: app.dataSource,
    providers: [],
    secret: SECRET,
    operators,
    allowedOrigins: [],
    introspection: false,
    reservationMilliseconds: HOUR,
    orderTokenMilliseconds: HOUR,
    host: '127.0.0.1',
    port: 0,
    log: pino({ level: 'silent' }),
  });
}
