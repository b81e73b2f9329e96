import { signOperatorToken } from '../src/access/operator-token.js';
import { booksOf, untilStatus } from './support/books.js';
import { expectBooksToAgree } from './support/both-books.js';
import { eventually } from './support/eventually.js';
import { BANK, newEventId, notify, STRIPE, type OpenPayment } from './support/notifying-provider.js';
import { available, cancelPayment } from './support/payment-calls.js';
import { paidPayment, underpaidPayment } from './support/payments-with-money.js';
import { codeOf, dataOf, OPERATOR_JWT_SECRET, startTestApp, type RunningApp } from './support/running-app.js';
import { readAsStaff, refundPayment, settleReview } from './support/staff-calls.js';
import { watch } from './support/subscriber.js';
import { expectSettled } from './support/settled.js';

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

async function decide(payment: OpenPayment, decision: 'ACCEPT' | 'REFUND' | 'CLOSE') {
  return dataOf(await settleReview(app, payment, decision)).settlePaymentReview;
}

/** What the audit log says of the decision. */
async function decisionsOn({ id }: OpenPayment): Promise<object[]> {
  return app.dataSource.query(
    `SELECT actor, action, reason FROM audit_log WHERE subject = $1 AND action LIKE 'review.%' ORDER BY position`,
    [id],
  );
}

/** The bank credits what was cancelled, for an order that costs another amount by now; its one piece is another's. */
async function underpaidAndSold(): Promise<OpenPayment> {
  const payment = await BANK.open(app, { stock: 1 });
  dataOf(await cancelPayment(app, payment.id, payment.token));
  const sql = 'UPDATE orders SET amount = 2000, version = version + 1 WHERE reference = $1';
  await app.dataSource.query(sql, [payment.orderId]);
  const other = await app.order(payment.sku);
  await app.pay(other.orderId, other.token, { method: 'CARD' });
  app.bank.payLate(payment.attemptReference);
  await untilStatus(app, payment.id, 'REVIEW');
  return payment;
}

describe.each([STRIPE, BANK])('a payment of $name under review', (provider) => {
  test('that is accepted confirms its order, live, and takes the stock', async () => {
    const payment = await underpaidPayment(app, provider);
    const watcher = watch(app, payment.id, payment.token, 2);
    expect(await decide(payment, 'ACCEPT')).toMatchObject({
      status: 'PAID',
      capturedAmount: 1_500,
      failureCode: null,
      order: { status: 'CONFIRMED' },
    });
    await watcher.until((heard) => heard.at(-1)?.status === 'PAID');
    await watcher.close();
    expect(await booksOf(app, payment.id)).toMatchObject({ stock: 4, reserved: 0 });
    expect(await decisionsOn(payment)).toEqual([
      { actor: 'operator:olga', action: 'review.accept', reason: 'talked to the payer' },
    ]);
  });

  test('that is accepted can be refunded like every other', async () => {
    const payment = await underpaidPayment(app, provider);
    await decide(payment, 'ACCEPT');
    expect(dataOf(await refundPayment(app, payment, { amount: 400 })).refundPayment.status).toBe('SUCCEEDED');
    expect(dataOf(await refundPayment(app, payment)).refundPayment).toMatchObject({ amount: 1_100 });
    expect((await readAsStaff(app, payment)).status).toBe('REFUNDED');
  });

  test('that is refunded gives the money and the stock back, and the order can be paid anew', async () => {
    const payment = await underpaidPayment(app, provider);
    expect(await available(app, payment.sku)).toBe(4);
    expect(await decide(payment, 'REFUND')).toMatchObject({
      status: 'REFUNDED',
      refundedAmount: 1_500,
      refunds: [{ amount: 1_500, status: 'SUCCEEDED', origin: 'REQUESTED' }],
      order: { status: 'OPEN', reservedUntil: null, refundedAt: null },
    });
    expect(await available(app, payment.sku)).toBe(5);
    expect(await decisionsOn(payment)).toMatchObject([{ action: 'review.refund' }]);
    expect((await app.pay(payment.orderId, payment.token, { method: 'CARD' })).status).toBe('PENDING');
  });

  test('that is closed stays with its money, and gives the stock back', async () => {
    const payment = await underpaidPayment(app, provider);
    expect(await decide(payment, 'CLOSE')).toMatchObject({
      status: 'CANCELLED',
      capturedAmount: 1_500,
      refundedAmount: 0,
      order: { status: 'OPEN', reservedUntil: null },
    });
    expect(await available(app, payment.sku)).toBe(5);
    expect(await decisionsOn(payment)).toMatchObject([{ action: 'review.close' }]);
  });

  test('leads nobody to pay again beside it', async () => {
    const payment = await underpaidPayment(app, provider);
    expect(await app.pay(payment.orderId, payment.token, {})).toMatchObject({
      id: payment.id,
      status: 'REVIEW',
      nextAction: null,
    });
    expect(codeOf(await refundPayment(app, payment))).toBe('PAYMENT_NOT_REFUNDABLE');
  });
});

