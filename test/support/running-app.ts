import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { v7 as uuidv7 } from 'uuid';
import type { DataSource } from 'typeorm';
import { createApiKey } from '../../src/access/api-keys.js';
import { ALL_SCOPES } from '../../src/access/scopes.js';
import { signOperatorToken } from '../../src/access/operator-token.js';
import { startApp, type App, type AppSettings } from '../../src/app.js';
import { createDataSource } from '../../src/database/data-source.js';
import { NO_LIMITS } from '../../src/limits/limits.js';
import type { Currency } from '../../src/money.js';
import { Product } from '../../src/orders/product.js';
import type { Provider } from '../../src/providers/provider.js';
import { createBankProvider } from '../../src/providers/bank/bank-provider.js';
import { createPawaPayProvider } from '../../src/providers/pawapay/pawapay-provider.js';
import { createPayDunyaProvider } from '../../src/providers/paydunya/paydunya-provider.js';
import { createStripeProvider } from '../../src/providers/stripe/stripe-provider.js';
import { startBankDouble, type BankDouble } from '../../src/sandbox/bank/bank-double.js';
import { startPawaPayDouble, type PawaPayDouble } from '../../src/sandbox/pawapay/pawapay-double.js';
import { startPayDunyaDouble, type PayDunyaDouble } from '../../src/sandbox/paydunya/paydunya-double.js';
import { startStripeDouble, type StripeDouble } from '../../src/sandbox/stripe/stripe-double.js';
import { createTestDatabase } from './postgres.js';
import { failingLog } from './unexpected-errors.js';

export const STRIPE_WEBHOOK_SECRET = 'whsec_test_0123456789abcdef0123456789abcdef';
// Random, for production refuses what is a sequence.
export const BANK_WEBHOOK_SECRET = 'bank_test_secret_Zk3vQ9wLr7TxPn2sYb8JdMh5GcUa1EoV';
export const PAWAPAY_TOKEN = 'pawapay_test_token_0123456789abcdef0123456789';
export const PAYDUNYA_KEYS = {
  masterKey: 'paydunya-master-key-of-tests',
  privateKey: 'test_private_of_tests',
  token: 'paydunya-token-of-tests',
};
export const SECRET = 'a secret for tests, long enough to be one';
export const OPERATOR_JWT_SECRET = 'another secret for tests, long enough too';
export const SHOP_ORIGIN = 'https://shop.example';
export const RETURN_URL = `${SHOP_ORIGIN}/return`;

const HOUR = 60 * 60 * 1_000;

export interface GraphQLAnswer<Data = Record<string, any>> {
  readonly data: Data;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions: {
      readonly code: string;
      readonly retryable?: boolean;
      readonly fields?: readonly { readonly path: string; readonly message: string }[];
      readonly reference?: string;
    };
  }[];
}

