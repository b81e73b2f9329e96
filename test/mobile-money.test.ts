import { randomUUID } from 'node:crypto';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { createPawaPayProvider } from '../src/providers/pawapay/pawapay-provider.js';
import { startPawaPayDouble } from '../src/sandbox/pawapay/pawapay-double.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import {
  AMOUNT,
  BY_PHONE,
  BY_SOFTPAY,
  expireNow,
  forgetAnswer,
  lookNow,
  ON_PAGE_OF_PAWAPAY,
  ON_PAGE_OF_PAYDUNYA,
  orderInFrancs,
  PHONE,
  providerReferenceOf,
  readWhole,
  untilLookedAt,
  untilPayment,
  type OrderInFrancs,
} from './support/mobile-money.js';
import { available, cancelPayment, changeQuantity } from './support/payment-calls.js';
import { refundPayment } from './support/staff-calls.js';
import {
  codeOf,
  CREATE_PAYMENT,
  dataOf,
  PAWAPAY_TOKEN,
  RETURN_URL,
  startTestApp,
  type RunningApp,
} from './support/running-app.js';
import { CARD, GOOD_CARD } from './support/ways-to-pay.js';

let app: RunningApp;
const logged: { level: number; msg: string; paymentIntent?: string }[] = [];
const log = pino(
  { level: 'error' },
  new Writable({
    write(line: Buffer, _encoding, done) {
      logged.push(JSON.parse(line.toString()));
      done();
    },
  }),
);
beforeAll(async () => {
  app = await startTestApp({ log });
});
afterEach(async () => {
  app.pawapay.resumeWebhooks();
  app.paydunya.resumeWebhooks();
  app.pawapay.holdRefunds(false);
  await Promise.all([app.pawapay.settled(), app.paydunya.settled(), app.stripe.settled()]);
  await expectInvariants(app.dataSource);
});
afterAll(() => app.stop());

const create = ({ orderId, token }: OrderInFrancs, input: object) =>
  app.graphql(CREATE_PAYMENT, { input: { orderId, ...input } }, token);

/** An order in francs, and its payment in this way. */
async function opened(input: object, product: Parameters<typeof orderInFrancs>[1] = {}) {
  const order = await orderInFrancs(app, product);
  const payment = await app.pay(order.orderId, order.token, input);
  return { ...order, ...payment, reference: `${payment.id}-1` };
}

type Opened = Awaited<ReturnType<typeof opened>>;

const fieldsOf = (answer: Awaited<ReturnType<typeof create>>) =>
  answer.errors?.[0]?.extensions.fields?.map(({ path }) => path);

