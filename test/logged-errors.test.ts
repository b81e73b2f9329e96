import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import pg from 'pg';
import { CustomerError } from '../src/customers/customer-error.js';
import { loggedError, loggedErrorInOneLine } from '../src/observability/logged-error.js';
import { OrderError } from '../src/orders/order-error.js';
import { PaymentError } from '../src/payments/payment-error.js';
import { ProviderFailure } from '../src/providers/provider.js';
import { SubscriptionError } from '../src/subscriptions/subscription-error.js';
import { eventually } from './support/eventually.js';
import { buildProduct, type BuiltProduct, type Program } from './support/program.js';
import { createTestDatabase, type TestDatabase } from './support/postgres.js';

/** With a bank, at a port where nobody listens. */
const ENVIRONMENT = {
  BANKS: 'x',
  BANK_X_API_KEY: 'bank-api-key',
  BANK_X_WEBHOOK_SECRETS: 'whsec-of-a-bank-that-logs-what-nobody-expected',
};
const PRODUCTION = {
  ...ENVIRONMENT,
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://pay.shop.example',
  ALLOWED_ORIGINS: 'http://localhost:3000',
  QUITTANCE_SECRET: 'nine-grey-geese-cross-the-frozen-river-twice',
  OPERATOR_JWT_SECRET: 'forty-brass-bells-ring-under-a-violet-moon',
};

let product: BuiltProduct;
beforeAll(async () => {
  product = await buildProduct();
});
afterAll(() => product.remove());

async function ask(url: string, query: string, token?: string): Promise<any> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query }),
  });
  return response.json();
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe.each([
  ['a terminal', ENVIRONMENT],
  ['machines', PRODUCTION],
])('the log for %s', (reader, environment) => {
  let database: TestDatabase;
  let admin: pg.Client;
  let program: Program;
  let url: string;
  beforeAll(async () => {
    database = await createTestDatabase();
    admin = new pg.Client({ connectionString: database.url });
    await admin.connect();
    await admin.query(
      `INSERT INTO product (id, sku, name, unit_amount, currency, active)
       VALUES (gen_random_uuid(), 'CUP', 'Cup', 1450, 'EUR', true)`,
    );
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const scheme = reader === 'a terminal' ? 'http' : 'https';
    const BANK_X_URL = `${scheme}://127.0.0.1:${await freePort()}/api`;
    const own = { DATABASE_URL: database.url, PORT: String(port), BANK_X_URL };
    program = product.start('main.js', { environment: { ...environment, ...own } });
    await eventually(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200), undefined, 20_000);
  });
  afterAll(async () => {
    await program.kill('SIGTERM');
    await admin.end();
    await database.drop();
  });

  test('says of a provider that does not answer what happened, in one line without a stack', async () => {
    const lines = 'lines: [{ sku: "CUP", quantity: 1 }]';
    const { data } = await ask(
      url,
      `mutation { createOrder(input: { ${lines} }) { order { id } orderToken } }`,
    );
    const { order, orderToken } = data.createOrder;
    const input = `{ orderId: "${order.id}", method: BANK, provider: "bank-x", returnUrl: "http://localhost:3000/" }`;
    await ask(url, `mutation { createPaymentIntent(input: ${input}) { paymentIntent { id } } }`, orderToken);
    const [told] = await program.until(/[^\n]*ECONNREFUSED[^\n]*\n/);
    expect(program.output).toContain('the provider did not open the payment');
    expect(program.output).not.toMatch(/\n\s+at |\\n\s+at /);
    if (reader === 'a terminal') {
      expect(told).toMatch(/^ +err: "ProviderFailure bank-x unavailable UNREACHABLE: .*ECONNREFUSED/);
      return;
    }
    expect(JSON.parse(told).err).toEqual({
      type: 'ProviderFailure',
      provider: 'bank-x',
      kind: 'unavailable',
      code: expect.any(String),
      message: expect.any(String),
      cause: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('says of what nobody expected where it was thrown', async () => {
    await admin.query('ALTER TABLE product RENAME TO product_that_is_gone');
    await ask(url, '{ products { sku } }');
    await program.until(/relation .*does not exist[^]*(\n|\\n) +at /);
    expect(program.output).toContain('a request failed for a reason of ours');
  });
});

test('each error that speaks for itself is told without its stack, and with why', () => {
  const cause = new Error('fetch failed', { cause: new Error('connect ECONNREFUSED\n  127.0.0.1:1') });
  const errors = [
    new ProviderFailure('pawapay', 'outcomeUnknown', 'TIMEOUT', 'It did not answer.', { cause }),
    new PaymentError('CHANGED_TOO_OFTEN', 'Try again.', { cause }),
    new OrderError('OUT_OF_STOCK', 'Sold.'),
    new CustomerError('CUSTOMER_NOT_FOUND', 'Nobody.'),
    new SubscriptionError('SUBSCRIPTION_NOT_FOUND', 'None.'),
  ];
  expect(errors.map(loggedErrorInOneLine)).toEqual([
    'ProviderFailure pawapay outcomeUnknown TIMEOUT: It did not answer. (fetch failed: connect ECONNREFUSED 127.0.0.1:1)',
    'PaymentError CHANGED_TOO_OFTEN: Try again. (fetch failed: connect ECONNREFUSED 127.0.0.1:1)',
    'OrderError OUT_OF_STOCK: Sold.',
    'CustomerError CUSTOMER_NOT_FOUND: Nobody.',
    'SubscriptionError SUBSCRIPTION_NOT_FOUND: None.',
  ]);
  for (const error of errors) expect(loggedError(error)).not.toHaveProperty('stack');
  expect(loggedError(new TypeError('x is not a function'))).toHaveProperty('stack');
});
