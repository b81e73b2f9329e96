import { randomUUID } from 'node:crypto';
import { createBankProvider } from '../src/providers/bank/bank-provider.js';
import type { RoutingRule } from '../src/providers/routing-rules.js';
import { startBankDouble, type BankDouble } from '../src/sandbox/bank/bank-double.js';
import type { HttpFault } from '../src/sandbox/http-fault.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import { BY_PHONE, BY_SOFTPAY, orderInFrancs, readWhole, untilPayment } from './support/mobile-money.js';
import { available, createPayment, orderOf, readOrder } from './support/payment-calls.js';
import {
  codeOf,
  CREATE_PAYMENT,
  dataOf,
  RETURN_URL,
  startTestApp,
  type RunningApp,
} from './support/running-app.js';
import { BANK } from './support/ways-to-pay.js';

const SECRET = 'bank_test_secret_of_fallbacks_0123456789';

/** In this order, and never by chance. */
const RULES: readonly RoutingRule[] = [
  { provider: 'bank-a', priority: 1, weight: 1 },
  { provider: 'bank-b', priority: 2, weight: 1 },
  { provider: 'bank-c', priority: 3, weight: 1 },
];

interface ThreeBanks {
  readonly app: RunningApp;
  readonly a: BankDouble;
  readonly b: BankDouble;
  readonly c: BankDouble;
  stop(): Promise<void>;
}

async function startThreeBanks(
  resilience: NonNullable<Parameters<typeof startTestApp>[0]>['resilience'] = {},
): Promise<ThreeBanks> {
  let url = '';
  const doubleOf = (name: string) =>
    startBankDouble({
      name,
      displayName: name,
      apiKey: 'key',
      webhookSecret: SECRET,
      webhookUrl: () => `${url}/webhooks/${name}`,
      firstRetryMilliseconds: 50,
    });
  const [a, b, c] = await Promise.all([doubleOf('bank-a'), doubleOf('bank-b'), doubleOf('bank-c')]);
  const providerOf = (name: string, { url: baseUrl }: BankDouble) =>
    createBankProvider({
      name,
      baseUrl,
      apiKey: 'key',
      webhookSecrets: [SECRET],
      timeoutMilliseconds: 500,
      // Only this one takes amounts below one euro.
      ...(name !== 'bank-c' && { limits: { EUR: { minimum: 100 } } }),
    });
  const app = await startTestApp({
    providers: [providerOf('bank-a', a), providerOf('bank-b', b), providerOf('bank-c', c)],
    routingRules: RULES,
    resilience: { retryPauseMilliseconds: 5, ...resilience },
  });
  ({ url } = app);
  const stop = async () => {
    await app.stop();
    await Promise.all([a.stop(), b.stop(), c.stop()]);
  };
  return { app, a, b, c, stop };
}

let banks: ThreeBanks;
let app: RunningApp;
beforeAll(async () => {
  // The circuits stay closed, however often a test has a bank fail.
  banks = await startThreeBanks({ failuresToOpen: 1_000 });
  ({ app } = banks);
});
afterEach(async () => {
  await Promise.all([banks.a.settled(), banks.b.settled(), banks.c.settled()]);
  await expectInvariants(app.dataSource);
});
afterAll(() => banks.stop());

async function onlyPaymentOf(orderId: string, token: string): Promise<any> {
  const { paymentIntents } = await readOrder(app, orderId, token);
  expect(paymentIntents).toHaveLength(1);
  return readWhole(app, paymentIntents[0].id);
}

const chargesOf = (reference: string) =>
  [banks.a, banks.b, banks.c].map((bank) => bank.counts().chargesByReference[reference] ?? 0);

const fail = (bank: BankDouble, fault: HttpFault, times = 1) =>
  bank.answerNext('createPayment', fault, times);

const BUSY: HttpFault = { kind: 'status', status: 429 };