describe('a payer who pays on their phone', () => {
  it.each([
    [
      'en',
      'MTN MoMo asks you on your phone to approve the payment of F CFA 15,000.',
      'Enter your PIN there.',
    ],
    [
      'fr-BJ',
      'MTN MoMo vous demande sur votre téléphone d’approuver le paiement de 15 000 F CFA.',
      'Saisissez-y votre code secret.',
    ],
  ])('is told by pawaPay what to do in the language of their order: %s', async (locale, ...steps) => {
    const { nextAction, status, id } = await opened(BY_PHONE, { locale });
    expect(status).toBe('PENDING');
    expect(nextAction).toEqual({
      __typename: 'ApproveOnPhone',
      phoneNumber: '+••••••••••755',
      operator: 'MTN MoMo',
      instructions: expect.any(Array),
      expiresAt: expect.any(String),
    });
    // The white space of a number is that of its language.
    expect(nextAction.instructions.map((step: string) => step.replace(/\s/g, ' '))).toEqual(steps);
    expect(await readWhole(app, id)).toMatchObject({ nextAction, attempts: [{ country: 'BJ' }] });
  });

  it.each([
    ['en', 'Dial #150# on your phone.'],
    ['fr', 'Composez le #150# sur votre téléphone.'],
  ])('is told by PayDunya what to do in the language of their order: %s', async (locale, step) => {
    const { nextAction } = await opened(BY_SOFTPAY, { locale });
    expect(nextAction).toMatchObject({
      __typename: 'ApproveOnPhone',
      phoneNumber: '+•••••••••567',
      operator: 'Free Money',
      instructions: [step, expect.any(String)],
    });
  });

  it.each([
    ['pawaPay', BY_PHONE, (payment: Opened) => app.pawapay.approve(payment.reference)],
    ['PayDunya', BY_SOFTPAY, (payment: Opened) => app.paydunya.approve(payment.reference)],
  ])('has paid once they approve (%s), and the order is confirmed', async (_, way, approve) => {
    const payment = await opened(way);
    approve(payment);
    await untilPayment(app, payment.id, {
      status: 'PAID',
      version: 2,
      capturedAmount: AMOUNT,
      order: { status: 'CONFIRMED' },
      nextAction: null,
    });
    expect(await available(app, payment.sku)).toBe(9);
  });

  it.each([
    [
      'pawaPay',
      BY_PHONE,
      (payment: Opened) => app.pawapay.decline(payment.reference),
      'PAYMENT_NOT_APPROVED',
      'The payer did not approve the payment.',
    ],
    [
      'PayDunya',
      BY_SOFTPAY,
      (payment: Opened) => app.paydunya.decline(payment.reference),
      'failed',
      'The payment by free-money-senegal failed.',
    ],
  ])(
    'and declines (%s) is told why, has the pieces back on sale, and may pay otherwise',
    async (_, way, decline, failureCode, failureMessage) => {
      const payment = await opened(way);
      decline(payment);
      await untilPayment(app, payment.id, {
        status: 'FAILED',
        failureCode,
        failureMessage,
        order: { status: 'OPEN', reservedUntil: null },
      });
      expect(await available(app, payment.sku)).toBe(10);
      const next = await app.pay(payment.orderId, payment.token, {
        ...BY_PHONE,
        phoneNumber: PHONE.approves,
      });
      expect(next.id).not.toBe(payment.id);
      await untilPayment(app, next.id, { status: 'PAID' });
    },
  );

  it('at an operator with a page of its own is sent there', async () => {
    const payment = await opened({ ...BY_SOFTPAY, operator: 'wave-senegal' });
    expect(payment.nextAction).toMatchObject({ __typename: 'RedirectToUrl', url: expect.any(String) });
    app.paydunya.approve(payment.reference);
    await untilPayment(app, payment.id, { status: 'PAID' });
  });

  it('is asked for what is missing: number, operator', async () => {
    const order = await orderInFrancs(app);
    const without = (name: keyof typeof BY_SOFTPAY) =>
      Object.fromEntries(Object.entries(BY_SOFTPAY).filter(([field]) => field !== name));
    expect(fieldsOf(await create(order, without('phoneNumber')))).toEqual(['phoneNumber']);
    expect(fieldsOf(await create(order, without('operator')))).toEqual(['operator']);
    expect(fieldsOf(await create(order, { method: 'MOBILE_MONEY', presentation: 'PHONE' }))).toEqual([
      'phoneNumber',
    ]);
    expect(await available(app, order.sku)).toBe(10);
  });

  it('with an operator that nobody knows is told so, and which ways there are', async () => {
    const refused = await create(await orderInFrancs(app), { ...BY_PHONE, operator: 'SAFARICOM' });
    expect(codeOf(refused)).toBe('NO_WAY_TO_PAY');
    expect(refused.errors![0]!.message).toContain('pawapay MOBILE_MONEY PHONE');
  });

  it('with an operator that only one provider knows goes to that one', async () => {
    const order = await orderInFrancs(app);
    const way = { ...BY_PHONE, operator: 'mtn-benin', phoneNumber: PHONE.rings };
    const payment = await app.pay(order.orderId, order.token, way);
    expect(await readWhole(app, payment.id)).toMatchObject({
      attempts: [{ provider: 'paydunya', operator: 'mtn-benin', country: 'BJ' }],
    });
  });
});

describe('the numbers of pawaPay’s sandbox (providers.md D.12)', () => {
  it.each([
    ['019', 'PAYER_LIMIT_REACHED', 'The payer’s wallet has reached its limit.'],
    ['029', 'PAYER_NOT_FOUND', 'This phone number has no wallet with this operator.'],
    ['039', 'PAYMENT_NOT_APPROVED', 'The payer did not approve the payment.'],
    ['049', 'INSUFFICIENT_BALANCE', 'There is not enough money in the payer’s wallet.'],
    ['069', 'UNSPECIFIED_FAILURE', 'The operator gave no reason.'],
  ])('…%s fail with %s', async (ending, failureCode, failureMessage) => {
    const { id, sku } = await opened({ ...BY_PHONE, phoneNumber: `+2290151345${ending}` });
    await untilPayment(app, id, { status: 'FAILED', failureCode, failureMessage });
    expect(await available(app, sku)).toBe(10);
  });

  it('…789 pay at once', async () => {
    const { id } = await opened({ ...BY_PHONE, phoneNumber: PHONE.approves });
    await untilPayment(app, id, { status: 'PAID', capturedAmount: AMOUNT });
  });

  it('…129 stay open', async () => {
    const { id } = await opened({ ...BY_PHONE, phoneNumber: '+2290151345129' });
    await app.pawapay.settled();
    await untilLookedAt(app, id);
    expect(await readWhole(app, id)).toMatchObject({ status: 'PENDING', version: 1 });
  });
});

