import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { readRoutingRules } from '../src/providers/routing-rules.js';
import { NOTIFICATION_SHAPES } from '../src/sandbox/paydunya/dialect.js';
import { expectInvariants } from './support/invariants.js';
import {
  AMOUNT,
  BY_PHONE,
  BY_SOFTPAY,
  lookNow,
  ON_PAGE_OF_PAWAPAY,
  ON_PAGE_OF_PAYDUNYA,
  orderInFrancs,
  PHONE,
  readWhole,
  untilPayment,
} from './support/mobile-money.js';
import { available, sessionIn } from './support/payment-calls.js';
import {
  codeOf,
  CREATE_PAYMENT,
  dataOf,
  RETURN_URL,
  startTestApp,
  type RunningApp,
} from './support/running-app.js';
import { refundPayment, settleReview, verifyPayment } from './support/staff-calls.js';

/*
 * What nobody could tell us of the providers for sure, and what we do should it turn out the other way (section G of the
 * reference of their APIs). Most of it is tested here through the public API; where an adapter alone can show it, the
 * table says which test does. Rows that touch nothing of ours: 11 (PayDunya's payouts, which we don't use) and 19 (Wave's
 * own API, which we reach through others).
 */
const ELSEWHERE: readonly [row: string, file: string, sentence: string][] = [
  [
    'G2 Stripe counts UGX in a way that nobody knows',
    'stripe-adapter',
    "expect(stripeLimits('UGX')).toEqual({})",
  ],
  [
    'G3 no one knows how often Stripe tells again',
    'healing',
    'whose notification is lost is healed by asking',
  ],
  [
    'G3 nor for how long',
    'lost-notifications',
    'is caught up with after a night of downtime, each thing once',
  ],
  ['G5 test cards may have other numbers', 'stripe-adapter', 'tells a decline by the issuer’s reason'],
  ['G6 combinations that Stripe refuses', 'provider-failures', 'a provider that refuses the request'],
  [
    'G7 only Stripe’s own elements and hosted page are used',
    'stripe-adapter',
    'makes a Checkout Session that lives',
  ],
  [
    'G8 money that is held although nobody asked for it',
    'stripe-adapter',
    'tells how much is held, and until when',
  ],
  ['G8 two secrets while one is rolled', 'stripe-adapter', 'is accepted with any of our secrets'],
  [
    'G10 codes of PayDunya’s that nobody has listed',
    'paydunya-adapter',
    'is rejected by any code but 00, whatever else the answer says',
  ],
  ['G10 an invoice that lives for a day, or not', 'paydunya-adapter', 'ends by itself after a day'],
  ['G13 401 or 403', 'pawapay-adapter', 'means the same with 401 as with 403 (G13)'],
  [
    'G14 with our reference in callbacks or without',
    'pawapay-adapter',
    'callbacks and refusals are understood as %j (G14)',
  ],
  ['G14 two forms of a refused refund', 'pawapay-adapter', 'in either form that pawaPay shows (G14)'],
  ['G14 refunds that name their deposit', 'mobile-money', 'is found when its callback comes'],
  ['G15 how long a page lives', 'pawapay-adapter', 'after half an hour the page is gone (G15)'],
  ['G16 DER or P1363', 'pawapay-signatures', 'P-256 in P1363 (G16)'],
  [
    'G16 whatever content type',
    'pawapay-signatures',
    'is proven with a content type as it was received, whatever it is (G16)',
  ],
  ['G17 Benin’s new numbers', 'pawapay-adapter', 'a new number of ten digits from Benin goes as it is'],
  [
    'G18 a limit of requests',
    'pawapay-adapter',
    'a limit of requests, should there be one at %s, means later (G18)',
  ],
  [
    'G18 many calls at once',
    'resilience',
    'wait for their turn up to a number, and beyond it are refused at once',
  ],
  ['G20 another bank’s words', 'bank-notification', 'is read by the words and in the places of its bank'],
  [
    'G20 another bank’s signature',
    'bank-notification',
    'when it is the published example of a signed timestamp and body',
  ],
  ['G21 one contract for all', 'provider-contract', 'keepsTheProviderContract'],
];

