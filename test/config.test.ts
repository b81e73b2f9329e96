import { randomBytes } from 'node:crypto';
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
  OPERATOR_JWT_AUDIENCE: 'quittance',
  ...STRIPE,
};

const EVERY_BANK_VARIABLE = Object.fromEntries(
  Object.keys(BANK_VARIABLES).map((name) => [`BANK_X_${name}`, true]),
);

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

test('what orders of payers may come to is said in major units, and kept in minor ones', () => {
  const { orderLimits } = loadConfig({ ORDER_LIMITS: 'EUR=0.5-5000, XOF=100-2000000' });
  expect([...orderLimits]).toEqual([
    ['EUR', { minimum: 50, maximum: 500_000 }],
    ['XOF', { minimum: 100, maximum: 2_000_000 }],
  ]);
  expect([...loadConfig({}).orderLimits]).toEqual([]);
});

test.each([
  ['500', 'must be from and to of currencies, such as EUR=0.5-5000,XOF=100-2000000'],
  ['EURO=1-2', 'must be from and to of currencies, such as EUR=0.5-5000,XOF=100-2000000'],
  ['EUR=1-2,EUR=1-3', 'names EUR twice'],
  ['EUR=0-5', 'has EUR=0-5, which is not two positive amounts of EUR'],
  ['EUR=5', 'must be from and to of currencies, such as EUR=0.5-5000,XOF=100-2000000'],
  ['XOF=0.5-100', 'has XOF=0.5-100, which is not two positive amounts of XOF'],
  ['EUR=10-5', 'has EUR=10-5, which begins above its end'],
])('ORDER_LIMITS=%s is refused: it %s', (given, sentence) => {
  expect(faultsOf({ ORDER_LIMITS: given })).toEqual([`ORDER_LIMITS ${sentence}`]);
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
    ORDER_LIMITS: 'EUR=500',
    PHONE_PROMPTS_PER_HOUR: '-1',
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

test.each(Object.keys({ ...VARIABLES, ...EVERY_BANK_VARIABLE }))(
  'whatever %s is set to, what is wrong with it is said in a sentence',
  (name) => {
    const odd = [
      '*',
      ' ',
      ',',
      '://',
      'http://',
      'https://[',
      'null',
      '-1',
      '1e999',
      'a'.repeat(5_000),
      '=',
      'EUR=',
      '\ud800',
      '${X}',
      '<>',
      '😀',
      'smtp://',
      '/',
    ];
    for (const value of odd) {
      for (const rest of [{}, PRODUCTION]) {
        const environment = { ...rest, BANKS: 'x', [name]: value };
        for (const fault of faultsOf(environment)) expect(fault).toMatch(/^[A-Za-z].* .+/s);
      }
    }
  },
);

describe('production', () => {
  const random = () => randomBytes(32).toString('base64');
  const good = (): Record<string, string> => ({
    ...PRODUCTION,
    QUITTANCE_SECRET: random(),
    STRIPE_SECRET_KEY: 'sk_live_51Abc',
    STRIPE_PUBLISHABLE_KEY: 'pk_live_51Abc',
    STRIPE_WEBHOOK_SECRETS: 'whsec_51Abc',
  });
  const bank = (): Record<string, string> => ({
    BANKS: 'x',
    BANK_X_URL: 'https://bank.example/api',
    BANK_X_API_KEY: random(),
    BANK_X_WEBHOOK_SECRETS: random(),
  });
  const paydunya = (mode: string): Record<string, string> => ({
    PAYDUNYA_MASTER_KEY: 'master-51Abc',
    PAYDUNYA_PRIVATE_KEY: `${mode}_private_51Abc`,
    PAYDUNYA_TOKEN: 'token-51Abc',
    PAYDUNYA_STORE_NAME: 'Shop',
  });
  const { OPERATOR_JWKS_URL: _url, OPERATOR_JWT_AUDIENCE: _audience, ...withoutOperators } = PRODUCTION;

  test.each<[string, () => Record<string, string>]>([
    ['live keys and a random secret', good],
    ['a restricted key of Stripe’s', () => ({ ...good(), STRIPE_SECRET_KEY: 'rk_live_51Abc' })],
    ['secrets in hex', () => ({ ...good(), QUITTANCE_SECRET: randomBytes(16).toString('hex') })],
    [
      'a long sentence that nobody else has',
      () => ({ ...good(), QUITTANCE_SECRET: 'seven purple herons paint the old harbour at dawn' }),
    ],
    [
      'a shared secret for operators',
      () => ({ ...withoutOperators, QUITTANCE_SECRET: random(), OPERATOR_JWT_SECRET: random() }),
    ],
    ['test keys alone, on a staging server', () => ({ ...good(), ...STRIPE, ...paydunya('test') })],
    ['live keys of several providers, and a bank', () => ({ ...good(), ...paydunya('live'), ...bank() })],
    [
      'two secrets of one endpoint, while one is exchanged',
      () => ({ ...good(), STRIPE_WEBHOOK_SECRETS: 'whsec_a,whsec_b' }),
    ],
    ['an egress proxy on this machine', () => ({ ...good(), STRIPE_API_URL: 'http://127.0.0.1:8080' })],
  ])('starts with %s', (_what, environment) => {
    expect(faultsOf(environment())).toEqual([]);
  });

  test.each<[string, () => Record<string, string>, string]>([
    [
      'an example',
      () => ({ QUITTANCE_SECRET: 'change-me-change-me-change-me-change-me' }),
      'QUITTANCE_SECRET is an example of the documentation: make a random one, with openssl rand -base64 32',
    ],
    [
      'one letter',
      () => ({ QUITTANCE_SECRET: 'a'.repeat(40) }),
      'QUITTANCE_SECRET repeats the same few characters: make a random one, with openssl rand -base64 32',
    ],
    [
      'a few letters over and over',
      () => ({ QUITTANCE_SECRET: 'abc123'.repeat(6) }),
      'QUITTANCE_SECRET repeats the same few characters: make a random one, with openssl rand -base64 32',
    ],
    [
      'the alphabet',
      () => ({ QUITTANCE_SECRET: 'abcdefghijklmnopqrstuvwxyz0123456789' }),
      'QUITTANCE_SECRET is a sequence: make a random one, with openssl rand -base64 32',
    ],
    [
      'words that anybody would try',
      () => ({ QUITTANCE_SECRET: 'password-secret-quittance-admin-1' }),
      'QUITTANCE_SECRET can be guessed: make a random one, with openssl rand -base64 32',
    ],
    [
      'digits alone',
      () => ({ QUITTANCE_SECRET: '20261201202612022026120320261204' }),
      'QUITTANCE_SECRET can be guessed: make a random one, with openssl rand -base64 32',
    ],
    [
      'an example for operators',
      () => ({ OPERATOR_JWKS_URL: '', OPERATOR_JWT_SECRET: 'change-me-change-me-change-me-change-me' }),
      'OPERATOR_JWT_SECRET is an example of the documentation: make a random one, with openssl rand -base64 32',
    ],
    [
      'an example for a bank',
      () => ({ ...bank(), BANK_X_WEBHOOK_SECRETS: 'change-me-change-me-change-me-change-me' }),
      'BANK_X_WEBHOOK_SECRETS is an example of the documentation: make a random one, with openssl rand -base64 32',
    ],
    [
      'an example as a provider’s key',
      () => ({ ...paydunya('live'), PAYDUNYA_MASTER_KEY: 'change-me' }),
      'PAYDUNYA_MASTER_KEY is an example of the documentation: put in the one that your provider gave you',
    ],
    [
      'an example as Stripe’s',
      () => ({ STRIPE_SECRET_KEY: 'sk_live_…' }),
      'STRIPE_SECRET_KEY is an example of the documentation: put in the one that your provider gave you',
    ],
    [
      'a secret key for browsers',
      () => ({ STRIPE_PUBLISHABLE_KEY: 'sk_live_51Abc' }),
      'STRIPE_PUBLISHABLE_KEY must be a publishable key of Stripe’s, which begins with pk_: every browser is given it',
    ],
    [
      'a publishable key as the secret one',
      () => ({ STRIPE_SECRET_KEY: 'pk_live_51Abc' }),
      'STRIPE_SECRET_KEY must be a secret key of Stripe’s, which begins with sk_ or rk_',
    ],
    [
      'a test key beside a live one',
      () => ({ STRIPE_SECRET_KEY: 'sk_test_51Abc' }),
      'STRIPE_SECRET_KEY is for tests, and STRIPE_PUBLISHABLE_KEY for real payments: what is paid with the one costs nothing',
    ],
    [
      'a provider’s test beside another’s live key',
      () => paydunya('test'),
      'PAYDUNYA_PRIVATE_KEY is for tests, and STRIPE_SECRET_KEY, STRIPE_PUBLISHABLE_KEY for real payments: what is paid with the one costs nothing',
    ],
    [
      'a sandbox beside a live key',
      () => ({ PAWAPAY_TOKEN: 'token-51Abc', PAWAPAY_ENVIRONMENT: 'sandbox' }),
      'PAWAPAY_ENVIRONMENT is for tests, and STRIPE_SECRET_KEY, STRIPE_PUBLISHABLE_KEY for real payments: what is paid with the one costs nothing',
    ],
    [
      'plain http',
      () => ({ PUBLIC_URL: 'http://pay.example' }),
      'PUBLIC_URL must begin with https://, and not with http://',
    ],
    [
      'a shop over plain http',
      () => ({ ALLOWED_ORIGINS: 'https://shop.example,http://old.shop.example' }),
      'ALLOWED_ORIGINS must begin with https://, and not with http://',
    ],
    [
      'any origin',
      () => ({ ALLOWED_ORIGINS: '*' }),
      'ALLOWED_ORIGINS must be origins, such as https://shop.example',
    ],
    [
      'identities over plain http',
      () => ({ OPERATOR_JWKS_URL: 'http://identity.example/jwks.json' }),
      'OPERATOR_JWKS_URL must begin with https://, and not with http://',
    ],
    [
      'a provider over plain http',
      () => ({ STRIPE_API_URL: 'http://proxy.example' }),
      'STRIPE_API_URL must begin with https://, and not with http://',
    ],
    [
      'a bank over plain http',
      () => ({ ...bank(), BANK_X_URL: 'http://bank.example' }),
      'BANK_X_URL must begin with https://, and not with http://',
    ],
    [
      'links to pay over plain http',
      () => ({ CHECKOUT_URL: 'http://shop.example/#{order}{token}' }),
      'CHECKOUT_URL must begin with https://, and not with http://',
    ],
    [
      'anybody’s tokens',
      () => ({ OPERATOR_JWT_AUDIENCE: '' }),
      'OPERATOR_JWT_AUDIENCE must be set with OPERATOR_JWKS_URL: else what the identity provider signs for any other application opens this one',
    ],
  ])('is refused with %s', (_what, change, sentence) => {
    expect(faultsOf({ ...good(), ...change() })).toContain(sentence);
  });

  test('is refused with one secret for two things', () => {
    const secret = random();
    const shared = { QUITTANCE_SECRET: secret, OPERATOR_JWKS_URL: '', OPERATOR_JWT_SECRET: secret };
    expect(faultsOf({ ...good(), ...shared })).toContain(
      'QUITTANCE_SECRET and OPERATOR_JWT_SECRET have the same value: each needs its own',
    );
    expect(faultsOf({ ...good(), ...bank(), BANK_X_API_KEY: 'whsec_51Abc' })).toContain(
      'STRIPE_WEBHOOK_SECRETS and BANK_X_API_KEY have the same value: each needs its own',
    );
  });

  test.each<[string, Record<string, string>, string]>([
    [
      'Stripe’s live key',
      { ...STRIPE, STRIPE_SECRET_KEY: 'sk_live_51Abc' },
      'STRIPE_SECRET_KEY is for real payments: set NODE_ENV=production, or use the test one',
    ],
    [
      'PayDunya’s live key',
      paydunya('live'),
      'PAYDUNYA_PRIVATE_KEY is for real payments: set NODE_ENV=production, or use the test one',
    ],
    [
      'pawaPay’s live token',
      { PAWAPAY_TOKEN: 'token', PAWAPAY_ENVIRONMENT: 'production' },
      'PAWAPAY_ENVIRONMENT is for real payments: set NODE_ENV=production, or use the test one',
    ],
    [
      'a public address',
      { PUBLIC_URL: 'https://pay.example' },
      'PUBLIC_URL is not on this machine: set NODE_ENV=production. Test keys may be used there; the doubles of providers serve this machine alone',
    ],
    [
      'an address of the network',
      { PUBLIC_URL: 'http://192.168.1.7:4000' },
      'PUBLIC_URL is not on this machine: set NODE_ENV=production. Test keys may be used there; the doubles of providers serve this machine alone',
    ],
    [
      'a door for all',
      { HOST: '0.0.0.0' },
      'HOST=0.0.0.0 lets other machines in, and the doubles of providers serve this machine alone: use HOST=127.0.0.1, or set NODE_ENV=production with keys of your own',
    ],
  ])('can’t be forgotten: %s is refused without NODE_ENV=production', (_what, environment, sentence) => {
    expect(faultsOf(environment)).toEqual(expect.arrayContaining([sentence]));
    expect(faultsOf({ ...environment, NODE_ENV: 'development' })).toContain(sentence);
  });

  test('is not needed for a double on this machine, whatever its key is called', () => {
    const { PAYDUNYA_STORE_NAME, ...keys } = paydunya('live');
    const address = { PAYDUNYA_STORE_NAME, PAYDUNYA_API_URL: 'http://127.0.0.1:4010/api/v1' };
    expect(faultsOf({ ...keys, ...address } as Record<string, string>)).toEqual([]);
  });

  test('is refused with the examples of .env.example, each by its name', async () => {
    const text = await readFile(resolve(import.meta.dirname, '../.env.example'), 'utf8');
    const examples = [...text.matchAll(/^#? ?([A-Z][A-Z0-9_]*)=(.*)$/gm)].map(([, name, value]) => [
      name,
      value,
    ]);
    const faults = faultsOf({
      ...Object.fromEntries(examples),
      NODE_ENV: 'production',
      OPERATOR_JWKS_URL: '',
    });
    const secrets = examples
      .filter(([, value]) => /change-me|…$/.test(value!) && !value!.startsWith('http'))
      .map(([name]) => name!);
    expect(secrets.length).toBeGreaterThan(8);
    for (const name of secrets)
      expect(faults).toContainEqual(expect.stringMatching(`^${name} is an example`));
  });
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