describe('a payer who pays on a page', () => {
  it('of pawaPay’s says there with which number', async () => {
    const payment = await opened(ON_PAGE_OF_PAWAPAY);
    expect(payment.nextAction).toMatchObject({ __typename: 'RedirectToUrl', url: expect.any(String) });
    app.pawapay.payByPage(await providerReferenceOf(app, payment.id));
    await untilPayment(app, payment.id, { status: 'PAID', capturedAmount: AMOUNT });
  });

  it('of pawaPay’s must say in which country', async () => {
    const order = await orderInFrancs(app);
    expect(fieldsOf(await create(order, { ...ON_PAGE_OF_PAWAPAY, country: null }))).toEqual(['country']);
  });

  it('of pawaPay’s, and is declined there, is told why', async () => {
    const payment = await opened(ON_PAGE_OF_PAWAPAY);
    const depositId = await providerReferenceOf(app, payment.id);
    app.pawapay.submitPage(depositId);
    app.pawapay.decline(depositId, 'INSUFFICIENT_BALANCE');
    await untilPayment(app, payment.id, { status: 'FAILED', failureCode: 'INSUFFICIENT_BALANCE' });
  });

  it.each([
    ['with mobile money', ON_PAGE_OF_PAYDUNYA],
    ['with a wallet', { ...ON_PAGE_OF_PAYDUNYA, method: 'WALLET' }],
    ['by card', { ...ON_PAGE_OF_PAYDUNYA, method: 'CARD' }],
  ])('of PayDunya’s pays there %s', async (_, way) => {
    const payment = await opened(way);
    app.paydunya.pay(payment.reference);
    await untilPayment(app, payment.id, { status: 'PAID', attempts: [{ method: way.method }] });
  });

  it('of PayDunya’s, and whose payment fails, is told why', async () => {
    const payment = await opened(ON_PAGE_OF_PAYDUNYA);
    app.paydunya.fail(payment.reference);
    await untilPayment(app, payment.id, {
      status: 'FAILED',
      failureMessage: 'Declined by the customer',
      order: { reservedUntil: null },
    });
  });
});

/** The job takes refunds up now, and not in half a minute. */
const settleNow = () =>
  app.dataSource.query(`UPDATE refund SET next_check_at = now() WHERE status IN ('QUEUED', 'SUBMITTED')`);

async function paidByPhone(): Promise<Opened> {
  const payment = await opened(BY_PHONE);
  app.pawapay.approve(payment.reference);
  await untilPayment(app, payment.id, { status: 'PAID' });
  return payment;
}

describe('money of mobile money is given back', () => {
  it('by pawaPay, all of it', async () => {
    const payment = await paidByPhone();
    expect(dataOf(await refundPayment(app, payment)).refundPayment).toMatchObject({
      amount: AMOUNT,
      status: 'SUBMITTED',
    });
    await untilPayment(app, payment.id, { status: 'REFUNDED', refundedAmount: AMOUNT });
    expect(app.pawapay.counts().refundedByReference[payment.reference]).toBe(AMOUNT);
  });

  it('by pawaPay, in parts, one after the other', async () => {
    const payment = await paidByPhone();
    for (const [amount, left] of [
      [4_000, 11_000],
      [5_000, 6_000],
    ] as const) {
      dataOf(await refundPayment(app, payment, { amount }));
      await untilPayment(app, payment.id, { status: 'PARTIALLY_REFUNDED', refundedAmount: AMOUNT - left });
    }
    dataOf(await refundPayment(app, payment));
    await untilPayment(app, payment.id, { status: 'REFUNDED', refundedAmount: AMOUNT });
    expect(app.pawapay.counts().refundedByReference[payment.reference]).toBe(AMOUNT);
  });

  it('by pawaPay, which takes but one at a time: the second waits, and both succeed in the end', async () => {
    const payment = await paidByPhone();
    app.pawapay.holdRefunds();
    const asked = await Promise.all([
      refundPayment(app, payment, { amount: 4_000 }),
      refundPayment(app, payment, { amount: 5_000 }),
    ]);
    const statuses = asked.map((answer) => dataOf(answer).refundPayment.status);
    expect(statuses.toSorted()).toEqual(['QUEUED', 'SUBMITTED']);

    await settleNow();
    await eventually(async () => {
      const [row] = await app.dataSource.query<{ due: number }[]>(
        `SELECT count(*)::integer AS due FROM refund WHERE next_check_at <= now()`,
      );
      expect(row!.due).toBe(0);
    });
    expect((await readWhole(app, payment.id)).refunds).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ status: 'QUEUED' }),
        expect.objectContaining({ status: 'SUBMITTED' }),
      ]),
    );
    app.pawapay.holdRefunds(false);

    await eventually(async () => {
      await settleNow();
      expect(await readWhole(app, payment.id)).toMatchObject({
        refundedAmount: 9_000,
        refunds: [{ status: 'SUCCEEDED' }, { status: 'SUCCEEDED' }],
      });
    });
    expect(app.pawapay.counts().refundedByReference[payment.reference]).toBe(9_000);
  });

  it('by pawaPay, unless the payer’s wallet is gone: the refund fails with the reason, and the money stays', async () => {
    const payment = await opened({ ...BY_PHONE, phoneNumber: '+2290151345089' });
    app.pawapay.approve(payment.reference);
    await untilPayment(app, payment.id, { status: 'PAID' });
    dataOf(await refundPayment(app, payment));
    await untilPayment(app, payment.id, {
      status: 'PAID',
      refundedAmount: 0,
      refunds: [{ status: 'FAILED', failureCode: 'RECIPIENT_NOT_FOUND' }],
    });
  });

  it('by pawaPay once, even when its answer gets lost', async () => {
    const payment = await paidByPhone();
    app.pawapay.answerNext('createRefund', { kind: 'hang', afterDoing: true });
    app.pawapay.pauseWebhooks();
    expect(dataOf(await refundPayment(app, payment)).refundPayment.status).toBe('QUEUED');
    await settleNow();
    await untilPayment(app, payment.id, { status: 'REFUNDED', refunds: [{ status: 'SUCCEEDED' }] });
    expect(app.pawapay.counts().refundedByReference[payment.reference]).toBe(AMOUNT);
  });

  it('not by PayDunya, which has no way to be asked for it: so the API says at once', async () => {
    const payment = await opened(BY_SOFTPAY);
    app.paydunya.approve(payment.reference);
    await untilPayment(app, payment.id, { status: 'PAID' });
    const refused = await refundPayment(app, payment);
    expect(codeOf(refused)).toBe('PAYMENT_NOT_REFUNDABLE');
    expect(refused.errors![0]!.message).toBe("paydunya can't give money back by itself: do it there.");
    expect((await readWhole(app, payment.id)).refunds).toEqual([]);
  });
});

