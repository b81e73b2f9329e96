import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type BankConfig, ConfigError, loadConfig } from '../src/config.js';
import { createProviders } from '../src/create-providers.js';

const SECRET = 'a secret that is long enough to be one';
const OTHER_SECRET = 'and another one that is long enough too';

const BANK = {
  BANKS: 'x',
  BANK_X_URL: 'https://bank.example/api',
  BANK_X_API_KEY: 'key',
  BANK_X_WEBHOOK_SECRETS: SECRET,
};

const OTHER_BANK = {
  BANK_Y2_URL: 'https://other.example',
  BANK_Y2_API_KEY: 'other',
  BANK_Y2_WEBHOOK_SECRETS: OTHER_SECRET,
};

/** Variables of the bank x, by what stands behind BANK_X_. */
function of(variables: Record<string, string>): Record<string, string> {
  const named = Object.entries(variables).map(([name, value]) => [`BANK_X_${name}`, value]);
  return { ...BANK, ...Object.fromEntries(named) };
}

function bankOf(variables: Record<string, string> = {}): BankConfig {
  return loadConfig(of(variables)).banks[0]!;
}

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

test.each(['BANK_X_URL', 'BANK_X_API_KEY', 'BANK_X_WEBHOOK_SECRETS'])(
  'a bank without %s is only half set',
  (name) => {
    expect(faultsOf({ ...BANK, [name]: '' })).toEqual([`${name} is needed, because BANKS names x`]);
  },
);

test('any number of banks can be set', () => {
  const { banks } = loadConfig({
    ...BANK,
    ...OTHER_BANK,
    BANKS: 'x, y2',
    BANK_Y2_DISPLAY_NAME: 'The Other Bank',
    BANK_Y2_CURRENCIES: 'XOF,EUR',
  });
  expect(banks).toMatchObject([
    { name: 'bank-x', apiKey: 'key', webhookSecrets: [SECRET] },
    { name: 'bank-y2', displayName: 'The Other Bank', currencies: ['XOF', 'EUR'] },
  ]);
});

test('the variable of a bank that BANKS does not name is a mistake, unless it is empty', () => {
  expect(faultsOf({ BANK_Z_URL: 'https://bank.example' })).toEqual([
    'BANK_Z_URL is set, but z is not in BANKS',
  ]);
  expect(faultsOf({ BANK_Z_URL: '', BANKS: '' })).toEqual([]);
});

test('a misspelt variable of a bank is a mistake, and not ignored', () => {
  expect(faultsOf(of({ CURRENCY: 'EUR' }))).toEqual(['BANK_X_CURRENCY is not a variable of a bank']);
});

test('a bank named twice is one bank', () => {
  expect(loadConfig({ ...BANK, BANKS: 'x,x' }).banks).toHaveLength(1);
});

test('a bank’s mistakes are all named at once, each with its variable, and each once', () => {
  const wrong = {
    URL: 'ftp://bank',
    API_KEY: 'two words',
    CURRENCIES: 'EURO',
    SIGNATURE_ALGORITHM: 'sha1',
    REFERENCE_PATH: 'data..reference',
    STATUS_WORDS: 'BOOKED=payed',
  };
  expect(faultsOf(of(wrong)).map((fault) => fault.split(' ')[0])).toEqual(
    Object.keys(wrong).map((name) => `BANK_X_${name}`),
  );
});

test('no secret and no key is repeated in a complaint', () => {
  const faults = faultsOf(of({ WEBHOOK_SECRETS: `${SECRET},hunter2`, API_KEY: 'hunter2 hunter2' }));
  expect(faults).toHaveLength(2);
  expect(faults.join()).not.toMatch(/hunter2|a secret that/);
});

test('two banks never have a webhook secret in common, for each could speak for the other', () => {
  const shared = { ...BANK, ...OTHER_BANK, BANKS: 'x,y2' };
  expect(faultsOf({ ...shared, BANK_Y2_WEBHOOK_SECRETS: `${OTHER_SECRET},${SECRET}` })).toEqual([
    'bank-x and bank-y2 have a webhook secret in common: each needs its own',
  ]);
});

