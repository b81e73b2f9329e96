import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig } from '../src/config.js';
import { createProviders } from '../src/create-providers.js';

const PAYDUNYA = {
  PAYDUNYA_MASTER_KEY: 'master',
  PAYDUNYA_PRIVATE_KEY: 'test_private_1',
  PAYDUNYA_TOKEN: 'token',
  PAYDUNYA_STORE_NAME: 'Ma Boutique',
};
const PAWAPAY = { PAWAPAY_TOKEN: 'token', PAWAPAY_ENVIRONMENT: 'sandbox' };

function faultsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadConfig(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

/** Live keys are for production alone. */
function environmentFor(mode: string): Record<string, string> {
  if (mode === 'test' || mode === 'sandbox') return {};
  return {
    NODE_ENV: 'production',
    DATABASE_URL: 'postgres://quittance:password@database/quittance',
    QUITTANCE_SECRET: randomBytes(32).toString('base64'),
    OPERATOR_JWT_SECRET: randomBytes(32).toString('base64'),
    PUBLIC_URL: 'https://pay.example',
    ALLOWED_ORIGINS: 'https://shop.example',
  };
}

describe('PayDunya', () => {
  it.each([
    ['test_private_1', 'test', 'https://app.paydunya.com/sandbox-api/v1'],
    ['live_private_1', 'live', 'https://app.paydunya.com/api/v1'],
  ])('with the key %s is asked in its mode %s', (privateKey, mode, address) => {
    const { paydunya } = loadConfig({
      ...PAYDUNYA,
      ...environmentFor(mode),
      PAYDUNYA_PRIVATE_KEY: privateKey,
    });
    expect(paydunya).toMatchObject({ mode, storeName: 'Ma Boutique' });
    expect(paydunya?.baseUrl.href).toBe(address);
  });

  it.each(Object.keys(PAYDUNYA))('without %s is only half set', (name) => {
    expect(faultsOf({ ...PAYDUNYA, [name]: '' })).toEqual([`${name} is missing: PayDunya is only half set`]);
  });

  it('is told who bears its fees', () => {
    expect(loadConfig({ ...PAYDUNYA, PAYDUNYA_FEES: 'payer' }).paydunya?.fees).toBe('payer');
    expect(loadConfig(PAYDUNYA).paydunya?.fees).toBeUndefined();
    expect(faultsOf({ ...PAYDUNYA, PAYDUNYA_FEES: 'shop' })).toEqual([
      'PAYDUNYA_FEES must be merchant or payer',
    ]);
  });

  it('refuses a key of which nobody can say whether it moves real money', () => {
    expect(faultsOf({ ...PAYDUNYA, PAYDUNYA_PRIVATE_KEY: 'private_1' })).toContain(
      'PAYDUNYA_PRIVATE_KEY must begin with test_ or live_',
    );
  });
});

describe('PawaPay', () => {
  it.each([
    ['sandbox', 'https://api.sandbox.pawapay.io/'],
    ['production', 'https://api.pawapay.io/'],
  ])('of the %s is asked at %s', (environment, address) => {
    const { pawapay } = loadConfig({
      ...PAWAPAY,
      ...environmentFor(environment),
      PAWAPAY_ENVIRONMENT: environment,
    });
    expect(pawapay?.baseUrl.href).toBe(address);
    expect(pawapay?.requireSignatures).toBe(false);
  });

  it.each(Object.keys(PAWAPAY))('without %s is only half set', (name) => {
    expect(faultsOf({ ...PAWAPAY, [name]: '' })).toEqual([`${name} is missing: PawaPay is only half set`]);
  });

  it('refuses countries that are no codes', () => {
    expect(faultsOf({ ...PAWAPAY, PAWAPAY_COUNTRIES: 'Benin' })).toEqual([
      'PAWAPAY_COUNTRIES must be ISO 3166-1 alpha-2 codes, such as BJ,SN',
    ]);
  });

  it('is told where its callbacks go, so that their signatures can be checked', () => {
    const config = loadConfig({ ...PAWAPAY, PAWAPAY_SIGNED_CALLBACKS: 'yes' });
    const [pawapay] = createProviders(config, config, 'https://pay.example');
    expect(pawapay).toMatchObject({ name: 'pawapay', capabilities: { webhookProof: 'SIGNED' } });
  });
});

describe('the rules of routing', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quittance-rules-'));
  });

  afterAll(() => rm(folder, { recursive: true }));

  const write = async (text: string): Promise<{ ROUTING_RULES_FILE: string }> => {
    const path = join(folder, 'routing.json');
    await writeFile(path, text);
    return { ROUTING_RULES_FILE: path };
  };

  it('are read from their file, with what they leave out', async () => {
    const environment = await write('[{ "provider": "pawapay", "countries": ["BJ"] }]');
    expect(loadConfig(environment).routingRules).toEqual([
      { provider: 'pawapay', countries: ['BJ'], priority: 100, weight: 1 },
    ]);
  });

  it('are refused with everything that is wrong with them, each with its place', async () => {
    const environment = await write(
      '[{ "provider": "pawapay", "country": "BJ" }, { "provider": "stripe", "currencies": ["XXX"], "minimumAmount": 5 }]',
    );
    const where = `ROUTING_RULES_FILE (${environment.ROUTING_RULES_FILE}): `;
    expect(faultsOf(environment)).toEqual([
      `${where}rule 1: Unrecognized key: "country"`,
      `${where}rule 2, currencies.0: must be ISO 4217, such as "XOF"`,
    ]);
  });

  it('are refused when an amount stands beside several currencies, or beside none', async () => {
    const environment = await write('[{ "provider": "stripe", "minimumAmount": 5 }]');
    expect(faultsOf(environment)).toEqual([
      expect.stringContaining('rule 1: an amount needs exactly one currency beside it'),
    ]);
  });

  it('are refused when the file can’t be read, or holds no JSON', async () => {
    expect(faultsOf({ ROUTING_RULES_FILE: join(folder, 'nowhere.json') })).toEqual([
      expect.stringMatching(/^ROUTING_RULES_FILE: .*nowhere\.json can't be read \(ENOENT\)$/),
    ]);
    expect(faultsOf(await write('{'))).toEqual([expect.stringContaining('is not JSON')]);
  });
});

test('the log of the providers’ calls is kept for 90 days, or for as long as is wanted', () => {
  const day = 24 * 60 * 60_000;
  expect(loadConfig({}).providerLogMilliseconds).toBe(90 * day);
  expect(loadConfig({ PROVIDER_LOG_DAYS: '7' }).providerLogMilliseconds).toBe(7 * day);
  expect(loadConfig({ WEBHOOK_BODY_DAYS: '7' }).webhookBodyMilliseconds).toBe(7 * day);
  expect(loadConfig({ UNPAID_ORDER_DAYS: '7' }).unpaidOrderMilliseconds).toBe(7 * day);
});