describe('a first provider that', () => {
  it('answers 429 surely did nothing: the payment goes on at the next one', async () => {
    const { orderId, token, sku } = await orderOf(app);
    fail(banks.a, BUSY);
    const { paymentIntent, nextAction } = dataOf(
      await createPayment(app, orderId, token, BANK),
    ).createPaymentIntent;
    expect(nextAction.url).toContain(banks.b.url.host);
    expect(await readWhole(app, paymentIntent.id)).toMatchObject({
      status: 'PENDING',
      version: 1,
      attempts: [
        {
          number: 1,
          provider: 'bank-a',
          status: 'FAILED',
          failureCode: 'PROVIDER_UNAVAILABLE',
          failureMessage: 'bank-a was down; nothing was charged there.',
          fallbackOf: null,
        },
        { number: 2, provider: 'bank-b', status: 'PENDING', fallbackOf: 1 },
      ],
    });
    expect(await available(app, sku)).toBe(9);
    banks.b.pay(`${paymentIntent.id}-2`);
    await untilPayment(app, paymentIntent.id, { status: 'PAID', version: 2, failureCode: null });
    expect(chargesOf(`${paymentIntent.id}-2`)).toEqual([0, 1, 0]);
    expect(banks.a.counts().charges).toBe(0);
  });

  it.each<[string, HttpFault]>([
    ['never answers, and has done nothing', { kind: 'hang' }],
    ['never answers, and has done it', { kind: 'hang', afterDoing: true }],
    ['breaks off, and has done it', { kind: 'close', afterDoing: true }],
    ['answers 502, and has done it', { kind: 'status', status: 502, afterDoing: true }],
    ['answers 503, which proves nothing', { kind: 'status', status: 503 }],
    [
      'answers with what is no JSON',
      { kind: 'status', status: 200, body: '<html>', contentType: 'text/html' },
    ],
  ])('%s, is not routed around: it is UNKNOWN, and there is never a second charge', async (_, fault) => {
    const { orderId, token } = await orderOf(app);
    const others = banks.b.counts().requests.createPayment;
    fail(banks.a, fault, 1);
    const { id, status } = await app.pay(orderId, token, BANK);
    expect(status).toBe('UNKNOWN');
    expect((await readWhole(app, id)).attempts).toMatchObject([{ provider: 'bank-a', status: 'UNKNOWN' }]);
    expect(banks.b.counts().requests.createPayment).toBe(others);

    const again = await app.pay(orderId, token, BANK);

    expect(again).toMatchObject({ id, status: 'PENDING' });
    expect(again.nextAction.url).toContain(banks.a.url.host);
    banks.a.pay(`${id}-1`);
    await untilPayment(app, id, { status: 'PAID', capturedAmount: 1_500 });
    expect(chargesOf(`${id}-1`)).toEqual([1, 0, 0]);
  });

  it.each<[string, HttpFault, string]>([
    ['rejects the request', { kind: 'status', status: 422, body: '{"error":"no"}' }, 'PROVIDER_REJECTED'],
    [
      'declines the payer',
      { kind: 'status', status: 402, body: '{"error":"no_account"}' },
      'PAYMENT_DECLINED',
    ],
  ])('%s has answered: the payer is told, and nobody else is asked', async (_, fault, code) => {
    const { orderId, token, sku } = await orderOf(app);
    const others = banks.b.counts().requests.createPayment;
    fail(banks.a, fault, 1);
    const refused = await createPayment(app, orderId, token, BANK);
    expect(codeOf(refused)).toBe(code);
    expect(banks.b.counts().requests.createPayment).toBe(others);
    expect(await onlyPaymentOf(orderId, token)).toMatchObject({
      status: 'FAILED',
      attempts: [{ provider: 'bank-a', status: 'FAILED' }],
    });
    expect(await available(app, sku)).toBe(10);
  });
});

