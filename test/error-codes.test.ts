import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createApiKey } from '../src/access/api-keys.js';
import { signOperatorToken } from '../src/access/operator-token.js';
import { ALL_SCOPES } from '../src/access/scopes.js';
import type { ErrorCode } from '../src/graphql/error-codes.js';
import type { PaymentErrorKind } from '../src/payments/payment-error.js';
import { startCuttableProxy, type CuttableProxy } from './support/cuttable-proxy.js';
import { eventually } from './support/eventually.js';
import { STRIPE } from './support/notifying-provider.js';
import { underpaidPayment } from './support/payments-with-money.js';
import { buildProduct, type BuiltProduct } from './support/program.js';
import {
  CREATE_PAYMENT,
  dataOf,
  OPERATOR_JWT_SECRET,
  RETURN_URL,
  SECRET,
  startTestApp,
  type GraphQLAnswer,
  type RunningApp,
} from './support/running-app.js';
import { subscribe, WATCH_PAYMENT } from './support/subscriber.js';
import { expectErrors } from './support/unexpected-errors.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

type Fault = NonNullable<GraphQLAnswer['errors']>[number];
type Ask = (query: string, variables?: object, token?: string) => Promise<readonly Fault[]>;

const overHttp: Ask = async (query, variables, token) =>
  (await app.graphql(query, variables, token)).errors ?? [];

const overWebSocket: Ask = async (query, variables, token) => {
  const subscriber = subscribe(app.webSocketUrl, query, { ...variables }, token);
  await subscriber.untilEnded();
  await subscriber.close();
  return subscriber.errors.flat();
};

const CREATE_ORDER =
  'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } orderToken } }';
const CANCEL_PAYMENT = 'mutation ($id: ID!) { cancelPaymentIntent(id: $id) { id status } }';
const UPDATE_PAYMENT = 'mutation ($id: ID!) { updatePaymentIntent(input: { paymentIntentId: $id }) { id } }';
const UPDATE_ORDER = 'mutation ($input: UpdateOrderInput!) { updateOrder(input: $input) { id } }';
/** A payment as nobody has seen it. */
const CLOSE_REVIEW = `mutation ($id: ID!) {
  settlePaymentReview(input: {
    paymentIntentId: $id, decision: CLOSE, reason: "it is odd", idempotencyKey: "${randomUUID()}"
    seen: { version: 77, capturedAmount: 0, refundedAmount: 0, disputedAmount: 0 }
  }) { status }
}`;
const CANCEL_ORDER = 'mutation ($id: ID!) { cancelOrder(id: $id) { id } }';

/** What must never reach a caller: SQL, stacks, addresses, files, keys and the provider's own words. */
const INTERNAL =
  /\b(select|insert|update .* set|from \w+ where|relation|constraint|pg_|postgres|typeorm|ECONN\w*|127\.0\.0\.1|localhost|node_modules|sk_test|bank-api-key|whsec)\b|\n\s+at |\/src\/|\.ts\b|\.js\b/i;

async function order(product: Parameters<RunningApp['addProduct']>[0] = {}, quantity = 1) {
  const { sku } = await app.addProduct(product);
  return { sku, ...(await app.order(sku, quantity)) };
}

async function cardPayment(product?: Parameters<RunningApp['addProduct']>[0]) {
  const made = await order(product);
  return { ...made, payment: await app.pay(made.orderId, made.token, { method: 'CARD' }) };
}

async function bankPayment() {
  const made = await order();
  const payment = await app.pay(made.orderId, made.token, { method: 'BANK', returnUrl: RETURN_URL });
  return { ...made, payment };
}

async function disabledEndpoint(): Promise<string> {
  const url = 'https://backend.example/webhooks';
  const create =
    'mutation ($url: String!) { createWebhookEndpoint(input: { url: $url }) { webhookEndpoint { id } } }';
  const answer = await app.graphql(create, { url }, app.apiKey);
  const { id } = answer.data.createWebhookEndpoint.webhookEndpoint;
  const disable =
    'mutation ($id: ID!) { updateWebhookEndpoint(input: { id: $id, enabled: false }) { status } }';
  await app.graphql(disable, { id }, app.apiKey);
  return id;
}

