import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type BankConfig, readBanks } from './bank-config.js';
import { amountRanges, amounts } from './bank-values.js';
import { EMAIL_VARIABLES, type EmailConfig, readEmails } from './email-config.js';
import {
  type Environment,
  httpUrl,
  list,
  readAll,
  secret,
  text,
  type ValuesOf,
  whole,
  yesOrNo,
} from './environment.js';
import { LIMIT_VARIABLES, readLimits } from './limits-config.js';
import type { Limits } from './limits/limits.js';
import { isProxyNetwork } from './access/client-address.js';
import { PHONE_PROMPTS_PER_HOUR } from './payments/take-phone-prompt.js';
import type { RefundLimits } from './payments/refund-limits.js';
import { isTimeZone } from './orders/booking-days.js';
import type { OrderLimits } from './orders/order-limits.js';
import { readRoutingRules, type RoutingRule } from './providers/routing-rules.js';
import { faultsInProduction, faultsOutsideProduction, isLocal } from './production-faults.js';
import type { OperatorTokenSettings } from './access/operator-token.js';

export { BANK_VARIABLES, type BankConfig } from './bank-config.js';

/** What this installation is. Read and checked once; nothing else reads the environment. */
export interface Config {
  readonly production: boolean;
  readonly host: string;
  readonly port: number;
  /** Where browsers and providers reach this server, without a slash at the end. */
  readonly publicUrl: string;
  /** Undefined: the embedded PostgreSQL. */
  readonly databaseUrl?: string;
  /** Of the tables' owner, for migrations alone. Undefined: `databaseUrl` is the owner's. */
  readonly migrationDatabaseUrl?: string;
  readonly databasePoolSize: number;
  readonly dataFolder: string;
  /** Undefined: made for this machine, and kept in the data folder. */
  readonly secret?: string;
  /** What it was before: signatures that were made with them can still be checked. */
  readonly formerSecrets: readonly string[];
  readonly operators?: OperatorTokenSettings;
  readonly refundLimits: RefundLimits;
  readonly orderLimits: OrderLimits;
  /** How often payers can make one phone number ring within an hour; 0: no limit. */
  readonly phonePromptsPerHour: number;
  readonly allowedOrigins: readonly string[] | 'LOCALHOST';
  /** Addresses and networks whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  readonly introspection: boolean;
  readonly reservationMilliseconds: number;
  readonly orderTokenMilliseconds: number;
  /** IANA; in which the days of bookings begin. */
  readonly shopTimeZone: string;
  /** Which provider takes which payments. Their names are checked once it is known which providers there are. */
  readonly routingRules: readonly RoutingRule[];
  /** For one request to a provider. */
  readonly providerTimeoutMilliseconds?: number;
  /** How long the log of the providers' calls is kept. */
  readonly providerLogMilliseconds: number;
  /** Whether webhooks to the merchant may go to private addresses, and without TLS. */
  readonly webhooksAllowPrivate: boolean;
  readonly emails: EmailConfig;
  /** How much is served to one client, and to all. */
  readonly limits: Limits;
  /** How long webhooks to the merchant are kept. */
  readonly webhookDeliveryMilliseconds: number;
  /** How long the bodies of providers’ webhooks are kept once they were handled. */
  readonly webhookBodyMilliseconds: number;
  /** How long orders of payers are kept that nobody began to pay. */
  readonly unpaidOrderMilliseconds: number;
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
  readonly stripe?: StripeConfig;
  readonly paydunya?: PayDunyaConfig;
  readonly pawapay?: PawaPayConfig;
  readonly banks: readonly BankConfig[];
}

export interface StripeConfig {
  readonly secretKey: string;
  readonly publishableKey: string;
  readonly webhookSecrets: readonly string[];
  /** Ours, `acct_…`, for webhook endpoints whose events name the account. */
  readonly account?: string;
  /** Another address than Stripe's own: an egress proxy, or a double of Stripe in a test environment. */
  readonly apiBase?: URL;
}

