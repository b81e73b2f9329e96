import { booksOf, untilStatus } from './support/books.js';
import { expectBooksToAgree } from './support/both-books.js';
import { eventually } from './support/eventually.js';
import { BANK, STRIPE, type OpenPayment } from './support/notifying-provider.js';
import { available, cancelPayment } from './support/payment-calls.js';
import { underpaidPayment } from './support/payments-with-money.js';
import { codeOf, dataOf, startTestApp, type GraphQLAnswer, type RunningApp } from './support/running-app.js';
import { readAsStaff, refundPayment, seenOf, settleReview, type Seen } from './support/staff-calls.js';
import { expectSettled, settled } from './support/settled.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterEach(async () => {
  app.stripe.clearFaults();
  await expectSettled(app);
  await expectBooksToAgree(app);
});
afterAll(() => app.stop());

const DECISIONS = ['ACCEPT', 'REFUND', 'CLOSE'] as const;

type Decision = (typeof DECISIONS)[number];

function decideOnWhatWasSeen(payment: OpenPayment, decision: Decision, seen: Seen): Promise<GraphQLAnswer> {
  return settleReview(app, payment, decision, app.operatorToken, 'talked to the payer', seen);
}

async function decide(payment: OpenPayment, decision: Decision) {
  return dataOf(await settleReview(app, payment, decision)).settlePaymentReview;
}

/** Why a decision is refused. */
async function refusalOf(payment: OpenPayment, decision: Decision): Promise<string> {
  const answer = await settleReview(app, payment, decision);
  expect(codeOf(answer)).toBe('PAYMENT_NOT_IN_REVIEW');
  return answer.errors![0]!.message;
}

async function openDispute(payment: OpenPayment, withdraw = true): Promise<string> {
  const { id } = app.stripe.openDispute(payment.providerReference, { withdraw });
  await settled(app);
  await eventually(async () => expect((await readAsStaff(app, payment)).disputes).toHaveLength(1));
  return id;
}

async function closeDispute(id: string, decision: 'won' | 'lost'): Promise<void> {
  app.stripe.closeDispute(id, decision);
  await settled(app);
}

describe('a decision is made about the payment that was seen', () => {
  test.each(DECISIONS)('%s on an older version, or on other sums, decides nothing', async (decision) => {
    const payment = await underpaidPayment(app, STRIPE);
    const seen = await seenOf(app, payment);
    for (const wrong of [
      { version: seen.version - 1 },
      { capturedAmount: 2_000 },
      { refundedAmount: 1 },
      { disputedAmount: 1_500 },
    ]) {
      const answer = await decideOnWhatWasSeen(payment, decision, { ...seen, ...wrong });
      expect(codeOf(answer)).toBe('PAYMENT_CHANGED');
      expect(answer.errors![0]!.message).toContain('1500 EUR (minor units) taken');
    }
    expect(await readAsStaff(app, payment)).toMatchObject({
      status: 'REVIEW',
      version: seen.version,
      refunds: [],
      order: { status: 'OPEN' },
    });
    expect(codeOf(await decideOnWhatWasSeen(payment, decision, seen))).toBeUndefined();
  });

  test.each(DECISIONS)('%s after a part was given back at the provider decides nothing', async (decision) => {
    const payment = await underpaidPayment(app, STRIPE);
    const seen = await seenOf(app, payment);
    app.stripe.refundInDashboard(payment.providerReference, 400);
    await settled(app);
    expect(codeOf(await decideOnWhatWasSeen(payment, decision, seen))).toBe('PAYMENT_CHANGED');
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'REVIEW', refundedAmount: 400 });
  });

  test.each(DECISIONS)(
    '%s after another operator has decided to refund decides nothing',
    async (decision) => {
      const payment = await underpaidPayment(app, STRIPE);
      const seen = await seenOf(app, payment);
      app.stripe.answerNext('refunds.create', {
        answer: { kind: 'status', status: 502, shouldRetry: false },
        times: 100,
      });
      expect(await decide(payment, 'REFUND')).toMatchObject({
        status: 'REVIEW',
        refunds: [{ amount: 1_500 }],
      });
      expect(codeOf(await decideOnWhatWasSeen(payment, decision, seen))).toBe('PAYMENT_CHANGED');
      app.stripe.clearFaults();
      await eventually(async () => {
        await app.dataSource.query('UPDATE refund SET next_check_at = now() WHERE next_check_at IS NOT NULL');
        expect(await readAsStaff(app, payment)).toMatchObject({ status: 'REFUNDED', refundedAmount: 1_500 });
      });
    },
  );
});