async function untilStatus(id: string, status: string): Promise<void> {
  await eventually(
    async () =>
      (await app.graphql(`{ paymentIntent(id: "${id}") { status } }`, {}, app.apiKey)).data.paymentIntent
        .status,
    (seen) => seen === status,
  );
}

async function paidOrder() {
  const made = await cardPayment();
  app.stripe.pay(made.payment.nextAction.clientSecret, '4242424242424242');
  await untilStatus(made.payment.id, 'PAID');
  return made;
}

async function beingDecided() {
  const made = await bankPayment();
  app.bank.authorise(`${made.payment.id}-1`);
  await untilStatus(made.payment.id, 'PROCESSING');
  return made;
}

interface Example {
  readonly retryable: boolean;
  readonly fields?: readonly string[];
  /** Brings the error about, by asking in the given way. */
  provoke(ask: Ask): Promise<readonly Fault[]>;
}

/** Those are provoked elsewhere: by `order-limits.test.ts`, and by the tests of rate limits. */
type Elsewhere = 'AMOUNT_OUTSIDE_LIMITS' | 'SERVICE_UNAVAILABLE' | 'RATE_LIMITED';

/** Total: a code without an example does not compile. */
const EXAMPLES: Readonly<Record<Exclude<ErrorCode, Elsewhere>, Example>> = {
  BAD_USER_INPUT: {
    retryable: false,
    fields: ['lines.0.sku'],
    provoke: (ask) => ask(CREATE_ORDER, { input: { lines: [{ sku: 'NO-SUCH', quantity: 1 }] } }),
  },
  CHANGED_MEANWHILE: {
    retryable: true,
    async provoke(ask) {
      const { orderId, token } = await order();
      const table = 'CREATE TABLE order_that_always_changes AS SELECT id FROM orders WHERE reference = $1';
      await app.dataSource.query(table.replace('$1', `'${orderId}'`));
      // Every write on this order finds that somebody else was faster.
      await app.dataSource.query(`
        CREATE FUNCTION somebody_was_faster() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF OLD.id IN (SELECT id FROM order_that_always_changes) THEN RETURN NULL; END IF;
          RETURN NEW;
        END $$`);
      await app.dataSource.query(
        'CREATE TRIGGER faster BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION somebody_was_faster()',
      );
      try {
        return await ask(CANCEL_ORDER, { id: orderId }, token);
      } finally {
        await app.dataSource.query('DROP FUNCTION somebody_was_faster CASCADE');
        await app.dataSource.query('DROP TABLE order_that_always_changes');
      }
    },
  },
  FORBIDDEN: {
    retryable: false,
    async provoke(ask) {
      const { orderId, token } = await order();
      return ask(`mutation { createOrderToken(orderId: "${orderId}") }`, {}, token);
    },
  },
  FULLY_BOOKED: {
    retryable: false,
    async provoke(ask) {
      const { sku } = await app.addProduct({ dailyCapacity: 1 });
      const day = Date.now() + 86_400_000;
      const booking = { startsAt: new Date(day).toISOString(), endsAt: new Date(day + 1).toISOString() };
      const input = { lines: [{ sku, quantity: 2 }], booking };
      const { data } = await app.graphql(CREATE_ORDER, { input });
      const { order: booked, orderToken } = data.createOrder;
      return ask(CREATE_PAYMENT, { input: { orderId: booked.id } }, orderToken);
    },
  },
  IDEMPOTENCY_KEY_REUSED: {
    retryable: false,
    fields: ['idempotencyKey'],
    async provoke(ask) {
      const { orderId, token } = await order();
      const idempotencyKey = randomUUID();
      await app.pay(orderId, token, { method: 'CARD', idempotencyKey });
      const other = { orderId, method: 'BANK', returnUrl: RETURN_URL, idempotencyKey };
      return ask(CREATE_PAYMENT, { input: other }, token);
    },
  },
  INTERNAL_SERVER_ERROR: {
    retryable: true,
    async provoke(ask) {
      expectErrors(/column Product\.sku does not exist/);
      await app.dataSource.query('ALTER TABLE product RENAME COLUMN sku TO renamed');
      try {
        return await ask('{ products { sku } }');
      } finally {
        await app.dataSource.query('ALTER TABLE product RENAME COLUMN renamed TO sku');
      }
    },
  },
  NOT_FOUND: {
    retryable: false,
    fields: ['id'],
    provoke: (ask) => ask('{ order(id: "ORD-nowhere") { id } }', {}, app.apiKey),
  },
  NO_WAY_TO_PAY: {
    retryable: false,
    async provoke(ask) {
      const { orderId, token } = await order();
      return ask(CREATE_PAYMENT, { input: { orderId, provider: 'bank-y' } }, token);
    },
  },
  ORDER_ALREADY_PAID: {
    retryable: false,
    async provoke(ask) {
      const { orderId, token } = await paidOrder();
      return ask(CREATE_PAYMENT, { input: { orderId } }, token);
    },
  },
  ORDER_CANCELLED: {
    retryable: false,
    async provoke(ask) {
      const { orderId, token } = await order();
      await app.graphql(CANCEL_ORDER, { id: orderId }, token);
      return ask(CREATE_PAYMENT, { input: { orderId } }, token);
    },
  },
  ORDER_NOT_CHANGEABLE: {
    retryable: false,
    async provoke(ask) {
      const { orderId, token } = await beingDecided();
      return ask(UPDATE_ORDER, { input: { orderId, booking: null } }, token);
    },
  },
  ORDER_NUMBER_TAKEN: {
    retryable: false,
    fields: ['number'],
    async provoke(ask) {
      const { sku } = await app.addProduct();
      const input = { lines: [{ sku, quantity: 1 }], number: randomUUID() };
      await app.graphql(CREATE_ORDER, { input }, app.apiKey);
      return ask(CREATE_ORDER, { input }, app.apiKey);
    },
  },
  OUT_OF_STOCK: {
    retryable: false,
    async provoke(ask) {
      const { orderId, token } = await order({ stock: 1 }, 2);
      return ask(CREATE_PAYMENT, { input: { orderId } }, token);
    },
  },
  PAYMENT_DECLINED: {
    retryable: false,
    async provoke(ask) {
      const { orderId, token } = await order();
      app.bank.answerNext('createPayment', { kind: 'status', status: 402, body: '{"error":"no_account"}' });
      return ask(CREATE_PAYMENT, { input: { orderId, method: 'BANK', returnUrl: RETURN_URL } }, token);
    },
  },
  PAYMENT_CHANGED: {
    retryable: false,
    fields: ['seen'],
    async provoke(ask) {
      const { id } = await underpaidPayment(app, STRIPE);
      return ask(CLOSE_REVIEW, { id }, app.operatorToken);
    },
  },
  PAYMENT_NOT_CANCELLABLE: {
    retryable: false,
    async provoke(ask) {
      const { payment, token } = await paidOrder();
      return ask(CANCEL_PAYMENT, { id: payment.id }, token);
    },
  },
  PAYMENT_NOT_CAPTURABLE: {
    retryable: false,
    async provoke(ask) {
      const { payment } = await cardPayment();
      const mutation =
        'mutation ($input: CapturePaymentIntentInput!) { capturePaymentIntent(input: $input) { status } }';
      const input = { paymentIntentId: payment.id, idempotencyKey: randomUUID() };
      return ask(mutation, { input }, app.apiKey);
    },
  },
  PAYMENT_NOT_IN_REVIEW: {
    retryable: false,
    async provoke(ask) {
      const { payment } = await cardPayment();
      return ask(CLOSE_REVIEW, { id: payment.id }, app.operatorToken);
    },
  },
  PAYMENT_NOT_REFUNDABLE: {
    retryable: false,
    async provoke(ask) {
      const { payment } = await cardPayment();
      const mutation = 'mutation ($input: RefundPaymentInput!) { refundPayment(input: $input) { status } }';
      const input = { paymentIntentId: payment.id, idempotencyKey: randomUUID() };
      return ask(mutation, { input }, app.apiKey);
    },
  },
  PAYMENT_NOT_UPDATABLE: {
    retryable: false,
    async provoke(ask) {
      const { sku, orderId, payment, token } = await bankPayment();
      const lines = [{ sku, quantity: 2 }];
      await app.graphql(UPDATE_ORDER, { input: { orderId, lines } }, token);
      app.bank.authorise(`${payment.id}-1`);
      await untilStatus(payment.id, 'PROCESSING');
      return ask(UPDATE_PAYMENT, { id: payment.id }, token);
    },
  },
  PROVIDER_REJECTED: {
    retryable: false,
    async provoke(ask) {
      const { orderId, token } = await order();
      const answer = { kind: 'status', status: 400, code: 'account_of_olga_is_restricted' } as const;
      app.stripe.answerNext('payment_intents.create', { answer });
      return ask(CREATE_PAYMENT, { input: { orderId, method: 'CARD' } }, token);
    },
  },
  PROVIDER_UNAVAILABLE: {
    retryable: true,
    async provoke(ask) {
      const { orderId, token } = await order();
      app.bank.answerNext('createPayment', { kind: 'status', status: 429 });
      return ask(CREATE_PAYMENT, { input: { orderId, method: 'BANK', returnUrl: RETURN_URL } }, token);
    },
  },
  REFUND_REQUEST_CLOSED: {
    retryable: false,
    fields: ['id'],
    async provoke(ask) {
      const { payment } = await paidOrder();
      const request = 'mutation ($input: RefundPaymentInput!) { requestRefund(input: $input) { id } }';
      const input = { paymentIntentId: payment.id, amount: 1, idempotencyKey: randomUUID() };
      const { id } = dataOf(await app.graphql(request, { input }, app.operatorToken)).requestRefund;
      const decline = 'mutation ($id: ID!) { declineRefund(id: $id) { id } }';
      const otto = await signOperatorToken(OPERATOR_JWT_SECRET, 'otto', 60_000);
      dataOf(await app.graphql(decline, { id }, otto));
      return ask(decline, { id }, app.operatorToken);
    },
  },
  UNAUTHENTICATED: {
    retryable: false,
    async provoke(ask) {
      const { orderId } = await order();
      return ask(CREATE_PAYMENT, { input: { orderId } }, undefined);
    },
  },
  WEBHOOK_ENDPOINT_DISABLED: {
    retryable: false,
    async provoke(ask) {
      const send = 'mutation ($id: ID!) { sendTestWebhook(endpointId: $id) { id } }';
      return ask(send, { id: await disabledEndpoint() }, app.apiKey);
    },
  },
};