test('one key in two spellings is a secret in common too', () => {
  const shared = { ...BANK, ...OTHER_BANK, BANKS: 'x,y2' };
  const key = 'ab'.repeat(32);
  expect(
    faultsOf({
      ...shared,
      BANK_X_WEBHOOK_SECRETS: `hex:${key}`,
      BANK_Y2_WEBHOOK_SECRETS: `base64:${Buffer.from(key, 'hex').toString('base64')}`,
    }),
  ).toEqual(['bank-x and bank-y2 have a webhook secret in common: each needs its own']);
});

test('an empty variable is not set, and leaves the default contract as it is', () => {
  const names = ['SIGNATURE_PREFIX', 'SIGNED_MESSAGE', 'STATUS_WORDS', 'CANCEL_ADDRESS', 'CURRENCIES'];
  const empty = Object.fromEntries(names.map((name) => [name, ' ']));
  expect(bankOf(empty)).toEqual(bankOf());
});

test('what a bank’s timeout leaves open, the timeout of all providers decides', () => {
  expect(Object.keys(bankOf())).not.toContain('timeoutMilliseconds');
  expect(bankOf({ TIMEOUT_SECONDS: '3' }).timeoutMilliseconds).toBe(3_000);
});

test('a signature is told by its header, its hash, its spelling and what it signs', () => {
  expect(bankOf().notification?.signature).toEqual({
    header: 'X-Signature',
    encoding: 'hex',
    prefix: 'v1=',
    message: { form: 'ts.body', timestamp: 'INLINE', toleranceSeconds: 300 },
  });
  const odd = {
    SIGNATURE_HEADER: 'X-Auth',
    SIGNATURE_ALGORITHM: 'HMAC-SHA-512',
    SIGNATURE_ENCODING: 'BASE64',
    SIGNATURE_PREFIX: 'HMAC ',
    SIGNED_MESSAGE: 'ts+body',
    TIMESTAMP: 'X-Time',
    TIMESTAMP_TOLERANCE_SECONDS: '60',
  };
  expect(bankOf(odd).notification?.signature).toEqual({
    header: 'X-Auth',
    algorithm: 'sha512',
    encoding: 'base64',
    prefix: 'HMAC ',
    message: { form: 'ts+body', timestamp: { header: 'X-Time' }, toleranceSeconds: 60 },
  });
});

test.each<[string, Record<string, string>, string]>([
  ['beside an inline timestamp', { SIGNED_MESSAGE: 'ts+body' }, 'v1='],
  ['beside a timestamp of its own header', { TIMESTAMP: 'X-Time' }, ''],
  ['of the body alone', { SIGNED_MESSAGE: 'body' }, ''],
  ['that is said to have none', { SIGNATURE_PREFIX: 'none' }, ''],
  ['that has one', { SIGNED_MESSAGE: 'body', SIGNATURE_PREFIX: 'sha256=' }, 'sha256='],
])('a signature %s has the prefix that fits', (_name, variables, prefix) => {
  expect(bankOf(variables).notification?.signature?.prefix).toBe(prefix);
});

test.each<[string, string, unknown]>([
  ['event.id', 'BODY', { from: 'BODY', path: 'event.id' }],
  ['header:X-Event-Id', 'HEADER', { from: 'HEADER', header: 'X-Event-Id' }],
  ['digest', 'DIGEST', { from: 'DIGEST' }],
])('the event id %s is taken from the %s', (given, _from, eventId) => {
  expect(bankOf({ EVENT_ID: given }).notification?.eventId).toEqual(eventId);
});

test('amounts are limited in major units, as people think of them, and exactly', () => {
  const { limits } = bankOf({ MINIMUM_AMOUNTS: 'EUR=0.50, XOF=100', MAXIMUM_AMOUNTS: 'XOF=2000000' });
  expect(limits).toEqual({ EUR: { minimum: 50 }, XOF: { minimum: 100, maximum: 2_000_000 } });
});

test('one format of amounts is the format of the API and of the notifications', () => {
  const { api, notification } = bankOf({ AMOUNT_FORMAT: 'minor_units' });
  expect([api?.amountFormat, notification?.amountFormat]).toEqual(['MINOR_UNITS', 'MINOR_UNITS']);
});