export interface PayDunyaConfig {
  readonly masterKey: string;
  readonly privateKey: string;
  readonly token: string;
  readonly mode: 'test' | 'live';
  readonly baseUrl: URL;
  readonly storeName: string;
  readonly countries?: readonly string[];
  readonly fees?: 'merchant' | 'payer';
  /** Only the double has SoftPay in its test mode. */
  readonly softPayInTest?: boolean;
}

export interface PawaPayConfig {
  readonly token: string;
  /** Which pawaPay the token is for. Undefined: the double. */
  readonly environment?: 'sandbox' | 'production';
  readonly baseUrl: URL;
  readonly requireSignatures: boolean;
  readonly countries?: readonly string[];
  /** Where its callbacks go, as they sign it. */
  readonly notificationUrl?: () => URL;
}

/** Lists everything that is wrong, so that nobody has to start ten times. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly faults: readonly string[]) {
    super(`The configuration is not usable:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
  }
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const countries = (given: z.ZodType<string[]>) =>
  given.pipe(z.array(z.string().regex(/^[A-Z]{2}$/, 'must be ISO 3166-1 alpha-2 codes, such as BJ,SN')));
const origin = z
  .string()
  .refine(
    (value) => /^https?:/.test(value) && URL.canParse(value) && new URL(value).origin === value,
    'must be origins, such as https://shop.example',
  );

/** Every variable there is. `.env.example` says what each is for. */
export const VARIABLES = {
  NODE_ENV: z.enum(['production', 'development', 'test'], {
    error: 'must be production, development or test',
  }),
  HOST: text,
  PORT: whole(0, 65_535),
  PUBLIC_URL: httpUrl,
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' }),
  // Not trimmed: a space may belong to it.
  DATABASE_PASSWORD: z.string().regex(/^[^\p{Cs}]+$/u, 'must be text'),
  MIGRATION_DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' }),
  MIGRATION_DATABASE_PASSWORD: z.string().regex(/^[^\p{Cs}]+$/u, 'must be text'),
  DATABASE_POOL_SIZE: whole(2, 500),
  DATA_FOLDER: text,
  QUITTANCE_SECRET: secret,
  FORMER_QUITTANCE_SECRETS: list,
  OPERATOR_JWT_SECRET: secret,
  OPERATOR_JWKS_URL: httpUrl,
  OPERATOR_JWT_ISSUER: text,
  OPERATOR_JWT_AUDIENCE: text,
  SUPPORT_REFUND_LIMITS: amounts,
  SECOND_OPERATOR_ABOVE: amounts,
  ORDER_LIMITS: amountRanges,
  PHONE_PROMPTS_PER_HOUR: whole(0, 1_000),
  ALLOWED_ORIGINS: list.pipe(z.array(origin)),
  TRUSTED_PROXIES: list.pipe(
    z.array(z.string().refine(isProxyNetwork, 'must be addresses and networks, such as 10.0.0.0/8,loopback')),
  ),
  INTROSPECTION: yesOrNo,
  // Stripe takes a session of at most 24 hours, and ours outlives the reservation a little.
  RESERVATION_MINUTES: whole(1, 20 * 60),
  ORDER_TOKEN_HOURS: whole(1, 24 * 30),
  SHOP_TIME_ZONE: text.refine(isTimeZone, 'must be an IANA time zone, such as Africa/Abidjan'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
  STRIPE_SECRET_KEY: text.regex(/^[sr]k_/, 'must be a secret key of Stripe’s, which begins with sk_ or rk_'),
  STRIPE_PUBLISHABLE_KEY: text.regex(
    /^pk_/,
    'must be a publishable key of Stripe’s, which begins with pk_: every browser is given it',
  ),
  STRIPE_WEBHOOK_SECRETS: list.pipe(
    z.array(z.string().regex(/^whsec_/, 'must be signing secrets of Stripe’s, which begin with whsec_')),
  ),
  STRIPE_ACCOUNT: text.regex(/^acct_\w+$/, 'must be the id of a Stripe account, such as acct_1Abc'),
  STRIPE_API_URL: httpUrl,
  PAYDUNYA_MASTER_KEY: text,
  PAYDUNYA_PRIVATE_KEY: text.regex(/^(test|live)_/, 'must begin with test_ or live_'),
  PAYDUNYA_TOKEN: text,
  PAYDUNYA_STORE_NAME: text,
  PAYDUNYA_COUNTRIES: countries(list),
  PAYDUNYA_FEES: z.enum(['merchant', 'payer'], { error: 'must be merchant or payer' }),
  PAYDUNYA_API_URL: httpUrl,
  PAWAPAY_TOKEN: text,
  PAWAPAY_ENVIRONMENT: z.enum(['sandbox', 'production'], { error: 'must be sandbox or production' }),
  PAWAPAY_SIGNED_CALLBACKS: yesOrNo,
  PAWAPAY_COUNTRIES: countries(list),
  PAWAPAY_API_URL: httpUrl,
  ROUTING_RULES_FILE: text,
  PROVIDER_TIMEOUT_SECONDS: whole(1, 60),
  PROVIDER_LOG_DAYS: whole(1, 3_650),
  WEBHOOKS_ALLOW_PRIVATE: yesOrNo,
  ...EMAIL_VARIABLES,
  ...LIMIT_VARIABLES,
  WEBHOOK_DELIVERY_DAYS: whole(1, 3_650),
  WEBHOOK_BODY_DAYS: whole(1, 3_650),
  UNPAID_ORDER_DAYS: whole(2, 3_650),
  BANKS: list
    .pipe(z.array(z.string().regex(/^[a-z][a-z0-9]*$/, 'must be short names, such as BANKS=x,y')))
    .transform((names) => [...new Set(names)]),
} as const;

type Values = ValuesOf<typeof VARIABLES>;

/** @throws {ConfigError} */
export function loadConfig(environment: Environment = process.env): Config {
  const faults: string[] = [];
  const values = readAll(VARIABLES, environment, '', faults);
  const production = values.NODE_ENV === 'production';
  const host = values.HOST ?? (production ? '0.0.0.0' : '127.0.0.1');
  const publicUrl = (values.PUBLIC_URL ?? `http://localhost:${values.PORT ?? 4_000}`).replace(/\/+$/, '');
  const config: Config = {
    production,
    host,
    port: values.PORT ?? 4_000,
    publicUrl,
    databaseUrl: databaseUrlOf(values, faults),
    migrationDatabaseUrl: readMigrationUrl(values, faults),
    databasePoolSize: values.DATABASE_POOL_SIZE ?? 16,
    dataFolder: values.DATA_FOLDER ?? '.quittance',
    secret: values.QUITTANCE_SECRET,
    formerSecrets: values.FORMER_QUITTANCE_SECRETS ?? [],
    operators: readOperators(values, faults),
    refundLimits: {
      support: values.SUPPORT_REFUND_LIMITS ?? new Map(),
      oneOperator: values.SECOND_OPERATOR_ABOVE ?? new Map(),
    },
    orderLimits: values.ORDER_LIMITS ?? new Map(),
    // The doubles' numbers are the same in each run, and ring nowhere.
    phonePromptsPerHour: values.PHONE_PROMPTS_PER_HOUR ?? (production ? PHONE_PROMPTS_PER_HOUR : 0),
    allowedOrigins: values.ALLOWED_ORIGINS ?? 'LOCALHOST',
    trustedProxies: values.TRUSTED_PROXIES ?? [],
    introspection: values.INTROSPECTION ?? !production,
    reservationMilliseconds: (values.RESERVATION_MINUTES ?? 30) * MINUTE,
    orderTokenMilliseconds: (values.ORDER_TOKEN_HOURS ?? 24) * 60 * MINUTE,
    shopTimeZone: values.SHOP_TIME_ZONE ?? 'UTC',
    routingRules: readRules(values, faults),
    providerTimeoutMilliseconds:
      values.PROVIDER_TIMEOUT_SECONDS === undefined ? undefined : values.PROVIDER_TIMEOUT_SECONDS * 1_000,
    providerLogMilliseconds: (values.PROVIDER_LOG_DAYS ?? 90) * DAY,
    webhooksAllowPrivate:
      values.WEBHOOKS_ALLOW_PRIVATE ?? (!production && isForThisMachineAlone(host, publicUrl)),
    emails: readEmails(values, faults),
    limits: readLimits(values),
    webhookDeliveryMilliseconds: (values.WEBHOOK_DELIVERY_DAYS ?? 90) * DAY,
    webhookBodyMilliseconds: (values.WEBHOOK_BODY_DAYS ?? 90) * DAY,
    unpaidOrderMilliseconds: (values.UNPAID_ORDER_DAYS ?? 90) * DAY,
    logLevel: values.LOG_LEVEL ?? 'info',
    stripe: readStripe(values, faults),
    paydunya: readPayDunya(values, faults),
    pawapay: readPawaPay(values, faults),
    banks: readBanks(values.BANKS ?? [], environment, faults),
  };
  faults.push(
    ...(production
      ? [...missingInProduction(values, config), ...faultsInProduction(config, environment)]
      : faultsOutsideProduction(config)),
  );
  if (faults.length > 0) throw new ConfigError(faults);
  return config;
}

/** Whoever may register a webhook there sits at this machine, and gains nothing by having us reach what it reaches. */
function isForThisMachineAlone(host: string, publicUrl: string): boolean {
  const { hostname } = new URL(publicUrl);
  return [host, hostname].every(isLocal);
}

/** The password may stand beside the URL, where none of its characters means anything. */
function databaseUrlOf(values: Values, faults: string[], prefix: '' | 'MIGRATION_' = ''): string | undefined {
  const given = values[`${prefix}DATABASE_URL`];
  const password = values[`${prefix}DATABASE_PASSWORD`];
  const name = `${prefix}DATABASE_URL`;
  if (password === undefined) return given;
  if (given === undefined) {
    faults.push(`${name} is missing: ${prefix}DATABASE_PASSWORD is its password`);
    return undefined;
  }
  const url = new URL(given);
  if (url.password !== '')
    faults.push(`${name} has a password, and ${prefix}DATABASE_PASSWORD is another: set one of them`);
  url.password = encodeURIComponent(password);
  return url.href;
}

function readMigrationUrl(values: Values, faults: string[]): string | undefined {
  const owner = databaseUrlOf(values, faults, 'MIGRATION_');
  if (owner === undefined) return undefined;
  const { DATABASE_URL: server } = values;
  if (server === undefined) faults.push('MIGRATION_DATABASE_URL needs DATABASE_URL beside it');
  else if (new URL(server).username === new URL(owner).username) {
    faults.push('DATABASE_URL and MIGRATION_DATABASE_URL name one role: the server needs another one');
  }
  return owner;
}

function readOperators(values: Values, faults: string[]): OperatorTokenSettings | undefined {
  const { OPERATOR_JWT_SECRET, OPERATOR_JWKS_URL } = values;
  if (OPERATOR_JWT_SECRET && OPERATOR_JWKS_URL) {
    faults.push(
      'OPERATOR_JWT_SECRET and OPERATOR_JWKS_URL are both set: set the one that your operators use',
    );
  }
  const named = { issuer: values.OPERATOR_JWT_ISSUER, audience: values.OPERATOR_JWT_AUDIENCE };
  if (OPERATOR_JWT_SECRET) return { ...named, secret: OPERATOR_JWT_SECRET };
  if (OPERATOR_JWKS_URL) return { ...named, jwksUrl: new URL(OPERATOR_JWKS_URL) };
  return undefined;
}

function readStripe(values: Values, faults: string[]): StripeConfig | undefined {
  const needed = {
    STRIPE_SECRET_KEY: values.STRIPE_SECRET_KEY,
    STRIPE_PUBLISHABLE_KEY: values.STRIPE_PUBLISHABLE_KEY,
    STRIPE_WEBHOOK_SECRETS: values.STRIPE_WEBHOOK_SECRETS,
  };
  if (!isWhole('Stripe', needed, faults)) return undefined;
  return {
    secretKey: values.STRIPE_SECRET_KEY!,
    publishableKey: values.STRIPE_PUBLISHABLE_KEY!,
    webhookSecrets: values.STRIPE_WEBHOOK_SECRETS!,
    account: values.STRIPE_ACCOUNT,
    apiBase: values.STRIPE_API_URL ? new URL(values.STRIPE_API_URL) : undefined,
  };
}

const PAYDUNYA_ADDRESSES = {
  test: 'https://app.paydunya.com/sandbox-api/v1',
  live: 'https://app.paydunya.com/api/v1',
} as const;

function readPayDunya(values: Values, faults: string[]): PayDunyaConfig | undefined {
  const { PAYDUNYA_MASTER_KEY, PAYDUNYA_PRIVATE_KEY, PAYDUNYA_TOKEN, PAYDUNYA_STORE_NAME } = values;
  const needed = { PAYDUNYA_MASTER_KEY, PAYDUNYA_PRIVATE_KEY, PAYDUNYA_TOKEN, PAYDUNYA_STORE_NAME };
  if (!isWhole('PayDunya', needed, faults)) return undefined;
  const mode = PAYDUNYA_PRIVATE_KEY!.startsWith('live_') ? 'live' : 'test';
  return {
    masterKey: PAYDUNYA_MASTER_KEY!,
    privateKey: PAYDUNYA_PRIVATE_KEY!,
    token: PAYDUNYA_TOKEN!,
    mode,
    baseUrl: new URL(values.PAYDUNYA_API_URL ?? PAYDUNYA_ADDRESSES[mode]),
    storeName: PAYDUNYA_STORE_NAME!,
    countries: values.PAYDUNYA_COUNTRIES,
    fees: values.PAYDUNYA_FEES,
  };
}

const PAWAPAY_ADDRESSES = {
  sandbox: 'https://api.sandbox.pawapay.io',
  production: 'https://api.pawapay.io',
} as const;

function readPawaPay(values: Values, faults: string[]): PawaPayConfig | undefined {
  const { PAWAPAY_TOKEN, PAWAPAY_ENVIRONMENT } = values;
  if (!isWhole('PawaPay', { PAWAPAY_TOKEN, PAWAPAY_ENVIRONMENT }, faults)) return undefined;
  return {
    token: PAWAPAY_TOKEN!,
    environment: PAWAPAY_ENVIRONMENT!,
    baseUrl: new URL(values.PAWAPAY_API_URL ?? PAWAPAY_ADDRESSES[PAWAPAY_ENVIRONMENT!]),
    requireSignatures: values.PAWAPAY_SIGNED_CALLBACKS ?? false,
    countries: values.PAWAPAY_COUNTRIES,
  };
}

function readRules({ ROUTING_RULES_FILE: path }: Values, faults: string[]): readonly RoutingRule[] {
  if (path === undefined) return [];
  const read = readRoutingRules(readRulesFile(path, faults));
  if (read.rules) return read.rules;
  faults.push(...read.faults.map((fault) => `ROUTING_RULES_FILE (${path}): ${fault}`));
  return [];
}

function readRulesFile(path: string, faults: string[]): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    faults.push(`ROUTING_RULES_FILE: ${path} can't be read (${code})`);
    return '[]';
  }
}