describe.each([
  ['HTTP', overHttp],
  ['WebSocket', overWebSocket],
])('over %s', (_transport, ask) => {
  test.each(Object.entries(EXAMPLES))('%s is what it says it is', async (code, example) => {
    const faults = await example.provoke(ask);
    expect(faults).toHaveLength(1);
    const { message, extensions } = faults[0]!;
    expect({ message, ...extensions }).toMatchObject({ code, retryable: example.retryable });
    expect(extensions.fields?.map(({ path }) => path)).toEqual(example.fields);
    expect(message).toMatch(/[.!?)]$|reference: \S+$|;/);
    expect(JSON.stringify(faults)).not.toMatch(INTERNAL);
    expect(JSON.stringify(faults)).not.toContain('olga');
  });

  test('a fault of ours has a reference, and its message repeats it', async () => {
    const [fault] = await EXAMPLES.INTERNAL_SERVER_ERROR.provoke(ask);
    expect(fault!.extensions.reference).toMatch(/^[0-9a-f-]{36}$/);
    expect(fault!.message).toContain(fault!.extensions.reference);
  });

  test.each([
    ['returnUrl', { method: 'BANK' }],
    ['returnUrl', { method: 'BANK', returnUrl: 'https://evil.example/return' }],
    ['returnUrl', { method: 'BANK', returnUrl: 'javascript:alert(1)' }],
    ['idempotencyKey', { idempotencyKey: 'short' }],
    ['orderId', {}],
  ])('bad input names its field, %s', async (field, input) => {
    const { orderId, token } = await order();
    const of = field === 'orderId' ? 'ORD-nowhere' : orderId;
    const [fault] = await ask(CREATE_PAYMENT, { input: { orderId: of, ...input } }, token);
    expect(fault!.extensions.fields?.map(({ path }) => path)).toEqual([field]);
  });

  const BY_PHONE = { method: 'MOBILE_MONEY', presentation: 'PHONE' };
  const NUMBER = '+2290151345755';

  test.each<[PaymentErrorKind, string, object]>([
    ['PHONE_NUMBER_MISSING', 'phoneNumber', BY_PHONE],
    ['PHONE_NUMBER_INVALID', 'phoneNumber', { ...BY_PHONE, phoneNumber: '01 51 34 57 55' }],
    ['OPERATOR_MISSING', 'operator', { ...BY_PHONE, provider: 'paydunya', phoneNumber: NUMBER }],
    ['COUNTRY_MISSING', 'country', { provider: 'pawapay', presentation: 'REDIRECT', returnUrl: RETURN_URL }],
    ['COUNTRY_INVALID', 'country', { ...BY_PHONE, phoneNumber: NUMBER, country: 'XX' }],
    ['RETURN_URL_MISSING', 'returnUrl', { provider: 'pawapay', presentation: 'REDIRECT', country: 'BJ' }],
  ])('%s is bad input, and names its field, %s', async (_kind, field, input) => {
    const { orderId, token } = await order({ currency: 'XOF', unitAmount: 15_000 });
    const faults = await ask(CREATE_PAYMENT, { input: { orderId, ...input } }, token);
    expect(faults).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', retryable: false, fields: [{ path: field }] } },
    ]);
    expect(faults[0]!.message).toMatch(/\.$/);
    expect(JSON.stringify(faults)).not.toMatch(INTERNAL);
  });

  test('a document of several operations needs the name of one', async () => {
    const faults = await ask('query a { products { sku } } query b { products { sku } }');
    expect(faults).toMatchObject([
      { extensions: { code: 'OPERATION_RESOLUTION_FAILURE', retryable: false } },
    ]);
  });
});

