import fc from 'fast-check';
import type { Currency } from '../src/money.js';
import { createBankProvider } from '../src/providers/bank/bank-provider.js';
import { ProvidersHealth } from '../src/providers/health.js';
import { createPawaPayProvider } from '../src/providers/pawapay/pawapay-provider.js';
import { createPayDunyaProvider } from '../src/providers/paydunya/paydunya-provider.js';
import type { OperatorAvailability, Provider } from '../src/providers/provider.js';
import { readRoutingRules, type RoutingRule } from '../src/providers/routing-rules.js';
import { routesOf, type PaymentToRoute, type Route } from '../src/providers/routing.js';
import { createStripeProvider } from '../src/providers/stripe/stripe-provider.js';
import { eventually } from './support/eventually.js';
import { AMOUNT, BY_PHONE, orderInFrancs, readWhole } from './support/mobile-money.js';
import {
  codeOf,
  CREATE_PAYMENT,
  dataOf,
  PAYDUNYA_KEYS,
  RETURN_URL,
  startTestApp,
  type RunningApp,
} from './support/running-app.js';

/** Never called here: what matters is what they say they can do. */
const NOWHERE = new URL('http://127.0.0.1:9');
const bank = (name: string, limits = {}) =>
  createBankProvider({ name, baseUrl: NOWHERE, apiKey: 'key', webhookSecrets: ['secret'], limits });
const STRIPE = createStripeProvider({
  secretKey: 'sk_test_nobody',
  publishableKey: 'pk_test_nobody',
  webhookSecrets: ['whsec_nobody'],
  apiBase: NOWHERE,
});
const PAWAPAY = createPawaPayProvider({ token: 'token', baseUrl: NOWHERE });
const PAYDUNYA = createPayDunyaProvider({
  ...PAYDUNYA_KEYS,
  baseUrl: NOWHERE,
  mode: 'live',
  storeName: 'Shop',
});
const BANK = bank('bank-x', { EUR: { minimum: 100, maximum: 1_000_000 } });
const ALL = [STRIPE, BANK, PAWAPAY, PAYDUNYA];

const rulesOf = (rules: readonly Partial<RoutingRule>[]) => {
  const read = readRoutingRules(JSON.stringify(rules));
  if (!read.rules) throw new Error(read.faults.join('; '));
  return read.rules;
};

interface Case extends Partial<PaymentToRoute> {
  readonly rules?: readonly Partial<RoutingRule>[];
  readonly providers?: readonly Provider[];
  readonly health?: ProvidersHealth;
}

function routesFor({
  rules = [],
  providers = ALL,
  health = new ProvidersHealth(),
  ...payment
}: Case): Route[] {
  const routing = { rules: rulesOf(rules), health };
  return routesOf(new Map(providers.map((provider) => [provider.name, provider])), routing, {
    reference: 'ORD-1',
    amount: AMOUNT,
    currency: 'XOF',
    captureMethod: 'AUTOMATIC',
    ...payment,
  });
}

const nameOf = ({ provider, way }: Route) => `${provider.name} ${way.method} ${way.presentation}`;
const openTo = (payment: Case) =>
  routesFor(payment)
    .filter(({ whyNot }) => whyNot.length === 0)
    .map(nameOf);
const whyNot = (payment: Case) =>
  Object.fromEntries(
    routesFor(payment).map((route) => [nameOf(route), route.whyNot.map(({ code }) => code)]),
  );

const STRIPES = ['stripe CARD EMBEDDED', 'stripe CARD REDIRECT'];
const BANKS = ['bank-x BANK REDIRECT'];
const PAWAPAYS = ['pawapay MOBILE_MONEY PHONE', 'pawapay MOBILE_MONEY REDIRECT'];
const PAYDUNYA_CARD = 'paydunya CARD REDIRECT';
const PAYDUNYA_PAGES = ['paydunya MOBILE_MONEY REDIRECT', 'paydunya WALLET REDIRECT', PAYDUNYA_CARD];
const PAYDUNYAS = [...PAYDUNYA_PAGES, 'paydunya MOBILE_MONEY PHONE'];

/** The circuit in front of beginning payments is open. */
function down(...names: string[]): ProvidersHealth {
  const health = new ProvidersHealth();
  for (const name of names) {
    health.add(name, ['initiate']);
    health.noteCircuit(name, 'initiate', 'OPEN', new Date(Date.now() + 60_000));
  }
  return health;
}

