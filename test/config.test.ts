import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DEFAULT_LIMITS, NO_LIMITS } from '../src/limits/limits.js';
import { LIMIT_VARIABLES, WITHOUT_LIMITS } from '../src/limits-config.js';
import { BANK_VARIABLES, ConfigError, loadConfig, VARIABLES } from '../src/config.js';

const SECRET = 'a secret that is long enough to be one';

const STRIPE = {
  STRIPE_SECRET_KEY: 'sk_test_1',
  STRIPE_PUBLISHABLE_KEY: 'pk_test_1',
  STRIPE_WEBHOOK_SECRETS: 'whsec_new, whsec_old',
};
const PRODUCTION = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://quittance:password@database/quittance',
  QUITTANCE_SECRET: SECRET,
  PUBLIC_URL: 'https://pay.example',
  ALLOWED_ORIGINS: 'https://shop.example,https://www.shop.example',
  OPERATOR_JWKS_URL: 'https://identity.example/jwks.json',
  ...STRIPE,
};

/** What the configuration is refused for; empty when it isn't. */
function faultsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadConfig(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

test('nothing has to be set on a developer’s machine', () => {
  expect(loadConfig({})).toMatchObject({
    production: false,
    host: '127.0.0.1',
    port: 4_000,
    publicUrl: 'http://localhost:4000',
    dataFolder: '.quittance',
    allowedOrigins: 'LOCALHOST',
    trustedProxies: [],
    refundLimits: { support: new Map(), oneOperator: new Map() },
    introspection: true,
    reservationMilliseconds: 30 * 60_000,
    orderTokenMilliseconds: 24 * 3_600_000,
    banks: [],
  });
  expect(loadConfig({}).stripe).toBeUndefined();
  expect(loadConfig({}).databaseUrl).toBeUndefined();
});

test('an empty variable, which is how compose files say "not set", is not set', () => {
  expect(loadConfig({ PORT: '', DATABASE_URL: ' ', STRIPE_SECRET_KEY: '', BANKS: '' })).toEqual(
    loadConfig({}),
  );
});

test('what support and one operator may give back is said in major units, and kept in minor ones', () => {
  const { refundLimits } = loadConfig({
    SUPPORT_REFUND_LIMITS: 'EUR=100,XOF=50000',
    SECOND_OPERATOR_ABOVE: 'EUR=999.50',
  });
  expect([...refundLimits.support]).toEqual([
    ['EUR', 10_000],
    ['XOF', 50_000],
  ]);
  expect([...refundLimits.oneOperator]).toEqual([['EUR', 99_950]]);
});

test('everything that is wrong is said at once, by the names of the variables', () => {
  const wrong = {
    NODE_ENV: 'prod',
    PORT: '70000',
    DATABASE_POOL_SIZE: 'many',
    DATABASE_URL: 'mysql://database/quittance',
    PUBLIC_URL: 'pay.example',
    QUITTANCE_SECRET: 'short',
    ALLOWED_ORIGINS: 'https://shop.example/path',
    TRUSTED_PROXIES: 'the proxy',
    SUPPORT_REFUND_LIMITS: '100',
    SECOND_OPERATOR_ABOVE: 'EUR=0',
    INTROSPECTION: 'true',
    RESERVATION_MINUTES: '0.5',
    ORDER_TOKEN_HOURS: '0',
    LOG_LEVEL: 'loud',
    BANKS: 'Bank X',
  };
  const named = faultsOf(wrong).map((fault) => fault.split(' ')[0]);
  expect(named.sort()).toEqual(Object.keys(wrong).sort());
  expect(() => loadConfig(wrong)).toThrow(/not usable:\n {2}- .*PORT must be at most 65535/s);
});

test('a secret that is refused is not repeated in the message', () => {
  expect(faultsOf({ QUITTANCE_SECRET: 'hunter2' })).toEqual([
    'QUITTANCE_SECRET must have at least 32 characters',
  ]);
});

test.each(Object.keys(STRIPE))('Stripe without %s is only half set', (name) => {
  const faults = faultsOf({ ...STRIPE, [name]: '' });
  expect(faults).toEqual([`${name} is missing: Stripe is only half set`]);
});

test('of Stripe with one variable alone, both others are named', () => {
  expect(faultsOf({ STRIPE_SECRET_KEY: 'sk_test_1' })).toEqual([
    'STRIPE_PUBLISHABLE_KEY is missing: Stripe is only half set',
    'STRIPE_WEBHOOK_SECRETS is missing: Stripe is only half set',
  ]);
});

test('limits have defaults; each is set by its own variable, and switched off by 0', () => {
  expect(loadConfig({}).limits).toEqual(DEFAULT_LIMITS);
  const set = Object.fromEntries(
    Object.keys(LIMIT_VARIABLES).map((name, index) => [name, String(index + 1)]),
  );
  const numbers = Object.values(loadConfig(set).limits).flatMap((of: number | object) =>
    typeof of === 'number' ? [of] : (Object.values(of) as number[]),
  );
  expect(numbers.sort((a, b) => a - b)).toEqual(Object.keys(LIMIT_VARIABLES).map((_, index) => index + 1));
  expect(loadConfig(WITHOUT_LIMITS).limits).toEqual(NO_LIMITS);
  expect(faultsOf({ SOCKETS_PER_ADDRESS: '-1' })).toEqual(['SOCKETS_PER_ADDRESS must be at least 0']);
});

test('Stripe is set whole, with as many webhook secrets as a rotation needs', () => {
  expect(loadConfig(STRIPE).stripe).toMatchObject({
    secretKey: 'sk_test_1',
    publishableKey: 'pk_test_1',
    webhookSecrets: ['whsec_new', 'whsec_old'],
  });
});

test('operators are checked by a shared secret or by published keys, and not by both', () => {
  const both = { OPERATOR_JWT_SECRET: SECRET, OPERATOR_JWKS_URL: 'https://identity.example/jwks.json' };
  expect(faultsOf(both)).toEqual([expect.stringContaining('are both set')]);
});

test('production starts when everything it needs is set, and then tells strangers nothing of its schema', () => {
  expect(loadConfig(PRODUCTION)).toMatchObject({
    production: true,
    host: '0.0.0.0',
    introspection: false,
    allowedOrigins: ['https://shop.example', 'https://www.shop.example'],
  });
  expect(loadConfig({ ...PRODUCTION, INTROSPECTION: 'yes' }).introspection).toBe(true);
});

test('production refuses every default, and lists all that is missing at once', () => {
  expect(faultsOf({ NODE_ENV: 'production' })).toEqual([
    'DATABASE_URL must be set in production',
    'QUITTANCE_SECRET must be set in production',
    'PUBLIC_URL must be set in production',
    'ALLOWED_ORIGINS must be set in production',
    'OPERATOR_JWT_SECRET or OPERATOR_JWKS_URL must be set in production',
    'at least one provider must be set in production: STRIPE_SECRET_KEY …, PAYDUNYA_MASTER_KEY …, PAWAPAY_TOKEN … or BANKS …',
  ]);
});

describe('.env.example', () => {
  const lines = readFile(resolve(import.meta.dirname, '../.env.example'), 'utf8').then((text) =>
    text.split('\n'),
  );
  const assignment = /^#? ?([A-Z][A-Z0-9_]*)=/;
  const named = async () => (await lines).flatMap((line) => assignment.exec(line)?.[1] ?? []);

  test('names every variable that there is, and none that there is not', async () => {
    const known = [...Object.keys(VARIABLES), ...Object.keys(BANK_VARIABLES).map((name) => `BANK_X_${name}`)];
    expect((await named()).sort()).toEqual(known.sort());
  });

  test('says above each one what it is for', async () => {
    const text = await lines;
    const silent = text.filter(
      (line, index) => assignment.test(line) && !/^# \S/.test(text[index - 1] ?? ''),
    );
    expect(silent).toEqual([]);
  });

  test('is itself a configuration that starts, with each example in it put to use', async () => {
    const examples = (await lines).flatMap((line) => {
      const [, name, value] = /^#? ?([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? [];
      return name && name !== 'OPERATOR_JWT_SECRET' ? [[name, value ?? ''] as const] : [];
    });
    expect(faultsOf(Object.fromEntries(examples))).toEqual([]);
  });
});
