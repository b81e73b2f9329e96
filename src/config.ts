import { z } from 'zod';
import { isCurrency, type Currency } from './money.js';
import type { OperatorTokenSettings } from './access/operator-token.js';

/** What this installation is. Read and checked once; nothing else reads the environment. */
export interface Config {
  readonly production: boolean;
  readonly host: string;
  readonly port: number;
  /** Where browsers and providers reach this server, without a slash at the end. */
  readonly publicUrl: string;
  /** Undefined: the embedded PostgreSQL. */
  readonly databaseUrl?: string;
  readonly databasePoolSize: number;
  readonly dataFolder: string;
  /** Undefined: made for this machine, and kept in the data folder. */
  readonly secret?: string;
  readonly operators?: OperatorTokenSettings;
  readonly allowedOrigins: readonly string[] | 'LOCALHOST';
  readonly introspection: boolean;
  readonly reservationMilliseconds: number;
  readonly orderTokenMilliseconds: number;
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
  readonly stripe?: StripeConfig;
  readonly banks: readonly BankConfig[];
}

export interface StripeConfig {
  readonly secretKey: string;
  readonly publishableKey: string;
  readonly webhookSecrets: readonly string[];
  /** Another address than Stripe's own: an egress proxy, or a double of Stripe in a test environment. */
  readonly apiBase?: URL;
}

export interface BankConfig {
  /** `bank-x`: the provider's name, and the last part of its webhook URL. */
  readonly name: string;
  readonly displayName?: string;
  readonly refunds?: 'PARTIAL' | 'FULL' | 'NONE';
  readonly baseUrl: URL;
  readonly apiKey: string;
  readonly webhookSecrets: readonly string[];
  readonly currencies?: readonly Currency[];
}

/** Lists everything that is wrong, so that nobody has to start ten times. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly faults: readonly string[]) {
    super(`The configuration is not usable:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

const MINUTE = 60_000;
const SHORTEST_SECRET = 32;

const text = z.string().trim().min(1);
const list = text.transform((value) => value.split(',').map((part) => part.trim())).pipe(z.array(text));
const secret = text.min(SHORTEST_SECRET, `must have at least ${SHORTEST_SECRET} characters`);
const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' });
const origin = httpUrl.refine(
  (value) => new URL(value).origin === value,
  'must be origins, such as https://shop.example',
);
const whole = (minimum: number, maximum: number) =>
  z.coerce
    .number({ error: 'must be a whole number' })
    .int('must be a whole number')
    .min(minimum, `must be at least ${minimum}`)
    .max(maximum, `must be at most ${maximum}`);
const yesOrNo = z.enum(['yes', 'no'], { error: 'must be yes or no' }).transform((value) => value === 'yes');

/** Every variable there is. `.env.example` says what each is for. */
export const VARIABLES = {
  NODE_ENV: z.enum(['production', 'development', 'test'], {
    error: 'must be production, development or test',
  }),
  HOST: text,
  PORT: whole(0, 65_535),
  PUBLIC_URL: httpUrl,
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' }),
  DATABASE_POOL_SIZE: whole(2, 500),
  DATA_FOLDER: text,
  QUITTANCE_SECRET: secret,
  OPERATOR_JWT_SECRET: secret,
  OPERATOR_JWKS_URL: httpUrl,
  OPERATOR_JWT_ISSUER: text,
  OPERATOR_JWT_AUDIENCE: text,
  ALLOWED_ORIGINS: list.pipe(z.array(origin)),
  INTROSPECTION: yesOrNo,
  // Stripe takes a session of at most 24 hours, and ours outlives the reservation a little.
  RESERVATION_MINUTES: whole(1, 20 * 60),
  ORDER_TOKEN_HOURS: whole(1, 24 * 30),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
  STRIPE_SECRET_KEY: text,
  STRIPE_PUBLISHABLE_KEY: text,
  STRIPE_WEBHOOK_SECRETS: list,
  STRIPE_API_URL: httpUrl,
  BANKS: list
    .pipe(z.array(z.string().regex(/^[a-z][a-z0-9]*$/, 'must be short names, such as BANKS=x,y')))
    .transform((names) => [...new Set(names)]),
} as const;

/** For each name in BANKS, with the name in capitals: BANK_X_URL … */
export const BANK_VARIABLES = {
  URL: httpUrl,
  API_KEY: text,
  WEBHOOK_SECRETS: list.pipe(z.array(secret)),
  DISPLAY_NAME: text,
  REFUNDS: z.enum(['PARTIAL', 'FULL', 'NONE'], { error: 'must be PARTIAL, FULL or NONE' }),
  CURRENCIES: list.pipe(z.array(z.string().refine(isCurrency, 'must be ISO 4217 codes, such as EUR,XOF'))),
} as const;