function operators(...list: [code: string, country: string, status: OperatorAvailability['status']][]) {
  const health = new ProvidersHealth();
  health.add('pawapay', ['initiate']);
  health.setOperators(
    'pawapay',
    list.map(([code, country, status]) => ({ code, name: code, country, status })),
  );
  return health;
}

describe('the ways to pay', () => {
  it.each<[string, Case, string[]]>([
    ['of francs, anywhere', {}, [...STRIPES, ...BANKS, ...PAWAPAYS, ...PAYDUNYAS]],
    ['of francs in Benin', { country: 'BJ' }, [...STRIPES, ...BANKS, ...PAWAPAYS, ...PAYDUNYAS]],
    [
      'of francs in Mali, where only PayDunya’s page is',
      { country: 'ML' },
      [...STRIPES, ...BANKS, ...PAYDUNYA_PAGES],
    ],
    ['of francs in France', { country: 'FR' }, [...STRIPES, ...BANKS, PAYDUNYA_CARD]],
    [
      'of francs of Central Africa, in Cameroon',
      { currency: 'XAF', country: 'CM' },
      [...STRIPES, ...BANKS, ...PAWAPAYS],
    ],
    ['of francs of Central Africa, in Benin', { currency: 'XAF', country: 'BJ' }, [...STRIPES, ...BANKS]],
    ['of euros', { currency: 'EUR', amount: 1_500 }, [...STRIPES, ...BANKS]],
    [
      'of a country whose name every object inherits',
      { country: 'constructor' },
      [...STRIPES, ...BANKS, PAYDUNYA_CARD],
    ],
    ['of a cent', { currency: 'EUR', amount: 1 }, []],
    ['of the bank’s least', { currency: 'EUR', amount: 100 }, [...STRIPES, ...BANKS]],
    ['of the bank’s most', { currency: 'EUR', amount: 1_000_000 }, [...STRIPES, ...BANKS]],
    ['of more than the bank’s most', { currency: 'EUR', amount: 1_000_001 }, STRIPES],
    ['of money that is to be held', { captureMethod: 'MANUAL' }, STRIPES],
    ['while Stripe is down', { health: down('stripe') }, [...BANKS, ...PAWAPAYS, ...PAYDUNYAS]],
    ['while both of mobile money are down', { health: down('pawapay', 'paydunya') }, [...STRIPES, ...BANKS]],
    [
      'while all operators in Benin are closed, for somebody there',
      {
        country: 'BJ',
        health: operators(['MTN', 'BJ', 'CLOSED'], ['MOOV', 'BJ', 'CLOSED'], ['ORANGE', 'SN', 'OPEN']),
      },
      [...STRIPES, ...BANKS, ...PAYDUNYAS],
    ],
    [
      'while all operators in Benin are closed, for somebody elsewhere',
      { country: 'SN', health: operators(['MTN', 'BJ', 'CLOSED'], ['ORANGE', 'SN', 'OPEN']) },
      [...STRIPES, ...BANKS, ...PAWAPAYS, ...PAYDUNYAS],
    ],
    [
      'while one operator in Benin is closed',
      { country: 'BJ', health: operators(['MTN', 'BJ', 'CLOSED'], ['MOOV', 'BJ', 'OPEN']) },
      [...STRIPES, ...BANKS, ...PAWAPAYS, ...PAYDUNYAS],
    ],
    [
      'while an operator is slow',
      { country: 'BJ', health: operators(['MTN', 'BJ', 'SLOW']) },
      [...STRIPES, ...BANKS, ...PAWAPAYS, ...PAYDUNYAS],
    ],
    [
      'by a priority, lower first; a provider without a rule comes where 100 does',
      {
        rules: [
          { provider: 'paydunya', priority: 1 },
          { provider: 'stripe', priority: 200 },
        ],
        providers: [STRIPE, BANK, PAYDUNYA],
      },
      [...PAYDUNYAS, ...BANKS, ...STRIPES],
    ],
    [
      'by the priority of each way',
      {
        rules: [
          { provider: 'paydunya', methods: ['MOBILE_MONEY'], presentations: ['PHONE'], priority: 1 },
          { provider: 'paydunya', methods: ['CARD'], priority: 3 },
          { provider: 'stripe', priority: 2 },
        ],
        providers: [STRIPE, PAYDUNYA],
      },
      ['paydunya MOBILE_MONEY PHONE', ...STRIPES, PAYDUNYA_CARD],
    ],
    [
      'by the first rule that fits, and not by the best',
      {
        rules: [
          { provider: 'bank-x', currencies: ['XOF'], minimumAmount: 10_000, priority: 50 },
          { provider: 'bank-x', priority: 1 },
          { provider: 'stripe', priority: 20 },
        ],
        providers: [STRIPE, BANK],
      },
      [...STRIPES, ...BANKS],
    ],
    [
      'by the second rule when the first doesn’t fit',
      {
        amount: 9_999,
        rules: [
          { provider: 'bank-x', currencies: ['XOF'], minimumAmount: 10_000, priority: 50 },
          { provider: 'bank-x', priority: 1 },
          { provider: 'stripe', priority: 20 },
        ],
        providers: [STRIPE, BANK],
      },
      [...BANKS, ...STRIPES],
    ],
    [
      'of a provider with rules, none of which fits, are none',
      { rules: [{ provider: 'stripe', currencies: ['EUR'] }], providers: [STRIPE, BANK] },
      BANKS,
    ],
    [
      'where a rule’s country isn’t known yet are shown',
      { rules: [{ provider: 'stripe', countries: ['FR'] }], providers: [STRIPE] },
      STRIPES,
    ],
    [
      'where a rule’s country is another are not',
      { country: 'BJ', rules: [{ provider: 'stripe', countries: ['FR'] }], providers: [STRIPE] },
      [],
    ],
    [
      'by a rule’s bounds, which are inclusive',
      {
        rules: [{ provider: 'stripe', currencies: ['XOF'], minimumAmount: AMOUNT, maximumAmount: AMOUNT }],
        providers: [STRIPE],
      },
      STRIPES,
    ],
    [
      'above a rule’s bounds are none',
      {
        rules: [{ provider: 'stripe', currencies: ['XOF'], maximumAmount: AMOUNT - 1 }],
        providers: [STRIPE],
      },
      [],
    ],
    [
      'of a rule for a currency that the provider doesn’t take are still none',
      {
        currency: 'EUR',
        amount: 1_500,
        rules: [{ provider: 'paydunya', priority: 1 }],
        providers: [STRIPE, PAYDUNYA],
      },
      STRIPES,
    ],
    [
      'at a better one that is down give way to the next priority',
      {
        rules: [
          { provider: 'bank-x', priority: 1 },
          { provider: 'stripe', priority: 2 },
        ],
        providers: [STRIPE, BANK],
        health: down('bank-x'),
      },
      STRIPES,
    ],
  ])('%s', (_, payment, expected) => expect(openTo(payment)).toEqual(expected));

  it('that are not open say why', () => {
    const only = (provider: Provider, payment: Case) =>
      Object.values(whyNot({ ...payment, providers: [provider] })).flat();
    expect(only(PAYDUNYA, { currency: 'EUR' })).toContain('CURRENCY_NOT_TAKEN');
    expect(only(BANK, { currency: 'EUR', amount: 99 })).toEqual(['AMOUNT_TOO_SMALL']);
    expect(only(BANK, { currency: 'EUR', amount: 1_000_001 })).toEqual(['AMOUNT_TOO_LARGE']);
    expect(only(PAWAPAY, { country: 'FR' })).toEqual(['COUNTRY_NOT_SERVED', 'COUNTRY_NOT_SERVED']);
    expect(only(BANK, { captureMethod: 'MANUAL' })).toEqual(['HOLDING_NOT_POSSIBLE']);
    expect(only(BANK, { rules: [{ provider: 'bank-x', methods: ['CARD'] }] })).toEqual(['NO_RULE_FITS']);
    expect(only(BANK, { health: down('bank-x') })).toEqual(['PROVIDER_DOWN']);
    expect(only(PAWAPAY, { health: operators(['MTN', 'BJ', 'CLOSED']) })).toEqual([
      'OPERATORS_CLOSED',
      'OPERATORS_CLOSED',
    ]);
    // All reasons, not only the first.
    expect(only(PAWAPAY, { currency: 'EUR', country: 'FR', health: down('pawapay') }).slice(0, 3)).toEqual([
      'CURRENCY_NOT_TAKEN',
      'COUNTRY_NOT_SERVED',
      'PROVIDER_DOWN',
    ]);
  });

  it('say in words why, and whether it may pass', () => {
    const [route] = routesFor({ providers: [PAWAPAY], health: operators(['MTN', 'BJ', 'CLOSED']) });
    expect(route!.whyNot).toEqual([
      { code: 'OPERATORS_CLOSED', passing: true, message: 'pawapay says that MTN take nothing now.' },
    ]);
    const [lasting] = routesFor({ providers: [PAWAPAY], country: 'ML' });
    expect(lasting!.whyNot).toEqual([
      {
        code: 'COUNTRY_NOT_SERVED',
        passing: false,
        message: expect.stringMatching(/BJ, .* and this one is in ML\.$/),
      },
    ]);
  });

  it('that are down for a moment come after those that are well, among equals', () => {
    const rules = [{ provider: 'bank-a' }, { provider: 'bank-b' }];
    const providers = [bank('bank-a'), bank('bank-b')];
    for (let number = 0; number < 50; number += 1) {
      const routes = routesFor({ reference: `ORD-${number}`, rules, providers, health: down('bank-a') });
      expect(routes.map(({ provider }) => provider.name)).toEqual(['bank-b', 'bank-a']);
    }
  });
});