describe('a doubt that is tested elsewhere', () => {
  it.each(ELSEWHERE)('(%s) still is, in %s.test.ts', async (_, file, sentence) => {
    const text = await readFile(resolve(import.meta.dirname, `${file}.test.ts`), 'utf8');
    expect(text.includes(sentence)).toBe(true);
  });
});

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterEach(async () => {
  app.stripe.resumeWebhooks();
  app.pawapay.resumeWebhooks();
  app.paydunya.resumeWebhooks();
  app.paydunya.speak({});
  app.paydunya.payerBearsFees(0);
  await Promise.all([app.pawapay.settled(), app.paydunya.settled(), app.stripe.settled()]);
  await expectInvariants(app.dataSource);
});
afterAll(() => app.stop());

async function opened(way: object, product: Parameters<typeof orderInFrancs>[1] = {}) {
  const order = await orderInFrancs(app, product);
  const payment = await app.pay(order.orderId, order.token, way);
  return { ...order, ...payment, reference: `${payment.id}-1` };
}

const create = ({ orderId, token }: { orderId: string; token: string }, input: object) =>
  app.graphql(CREATE_PAYMENT, { input: { orderId, ...input } }, token);

/** The attempt is older than it is. */
const age = (id: string, interval: string) =>
  app.dataSource.query(
    `UPDATE payment_attempt SET created_at = created_at - $2::interval
     WHERE intent_id = (SELECT id FROM payment_intent WHERE reference = $1)`,
    [id, interval],
  );

describe('G1: Stripe’s least amount in francs may be more than we think', () => {
  const tooSmall = () =>
    app.stripe.answerNext('payment_intents.create', {
      answer: { kind: 'status', status: 400, code: 'amount_too_small' },
    });

  it('then the payer is told, nothing stays held, and they pay otherwise', async () => {
    const order = await orderInFrancs(app);
    tooSmall();
    const refused = await create(order, { method: 'CARD', provider: 'stripe' });
    expect(codeOf(refused)).toBe('BAD_USER_INPUT');
    expect(refused.errors![0]!.message).toBe('The amount is smaller than the card provider takes.');
    expect(await available(app, order.sku)).toBe(10);
    const { id } = await app.pay(order.orderId, order.token, { ...BY_PHONE, phoneNumber: PHONE.approves });
    await untilPayment(app, id, { status: 'PAID' });
  });

  it('and a rule keeps such amounts away from it, without new code', async () => {
    const { rules } = readRoutingRules(
      JSON.stringify([{ provider: 'stripe', currencies: ['XOF'], minimumAmount: AMOUNT + 1 }]),
    );
    const ruled = await startTestApp({ routingRules: rules! });
    try {
      const { orderId, token } = await orderInFrancs(ruled);
      const query = `{ paymentOptions(orderId: "${orderId}") { provider } }`;
      const { paymentOptions } = dataOf(await ruled.graphql(query, {}, token));
      expect(paymentOptions.map(({ provider }: any) => provider)).not.toContain('stripe');
    } finally {
      await ruled.stop();
    }
  });
});

describe('G2: nobody knows how Stripe counts shillings of Uganda', () => {
  it('so it isn’t offered them, and refuses nothing else', async () => {
    const { orderId, token } = await orderInFrancs(app, { currency: 'UGX' });
    const query = `{ paymentOptions(orderId: "${orderId}", country: "UG") { provider } }`;
    const { paymentOptions } = dataOf(await app.graphql(query, {}, token));
    const offered = new Set(paymentOptions.map(({ provider }: any) => provider));
    expect(offered).toEqual(new Set(['bank-x', 'pawapay']));
    expect(codeOf(await create({ orderId, token }, { provider: 'stripe' }))).toBe('NO_WAY_TO_PAY');
  });
});