/** A provider is set whole or not at all: half of it would fail with the first payer. */
function isWhole(provider: string, needed: Readonly<Record<string, unknown>>, faults: string[]): boolean {
  const names = Object.keys(needed);
  const missing = names.filter((name) => needed[name] === undefined);
  if (missing.length === names.length) return false;
  for (const name of missing) faults.push(`${name} is missing: ${provider} is only half set`);
  return missing.length === 0;
}

function missingInProduction(values: Values, config: Config): string[] {
  const needed = ['DATABASE_URL', 'QUITTANCE_SECRET', 'PUBLIC_URL', 'ALLOWED_ORIGINS'] as const;
  const faults = needed
    .filter((name) => values[name] === undefined)
    .map((name) => `${name} must be set in production`);
  if (!config.operators) faults.push('OPERATOR_JWT_SECRET or OPERATOR_JWKS_URL must be set in production');
  if (config.webhooksAllowPrivate) faults.push('WEBHOOKS_ALLOW_PRIVATE can’t be yes in production');
  if (!config.stripe && !config.paydunya && !config.pawapay && config.banks.length === 0) {
    faults.push(
      'at least one provider must be set in production: STRIPE_SECRET_KEY …, PAYDUNYA_MASTER_KEY …, PAWAPAY_TOKEN … or BANKS …',
    );
  }
  return faults;
}