describe('weights', () => {
  const NAMES = ['bank-a', 'bank-b', 'bank-c', 'bank-d'];
  const weighted = (weights: readonly number[], reference: string, names = NAMES) =>
    routesFor({
      reference,
      providers: names.map((name) => bank(name)),
      rules: weights.map((weight, index) => ({ provider: names[index]!, weight })),
    }).map(({ provider }) => provider.name);
  const firstOf = (weights: readonly number[], reference: string) => weighted(weights, reference)[0]!;
  const WEIGHTS = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 4 });

  it('are the shares of payments over many orders', () => {
    const orders = 3_000;
    fc.assert(
      fc.property(WEIGHTS, fc.nat(), (weights, seed) => {
        const counts = new Map<string, number>();
        for (let number = 0; number < orders; number += 1) {
          const name = weighted(weights, `ORD-${seed}-${number}`, NAMES.slice(0, weights.length))[0]!;
          counts.set(name, (counts.get(name) ?? 0) + 1);
        }
        const sum = weights.reduce((total, weight) => total + weight, 0);
        for (const [index, weight] of weights.entries()) {
          const expected = weight / sum;
          // Five standard deviations: one run in millions fails without a reason.
          const tolerance = 5 * Math.sqrt((expected * (1 - expected)) / orders);
          expect(Math.abs((counts.get(NAMES[index]!) ?? 0) / orders - expected)).toBeLessThan(tolerance);
        }
      }),
      { numRuns: 8, seed: 20_261_121 },
    );
  });

  it('give the same order the same choice each time', () => {
    fc.assert(
      fc.property(WEIGHTS, fc.string(), (weights, reference) => {
        const names = NAMES.slice(0, weights.length);
        expect(weighted(weights, reference, names)).toEqual(weighted(weights, reference, names));
        expect(weighted(weights, reference, names).toSorted()).toEqual(names);
      }),
      { numRuns: 50 },
    );
  });

  it('change nothing between the others when one more provider comes', () => {
    for (let number = 0; number < 200; number += 1) {
      const before = weighted([1, 2, 3], `ORD-${number}`, NAMES.slice(0, 3));
      const after = weighted([1, 2, 3, 4], `ORD-${number}`);
      expect(after.filter((name) => name !== 'bank-d')).toEqual(before);
    }
  });

  it('decide between equals of one priority only', () => {
    const rules = [
      { provider: 'bank-a', priority: 2, weight: 1_000 },
      { provider: 'bank-b', priority: 1, weight: 1 },
    ];
    const providers = [bank('bank-a'), bank('bank-b')];
    for (let number = 0; number < 50; number += 1) {
      const [first] = routesFor({ reference: `ORD-${number}`, providers, rules });
      expect(first!.provider.name).toBe('bank-b');
    }
  });

  it('without any rule leave the order in which providers are configured', () => {
    for (let number = 0; number < 20; number += 1) {
      const routes = routesFor({ reference: `ORD-${number}`, providers: [bank('bank-b'), bank('bank-a')] });
      expect(routes.map(({ provider }) => provider.name)).toEqual(['bank-b', 'bank-a']);
    }
    expect(firstOf([1, 1], 'ORD-1')).toMatch(/^bank-[abcd]$/);
  });
});