describe('a refund made in pawaPay’s dashboard', () => {
  /** Of an account whose refunds name their deposit (G14). */
  async function startNaming() {
    let port = 0;
    const webhookUrl = () => `http://127.0.0.1:${port}/webhooks/pawapay`;
    const double = await startPawaPayDouble({
      token: PAWAPAY_TOKEN,
      webhookUrl,
      decisionMilliseconds: 5,
      depositIdInRefunds: true,
    });
    const naming = await startTestApp({
      providers: [
        createPawaPayProvider({
          token: PAWAPAY_TOKEN,
          baseUrl: double.url,
          notificationUrl: () => new URL(webhookUrl()),
          timeoutMilliseconds: 1_000,
        }),
      ],
    });
    port = Number(new URL(naming.url).port);
    const stop = async () => {
      await naming.stop();
      await double.stop();
    };
    return { naming, double, stop };
  }

  it('is found when its callback comes', async () => {
    const { naming, double, stop } = await startNaming();
    try {
      const { orderId, token } = await orderInFrancs(naming);
      const { id } = await naming.pay(orderId, token, { ...BY_PHONE, phoneNumber: PHONE.approves });
      await untilPayment(naming, id, { status: 'PAID' });
      double.refundByStaff(`${id}-1`, 6_000);
      await untilPayment(naming, id, {
        status: 'PARTIALLY_REFUNDED',
        refundedAmount: 6_000,
        refunds: [{ origin: 'PROVIDER', amount: 6_000, status: 'SUCCEEDED' }],
      });
      await expectInvariants(naming.dataSource);
    } finally {
      await stop();
    }
  });
});

/** Each way in which nobody but the payer and time can end an attempt. */
const ENDLESS: readonly [name: string, way: object, pay: (payment: Opened) => void][] = [
  ['at pawaPay', BY_PHONE, ({ reference }) => app.pawapay.approve(reference)],
  ['at PayDunya', BY_SOFTPAY, ({ reference }) => app.paydunya.approve(reference)],
];