test('a bank that can’t cancel and has no list is not asked to', () => {
  const config = loadConfig(of({ CANCEL_ADDRESS: 'none', LIST_ADDRESS: 'None', REFUNDS: 'none' }));
  const [provider] = createProviders(config);
  const can = (name: string) => provider !== undefined && name in provider;
  expect(['verify', 'cancel', 'listPayments', 'refund'].map(can)).toEqual([true, false, false, false]);
});

const REFUSED: readonly (readonly [Record<string, string>, string])[] = [
  [{ URL: 'ftp://bank' }, 'URL must be an http(s) URL'],
  [{ API_KEY: 'kéy' }, 'API_KEY must be printable ASCII without spaces'],
  [{ WEBHOOK_SECRETS: `${SECRET},` }, 'WEBHOOK_SECRETS must have something between its commas'],
  [{ WEBHOOK_SECRETS: `${SECRET},short` }, 'WEBHOOK_SECRETS must have at least 32 characters'],
  [{ CURRENCIES: 'EURO' }, 'CURRENCIES must be ISO 4217 codes, such as EUR,XOF'],
  [{ REFUNDS: 'some' }, 'REFUNDS must be PARTIAL, FULL or NONE'],
  [{ TIMEOUT_SECONDS: '0' }, 'TIMEOUT_SECONDS must be at least 1'],
  [{ MINIMUM_AMOUNTS: '100' }, 'MINIMUM_AMOUNTS must be amounts of currencies, such as EUR=0.50,XOF=100'],
  [{ MINIMUM_AMOUNTS: 'XOF=0.5' }, 'MINIMUM_AMOUNTS has XOF=0.5, which is no positive amount of XOF'],
  [{ MAXIMUM_AMOUNTS: 'EUR=0' }, 'MAXIMUM_AMOUNTS has EUR=0, which is no positive amount of EUR'],
  [{ MAXIMUM_AMOUNTS: 'EUR=1,EUR=2' }, 'MAXIMUM_AMOUNTS names EUR twice'],
  [
    { MINIMUM_AMOUNTS: 'EUR=2', MAXIMUM_AMOUNTS: 'EUR=1' },
    'MINIMUM_AMOUNTS has more EUR than MAXIMUM_AMOUNTS',
  ],
  [{ MINIMUM_AMOUNTS: 'EUR=2', CURRENCIES: 'XOF' }, 'MINIMUM_AMOUNTS names EUR, which is not in CURRENCIES'],
  [
    { AMOUNT_EXPONENTS: 'XOF=2,CFA=2,EUR=9,TND,XOF=0' },
    'AMOUNT_EXPONENTS has CFA=2, which is no currency with its decimals; has EUR=9, but EUR can be counted with 0 to 6 decimals; has TND, which is no currency with its decimals; names XOF twice: it must be such as XOF=2,EUR=2',
  ],
  [
    { AMOUNT_EXPONENTS: 'XOF=2,EUR=2,USD=2', CURRENCIES: 'XOF' },
    'AMOUNT_EXPONENTS names EUR and USD, which CURRENCIES does not name',
  ],
  [{ SIGNATURE_HEADER: 'X Signature' }, 'SIGNATURE_HEADER must be the name of a header, such as X-Signature'],
  [
    { SIGNATURE_ALGORITHM: 'md5' },
    'SIGNATURE_ALGORITHM must be sha256, sha384 or sha512; md5 and sha1 are too weak, and never taken',
  ],
  [
    { SIGNATURE_ALGORITHM: 'HMAC-SHA1' },
    'SIGNATURE_ALGORITHM must be sha256, sha384 or sha512; md5 and sha1 are too weak, and never taken',
  ],
  [{ SIGNATURE_ENCODING: 'base58' }, 'SIGNATURE_ENCODING must be hex or base64'],
  [
    { SIGNATURE_PREFIX: 'v1=,' },
    'SIGNATURE_PREFIX is not possible: an inline timestamp stands before a comma, so no comma can be in the prefix',
  ],
  [
    { SIGNATURE_PREFIX: 't=' },
    'SIGNATURE_PREFIX is not possible: an inline timestamp begins with t=, so the prefix must not',
  ],
  [{ SIGNED_MESSAGE: 'body.ts' }, 'SIGNED_MESSAGE must be body, ts.body, ts+body or id.ts.body'],
  [
    { SIGNED_MESSAGE: 'body', TIMESTAMP: 'X-Time' },
    'TIMESTAMP is set, but SIGNED_MESSAGE is body: a time that nobody signs proves nothing',
  ],
  [
    { SIGNED_MESSAGE: 'body', TIMESTAMP_TOLERANCE_SECONDS: '60' },
    'TIMESTAMP_TOLERANCE_SECONDS is set, but SIGNED_MESSAGE is body: a time that nobody signs proves nothing',
  ],
  [{ TIMESTAMP: 'x-signature' }, 'TIMESTAMP is the header of the signature itself: then it is inline'],
  [{ SIGNATURE_SCHEME: 'rsa' }, 'SIGNATURE_SCHEME must be hmac, standard-webhooks or token'],
  [
    { SIGNATURE_SCHEME: 'token', SIGNATURE_HEADER: 'X-Token' },
    'READ_ADDRESS is needed, because SIGNATURE_SCHEME is token: a token proves little, so the bank itself is asked about each notification',
  ],
  [
    { SIGNATURE_SCHEME: 'token', READ_ADDRESS: 'payments/{id}' },
    'SIGNATURE_HEADER is needed, because SIGNATURE_SCHEME is token: it carries the token',
  ],
  [
    {
      SIGNATURE_SCHEME: 'token',
      SIGNATURE_HEADER: 'X-Token',
      READ_ADDRESS: 'payments/{id}',
      SIGNED_MESSAGE: 'body',
    },
    'SIGNED_MESSAGE is set, but SIGNATURE_SCHEME is token: nothing is signed',
  ],
  [{ SIGNED_ID: 'X-Id' }, 'SIGNED_ID is set, but SIGNED_MESSAGE is ts.body: no id is signed'],
  [
    {
      SIGNATURE_SCHEME: 'standard-webhooks',
      TIMESTAMP: 'inline',
      WEBHOOK_SECRETS: `base64:${'ab'.repeat(20)}`,
    },
    'TIMESTAMP is inline, but with an id it stands in a header of its own',
  ],
  [
    { SIGNATURE_SCHEME: 'standard-webhooks' },
    'WEBHOOK_SECRETS has a key that is not base64, as those of Standard Webhooks are (text: before it makes it a text)',
  ],
  [{ WEBHOOK_SECRETS: `hex:${'xy'.repeat(32)}` }, 'WEBHOOK_SECRETS has a key behind hex: that is not hex'],
  [
    { WEBHOOK_SECRETS: `base64:${'?'.repeat(32)}` },
    'WEBHOOK_SECRETS has a key behind base64: that is not base64',
  ],
  [
    { WEBHOOK_SECRETS: `hex:${'ab'.repeat(14)}` },
    'WEBHOOK_SECRETS has a key of 14 bytes; there must be at least 16',
  ],
  [{ NOTIFICATION_FORMAT: 'xml' }, 'NOTIFICATION_FORMAT must be JSON, FORM or MULTIPART'],
  [{ TIMESTAMP_TOLERANCE_SECONDS: '0' }, 'TIMESTAMP_TOLERANCE_SECONDS must be at least 1'],
  [{ EVENT_ID: 'header:' }, 'EVENT_ID must be a path in the body such as id, header:X-Event-Id, or digest'],
  [{ STATUS_PATH: 'data/status' }, 'STATUS_PATH must be names joined by dots, such as data.reference'],
  [{ CURRENCY_PATH: 'XOF' }, 'CURRENCY_PATH must be a path in the body, or always:XOF'],
  [
    { CURRENCY_PATH: 'always:CFA' },
    'CURRENCY_PATH must be a path in the body such as data.currency, or always:XOF',
  ],
  [{ CURRENCY_PATH: 'always:XOF' }, 'CURRENCY_PATH is always:XOF, so CURRENCIES must be XOF'],
  [
    { CURRENCY_PATH: 'always:XOF', CURRENCIES: 'XOF,EUR' },
    'CURRENCY_PATH is always:XOF, so CURRENCIES must be XOF',
  ],
  [
    { REFUND_TYPES: 'refund,transfer.credited' },
    'REFUND_TYPES has transfer.credited, which tells of payments',
  ],
  [{ PAYMENT_TYPES: 'paid,refund.booked' }, 'PAYMENT_TYPES has refund.booked, which tells of refunds'],
  [{ AMOUNT_FORMAT: 'cents' }, 'AMOUNT_FORMAT must be DECIMAL, MINOR_UNITS or DECIMAL_NUMBER'],
  [
    { STATUS_WORDS: 'BOOKED' },
    'STATUS_WORDS must be pairs, the bank’s word first, such as BOOKED=paid,REJECTED=failed',
  ],
  [
    { STATUS_WORDS: 'paid=BOOKED' },
    'STATUS_WORDS has paid=BOOKED, but behind the = stands pending, processing, paid, failed or cancelled',
  ],
  [{ STATUS_WORDS: 'OK=paid,OK=failed' }, 'STATUS_WORDS says twice what OK means'],
  [
    { STATUS_WORDS: 'NO=failed' },
    'STATUS_WORDS must have a word that means paid, such as BOOKED=paid,REJECTED=failed',
  ],
  [
    { REFUND_STATUS_WORDS: 'NO=failed' },
    'REFUND_STATUS_WORDS must have a word that means succeeded, such as BOOKED=succeeded,REJECTED=failed',
  ],
  [
    { CREATE_ADDRESS: 'https://evil.example' },
    'CREATE_ADDRESS must be a path below the bank’s URL, such as payments/{id}',
  ],
  [{ CREATE_ADDRESS: 'a/../b' }, 'CREATE_ADDRESS must be a path below the bank’s URL, such as payments/{id}'],
  [{ CREATE_ADDRESS: 'payments/{id}' }, 'CREATE_ADDRESS has {id}, but there is no payment whose id it is'],
  [{ READ_ADDRESS: 'status' }, 'READ_ADDRESS must say where the payment’s id stands, as {id}'],
  [
    { LIST_FIELDS: 'next_cursor=next' },
    'LIST_FIELDS has next_cursor=next, but behind the = stands payments, next_cursor, since, until or cursor',
  ],
  [{ LIST_FIELDS: 'a=since,b=since' }, 'LIST_FIELDS says twice where since is'],
  [{ REFUND_FIELDS: 'a/b=amount' }, 'REFUND_FIELDS has a/b, which is not names joined by dots'],
  [{ PAYMENT_FIELDS: 'amount=reference' }, 'PAYMENT_FIELDS would send two things to one place: amount'],
  [
    { PAYMENT_FIELDS: 'order=reference,order.total=amount' },
    'PAYMENT_FIELDS would send two things to one place: order and order.total',
  ],
];