type Values = { readonly [Name in keyof typeof VARIABLES]?: z.output<(typeof VARIABLES)[Name]> };

/** @throws {ConfigError} */
export function loadConfig(environment: Environment = process.env): Config {
  const faults: string[] = [];
  const values = readAll(VARIABLES, environment, '', faults) as Values;
  const production = values.NODE_ENV === 'production';
  const config: Config = {
    production,
    host: values.HOST ?? (production ? '0.0.0.0' : '127.0.0.1'),
    port: values.PORT ?? 4_000,
    publicUrl: (values.PUBLIC_URL ?? `http://localhost:${values.PORT ?? 4_000}`).replace(/\/+$/, ''),
    databaseUrl: values.DATABASE_URL,
    databasePoolSize: values.DATABASE_POOL_SIZE ?? 16,
    dataFolder: values.DATA_FOLDER ?? '.quittance',
    secret: values.QUITTANCE_SECRET,
    operators: readOperators(values, faults),
    allowedOrigins: values.ALLOWED_ORIGINS ?? 'LOCALHOST',
    introspection: values.INTROSPECTION ?? !production,
    reservationMilliseconds: (values.RESERVATION_MINUTES ?? 30) * MINUTE,
    orderTokenMilliseconds: (values.ORDER_TOKEN_HOURS ?? 24) * 60 * MINUTE,
    logLevel: values.LOG_LEVEL ?? 'info',
    stripe: readStripe(values, faults),
    banks: readBanks(values, environment, faults),
  };
  if (production) faults.push(...missingInProduction(values, config));
  if (faults.length > 0) throw new ConfigError(faults);
  return config;
}

function readAll(
  variables: Readonly<Record<string, z.ZodType>>,
  environment: Environment,
  prefix: string,
  faults: string[],
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(variables)) {
    const given = environment[prefix + name];
    // An empty variable is how compose files and CI say "not set".
    if (given === undefined || given.trim() === '') continue;
    const parsed = schema.safeParse(given);
    if (parsed.success) values[name] = parsed.data;
    else faults.push(`${prefix}${name} ${parsed.error.issues[0]?.message ?? 'is not valid'}`);
  }
  return values;
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
    apiBase: values.STRIPE_API_URL ? new URL(values.STRIPE_API_URL) : undefined,
  };
}

function readBanks(values: Values, environment: Environment, faults: string[]): BankConfig[] {
  const names = values.BANKS ?? [];
  const known = new Set(names.map((name) => name.toUpperCase()));
  for (const variable of Object.keys(environment)) {
    const [, bank, name] = /^BANK_([A-Z][A-Z0-9]*)_(.*)$/.exec(variable) ?? [];
    if (bank === undefined || name === undefined) continue;
    if (!known.has(bank)) faults.push(`${variable} is set, but ${bank.toLowerCase()} is not in BANKS`);
    else if (!Object.hasOwn(BANK_VARIABLES, name)) faults.push(`${variable} is not a variable of a bank`);
  }
  return names.flatMap((name) => readBank(name, environment, faults) ?? []);
}

function readBank(name: string, environment: Environment, faults: string[]): BankConfig | undefined {
  const prefix = `BANK_${name.toUpperCase()}_`;
  const values = readAll(BANK_VARIABLES, environment, prefix, faults) as {
    readonly [Name in keyof typeof BANK_VARIABLES]?: z.output<(typeof BANK_VARIABLES)[Name]>;
  };
  const needed = {
    [`${prefix}URL`]: values.URL,
    [`${prefix}API_KEY`]: values.API_KEY,
    [`${prefix}WEBHOOK_SECRETS`]: values.WEBHOOK_SECRETS,
  };
  const missing = Object.keys(needed).filter((variable) => needed[variable] === undefined);
  for (const variable of missing) faults.push(`${variable} is needed, because BANKS names ${name}`);
  if (missing.length > 0) return undefined;
  return {
    name: `bank-${name}`,
    displayName: values.DISPLAY_NAME,
    refunds: values.REFUNDS,
    baseUrl: new URL(values.URL!),
    apiKey: values.API_KEY!,
    webhookSecrets: values.WEBHOOK_SECRETS!,
    currencies: values.CURRENCIES as readonly Currency[] | undefined,
  };
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
  if (!config.stripe && config.banks.length === 0) {
    faults.push('at least one provider must be set in production: STRIPE_SECRET_KEY … or BANKS …');
  }
  return faults;
}