describe.each([
  [
    'is cancelled',
    async ({ id, token }: Opened) => {
      const answer = await cancelPayment(app, id, token);
      expect(dataOf(answer).cancelPaymentIntent.status).toBe('CANCELLED');
      return 'CANCELLED';
    },
  ],
  [
    'expires',
    async ({ id }: Opened) => {
      await expireNow(app, id);
      await untilPayment(app, id, { status: 'EXPIRED' });
      return 'EXPIRED';
    },
  ],
])('a payment that %s, whose attempt nobody can end', (_, end) => {
  it.each(ENDLESS)('%s, gives its pieces back, and its attempt stays watched', async (_name, way) => {
    const payment = await opened(way);
    const status = await end(payment);
    expect(await readWhole(app, payment.id)).toMatchObject({
      status,
      nextAction: null,
      attempts: [{ status: 'PENDING' }],
      order: { status: 'OPEN', reservedUntil: null },
    });
    expect(await available(app, payment.sku)).toBe(10);
    await untilLookedAt(app, payment.id);
    const [row] = await app.dataSource.query(
      'SELECT next_check_at IS NOT NULL AS watched FROM payment_intent WHERE reference = $1',
      [payment.id],
    );
    expect(row).toEqual({ watched: true });
    expect(await readWhole(app, payment.id)).toMatchObject({ status });
  });

  it.each(ENDLESS)('%s, is paid after all while there are pieces, and confirms', async (_name, way, pay) => {
    const payment = await opened(way);
    await end(payment);
    pay(payment);
    await untilPayment(app, payment.id, {
      status: 'PAID',
      capturedAmount: AMOUNT,
      order: { status: 'CONFIRMED' },
      refunds: [],
    });
    expect(await available(app, payment.sku)).toBe(9);
  });

  it.each(ENDLESS)('%s, is found paid by asking when its notification is lost', async (_name, way, pay) => {
    const payment = await opened(way);
    await end(payment);
    app.pawapay.pauseWebhooks();
    app.paydunya.pauseWebhooks();
    pay(payment);
    await lookNow(app, payment.id);
    await untilPayment(app, payment.id, { status: 'PAID', order: { status: 'CONFIRMED' } });
  });

  it('at pawaPay, is given back by itself when the pieces are gone', async () => {
    const payment = await opened(BY_PHONE, { stock: 1 });
    await end(payment);
    const other = await app.order(payment.sku);
    await app.pay(other.orderId, other.token, CARD);
    app.pawapay.approve(payment.reference);
    await untilPayment(app, payment.id, { capturedAmount: AMOUNT });
    await settleNow();
    await untilPayment(app, payment.id, {
      status: 'REFUNDED',
      failureCode: 'PAID_WITHOUT_STOCK',
      refunds: [{ origin: 'AUTOMATIC', status: 'SUCCEEDED', amount: AMOUNT }],
      order: { status: 'OPEN' },
    });
    expect(app.pawapay.counts().refundedByReference[payment.reference]).toBe(AMOUNT);
  });

  it('at PayDunya, needs a person when the pieces are gone: they are alerted, and the refund has failed', async () => {
    const payment = await opened(BY_SOFTPAY, { stock: 1 });
    await end(payment);
    const other = await app.order(payment.sku);
    await app.pay(other.orderId, other.token, CARD);
    app.paydunya.approve(payment.reference);
    await untilPayment(app, payment.id, {
      status: 'REVIEW',
      failureCode: 'PAID_WITHOUT_STOCK',
      capturedAmount: AMOUNT,
      refunds: [
        {
          origin: 'AUTOMATIC',
          status: 'FAILED',
          failureMessage: expect.stringContaining('do it there, or by hand'),
        },
      ],
    });
    await eventually(() => {
      const alerts = logged.filter(({ paymentIntent }) => paymentIntent === payment.id);
      expect(alerts.map(({ msg }) => msg)).toEqual(
        expect.arrayContaining([expect.stringContaining('is under review')]),
      );
    });
  });

  it('fails without another word when its payer declines in the end', async () => {
    const payment = await opened(BY_PHONE);
    const status = await end(payment);
    const { version } = await readWhole(app, payment.id);
    app.pawapay.decline(payment.reference);
    await untilPayment(app, payment.id, { status, version, attempts: [{ status: 'FAILED' }] });
  });
});

describe('a payment that somebody wants to cancel', () => {
  it('stays as it is while the operator decides, and its pieces stay held', async () => {
    const payment = await opened(BY_PHONE);
    app.pawapay.reconcile(payment.reference);
    expect(codeOf(await cancelPayment(app, payment.id, payment.token))).toBe('PAYMENT_NOT_CANCELLABLE');
    expect(await readWhole(app, payment.id)).toMatchObject({ status: 'PROCESSING' });
    expect(await available(app, payment.sku)).toBe(9);
    app.pawapay.approve(payment.reference);
    await untilPayment(app, payment.id, { status: 'PAID' });
  });

  it('is found paid when it was', async () => {
    const payment = await opened(BY_SOFTPAY);
    app.paydunya.pauseWebhooks();
    app.paydunya.approve(payment.reference);
    expect(codeOf(await cancelPayment(app, payment.id, payment.token))).toBe('PAYMENT_NOT_CANCELLABLE');
    expect(await readWhole(app, payment.id)).toMatchObject({
      status: 'PAID',
      order: { status: 'CONFIRMED' },
    });
  });

  it.each([
    ['pawaPay', BY_PHONE, () => app.pawapay.answerNext('getDeposit', { kind: 'status', status: 503 }, 3)],
    [
      'PayDunya',
      BY_SOFTPAY,
      () => app.paydunya.answerNext('confirmInvoice', { kind: 'status', status: 503 }, 3),
    ],
  ])('stays open, and its pieces held, while %s doesn’t say how it stands', async (_, way, fail) => {
    const payment = await opened(way);
    // The job that asks about the payments of other tests would take the faults away.
    await app.dataSource.query('UPDATE payment_intent SET next_check_at = NULL');
    fail();
    expect(codeOf(await cancelPayment(app, payment.id, payment.token))).toBe('PROVIDER_UNAVAILABLE');
    expect(await readWhole(app, payment.id)).toMatchObject({ status: 'PENDING' });
    expect(await available(app, payment.sku)).toBe(9);
    expect(dataOf(await cancelPayment(app, payment.id, payment.token)).cancelPaymentIntent.status).toBe(
      'CANCELLED',
    );
  });
});