describe('G4: the address that a payer comes back with may say anything', () => {
  it('nobody believes it: what Stripe says when it is asked decides', async () => {
    const payment = await opened({
      method: 'CARD',
      presentation: 'REDIRECT',
      provider: 'stripe',
      returnUrl: RETURN_URL,
    });
    const said = 'redirect_status=succeeded&payment_intent=pi_1&status=completed&depositId=1';
    for (const path of ['', 'return', 'webhooks/stripe', 'graphql']) {
      await fetch(`${app.url}/${path}?${said}`);
    }
    await app.dataSource.query(
      `UPDATE payment_intent SET created_at = now() - interval '31 s' WHERE reference = $1`,
      [payment.id],
    );
    const ask = async () =>
      dataOf(await verifyPayment(app, payment, payment.token)).verifyPaymentIntent.status;
    expect(await ask()).toBe('PENDING');
    app.stripe.pauseWebhooks();
    app.stripe.pay(sessionIn(payment.nextAction.url), '4242424242424242');
    await lookNow(app, payment.id);
    await untilPayment(app, payment.id, { status: 'PAID' });
  });
});

describe('G6: Stripe may refuse what our double takes', () => {
  it.each([400, 402, 403, 404])(
    'with %i: the payment ends, nothing stays held, and it is said',
    async (status) => {
      const order = await orderInFrancs(app);
      app.stripe.answerNext('payment_intents.create', {
        answer: { kind: 'status', status, code: 'parameter_unknown' },
      });
      expect(codeOf(await create(order, { method: 'CARD', provider: 'stripe' }))).toMatch(
        /^(PROVIDER_REJECTED|PAYMENT_DECLINED)$/,
      );
      expect(await available(app, order.sku)).toBe(10);
    },
  );
});

describe('G9: PayDunya may never tell, or in another form', () => {
  it('then the invoice is asked about', async () => {
    const payment = await opened(ON_PAGE_OF_PAYDUNYA, { unitAmount: 7_001 });
    app.paydunya.pay(payment.reference);
    await lookNow(app, payment.id);
    await untilPayment(app, payment.id, { status: 'PAID', capturedAmount: 7_001 });
  });

  it.each(NOTIFICATION_SHAPES)(
    'and each form that anybody has seen is understood: %s',
    async (notification) => {
      app.paydunya.speak({ notification });
      const payment = await opened(ON_PAGE_OF_PAYDUNYA);
      app.paydunya.pay(payment.reference);
      await untilPayment(app, payment.id, { status: 'PAID', capturedAmount: AMOUNT });
    },
  );

  it('or twice: the money is counted once', async () => {
    const payment = await opened(ON_PAGE_OF_PAYDUNYA, { unitAmount: 7_002 });
    app.paydunya.pay(payment.reference);
    await untilPayment(app, payment.id, { status: 'PAID', version: 2, capturedAmount: 7_002 });
    await app.paydunya.settled();
    expect(await readWhole(app, payment.id)).toMatchObject({ version: 2, capturedAmount: 7_002 });
  });
});

describe('G10: PayDunya has codes, bounds and an age of invoices that nobody has written down', () => {
  it.each(['1001', '4002', '5000', '99'])('a code %s is a failure with its text', async (code) => {
    const order = await orderInFrancs(app);
    app.paydunya.answerNext('createInvoice', {
      kind: 'status',
      status: 200,
      body: JSON.stringify({ response_code: code, response_text: 'Le montant est hors limites' }),
    });
    const refused = await create(order, ON_PAGE_OF_PAYDUNYA);
    expect(codeOf(refused)).toBe('PROVIDER_REJECTED');
    expect(refused.errors![0]!.message).toContain(`Le montant est hors limites (${code})`);
    expect(await available(app, order.sku)).toBe(10);
  });

  it('an invoice that ends by itself ends our attempt, sooner or later', async () => {
    const payment = await opened(ON_PAGE_OF_PAYDUNYA);
    app.paydunya.playTimeForward(25 * 3_600_000);
    await untilPayment(app, payment.id, {
      status: 'CANCELLED',
      order: { status: 'OPEN', reservedUntil: null },
    });
  });

  it('money can’t be given back by its API, and nobody is told that it can', async () => {
    const payment = await opened(BY_SOFTPAY);
    app.paydunya.approve(payment.reference);
    await untilPayment(app, payment.id, { status: 'PAID' });
    expect(codeOf(await refundPayment(app, payment))).toBe('PAYMENT_NOT_REFUNDABLE');
  });
});