test.each(REFUSED)('%j is refused in words', (variables, fault) => {
  expect(faultsOf(of(variables))).toEqual([`BANK_X_${fault}`]);
});

describe('the worked example of src/providers/README.md', () => {
  const readme = readFileSync(resolve(import.meta.dirname, '../src/providers/README.md'), 'utf8');
  const settings = [...readme.matchAll(/^ *([A-Z][A-Z0-9_]*)=(.*)$/gm)].map(([, name, value]) => [
    name,
    value,
  ]);
  const environment = Object.fromEntries(settings) as Record<string, string>;

  test('is a configuration that starts', () => {
    expect(settings.length).toBeGreaterThan(25);
    expect(faultsOf(environment)).toEqual([]);
  });

  test('understands the notification beside it', () => {
    const [, json = ''] = /```http\n[^{]*(\{[^`]*\})\n```/.exec(readme) ?? [];
    const signature = createHmac('sha512', environment['BANK_GOLFE_WEBHOOK_SECRETS']!)
      .update(json)
      .digest('hex');
    const [bank] = createProviders(loadConfig(environment));
    const headers = { 'x-golfe-signature': `sha512=${signature}` };
    expect(bank!.parseNotification(Buffer.from(json), headers, new Date())).toMatchObject({
      verdict: 'accepted',
      eventId: '8841',
      events: [
        {
          providerReference: 'col_17',
          attemptReference: 'TXN-01K8Q5Z7M3N9P2R4S6T8V0W1X2-1',
          outcome: { kind: 'paid', amount: 15_000, currency: 'XOF', movementReference: 'stl_92' },
        },
      ],
    });
  });
});