describe('a chain', () => {
  it('goes to each provider once, and says so when all are down', async () => {
    const { orderId, token, sku } = await orderOf(app);
    const before = [banks.a, banks.b, banks.c].map((bank) => bank.counts().requests.createPayment);
    for (const bank of [banks.a, banks.b, banks.c]) fail(bank, BUSY);
    const input = { ...BANK, idempotencyKey: randomUUID() };

    const refused = await createPayment(app, orderId, token, input);

    expect(refused.errors![0]!.extensions).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', retryable: true });
    const after = [banks.a, banks.b, banks.c].map((bank) => bank.counts().requests.createPayment);
    expect(after).toEqual(before.map((count) => count + 1));
    const payment = await onlyPaymentOf(orderId, token);
    expect(payment).toMatchObject({
      status: 'PENDING',
      version: 1,
      attempts: [
        { provider: 'bank-a', status: 'FAILED', fallbackOf: null },
        { provider: 'bank-b', status: 'FAILED', fallbackOf: 1 },
        { provider: 'bank-c', status: 'PENDING', fallbackOf: 2 },
      ],
    });
    expect(await available(app, sku)).toBe(9);

    // The same request goes on where the chain has ended.
    const again = dataOf(await createPayment(app, orderId, token, input)).createPaymentIntent;
    expect(again.paymentIntent.id).toBe(payment.id);
    expect(again.nextAction.url).toContain(banks.c.url.host);
    expect((await readWhole(app, payment.id)).attempts).toHaveLength(3);
  });

  it('with a key gives the attempt that was begun in place of the first, and nothing new', async () => {
    const { orderId, token } = await orderOf(app);
    const input = { ...BANK, idempotencyKey: randomUUID() };
    fail(banks.a, BUSY);
    const first = dataOf(await createPayment(app, orderId, token, input)).createPaymentIntent;
    const again = dataOf(await createPayment(app, orderId, token, input)).createPaymentIntent;
    expect(again).toEqual(first);
    expect(first.nextAction.url).toContain(banks.b.url.host);
    expect((await readWhole(app, first.paymentIntent.id)).attempts).toHaveLength(2);
  });

  it('without a key does, too', async () => {
    const { orderId, token } = await orderOf(app);
    fail(banks.a, BUSY);
    const first = await app.pay(orderId, token, BANK);
    const again = await app.pay(orderId, token, BANK);
    expect(again).toEqual(first);
    expect((await readWhole(app, first.id)).attempts).toHaveLength(2);
  });

  it.each([
    ['with the same key', () => ({ ...BANK, idempotencyKey: randomUUID() })],
    ['without a key', () => BANK],
  ])('is one, of two equal requests at the same time %s', async (_, inputOf) => {
    const { orderId, token } = await orderOf(app);
    const input = inputOf();
    fail(banks.a, BUSY);
    const answers = await Promise.all([
      createPayment(app, orderId, token, input),
      createPayment(app, orderId, token, input),
    ]);
    const opened = answers.filter(({ errors }) => !errors).map(({ data }) => data.createPaymentIntent);
    // Whoever waited for the first call may be told to come again; nobody is told anything else.
    expect(
      answers
        .map(codeOf)
        .filter(Boolean)
        .every((code) => code === 'PROVIDER_UNAVAILABLE'),
    ).toBe(true);
    expect(opened.length).toBeGreaterThanOrEqual(1);
    const payment = await onlyPaymentOf(orderId, token);
    expect(payment.attempts.filter(({ status }: any) => status === 'PENDING')).toHaveLength(1);
    expect(payment.attempts).toHaveLength(2);
    const last = dataOf(await createPayment(app, orderId, token, input)).createPaymentIntent;
    expect(last.paymentIntent.id).toBe(payment.id);
    for (const { nextAction } of opened) expect(nextAction).toEqual(last.nextAction);
    banks.b.pay(`${payment.id}-2`);
    await untilPayment(app, payment.id, { status: 'PAID', capturedAmount: 1_500 });
  });

  it('many times at once makes one payment each, and charges each once', async () => {
    const orders = await Promise.all(Array.from({ length: 12 }, () => orderOf(app)));
    fail(banks.a, BUSY, 12);
    const payments = await Promise.all(orders.map(({ orderId, token }) => app.pay(orderId, token, BANK)));
    for (const { id } of payments) banks.b.pay(`${id}-2`);
    await Promise.all(payments.map(({ id }) => untilPayment(app, id, { status: 'PAID' })));
    for (const { id } of payments) expect(chargesOf(`${id}-2`)).toEqual([0, 1, 0]);
  });

  it('leads only to ways that take the amount', async () => {
    const { orderId, token } = await orderOf(app, { unitAmount: 50 });
    fail(banks.c, BUSY);
    expect(codeOf(await createPayment(app, orderId, token, BANK))).toBe('PROVIDER_UNAVAILABLE');
    expect((await onlyPaymentOf(orderId, token)).attempts).toMatchObject([
      { provider: 'bank-c', status: 'PENDING', fallbackOf: null },
    ]);
  });

  it('leads nowhere from the provider that the payer named', async () => {
    const { orderId, token } = await orderOf(app);
    fail(banks.a, BUSY);
    expect(codeOf(await createPayment(app, orderId, token, { ...BANK, provider: 'bank-a' }))).toBe(
      'PROVIDER_UNAVAILABLE',
    );
    expect((await onlyPaymentOf(orderId, token)).attempts).toMatchObject([{ provider: 'bank-a' }]);
  });

  it('is not begun for a payment that its payer cancelled meanwhile', async () => {
    const { orderId, token, sku } = await orderOf(app);
    fail(banks.a, BUSY);
    const [, cancelled] = await Promise.all([
      createPayment(app, orderId, token, BANK),
      eventually(async () => {
        const { paymentIntents } = await readOrder(app, orderId, token);
        const mutation = 'mutation ($id: ID!) { cancelPaymentIntent(id: $id) { id status } }';
        return dataOf(await app.graphql(mutation, { id: paymentIntents[0].id }, token)).cancelPaymentIntent;
      }),
    ]);
    await untilPayment(app, cancelled.id, { status: 'CANCELLED' });
    expect(
      (await readWhole(app, cancelled.id)).attempts.some(({ status }: any) => status === 'PENDING'),
    ).toBe(false);
    expect(await available(app, sku)).toBe(10);
  });

  it('is in the timeline of the payment', async () => {
    const { orderId, token } = await orderOf(app);
    fail(banks.a, BUSY);
    const { id } = await app.pay(orderId, token, BANK);
    const query = `{ paymentTimeline(id: "${id}") { kind summary } }`;
    const { paymentTimeline } = dataOf(await app.graphql(query, {}, app.operatorToken));
    expect(paymentTimeline.filter(({ kind }: any) => kind === 'ATTEMPT')).toHaveLength(2);
  });
});