describe('a payer who changes their mind', () => {
  it('from the phone to a card pays by card; the phone’s money, should it come too, is given back', async () => {
    const payment = await opened(BY_PHONE);
    const byCard = await app.pay(payment.orderId, payment.token, CARD);
    expect(byCard.id).toBe(payment.id);
    expect(await readWhole(app, payment.id)).toMatchObject({
      attempts: [
        { provider: 'pawapay', status: 'PENDING', fallbackOf: null },
        { provider: 'stripe', status: 'PENDING', fallbackOf: null },
      ],
    });
    const { nextAction } = byCard;
    app.stripe.pay(nextAction.clientSecret, GOOD_CARD);
    await untilPayment(app, payment.id, { status: 'PAID' });
    app.pawapay.approve(payment.reference);
    await untilPayment(app, payment.id, { capturedAmount: 2 * AMOUNT });
    await settleNow();
    await untilPayment(app, payment.id, {
      status: 'PAID',
      failureCode: 'CAPTURED_TWICE',
      refundedAmount: AMOUNT,
      order: { status: 'CONFIRMED' },
    });
    expect(app.pawapay.counts().refundedByReference[payment.reference]).toBe(AMOUNT);
  });

  it('from a card to the phone has the card’s attempt ended', async () => {
    const payment = await opened(CARD);
    const byPhone = await app.pay(payment.orderId, payment.token, BY_PHONE);
    expect([byPhone.id, byPhone.nextAction.__typename]).toEqual([payment.id, 'ApproveOnPhone']);
    app.pawapay.approve(`${payment.id}-2`);
    await untilPayment(app, payment.id, {
      status: 'PAID',
      attempts: [{ status: 'CANCELLED' }, { status: 'SUCCEEDED' }],
    });
  });

  it('about the number has the new one asked, and not the old one again', async () => {
    const payment = await opened(BY_PHONE);
    const { deposits } = app.pawapay.counts();
    const next = await app.pay(payment.orderId, payment.token, { ...BY_PHONE, phoneNumber: PHONE.another });
    expect(next).toMatchObject({ id: payment.id, nextAction: { phoneNumber: '+••••••••••766' } });
    expect(app.pawapay.counts().deposits).toBe(deposits + 1);
    app.pawapay.approve(`${payment.id}-2`);
    await untilPayment(app, payment.id, {
      status: 'PAID',
      attempts: [{ status: 'PENDING' }, { status: 'SUCCEEDED' }],
    });
  });

  it('about the operator has the new one asked', async () => {
    const payment = await opened(BY_SOFTPAY);
    const next = await app.pay(payment.orderId, payment.token, {
      ...BY_SOFTPAY,
      operator: 'expresso-senegal',
    });
    expect(next).toMatchObject({ id: payment.id, nextAction: { operator: 'Expresso' } });
  });

  it('about the country gets the page of that one', async () => {
    const payment = await opened(ON_PAGE_OF_PAWAPAY);
    const next = await app.pay(payment.orderId, payment.token, { ...ON_PAGE_OF_PAWAPAY, country: 'SN' });
    expect(next.id).toBe(payment.id);
    expect(next.nextAction.url).not.toBe(payment.nextAction.url);
    expect((await readWhole(app, payment.id)).attempts).toMatchObject([{ country: 'BJ' }, { country: 'SN' }]);
  });

  it.each([
    ['pawaPay', BY_PHONE],
    ['PayDunya', BY_SOFTPAY],
  ])(
    'about how many they want is asked for the new total by %s, and never again for the old one',
    async (_, way) => {
      const payment = await opened(way);
      await forgetAnswer(app, payment.id);
      await changeQuantity(app, payment.orderId, payment.token, payment.sku, 2);
      const [deposits, prompts] = countRings();

      const next = await app.pay(payment.orderId, payment.token, way);

      expect(next).toMatchObject({
        id: payment.id,
        amount: 2 * AMOUNT,
        nextAction: { __typename: 'ApproveOnPhone' },
      });
      const isPawaPay = way === BY_PHONE;
      expect(countRings()).toEqual([deposits! + Number(isPawaPay), prompts! + Number(!isPawaPay)]);
      if (isPawaPay) app.pawapay.approve(`${payment.id}-2`);
      else app.paydunya.approve(`${payment.id}-2`);
      await untilPayment(app, payment.id, { status: 'PAID', capturedAmount: 2 * AMOUNT });
    },
  );

  it('about how many they want, and approves the old total all the same: a person decides', async () => {
    const payment = await opened(BY_PHONE);
    await changeQuantity(app, payment.orderId, payment.token, payment.sku, 2);
    await app.pay(payment.orderId, payment.token, BY_PHONE);
    app.pawapay.approve(payment.reference);
    await untilPayment(app, payment.id, { status: 'REVIEW', failureCode: 'AMOUNT_MISMATCH' });
  });

  it('about nothing, and asks twice, has their phone ring once', async () => {
    const payment = await opened(BY_PHONE);
    const { requests } = app.pawapay.counts();
    const again = await app.pay(payment.orderId, payment.token, BY_PHONE);
    const asTheyWriteIt = { ...BY_PHONE, phoneNumber: '00229 01 51 34 57 55' };
    const third = await app.pay(payment.orderId, payment.token, asTheyWriteIt);
    for (const same of [again, third]) {
      expect(same).toMatchObject({ id: payment.id, nextAction: payment.nextAction });
    }
    expect(app.pawapay.counts().requests.createDeposit).toBe(requests.createDeposit);
  });
});

