import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { faultsOfProviders, readRoutingRules } from '../src/providers/routing-rules.js';
import { createTestDatabase } from './support/postgres.js';
import { buildProduct, type BuiltProduct } from './support/program.js';

const COMPLETE = {
  provider: 'pawapay',
  countries: ['BJ', 'SN'],
  currencies: ['XOF'],
  methods: ['MOBILE_MONEY'],
  presentations: ['PHONE', 'REDIRECT'],
  minimumAmount: 100,
  maximumAmount: 2_000_000,
  priority: 10,
  weight: 3,
};

const faultsOf = (rules: unknown) => readRoutingRules(JSON.stringify(rules)).faults;

describe('routing rules', () => {
  it('are read as they stand', () => {
    expect(readRoutingRules(JSON.stringify([COMPLETE]))).toEqual({ rules: [COMPLETE] });
  });

  it('need no more than the name of a provider', () => {
    const { rules } = readRoutingRules('[{ "provider": "bank-x" }]');
    expect(rules).toEqual([{ provider: 'bank-x', priority: 100, weight: 1 }]);
  });

  it('may be none', () => expect(readRoutingRules('[]')).toEqual({ rules: [] }));

  it.each<[string, unknown, string]>([
    [
      'a country in another form',
      [{ ...COMPLETE, countries: ['BEN'] }],
      'rule 1, countries.0: must be ISO 3166-1 alpha-2, such as "BJ"',
    ],
    [
      'a country in small letters',
      [{ ...COMPLETE, countries: ['BJ', 'sn'] }],
      'rule 1, countries.1: must be ISO 3166-1 alpha-2, such as "BJ"',
    ],
    [
      'a currency that there is not',
      [{ ...COMPLETE, currencies: ['CFA'] }],
      'rule 1, currencies.0: must be ISO 4217, such as "XOF"',
    ],
    ['no provider', [{ methods: ['CARD'] }], 'rule 1, provider: '],
    ['an empty list, which would fit nothing', [COMPLETE, { ...COMPLETE, methods: [] }], 'rule 2, methods: '],
    ['a method that there is not', [{ ...COMPLETE, methods: ['CASH'] }], 'rule 1, methods.0: '],
    [
      'a presentation that there is not',
      [{ ...COMPLETE, presentations: ['SMS'] }],
      'rule 1, presentations.0: ',
    ],
    ['a word that there is not, as of a slip', [{ provider: 'stripe', currency: ['EUR'] }], 'rule 1: '],
    [
      'an amount of no currency',
      [{ provider: 'stripe', minimumAmount: 5 }],
      'rule 1: an amount needs exactly one currency beside it',
    ],
    [
      'an amount of two currencies',
      [{ provider: 'stripe', maximumAmount: 5, currencies: ['EUR', 'XOF'] }],
      'rule 1: an amount needs exactly one currency beside it',
    ],
    [
      'a minimum above the maximum',
      [{ ...COMPLETE, minimumAmount: 3_000_000 }],
      'rule 1: minimumAmount is more than maximumAmount',
    ],
    ['an amount of halves', [{ ...COMPLETE, minimumAmount: 1.5 }], 'rule 1, minimumAmount: '],
    ['a weight of nothing', [{ ...COMPLETE, weight: 0 }], 'rule 1, weight: '],
    ['a negative priority', [{ ...COMPLETE, priority: -1 }], 'rule 1, priority: '],
    ['no list', { rules: [] }, ''],
  ])('with %s are refused, and the fault is named', (_, rules, fault) => {
    expect(faultsOf(rules)).toEqual([expect.stringContaining(fault)]);
  });

  it('with several faults name them all', () => {
    expect(
      faultsOf([
        { ...COMPLETE, countries: ['x'] },
        { ...COMPLETE, weight: -1 },
      ]),
    ).toEqual([expect.stringContaining('rule 1, countries.0'), expect.stringContaining('rule 2, weight')]);
  });

  it('that are no JSON are refused', () => {
    expect(readRoutingRules('[{').faults).toEqual([expect.stringMatching(/^is not JSON: /)]);
  });

  it('never make the reader throw, whatever the file holds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const { rules, faults } = readRoutingRules(text);
        expect((rules === undefined) !== (faults === undefined)).toBe(true);
      }),
    );
  });

  it('that name a provider which is not there are found, with those that are', () => {
    const { rules } = readRoutingRules(JSON.stringify([{ provider: 'stripe' }, { provider: 'pawpay' }]));
    expect(faultsOfProviders(rules!, ['stripe', 'pawapay'])).toEqual([
      'rule 2: there is no provider "pawpay"; there are stripe, pawapay',
    ]);
  });
});

describe('a server', () => {
  let product: BuiltProduct;
  let folder: string;
  let database: Awaited<ReturnType<typeof createTestDatabase>>;
  beforeAll(async () => {
    [product, database] = await Promise.all([buildProduct(), createTestDatabase()]);
    folder = await mkdtemp(join(tmpdir(), 'quittance-rules-'));
  });
  afterAll(async () => {
    await product.remove();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  async function start(rules: string) {
    const path = join(folder, 'rules.json');
    await writeFile(path, rules);
    return product.start('main.js', {
      environment: { DATABASE_URL: database.url, DATA_FOLDER: folder, PORT: '0', ROUTING_RULES_FILE: path },
    });
  }

  it.each([
    [
      'a provider that is not there',
      '[{ "provider": "pawpay" }]',
      'rule 1: there is no provider "pawpay"; there are stripe',
    ],
    ['a fault', '[{ "provider": "stripe", "weight": 0 }]', 'rule 1, weight: '],
    ['no JSON', 'priorities: stripe', 'is not JSON: '],
  ])('does not start with rules of %s, and says where the fault is', async (_, rules, fault) => {
    const server = await start(rules);
    expect(await server.ended()).toBe(1);
    expect(server.output).toContain('ROUTING_RULES_FILE');
    expect(server.output).toContain(fault);
  });

  it('starts with rules that fit its providers', async () => {
    const server = await start('[{ "provider": "stripe", "priority": 1 }, { "provider": "paydunya" }]');
    await server.until(/localhost:\d+/);
    expect(await server.kill('SIGTERM')).toBe(0);
  });
});