describe('G12: PayDunya may add its fees to what the payer pays', () => {
  it('then the amount is not the order’s, and a person decides', async () => {
    const payment = await opened(ON_PAGE_OF_PAYDUNYA);
    app.paydunya.payerBearsFees(0.02);
    app.paydunya.pay(payment.reference);
    await untilPayment(app, payment.id, {
      status: 'REVIEW',
      failureCode: 'AMOUNT_MISMATCH',
      capturedAmount: 15_300,
      order: { status: 'OPEN' },
    });
    const settled = dataOf(await settleReview(app, payment, 'ACCEPT')).settlePaymentReview;
    expect(settled).toMatchObject({ status: 'PAID', order: { status: 'CONFIRMED' } });
  });
});

describe('G13: pawaPay may answer a wrong token, or a missing signature, with 401 or with 403', () => {
  it.each([
    [401, 'AUTHENTICATION_ERROR'],
    [403, 'AUTHENTICATION_ERROR'],
    [401, 'HTTP_SIGNATURE_ERROR'],
    [403, 'HTTP_SIGNATURE_ERROR'],
  ])('with %i %s: it is our fault, and nobody’s phone rings', async (status, failureCode) => {
    const order = await orderInFrancs(app);
    const { deposits } = app.pawapay.counts();
    app.pawapay.answerNext('createDeposit', {
      kind: 'status',
      status,
      body: JSON.stringify({ failureReason: { failureCode, failureMessage: 'Theirs.' } }),
    });
    expect(codeOf(await create(order, BY_PHONE))).toBe('PROVIDER_REJECTED');
    expect(app.pawapay.counts().deposits).toBe(deposits);
    expect(await available(app, order.sku)).toBe(10);
  });
});

describe('G15: pawaPay tells again for a quarter of an hour, and a page lives about as long', () => {
  it.each([
    ['on the phone', BY_PHONE],
    ['on the page', ON_PAGE_OF_PAWAPAY],
  ])('a payment %s of which it told in vain is found by asking', async (_, way) => {
    const payment = await opened(way);
    app.pawapay.pauseWebhooks();
    if (way === BY_PHONE) app.pawapay.approve(payment.reference);
    else {
      const [row] = await app.dataSource.query(
        `SELECT a.provider_reference AS id FROM payment_attempt a JOIN payment_intent i ON i.id = a.intent_id
         WHERE i.reference = $1`,
        [payment.id],
      );
      app.pawapay.payByPage(row.id);
    }
    await age(payment.id, '16 min');
    await lookNow(app, payment.id);
    await untilPayment(app, payment.id, { status: 'PAID' });
  });

  it('a page that nobody has paid on is over after half an hour, and its pieces are back', async () => {
    const payment = await opened(ON_PAGE_OF_PAWAPAY);
    await age(payment.id, '31 min');
    await lookNow(app, payment.id);
    await untilPayment(app, payment.id, { status: 'CANCELLED', attempts: [{ status: 'CANCELLED' }] });
    expect(await available(app, payment.sku)).toBe(10);
  });
});

describe('G17: Benin’s numbers have ten digits now, and its operators fail in ways of their own', () => {
  it.each(['+22951345789', '+2290151345789'])('%s pays', async (phoneNumber) => {
    const payment = await opened({ ...BY_PHONE, phoneNumber });
    await untilPayment(app, payment.id, { status: 'PAID' });
  });

  it('a code of failure that nobody knows is a failure all the same', async () => {
    const payment = await opened({ ...BY_PHONE, phoneNumber: '+2290195000000', operator: 'MOOV_BEN' });
    app.pawapay.decline(payment.reference, 'SOMETHING_NEW_OF_MOOV');
    await untilPayment(app, payment.id, {
      status: 'FAILED',
      failureCode: 'SOMETHING_NEW_OF_MOOV',
      failureMessage: 'It failed for a reason that we don’t know.',
    });
  });
});

describe('G18: pawaPay may limit requests', () => {
  it('then nothing was charged, and the same request works a moment later', async () => {
    const order = await orderInFrancs(app);
    app.pawapay.answerNext('createDeposit', { kind: 'status', status: 429 });
    const refused = await create(order, BY_PHONE);
    expect(refused.errors![0]!.extensions).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', retryable: true });
    expect((await app.pay(order.orderId, order.token, BY_PHONE)).nextAction.__typename).toBe(
      'ApproveOnPhone',
    );
  });
});