describe('when the answer is lost,', () => {
  const HANG = { kind: 'hang', afterDoing: true } as const;
  const CLOSE = { kind: 'close', afterDoing: true } as const;

  it.each([
    ['pawaPay never answers', BY_PHONE, () => app.pawapay.answerNext('createDeposit', HANG)],
    ['pawaPay breaks off', BY_PHONE, () => app.pawapay.answerNext('createDeposit', CLOSE)],
    ['PayDunya never answers', BY_SOFTPAY, () => app.paydunya.answerNext('softpay', HANG)],
    ['PayDunya breaks off', BY_SOFTPAY, () => app.paydunya.answerNext('softpay', CLOSE)],
  ])('%s, and the phone has rung: it is found out by asking, and charged once', async (_, way, lose) => {
    lose();
    const payment = await opened(way);
    expect(payment).toMatchObject({ status: 'UNKNOWN', nextAction: null });
    const before = countRings();
    app.pawapay.pauseWebhooks();
    app.paydunya.pauseWebhooks();
    const isPawaPay = way === BY_PHONE;
    if (isPawaPay) app.pawapay.approve(payment.reference);
    else app.paydunya.approve(payment.reference);
    await lookNow(app, payment.id);
    await untilPayment(app, payment.id, { status: 'PAID', capturedAmount: AMOUNT });
    expect(countRings()).toEqual(before);
    expect(chargesOf(payment.reference)).toBe(1);
  });

  it.each([
    ['pawaPay', BY_PHONE, () => app.pawapay.answerNext('createDeposit', HANG)],
    ['PayDunya', BY_SOFTPAY, () => app.paydunya.answerNext('softpay', HANG)],
  ])(
    '%s may have rung: the payer who asks again is told what to do, and charged once',
    async (_, way, lose) => {
      const order = await orderInFrancs(app);
      const input = { ...way, idempotencyKey: randomUUID() };
      lose();
      const lost = dataOf(await create(order, input)).createPaymentIntent;
      expect(lost).toMatchObject({ paymentIntent: { status: 'UNKNOWN' }, nextAction: null });
      const again = dataOf(await create(order, input)).createPaymentIntent;
      const { id } = lost.paymentIntent;
      expect(again).toMatchObject({
        paymentIntent: { id, status: 'PENDING' },
        nextAction: { __typename: 'ApproveOnPhone' },
      });
      if (way === BY_PHONE) app.pawapay.approve(`${id}-1`);
      else app.paydunya.approve(`${id}-1`);
      await untilPayment(app, id, { status: 'PAID', capturedAmount: AMOUNT });
      expect(chargesOf(`${id}-1`)).toBe(1);
    },
  );

  it('a call that never arrived does nothing: the payer who asks again is asked on their phone', async () => {
    const order = await orderInFrancs(app);
    app.pawapay.answerNext('createDeposit', { kind: 'hang' });
    const { id, status } = await app.pay(order.orderId, order.token, BY_PHONE);
    expect(status).toBe('UNKNOWN');
    const again = await app.pay(order.orderId, order.token, { ...BY_PHONE, idempotencyKey: randomUUID() });
    expect(again).toMatchObject({ id, nextAction: { __typename: 'ApproveOnPhone' } });
    app.pawapay.approve(`${id}-1`);
    await untilPayment(app, id, { status: 'PAID' });
    expect(chargesOf(`${id}-1`)).toBe(1);
  });

  it('PayDunya’s invoice is made anew: an invoice whose page nobody saw is paid by nobody', async () => {
    app.paydunya.answerNext('createInvoice', HANG);
    const payment = await opened(ON_PAGE_OF_PAYDUNYA);
    expect(app.paydunya.counts().invoicesByAttempt[payment.reference]).toBe(2);
    app.paydunya.pay(payment.reference);
    await untilPayment(app, payment.id, { status: 'PAID', capturedAmount: AMOUNT });
    expect(chargesOf(payment.reference)).toBe(1);
  });
});

function countRings() {
  return [app.pawapay.counts().requests.createDeposit, app.paydunya.counts().requests.softpay];
}