describe('a payment under review whose money the payer’s bank wants back', () => {
  test('is neither accepted nor refunded while its dispute is open', async () => {
    const payment = await underpaidPayment(app, STRIPE);
    await openDispute(payment);
    for (const decision of ['ACCEPT', 'REFUND'] as const) {
      expect(await refusalOf(payment, decision)).toContain('bank decides about its money');
    }
    expect(await readAsStaff(app, payment)).toMatchObject({ refunds: [], order: { status: 'OPEN' } });
  });

  test('is not accepted while its dispute is open, though the money has not moved', async () => {
    const payment = await underpaidPayment(app, STRIPE);
    await openDispute(payment, false);
    expect(await refusalOf(payment, 'ACCEPT')).toContain('bank decides about its money');
  });

  test('is neither accepted nor refunded once its dispute is lost: a second 1500 would go, and it is closed', async () => {
    const payment = await underpaidPayment(app, STRIPE);
    await closeDispute(await openDispute(payment), 'lost');
    for (const decision of ['ACCEPT', 'REFUND'] as const) {
      expect(await refusalOf(payment, decision)).toContain('bank has taken its money back');
    }
    expect(await decide(payment, 'CLOSE')).toMatchObject({
      status: 'CANCELLED',
      refundedAmount: 0,
      disputedAmount: 1_500,
      refunds: [],
      order: { status: 'OPEN', reservedUntil: null },
    });
    expect(codeOf(await refundPayment(app, payment))).toBe('BAD_USER_INPUT');
  });

  test('is accepted once its dispute is won', async () => {
    const payment = await underpaidPayment(app, STRIPE);
    await closeDispute(await openDispute(payment), 'won');
    expect(await decide(payment, 'ACCEPT')).toMatchObject({ status: 'PAID', order: { status: 'CONFIRMED' } });
  });
});

describe.each([STRIPE, BANK])('a review at $name that was closed with its money still here', (provider) => {
  test('can be refunded, in parts', async () => {
    const payment = await underpaidPayment(app, provider);
    await decide(payment, 'CLOSE');
    expect(dataOf(await refundPayment(app, payment, { amount: 400 })).refundPayment.status).toBe('SUCCEEDED');
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'CANCELLED', refundedAmount: 400 });
    expect(dataOf(await refundPayment(app, payment)).refundPayment).toMatchObject({ amount: 1_100 });
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'REFUNDED', refundedAmount: 1_500 });
    expect(codeOf(await refundPayment(app, payment))).toBe('PAYMENT_NOT_REFUNDABLE');
    expect(await available(app, payment.sku)).toBe(5);
  });

  test('can be accepted after all', async () => {
    const payment = await underpaidPayment(app, provider);
    await decide(payment, 'CLOSE');
    expect(await decide(payment, 'ACCEPT')).toMatchObject({
      status: 'PAID',
      failureCode: null,
      order: { status: 'CONFIRMED' },
    });
    expect(await booksOf(app, payment.id)).toMatchObject({ stock: 4, reserved: 0 });
  });

  test('can be given back by a decision, and is not closed a second time', async () => {
    const payment = await underpaidPayment(app, provider);
    await decide(payment, 'CLOSE');
    expect(await refusalOf(payment, 'CLOSE')).toContain('closed already');
    expect(await decide(payment, 'REFUND')).toMatchObject({ status: 'REFUNDED', refundedAmount: 1_500 });
  });

  test('is not accepted beside another payment of its order, and is refunded', async () => {
    const payment = await underpaidPayment(app, provider);
    await decide(payment, 'CLOSE');
    const second = await app.pay(payment.orderId, payment.token, { method: 'CARD' });
    app.stripe.pay(second.nextAction.clientSecret, '4242424242424242');
    await untilStatus(app, second.id, 'PAID');
    expect(await refusalOf(payment, 'ACCEPT')).toContain('its order is CONFIRMED');
    expect(dataOf(await refundPayment(app, payment)).refundPayment.status).toBe('SUCCEEDED');
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'REFUNDED' });
    expect(await readAsStaff(app, second)).toMatchObject({ status: 'PAID', refundedAmount: 0 });
  });
});