describe('a provider whose server is gone', () => {
  it('is gone around within a second, three times in a row and then at once, until it is back', async () => {
    const gone = await startThreeBanks({ failuresToOpen: 3, pauseMilliseconds: 60_000 });
    try {
      await gone.a.stop();
      const took: number[] = [];
      for (let number = 0; number < 5; number += 1) {
        const { sku } = await gone.app.addProduct();
        const { orderId, token } = await gone.app.order(sku);
        const begun = performance.now();
        const { id, nextAction } = await gone.app.pay(orderId, token, BANK);
        took.push(performance.now() - begun);
        expect(nextAction.url).toContain(gone.b.url.host);
        const { attempts } = await readWhole(gone.app, id);
        // Behind an open circuit it isn't even tried.
        expect(attempts.map(({ provider }: any) => provider)).toEqual(
          number < 3 ? ['bank-a', 'bank-b'] : ['bank-b'],
        );
      }
      expect(Math.max(...took)).toBeLessThan(1_000);
    } finally {
      await gone.stop();
    }
  });

  it('is said to be unavailable within a second where there is no other, and is no option any more', async () => {
    const gone = await startThreeBanks({ failuresToOpen: 2, pauseMilliseconds: 60_000 });
    try {
      await gone.a.stop();
      const { sku } = await gone.app.addProduct();
      const only = { ...BANK, provider: 'bank-a' };
      for (let number = 0; number < 4; number += 1) {
        const { orderId, token } = await gone.app.order(sku);
        const begun = performance.now();
        const refused = await gone.app.graphql(CREATE_PAYMENT, { input: { orderId, ...only } }, token);
        expect(performance.now() - begun).toBeLessThan(1_000);
        expect(refused.errors![0]!.extensions).toMatchObject({
          code: 'PROVIDER_UNAVAILABLE',
          retryable: true,
        });
        // The payer has another way, in the same payment.
        const { nextAction } = await gone.app.pay(orderId, token, { ...BANK, provider: 'bank-b' });
        expect(nextAction.url).toContain(gone.b.url.host);
      }
      const { orderId, token } = await gone.app.order(sku);
      const query = `{ paymentOptions(orderId: "${orderId}") { provider } }`;
      const { paymentOptions } = dataOf(await gone.app.graphql(query, {}, token));
      expect(paymentOptions).toEqual([{ provider: 'bank-b' }, { provider: 'bank-c' }]);
      const all = `{ paymentOptions(orderId: "${orderId}", includeUnavailable: true) { provider whyNot { code passing } } }`;
      const told = dataOf(await gone.app.graphql(all, {}, gone.app.operatorToken)).paymentOptions;
      expect(told[0]).toEqual({ provider: 'bank-a', whyNot: [{ code: 'PROVIDER_DOWN', passing: true }] });
    } finally {
      await gone.stop();
    }
  });
});