test('a subscription that begins before the first version is bad input', async () => {
  const { payment, token } = await cardPayment();
  const faults = await overWebSocket(WATCH_PAYMENT, { id: payment.id, sinceVersion: -1 }, token);
  expect(faults).toMatchObject([
    { extensions: { code: 'BAD_USER_INPUT', fields: [{ path: 'sinceVersion' }] } },
  ]);
});

test('only the hash of a query that the server has not seen is answered in the way that Apollo Client knows', async () => {
  const extensions = { persistedQuery: { version: 1, sha256Hash: 'a'.repeat(64) } };
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ extensions }),
  });
  expect(await response.json()).toMatchObject({
    errors: [{ message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }],
  });
});

/** In a process of its own, as people run it: in Jest's realm, errors of Node's own sockets are no `Error`s. */
describe('while the database is down', () => {
  let cable: CuttableProxy;
  let product: BuiltProduct;
  let url: string;
  let freshKey: string;

  beforeAll(async () => {
    const database = new URL(app.databaseUrl);
    cable = await startCuttableProxy({ host: database.hostname, port: Number(database.port) });
    database.port = String(cable.port);
    product = await buildProduct();
    const environment = { DATABASE_URL: database.href, QUITTANCE_SECRET: SECRET, PORT: '0' };
    const [, port] = await product
      .start('main.js', { environment })
      .until(/http:\/\/localhost:(\d+)\/graphql/);
    url = `127.0.0.1:${port}/graphql`;
    freshKey = await createApiKey(app.dataSource.manager, { name: 'not looked up yet', scopes: ALL_SCOPES });
    await cable.cut();
  });
  afterAll(async () => {
    await product.remove();
    await cable.cut();
  });

  async function ask(query: string, variables: object, token?: string): Promise<GraphQLAnswer> {
    const response = await fetch(`http://${url}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as GraphQLAnswer;
  }

  const requests: readonly [string, object][] = [
    ['{ products { sku } }', {}],
    [CREATE_ORDER, { input: { lines: [{ sku: 'ANY', quantity: 1 }] } }],
  ];
  const UNAVAILABLE = { code: 'SERVICE_UNAVAILABLE', retryable: true, reference: expect.any(String) };

  test('every request is answered with SERVICE_UNAVAILABLE, and nothing internal', async () => {
    for (const [query, variables] of requests) {
      const { errors } = await ask(query, variables);
      expect(errors).toMatchObject([{ extensions: UNAVAILABLE }]);
      expect(JSON.stringify(errors)).not.toMatch(INTERNAL);
    }
  });

  test('so is one whose API key can’t be looked up, which is not refused for that', async () => {
    const { errors } = await ask('{ products { sku } }', {}, freshKey);
    expect(errors).toMatchObject([{ extensions: UNAVAILABLE }]);
    expect(JSON.stringify(errors)).not.toMatch(INTERNAL);
  });

  test('operations over WebSocket are answered in the same way', async () => {
    const { token } = await order();
    for (const [query, variables] of [...requests, [WATCH_PAYMENT, { id: 'TXN-any' }] as const]) {
      const subscriber = subscribe(`ws://${url}`, query, { ...variables }, token);
      await subscriber.untilEnded();
      expect(subscriber.errors.flat()).toMatchObject([{ extensions: UNAVAILABLE }]);
      expect(JSON.stringify(subscriber.errors)).not.toMatch(INTERNAL);
      await subscriber.close();
    }
  });

  test('a WebSocket whose API key can’t be looked up is told to come back later', async () => {
    const subscriber = subscribe(`ws://${url}`, '{ products { sku } }', {}, freshKey);
    await subscriber.untilEnded();
    expect(subscriber.errors).toMatchObject([{ code: 1013, reason: 'Try again later' }]);
    await subscriber.close();
  });

  test('and afterwards everything is answered again', async () => {
    await cable.restore();
    const { errors } = await ask('{ products { sku } }', {}, freshKey);
    expect(errors).toBeUndefined();
    await cable.cut();
  });
});

describe('docs/errors.md', () => {
  const text = readFile(resolve(import.meta.dirname, '../docs/errors.md'), 'utf8');

  test('has a row for each code, with whether it is retryable', async () => {
    const codes: readonly (readonly [string, boolean])[] = [
      ...Object.entries(EXAMPLES).map(([code, { retryable }]) => [code, retryable] as const),
      ['SERVICE_UNAVAILABLE', true],
    ];
    const rows = (await text).split('\n');
    for (const [code, retryable] of codes) {
      const row = rows.find((line) => line.startsWith(`| \`${code}\` `));
      expect([code, row?.split('|')[3]?.trim()]).toEqual([code, retryable ? 'yes' : 'no']);
    }
  });

  test.each([
    'GRAPHQL_PARSE_FAILED',
    'GRAPHQL_VALIDATION_FAILED',
    'QUERY_TOO_COMPLEX',
    'OPERATION_RESOLUTION_FAILURE',
    'BAD_REQUEST',
    'PERSISTED_QUERY_NOT_FOUND',
  ])('has a row for %s, a code of the query itself', async (code) => {
    expect(await text).toContain(`| \`${code}\` `);
  });
});