const OPTIONS = `query ($orderId: ID!, $country: String, $includeUnavailable: Boolean!) {
  paymentOptions(orderId: $orderId, country: $country, includeUnavailable: $includeUnavailable) {
    provider method presentation needs operators { code name country status } whyNot { code message passing }
  }
}`;

describe('paymentOptions', () => {
  let app: RunningApp;
  beforeAll(async () => {
    app = await startTestApp({
      routingRules: rulesOf([
        { provider: 'pawapay', priority: 1 },
        { provider: 'paydunya', priority: 2, countries: ['SN', 'BJ'] },
        { provider: 'bank-x', currencies: ['EUR'] },
      ]),
    });
    app.pawapay.setOperatorStatus('MTN_MOMO_CMR', 'CLOSED');
    app.pawapay.setOperatorStatus('ORANGE_CMR', 'CLOSED');
    app.pawapay.setOperatorStatus('MOOV_BEN', 'DELAYED');
    // Read when the server starts: it is to hear of what was just set.
    await app.restart();
    await eventually(async () => {
      const query = '{ providerHealth { provider operators { code status } } }';
      const { providerHealth } = dataOf(await app.graphql(query, {}, app.operatorToken));
      const pawapay = providerHealth.find(({ provider }: any) => provider === 'pawapay');
      expect(pawapay.operators).toEqual(expect.arrayContaining([{ code: 'MTN_MOMO_CMR', status: 'CLOSED' }]));
    });
  });
  afterAll(() => app.stop());

  const ask = (orderId: string, token: string, variables: object = {}) =>
    app.graphql(OPTIONS, { orderId, includeUnavailable: false, ...variables }, token);
  const options = async (orderId: string, token: string, variables: object = {}): Promise<any[]> =>
    dataOf(await ask(orderId, token, variables)).paymentOptions;
  const named = (list: any[]) =>
    list.map(({ provider, method, presentation }) => `${provider} ${method} ${presentation}`);

  it('show a payer what is open to them, the best first, with what each way needs', async () => {
    const { orderId, token } = await orderInFrancs(app);
    const all = await options(orderId, token, { country: 'BJ' });
    expect(named(all)).toEqual([...PAWAPAYS, ...PAYDUNYAS, ...STRIPES]);
    expect(all.every(({ whyNot: reasons }) => reasons.length === 0)).toBe(true);
    const needs = Object.fromEntries(all.map((option) => [named([option])[0], option.needs]));
    expect(needs).toMatchObject({
      'pawapay MOBILE_MONEY PHONE': ['PHONE_NUMBER'],
      'pawapay MOBILE_MONEY REDIRECT': ['COUNTRY', 'RETURN_URL'],
      'paydunya MOBILE_MONEY PHONE': ['PHONE_NUMBER', 'OPERATOR'],
      'paydunya CARD REDIRECT': ['RETURN_URL'],
      'stripe CARD EMBEDDED': [],
    });
  });

  it('name the operators of the payer’s country, and how they are doing', async () => {
    const { orderId, token } = await orderInFrancs(app);
    const [byPhone] = await options(orderId, token, { country: 'bj' });
    expect(byPhone.operators).toEqual([
      { code: 'MTN_MOMO_BEN', name: 'MTN MoMo', country: 'BJ', status: 'OPEN' },
      { code: 'MOOV_BEN', name: 'Moov Money', country: 'BJ', status: 'SLOW' },
    ]);
    const [anywhere] = await options(orderId, token);
    expect(anywhere.operators.length).toBeGreaterThan(30);
  });

  it('leave out a country whose operators pawaPay says are closed, and so does a payment', async () => {
    const { orderId, token } = await orderInFrancs(app, { currency: 'XAF' });
    expect(named(await options(orderId, token, { country: 'CM' }))).toEqual(STRIPES);
    expect(named(await options(orderId, token, { country: 'GA' }))).toEqual([...PAWAPAYS, ...STRIPES]);
    const input = { orderId, ...BY_PHONE, phoneNumber: '+237670000000' };
    const refused = await app.graphql(CREATE_PAYMENT, { input }, token);
    // There is no other way, so the provider says itself that it can't.
    expect(codeOf(refused)).toBe('PROVIDER_UNAVAILABLE');
  });

  it('tell an operator what is not open, and why', async () => {
    const { orderId } = await orderInFrancs(app, { currency: 'XAF' });
    const all = await options(orderId, app.operatorToken, { country: 'CM', includeUnavailable: true });
    expect(named(all)).toEqual(
      [...PAWAPAYS, ...PAYDUNYAS, ...STRIPES, ...BANKS].sort(
        (a, b) => named(all).indexOf(a) - named(all).indexOf(b),
      ),
    );
    const codes = Object.fromEntries(
      all.map((option) => [named([option])[0], option.whyNot.map(({ code }: any) => code)]),
    );
    expect(codes).toEqual({
      'pawapay MOBILE_MONEY PHONE': ['OPERATORS_CLOSED'],
      'pawapay MOBILE_MONEY REDIRECT': ['OPERATORS_CLOSED'],
      'paydunya MOBILE_MONEY REDIRECT': ['CURRENCY_NOT_TAKEN', 'COUNTRY_NOT_SERVED', 'NO_RULE_FITS'],
      'paydunya WALLET REDIRECT': ['CURRENCY_NOT_TAKEN', 'COUNTRY_NOT_SERVED', 'NO_RULE_FITS'],
      'paydunya CARD REDIRECT': ['CURRENCY_NOT_TAKEN', 'NO_RULE_FITS'],
      'paydunya MOBILE_MONEY PHONE': ['CURRENCY_NOT_TAKEN', 'COUNTRY_NOT_SERVED', 'NO_RULE_FITS'],
      'stripe CARD EMBEDDED': [],
      'stripe CARD REDIRECT': [],
      'bank-x BANK REDIRECT': ['NO_RULE_FITS'],
    });
    expect(all[0].whyNot[0]).toEqual({
      code: 'OPERATORS_CLOSED',
      message: 'pawapay says that MTN MoMo, Orange Money take nothing now.',
      passing: true,
    });
  });

  it('tell payers and backends nothing of what is not open', async () => {
    const { orderId, token } = await orderInFrancs(app);
    expect(codeOf(await ask(orderId, token, { includeUnavailable: true }))).toBe('FORBIDDEN');
    expect(codeOf(await ask(orderId, app.apiKey, { includeUnavailable: true }))).toBe('FORBIDDEN');
    expect((await ask(orderId, token, { country: 'Benin' })).errors![0]!.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ path: 'country' }],
    });
  });

  it('are what a payment without a wish follows', async () => {
    const { orderId, token } = await orderInFrancs(app);
    const input = { phoneNumber: '+2290151345755', returnUrl: RETURN_URL };
    const { id } = await app.pay(orderId, token, input);
    expect((await readWhole(app, id)).attempts).toMatchObject([
      { provider: 'pawapay', presentation: 'PHONE', country: 'BJ' },
    ]);
    const elsewhere = await orderInFrancs(app);
    const abroad = { country: 'FR', returnUrl: RETURN_URL };
    const { id: other } = await app.pay(elsewhere.orderId, elsewhere.token, abroad);
    expect((await readWhole(app, other)).attempts).toMatchObject([{ provider: 'stripe', country: 'FR' }]);
  });

  it('for a payer who gives but a phone number are those of mobile money', async () => {
    const { orderId, token } = await orderInFrancs(app);
    const input = { orderId, phoneNumber: '+33612345678', returnUrl: RETURN_URL };
    // A card would be open to them.
    expect(codeOf(await app.graphql(CREATE_PAYMENT, { input }, token))).toBe('NO_WAY_TO_PAY');
    const byCard = await app.pay(orderId, token, { method: 'CARD', phoneNumber: '+33612345678' });
    expect((await readWhole(app, byCard.id)).attempts).toMatchObject([{ provider: 'stripe' }]);
  });

  it('of an order that is over are none', async () => {
    const { orderId, token } = await orderInFrancs(app);
    dataOf(await app.graphql(`mutation { cancelOrder(id: "${orderId}") { status } }`, {}, token));
    expect(await options(orderId, token)).toEqual([]);
  });

  it('keep to the shares of the rules over many orders', async () => {
    const currency: Currency = 'EUR';
    const names = { 'bank-a': 0, 'bank-b': 0 };
    const providers = [bank('bank-a'), bank('bank-b')];
    const two = await startTestApp({
      providers,
      routingRules: rulesOf([
        { provider: 'bank-a', weight: 3 },
        { provider: 'bank-b', weight: 1 },
      ]),
    });
    try {
      const { sku } = await two.addProduct({ currency });
      for (let number = 0; number < 80; number += 1) {
        const { orderId, token } = await two.order(sku);
        const answer = await two.graphql(OPTIONS, { orderId, includeUnavailable: false }, token);
        names[dataOf(answer).paymentOptions[0].provider as keyof typeof names] += 1;
      }
    } finally {
      await two.stop();
    }
    // 60 are expected, and four standard deviations are 16.
    expect(names['bank-a']).toBeGreaterThanOrEqual(44);
    expect(names['bank-a']).toBeLessThanOrEqual(76);
  });
});