test('only operators decide; the log names who did, and why', async () => {
  const payment = await underpaidPayment(app, STRIPE);
  for (const token of [payment.token, app.apiKey]) {
    expect(codeOf(await settleReview(app, payment, 'ACCEPT', token))).toBe('FORBIDDEN');
  }
  expect(codeOf(await settleReview(app, payment, 'ACCEPT', app.operatorToken, 'no'))).toBe('BAD_USER_INPUT');
  const otto = await signOperatorToken(OPERATOR_JWT_SECRET, 'otto', 60_000);
  dataOf(await settleReview(app, payment, 'CLOSE', otto, 'the payer was paid back in cash'));
  expect(await decisionsOn(payment)).toEqual([
    { actor: 'operator:otto', action: 'review.close', reason: 'the payer was paid back in cash' },
  ]);
});

test('a payment that is not under review, or not any more, is left alone', async () => {
  for (const payment of [await STRIPE.open(app), await paidPayment(app, STRIPE)]) {
    expect(codeOf(await settleReview(app, payment, 'CLOSE'))).toBe('PAYMENT_NOT_IN_REVIEW');
    expect(await decisionsOn(payment)).toEqual([]);
  }
  const settledOnce = await underpaidPayment(app, STRIPE);
  await decide(settledOnce, 'ACCEPT');
  for (const decision of ['ACCEPT', 'REFUND', 'CLOSE'] as const) {
    expect(codeOf(await settleReview(app, settledOnce, decision))).toBe('PAYMENT_NOT_IN_REVIEW');
  }
  expect(codeOf(await settleReview(app, { id: 'TXN-00000000000000000000000000' }, 'CLOSE'))).toBe(
    'NOT_FOUND',
  );
});

test('a payment can’t be accepted when its pieces are sold, and then it can be refunded', async () => {
  const payment = await underpaidAndSold();
  expect(codeOf(await settleReview(app, payment, 'ACCEPT'))).toBe('OUT_OF_STOCK');
  expect(await readAsStaff(app, payment)).toMatchObject({ status: 'REVIEW', order: { status: 'OPEN' } });
  expect(await decisionsOn(payment)).toEqual([]);
  expect(await decide(payment, 'REFUND')).toMatchObject({ status: 'REFUNDED', refundedAmount: 1_500 });
  expect(await booksOf(app, payment.id)).toMatchObject({ stock: 1, reserved: 1 });
});

test('a payment of an order that was paid otherwise can be refunded or closed, not accepted', async () => {
  const payment = await BANK.open(app, { stock: 5 });
  dataOf(await cancelPayment(app, payment.id, payment.token));
  const second = await app.pay(payment.orderId, payment.token, { method: 'CARD' });
  app.stripe.pay(second.nextAction.clientSecret, '4242424242424242');
  await untilStatus(app, second.id, 'PAID');
  // The bank doesn't give it back by itself for now: a person is faster than the job.
  app.bank.answerNext('createRefund', { kind: 'status', status: 422 });
  app.bank.payLate(payment.attemptReference);
  await eventually(async () =>
    expect(await readAsStaff(app, payment)).toMatchObject({
      status: 'REVIEW',
      refunds: [{ status: 'FAILED', origin: 'AUTOMATIC' }],
    }),
  );
  const answer = await settleReview(app, payment, 'ACCEPT');
  expect(codeOf(answer)).toBe('PAYMENT_NOT_IN_REVIEW');
  expect(answer.errors![0]!.message).toContain('its order is CONFIRMED');
  expect(await decide(payment, 'REFUND')).toMatchObject({ status: 'REFUNDED', refundedAmount: 1_500 });
  expect(await readAsStaff(app, second)).toMatchObject({ status: 'PAID' });
});

test('a refund of a review that is not answered is gone on with, and the payment is REFUNDED in the end', async () => {
  const payment = await underpaidPayment(app, STRIPE);
  app.stripe.answerNext('refunds.create', {
    answer: { kind: 'status', status: 502, shouldRetry: false },
  });
  expect(await decide(payment, 'REFUND')).toMatchObject({
    status: 'REVIEW',
    refunds: [{ status: 'QUEUED' }],
  });
  await eventually(async () => {
    await app.dataSource.query('UPDATE refund SET next_check_at = now() WHERE next_check_at IS NOT NULL');
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'REFUNDED', refundedAmount: 1_500 });
  });
});

test('money in another currency is not in the books: the payment can only be closed', async () => {
  const payment = await STRIPE.open(app, { stock: 5 });
  const eventId = newEventId();
  await notify(app, STRIPE, STRIPE.paid(payment, { eventId, currency: 'USD' }));
  await untilStatus(app, payment.id, 'REVIEW');
  for (const decision of ['ACCEPT', 'REFUND'] as const) {
    expect(codeOf(await settleReview(app, payment, decision))).toBe('PAYMENT_NOT_IN_REVIEW');
  }
  expect(await decide(payment, 'CLOSE')).toMatchObject({ status: 'CANCELLED' });
  expect(await available(app, payment.sku)).toBe(5);
});