function chargesOf(reference: string): number {
  const { [reference]: atPawaPay = 0 } = app.pawapay.counts().chargesByReference;
  const { [reference]: atPayDunya = 0 } = app.paydunya.counts().completedByAttempt;
  return atPawaPay + atPayDunya;
}

describe('nobody’s phone rings because of a job:', () => {
  it.each([
    ['pawaPay', BY_PHONE],
    ['PayDunya', BY_SOFTPAY],
  ])('a payment at %s that a crash cut off waits for its payer', async (_, way) => {
    const payment = await opened(way);
    await forgetAnswer(app, payment.id);
    const before = countRings();
    await untilLookedAt(app, payment.id);
    expect(countRings()).toEqual(before);
    expect(await readWhole(app, payment.id)).toMatchObject({ status: 'PENDING', nextAction: null });

    const again = await app.pay(payment.orderId, payment.token, way);

    expect(again).toMatchObject({ id: payment.id, nextAction: { __typename: 'ApproveOnPhone' } });
    expect(countRings()).not.toEqual(before);
  });

  it('a payment at pawaPay that a crash cut off, and that was paid, is found by asking, even if its callback is lost', async () => {
    const payment = await opened(BY_PHONE);
    await forgetAnswer(app, payment.id);
    app.pawapay.pauseWebhooks();
    app.pawapay.approve(payment.reference);
    await lookNow(app, payment.id);
    await untilPayment(app, payment.id, { status: 'PAID', capturedAmount: AMOUNT });
  });

  it('a payment that pawaPay has never accepted after a minute is over, and its payer may begin anew', async () => {
    const order = await orderInFrancs(app);
    app.pawapay.answerNext('createDeposit', { kind: 'hang' });
    const { id } = await app.pay(order.orderId, order.token, BY_PHONE);
    await app.dataSource.query(
      `UPDATE payment_attempt SET created_at = now() - interval '61 s'
       WHERE intent_id = (SELECT id FROM payment_intent WHERE reference = $1)`,
      [id],
    );
    const before = countRings();
    await lookNow(app, id);
    await untilPayment(app, id, {
      status: 'FAILED',
      failureCode: 'NEVER_ACCEPTED',
      failureMessage: 'pawaPay never accepted this payment.',
    });
    expect(countRings()).toEqual(before);
    const next = await app.pay(order.orderId, order.token, { ...BY_PHONE, phoneNumber: PHONE.approves });
    await untilPayment(app, next.id, { status: 'PAID' });
  });

  it('whoever repeats with the key of a payment that pawaPay has never accepted reads that a new key is needed', async () => {
    const order = await orderInFrancs(app);
    const input = { orderId: order.orderId, ...BY_PHONE, provider: 'pawapay', idempotencyKey: randomUUID() };
    const create = (more = {}) => app.graphql(CREATE_PAYMENT, { input: { ...input, ...more } }, order.token);
    app.pawapay.answerNext('createDeposit', { kind: 'status', status: 429 });
    expect(codeOf(await create())).toBe('PROVIDER_UNAVAILABLE');
    const [[{ id }]] = await app.dataSource.query(
      `UPDATE payment_attempt a SET created_at = now() - interval '61 s' FROM payment_intent i, orders o
       WHERE i.id = a.intent_id AND o.id = i.order_id AND o.reference = $1 RETURNING i.reference AS id`,
      [order.orderId],
    );
    await lookNow(app, id);
    await untilPayment(app, id, { status: 'FAILED', failureCode: 'NEVER_ACCEPTED' });
    const before = countRings();

    const again = await create();

    expect(again.errors![0]!).toMatchObject({
      message:
        'pawaPay never accepted this payment. Nothing was charged. To try again, send a new idempotencyKey.',
      extensions: { code: 'PROVIDER_REJECTED', retryable: false },
    });
    expect(countRings()).toEqual(before);
    const next = dataOf(await create({ idempotencyKey: randomUUID() })).createPaymentIntent;
    expect(next).toMatchObject({ paymentIntent: { status: 'PENDING' } });
    expect(next.nextAction.__typename).toBe('ApproveOnPhone');
  });

  it.each([
    ['pawaPay', BY_PHONE],
    ['PayDunya', BY_SOFTPAY],
  ])('a payment at %s that a crash cut off, and whose time is up, ends without a ring', async (_, way) => {
    const payment = await opened(way);
    await forgetAnswer(app, payment.id);
    const before = countRings();
    await expireNow(app, payment.id);
    await untilPayment(app, payment.id, { status: 'EXPIRED' });
    expect(countRings()).toEqual(before);
    expect(await available(app, payment.sku)).toBe(10);
  });

  it('a page, which rings nowhere, is made anew', async () => {
    const payment = await opened({ ...ON_PAGE_OF_PAYDUNYA, returnUrl: RETURN_URL });
    await forgetAnswer(app, payment.id);
    await lookNow(app, payment.id);
    await untilPayment(app, payment.id, { nextAction: { __typename: 'RedirectToUrl' } });
  });
});
