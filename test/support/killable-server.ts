import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { startBankDouble, type BankDouble } from '../../src/sandbox/bank/bank-double.js';
import { startPawaPayDouble, type PawaPayDouble } from '../../src/sandbox/pawapay/pawapay-double.js';
import { WITHOUT_LIMITS } from '../../src/limits-config.js';
import { startPayDunyaDouble, type PayDunyaDouble } from '../../src/sandbox/paydunya/paydunya-double.js';
import { startStripeDouble, type StripeDouble } from '../../src/sandbox/stripe/stripe-double.js';
import { eventually } from './eventually.js';
import { createTestDatabase } from './postgres.js';
import { buildProduct, type Program } from './program.js';
import {
  BANK_WEBHOOK_SECRET,
  OPERATOR_JWT_SECRET,
  PAWAPAY_TOKEN,
  RETURN_URL,
  SECRET,
  STRIPE_WEBHOOK_SECRET,
} from './running-app.js';

export const SECRET_KEY = 'sk_killable';
const PUBLISHABLE_KEY = 'pk_killable';
const BANK_API_KEY = 'bank-api-key-killable';
/** Live, for there alone operators ask payers on their phones. */
const PAYDUNYA_KEYS = {
  masterKey: 'paydunya-master-key-killable',
  privateKey: 'live_private_killable',
  token: 'paydunya-token-killable',
};

/** A server that is started again meanwhile is reached by one of the five next tries, the last of which comes after 3 s. */
const FIRST_RETRY_MILLISECONDS = 100;

export interface KillableServerOptions {
  /** URLs of modules that the server's process loads first. */
  readonly preload?: readonly string[];
  /** Beside what production needs. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Migrated, and the caller's to remove. Without it, the server has a database of its own. */
  readonly databaseUrl?: string;
}

/** Every provider there is. */
export interface Doubles {
  readonly stripe: StripeDouble;
  readonly bank: BankDouble;
  readonly pawapay: PawaPayDouble;
  readonly paydunya: PayDunyaDouble;
}

/** The product as it is built, in a process of its own, with production's settings, that can be killed at any moment. */
export interface KillableServer extends Doubles {
  readonly url: string;
  readonly webSocketUrl: string;
  readonly databaseUrl: string;
  /** The process as it was last started. */
  readonly program: Program;
  /** Starts it (again, on the same database and port), and returns when it is ready. */
  start(): Promise<void>;
  /** When no provider has anything more to tell. */
  settled(): Promise<void>;
  /** As a power cut does: nothing is finished. */
  kill(): Promise<void>;
  /** Everything, the database too. */
  stop(): Promise<void>;
}

export async function startKillableServer(options: KillableServerOptions = {}): Promise<KillableServer> {
  const { databaseUrl, drop } = await databaseFor(options);
  const product = await buildProduct();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const doubles = await startDoubles(url);
  const environment = {
    ...production(doubles),
    DATABASE_URL: databaseUrl,
    PORT: String(port),
    PUBLIC_URL: url,
    ...options.environment,
  };
  const start = async (): Promise<Program> => {
    const program = product.start('main.js', { environment, preload: options.preload });
    await program.until(/is ready/);
    return program;
  };
  let program = await start();
  return {
    url,
    webSocketUrl: `${url.replace('http', 'ws')}/graphql`,
    databaseUrl,
    ...doubles,
    get program() {
      return program;
    },
    start: async () => {
      program = await start();
    },
    settled: async () => {
      await Promise.all(Object.values(doubles).map((double) => double.settled()));
    },
    kill: async () => {
      await program.kill('SIGKILL');
    },
    stop: async () => {
      await program.kill('SIGTERM');
      await Promise.all([...Object.values(doubles).map((double) => double.stop()), product.remove()]);
      await drop();
    },
  };
}

async function databaseFor({ databaseUrl }: KillableServerOptions) {
  if (databaseUrl !== undefined) return { databaseUrl, drop: () => Promise.resolve() };
  const { url, drop } = await createTestDatabase();
  return { databaseUrl: url, drop };
}

async function startDoubles(url: string): Promise<Doubles> {
  const stripe = await startStripeDouble({
    secretKey: SECRET_KEY,
    publishableKey: PUBLISHABLE_KEY,
    webhookSecret: STRIPE_WEBHOOK_SECRET,
    webhookUrl: () => `${url}/webhooks/stripe`,
    webhookRetryMilliseconds: FIRST_RETRY_MILLISECONDS,
  });
  const bank = await startBankDouble({
    name: 'bank-x',
    displayName: 'Bank X',
    apiKey: BANK_API_KEY,
    webhookSecret: BANK_WEBHOOK_SECRET,
    webhookUrl: () => `${url}/webhooks/bank-x`,
    firstRetryMilliseconds: FIRST_RETRY_MILLISECONDS,
  });
  const pawapay = await startPawaPayDouble({
    token: PAWAPAY_TOKEN,
    webhookUrl: () => `${url}/webhooks/pawapay`,
    decisionMilliseconds: 5,
    firstRetryMilliseconds: FIRST_RETRY_MILLISECONDS,
  });
  const paydunya = await startPayDunyaDouble({
    ...PAYDUNYA_KEYS,
    mode: 'live',
    webhookUrl: () => `${url}/webhooks/paydunya`,
    firstRetryMilliseconds: FIRST_RETRY_MILLISECONDS,
  });
  return { stripe, bank, pawapay, paydunya };
}

function production({ stripe, bank, pawapay, paydunya }: Doubles): Record<string, string> {
  return {
    ...WITHOUT_LIMITS,
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    QUITTANCE_SECRET: SECRET,
    OPERATOR_JWT_SECRET,
    ALLOWED_ORIGINS: new URL(RETURN_URL).origin,
    STRIPE_API_URL: stripe.url.href,
    STRIPE_SECRET_KEY: SECRET_KEY,
    STRIPE_PUBLISHABLE_KEY: PUBLISHABLE_KEY,
    STRIPE_WEBHOOK_SECRETS: STRIPE_WEBHOOK_SECRET,
    BANKS: 'x',
    BANK_X_URL: bank.url.href,
    BANK_X_API_KEY: BANK_API_KEY,
    BANK_X_WEBHOOK_SECRETS: BANK_WEBHOOK_SECRET,
    PAWAPAY_TOKEN,
    PAWAPAY_ENVIRONMENT: 'production',
    PAWAPAY_API_URL: pawapay.url.href,
    PAYDUNYA_MASTER_KEY: PAYDUNYA_KEYS.masterKey,
    PAYDUNYA_PRIVATE_KEY: PAYDUNYA_KEYS.privateKey,
    PAYDUNYA_TOKEN: PAYDUNYA_KEYS.token,
    PAYDUNYA_STORE_NAME: 'A shop that is killed',
    PAYDUNYA_API_URL: paydunya.url.href,
  };
}

/**
 * Below the ports that systems give to outgoing connections: while the server is dead, nobody may get its port by chance,
 * and a client that keeps trying must not connect to itself.
 */
function freePort(): Promise<number> {
  return eventually(async () => {
    const port = randomInt(20_000, 32_000);
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return port;
  });
}