describe('between two providers of mobile money', () => {
  let mobile: RunningApp;
  beforeAll(async () => {
    mobile = await startTestApp({ resilience: { retryPauseMilliseconds: 5, failuresToOpen: 1_000 } });
  });
  afterAll(() => mobile.stop());

  const rings = () =>
    mobile.paydunya.counts().requests.softpay + mobile.pawapay.counts().requests.createDeposit;

  it('a page of pawaPay’s gives way to a page of PayDunya’s', async () => {
    const { orderId, token } = await orderInFrancs(mobile);
    mobile.pawapay.answerNext('createPaymentPage', BUSY);
    const input = { method: 'MOBILE_MONEY', presentation: 'REDIRECT', returnUrl: RETURN_URL, country: 'BJ' };
    const { id } = await mobile.pay(orderId, token, input);
    expect((await readWhole(mobile, id)).attempts).toMatchObject([
      { provider: 'pawapay', status: 'FAILED' },
      { provider: 'paydunya', status: 'PENDING', presentation: 'REDIRECT', fallbackOf: 1, country: 'BJ' },
    ]);
    mobile.paydunya.pay(`${id}-2`);
    await untilPayment(mobile, id, { status: 'PAID' });
  });

  it('the page leads nowhere that the payer is not: not from Cameroon', async () => {
    const { orderId, token } = await orderInFrancs(mobile, { currency: 'XAF' });
    mobile.pawapay.answerNext('createPaymentPage', BUSY);
    const input = { method: 'MOBILE_MONEY', presentation: 'REDIRECT', returnUrl: RETURN_URL, country: 'CM' };
    expect(codeOf(await mobile.graphql(CREATE_PAYMENT, { input: { orderId, ...input } }, token))).toBe(
      'PROVIDER_UNAVAILABLE',
    );
  });

  it('the phone leads to the phone only where the payer has said what that provider needs', async () => {
    const { orderId, token } = await orderInFrancs(mobile);
    mobile.pawapay.answerNext('createDeposit', BUSY);
    const before = rings();
    // PayDunya would need an operator.
    expect(codeOf(await mobile.graphql(CREATE_PAYMENT, { input: { orderId, ...BY_PHONE } }, token))).toBe(
      'PROVIDER_UNAVAILABLE',
    );
    expect(rings()).toBe(before + 1);
  });

  it('the phone leads to no provider that doesn’t know the payer’s operator by this name', async () => {
    const { orderId, token } = await orderInFrancs(mobile);
    mobile.pawapay.answerNext('createDeposit', BUSY);
    const input = { orderId, ...BY_PHONE, operator: 'MTN_MOMO_BEN' };
    expect(codeOf(await mobile.graphql(CREATE_PAYMENT, { input }, token))).toBe('PROVIDER_UNAVAILABLE');
    expect(mobile.paydunya.counts().requests.softpay).toBe(0);
  });

  it('the phone leads to a page where the payer left open where to pay, and can come back', async () => {
    const { orderId, token } = await orderInFrancs(mobile);
    mobile.pawapay.answerNext('createDeposit', BUSY);
    const input = { method: 'MOBILE_MONEY', phoneNumber: BY_PHONE.phoneNumber, returnUrl: RETURN_URL };
    const { id, nextAction } = await mobile.pay(orderId, token, input);
    expect(nextAction.__typename).toBe('RedirectToUrl');
    expect((await readWhole(mobile, id)).attempts).toMatchObject([
      { provider: 'pawapay', presentation: 'PHONE', status: 'FAILED' },
      { provider: 'paydunya', presentation: 'REDIRECT', status: 'PENDING', country: 'BJ' },
    ]);
  });

  it('an operator that pawaPay knows to be closed sends its payers to the next one', async () => {
    const { orderId, token } = await orderInFrancs(mobile);
    mobile.pawapay.answerNext('createDeposit', {
      kind: 'reject',
      failureCode: 'PROVIDER_TEMPORARILY_UNAVAILABLE',
    });
    const input = { method: 'MOBILE_MONEY', phoneNumber: BY_PHONE.phoneNumber, returnUrl: RETURN_URL };
    const { id } = await mobile.pay(orderId, token, input);
    expect((await readWhole(mobile, id)).attempts).toMatchObject([
      { provider: 'pawapay', status: 'FAILED' },
      { provider: 'paydunya', status: 'PENDING' },
    ]);
  });

  it('a phone that may have rung is never followed by another: UNKNOWN stays where it is', async () => {
    const { orderId, token } = await orderInFrancs(mobile);
    mobile.pawapay.answerNext('createDeposit', { kind: 'close', afterDoing: true });
    const input = { method: 'MOBILE_MONEY', phoneNumber: BY_PHONE.phoneNumber, returnUrl: RETURN_URL };
    const invoices = mobile.paydunya.counts().invoices;
    const { id, status } = await mobile.pay(orderId, token, input);
    expect(status).toBe('UNKNOWN');
    expect(mobile.paydunya.counts().invoices).toBe(invoices);
    mobile.pawapay.approve(`${id}-1`);
    await untilPayment(mobile, id, { status: 'PAID' });
  });

  it('an operator at PayDunya that is busy has rung nobody’s phone', async () => {
    const { orderId, token } = await orderInFrancs(mobile);
    mobile.paydunya.answerNext('softpay', BUSY);
    expect(codeOf(await mobile.graphql(CREATE_PAYMENT, { input: { orderId, ...BY_SOFTPAY } }, token))).toBe(
      'PROVIDER_UNAVAILABLE',
    );
    const again = await mobile.pay(orderId, token, BY_SOFTPAY);
    expect(again.nextAction.__typename).toBe('ApproveOnPhone');
    mobile.paydunya.approve(`${again.id}-1`);
    await untilPayment(mobile, again.id, { status: 'PAID', attempts: [{ provider: 'paydunya' }] });
    await expectInvariants(mobile.dataSource);
  });
});