test('a payment that was cancelled without money is nobody’s to decide about', async () => {
  const payment = await BANK.open(app, { stock: 5 });
  dataOf(await cancelPayment(app, payment.id, payment.token));
  for (const decision of DECISIONS) {
    expect(codeOf(await settleReview(app, payment, decision))).toBe('PAYMENT_NOT_IN_REVIEW');
  }
  expect(codeOf(await refundPayment(app, payment))).toBe('PAYMENT_NOT_REFUNDABLE');
});

test('a payment of which a part was given back is accepted with what is left', async () => {
  const payment = await underpaidPayment(app, STRIPE);
  app.stripe.refundInDashboard(payment.providerReference, 400);
  await settled(app);
  expect(await decide(payment, 'ACCEPT')).toMatchObject({
    status: 'PARTIALLY_REFUNDED',
    refundedAmount: 400,
    order: { status: 'CONFIRMED' },
  });
});

describe('a review whose refund fails', () => {
  async function withRefusedRefund(): Promise<OpenPayment> {
    const payment = await underpaidPayment(app, STRIPE);
    app.stripe.answerNext('refunds.create', {
      answer: { kind: 'status', status: 400, code: 'charge_disputed', shouldRetry: false },
    });
    expect(await decide(payment, 'REFUND')).toMatchObject({
      status: 'REVIEW',
      refunds: [{ status: 'FAILED' }],
    });
    return payment;
  }

  test('at once is refunded again', async () => {
    const payment = await withRefusedRefund();
    expect(await decide(payment, 'REFUND')).toMatchObject({ status: 'REFUNDED', refundedAmount: 1_500 });
  });

  test('at once is accepted instead', async () => {
    const payment = await withRefusedRefund();
    expect(await decide(payment, 'ACCEPT')).toMatchObject({ status: 'PAID', order: { status: 'CONFIRMED' } });
  });

  test('at once is closed instead', async () => {
    const payment = await withRefusedRefund();
    expect(await decide(payment, 'CLOSE')).toMatchObject({ status: 'CANCELLED' });
  });

  test.each(DECISIONS)(
    'after it had succeeded comes back to REVIEW, with its money, and %s is decided',
    async (decision) => {
      const payment = await underpaidPayment(app, STRIPE);
      await decide(payment, 'REFUND');
      const [{ provider_reference: refund }] = await app.dataSource.query(
        `SELECT r.provider_reference FROM refund r JOIN payment_intent i ON i.id = r.intent_id
         WHERE i.reference = $1`,
        [payment.id],
      );
      app.stripe.failRefund(refund);
      await untilStatus(app, payment.id, 'REVIEW');
      await settled(app);
      expect(await readAsStaff(app, payment)).toMatchObject({ capturedAmount: 1_500, refundedAmount: 0 });
      const end = { ACCEPT: 'PAID', REFUND: 'REFUNDED', CLOSE: 'CANCELLED' }[decision];
      expect((await decide(payment, decision)).status).toBe(end);
    },
  );
});