/** The product as tests use it: the real server on a database of its own, with real doubles of all providers. */
export interface RunningApp {
  readonly url: string;
  readonly webSocketUrl: string;
  /** To look into the tables, and to put the catalogue there. */
  readonly dataSource: DataSource;
  readonly databaseUrl: string;
  readonly stripe: StripeDouble;
  /** With which the double of Stripe lets anybody in. */
  readonly stripeSecretKey: string;
  readonly bank: BankDouble;
  readonly pawapay: PawaPayDouble;
  readonly paydunya: PayDunyaDouble;
  readonly apiKey: string;
  readonly operatorToken: string;
  /** Over real HTTP; the answer whole, with its errors. */
  graphql(query: string, variables?: object, token?: string): Promise<GraphQLAnswer>;
  addProduct(product?: Partial<Product>): Promise<Product>;
  /** An order of a payer's: its id, and the token that opens it. */
  order(sku: string, quantity?: number): Promise<{ orderId: string; token: string }>;
  /** Opens a payment; throws when the answer has errors. */
  pay(
    orderId: string,
    token: string,
    input?: object,
  ): Promise<{ id: string; status: string; version: number; nextAction: any }>;
  /**
   * Stops the server alone (gently), and starts one again on the same database and port.
   * @param meanwhile what happens while it is down.
   */
  restart(meanwhile?: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

export interface TestSettings extends Partial<AppSettings> {
  /** What the app is given in place of each provider. */
  readonly decorate?: (provider: Provider) => Provider;
  /** Names of providers that are left out of the configuration from the next start on. */
  readonly missing?: ReadonlySet<string>;
  /** How many objects of each kind the double of Stripe remembers. */
  readonly maxStripeObjects?: number;
  /** Whether the double of PawaPay signs its callbacks, as accounts can be set to. Default: it does. */
  readonly signPawaPayCallbacks?: boolean;
  /** Who bears PayDunya's fees. Default: the merchant. */
  readonly payDunyaFees?: 'merchant' | 'payer';
}

export async function startTestApp({
  decorate = (provider) => provider,
  maxStripeObjects,
  missing = new Set(),
  signPawaPayCallbacks = true,
  payDunyaFees,
  ...overrides
}: TestSettings = {}): Promise<RunningApp> {
  const database = await createTestDatabase();
  const dataSource = await createDataSource({
    url: database.url,
    poolSize: 12,
    applicationName: 'test app',
  }).initialize();
  let port = 0;
  const secretKey = `sk_test_${randomUUID()}`;
  const stripe = await startStripeDouble({
    secretKey,
    publishableKey: 'pk_test_of_tests',
    webhookSecret: STRIPE_WEBHOOK_SECRET,
    webhookUrl: () => `http://127.0.0.1:${port}/webhooks/stripe`,
    webhookRetryMilliseconds: 50,
    ...(maxStripeObjects !== undefined && { maxObjects: maxStripeObjects }),
  });
  const bank = await startBankDouble({
    name: 'bank-x',
    displayName: 'Bank X',
    apiKey: 'bank-api-key',
    webhookSecret: BANK_WEBHOOK_SECRET,
    webhookUrl: () => `http://127.0.0.1:${port}/webhooks/bank-x`,
    firstRetryMilliseconds: 50,
  });
  const pawapay = await startPawaPayDouble({
    token: PAWAPAY_TOKEN,
    webhookUrl: () => `http://127.0.0.1:${port}/webhooks/pawapay`,
    signCallbacks: signPawaPayCallbacks ? undefined : false,
    decisionMilliseconds: 5,
    firstRetryMilliseconds: 50,
  });
  const paydunya = await startPayDunyaDouble({
    ...PAYDUNYA_KEYS,
    webhookUrl: () => `http://127.0.0.1:${port}/webhooks/paydunya`,
    firstRetryMilliseconds: 50,
  });
  const settings: AppSettings = {
    dataSource,
    providers: [
      createStripeProvider({
        secretKey,
        publishableKey: 'pk_test_of_tests',
        webhookSecrets: [STRIPE_WEBHOOK_SECRET],
        apiBase: stripe.url,
        timeoutMilliseconds: 1_000,
      }),
      createBankProvider({
        name: 'bank-x',
        displayName: 'Bank X',
        baseUrl: bank.url,
        apiKey: 'bank-api-key',
        webhookSecrets: [BANK_WEBHOOK_SECRET],
        timeoutMilliseconds: 1_000,
      }),
      createPawaPayProvider({
        token: PAWAPAY_TOKEN,
        baseUrl: pawapay.url,
        notificationUrl: () => new URL(`http://127.0.0.1:${port}/webhooks/pawapay`),
        timeoutMilliseconds: 1_000,
      }),
      createPayDunyaProvider({
        ...PAYDUNYA_KEYS,
        mode: 'test',
        baseUrl: paydunya.url,
        storeName: 'Shop of tests',
        softPayInTest: true,
        fees: payDunyaFees,
        fallbackEmail: 'payers@shop.example',
        timeoutMilliseconds: 1_000,
      }),
    ].map(decorate),
    secret: SECRET,
    operators: { secret: OPERATOR_JWT_SECRET },
    allowedOrigins: [SHOP_ORIGIN],
    introspection: true,
    limits: NO_LIMITS,
    phonePromptsPerHour: 0,
    reservationMilliseconds: HOUR / 2,
    orderTokenMilliseconds: HOUR,
    jobPauseMilliseconds: 50,
    // Tests make a provider fail more often in a row than it would be left in peace for.
    resilience: { failuresToOpen: 100 },
    host: '127.0.0.1',
    port: 0,
    log: failingLog(),
    ...overrides,
  };
  let app: App = await startApp(settings);
  port = app.port;
  return {
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    get webSocketUrl() {
      return `ws://127.0.0.1:${port}/graphql`;
    },
    dataSource,
    databaseUrl: database.url,
    stripe,
    stripeSecretKey: secretKey,
    bank,
    pawapay,
    paydunya,
    apiKey: await createApiKey(dataSource.manager, { name: 'tests', scopes: ALL_SCOPES }),
    operatorToken: await signOperatorToken(OPERATOR_JWT_SECRET, 'olga', HOUR),
    graphql: (query, variables, token) => askGraphQL(port, query, variables, token),
    addProduct: (product) => addProduct(dataSource, product),
    order: (sku, quantity) => createOrder(port, sku, quantity),
    pay: (orderId, token, input) => createPayment(port, orderId, token, input),
    async restart(meanwhile) {
      await app.close();
      await meanwhile?.();
      const providers = settings.providers.filter(({ name }) => !missing.has(name));
      app = await startApp({ ...settings, providers, port });
    },
    async stop() {
      await app.close();
      await Promise.all([stripe.stop(), bank.stop(), pawapay.stop(), paydunya.stop()]);
      await dataSource.destroy();
      await database.drop();
    },
  };
}

async function askGraphQL(
  port: number,
  query: string,
  variables: object = {},
  token?: string,
): Promise<GraphQLAnswer> {
  const body = JSON.stringify({ query, variables });
  // A connection of its own: a kept one may be closed by a server that stops, just as it is used again.
  const outgoing = request({
    agent: false,
    host: '127.0.0.1',
    port,
    path: '/graphql',
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      ...(token && { authorization: `Bearer ${token}` }),
    },
  });
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return (await json(response)) as GraphQLAnswer;
}

async function addProduct(dataSource: DataSource, product: Partial<Product> = {}): Promise<Product> {
  const id = uuidv7();
  const row = {
    id,
    sku: `SKU-${id.slice(-12)}`,
    name: 'Something',
    unitAmount: 1_500,
    currency: 'EUR' as Currency,
    stock: 1_000,
    ...product,
  };
  await dataSource.manager.insert(Product, row);
  return dataSource.manager.findOneByOrFail(Product, { id });
}

async function createOrder(
  port: number,
  sku: string,
  quantity = 1,
): Promise<{ orderId: string; token: string }> {
  const answer = await askGraphQL(
    port,
    'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } orderToken } }',
    { input: { lines: [{ sku, quantity }] } },
  );
  const { order, orderToken } = dataOf(answer).createOrder;
  return { orderId: order.id, token: orderToken };
}

export const CREATE_PAYMENT = `
  mutation ($input: CreatePaymentIntentInput!) {
    createPaymentIntent(input: $input) {
      paymentIntent { id status version amount currency failureCode }
      nextAction {
        __typename
        ... on ConfirmWithStripe { clientSecret publishableKey }
        ... on RedirectToUrl { url }
        ... on ApproveOnPhone { phoneNumber operator instructions expiresAt }
      }
    }
  }`;

async function createPayment(port: number, orderId: string, token: string, input: object = {}) {
  const answer = await askGraphQL(port, CREATE_PAYMENT, { input: { orderId, ...input } }, token);
  const { paymentIntent, nextAction } = dataOf(answer).createPaymentIntent;
  return { ...paymentIntent, nextAction };
}

/** The data of an answer that must have no errors. */
export function dataOf(answer: GraphQLAnswer): Record<string, any> {
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data;
}

/** The code of an answer's first error; undefined when it has none. */
export function codeOf(answer: GraphQLAnswer): string | undefined {
  return answer.errors?.[0]?.extensions.code;
}
