import { booksOf, untilStatus } from './support/books.js';
import { emailSettings, MERCHANT } from './support/email-settings.js';
import { eventually } from './support/eventually.js';
import { startMailServer, type MailServer } from './support/mail-server.js';
import { emailsOf, openFor } from './support/mailed-orders.js';
import { startMerchantReceiver, verified, type MerchantReceiver } from './support/merchant-receiver.js';
import { addEndpoint } from './support/merchant-webhooks.js';
import {
  notify,
  STRIPE,
  stripeEvent,
  stripePaymentIntent,
  type OpenPayment,
} from './support/notifying-provider.js';
import { payAt } from './support/payments-with-money.js';
import { dataOf, startTestApp, type RunningApp } from './support/running-app.js';
import { expectSettled, settled } from './support/settled.js';
import { readAsStaff, refundPayment } from './support/staff-calls.js';
import { BANK_DEBIT } from './support/ways-to-pay.js';

let mails: MailServer;
let settings: Awaited<ReturnType<typeof emailSettings>>;
let receiver: MerchantReceiver;
let secret: string;
let app: RunningApp;
beforeAll(async () => {
  mails = await startMailServer();
  settings = await emailSettings(mails.url);
  app = await startTestApp({ emails: settings, merchantWebhooks: { allowPrivate: true } });
  receiver = await startMerchantReceiver();
  ({ secret } = await addEndpoint(app, receiver.url));
});
afterEach(async () => {
  app.stripe.clearFaults();
  await expectSettled(app);
});
afterAll(async () => {
  await app.stop();
  await receiver.stop();
  settings.delivery.close();
  await mails.stop();
});

async function paid() {
  const payment = await openFor(app, STRIPE);
  payAt(app, STRIPE, payment);
  await untilStatus(app, payment.id, 'PAID');
  await settled(app);
  return payment;
}

/** Every webhook about a payment, once all of its versions have come: its type, and its status. */
async function heardOf({ id }: OpenPayment): Promise<{ type: string; data: any }[]> {
  const { version } = await booksOf(app, id);
  const heard = await eventually(
    () =>
      receiver.received
        .map((one) => verified(one, secret))
        .filter(({ data }) => data.paymentIntentId === id)
        .sort((one, other) => one.data.version - other.data.version),
    (all) => new Set(all.map(({ data }) => data.version)).size === version,
  );
  return heard;
}

async function typesOf(payment: OpenPayment): Promise<string[]> {
  return (await heardOf(payment)).map(({ type }) => type).slice(1);
}

/** Template and recipient of each e-mail after the confirmation. */
async function mailedAbout({ id }: OpenPayment, count: number): Promise<(readonly [string, string])[]> {
  const rows = await eventually(
    () => emailsOf(app, id),
    (found) => found.length >= count + 1 && found.every(({ status }) => status === 'SENT'),
  );
  return rows
    .map(({ template, recipient }) => [template, recipient] as const)
    .filter(([template]) => template !== 'ORDER_CONFIRMED');
}

describe('a refund that fails', () => {
  test('at once, because Stripe refuses it, is told to the merchant and not to the customer, who knew nothing of it', async () => {
    const payment = await paid();
    const fault = { answer: { kind: 'status', status: 400, code: 'charge_not_refundable' } } as const;
    app.stripe.answerNext('refunds.create', fault);
    const refund = dataOf(await refundPayment(app, payment, { amount: 400 })).refundPayment;
    expect(refund).toMatchObject({ status: 'FAILED', failureCode: 'REFUSED' });
    const told = (await heardOf(payment)).at(-1)!;
    expect(told).toMatchObject({
      type: 'refund.failed',
      data: { status: 'PAID', previousStatus: 'PAID', refundedAmount: 0, refundId: refund.id },
    });
    expect(await mailedAbout(payment, 1)).toEqual([['REFUND_ACTION_NEEDED', MERCHANT]]);
  });

  test('after it had succeeded is told to both, and is no new payment.paid', async () => {
    const payment = await paid();
    dataOf(await refundPayment(app, payment, { amount: 400 }));
    await untilStatus(app, payment.id, 'PARTIALLY_REFUNDED');
    await settled(app);
    const { id } = app.stripe.refundsFor(payment.providerReference)[0]!;
    app.stripe.failRefund(id);
    await untilStatus(app, payment.id, 'PAID');
    await settled(app);
    expect(await typesOf(payment)).toEqual(['payment.paid', 'payment.partially_refunded', 'refund.failed']);
    expect((await mailedAbout(payment, 3)).toSorted()).toEqual([
      ['REFUND_ACTION_NEEDED', MERCHANT],
      ['REFUND_FAILED', payment.email],
      ['REFUND_MADE', payment.email],
    ]);
    const [mail] = mails.mails.filter(
      ({ to, subject }) => to?.[0]?.address === payment.email && subject?.includes('did not arrive'),
    );
    expect(mail?.text).toContain('€4.00');
    const [merchants] = mails.mails.filter(
      ({ subject }) => subject === `Refund failed: €4.00 of order ${payment.orderId}`,
    );
    expect(merchants?.text).toContain('expired_or_canceled_card');
  });

  test('when it was made at Stripe, and when it is only one of two, too', async () => {
    const payment = await paid();
    const first = app.stripe.refundInDashboard(payment.providerReference, 500);
    app.stripe.refundInDashboard(payment.providerReference, 1_000);
    await untilStatus(app, payment.id, 'REFUNDED');
    await settled(app);
    app.stripe.failRefund(first.id);
    await untilStatus(app, payment.id, 'PARTIALLY_REFUNDED');
    await settled(app);
    expect(await typesOf(payment)).toEqual([
      'payment.paid',
      'payment.partially_refunded',
      'payment.refunded',
      'refund.failed',
    ]);
  });
});

describe('a dispute', () => {
  test('that is won is told so, and not as payment.paid, nor as a refund', async () => {
    const payment = await paid();
    const { id } = app.stripe.openDispute(payment.providerReference);
    await settled(app);
    app.stripe.closeDispute(id, 'won', 0);
    await settled(app);
    app.stripe.reinstateFunds(id);
    await settled(app);
    const heard = await heardOf(payment);
    expect(heard.slice(1).map(({ type }) => type)).toEqual([
      'payment.paid',
      'payment.disputed',
      'payment.updated',
      'payment.updated',
      'dispute.won',
    ]);
    expect(heard.at(-1)!.data).toMatchObject({ status: 'PAID', disputedAmount: 0, disputeId: id });
  });

  test('that is lost is told as payment.charged_back', async () => {
    const payment = await paid();
    const { id } = app.stripe.openDispute(payment.providerReference);
    await settled(app);
    app.stripe.closeDispute(id, 'lost');
    await settled(app);
    expect((await typesOf(payment)).at(-1)).toBe('payment.charged_back');
    expect(await mailedAbout(payment, 1)).toEqual([['DISPUTE_OPENED', MERCHANT]]);
  });

  test('that is lost when it is first heard of, as a bank debit that its payer takes back, is told like any dispute', async () => {
    const payment = await paid();
    app.stripe.misbehave({ drop: 1 });
    const { id } = app.stripe.openDispute(payment.providerReference, {
      lost: true,
      reason: 'insufficient_funds',
    });
    await app.stripe.settled();
    app.stripe.misbehave({});
    const closed = app.stripe.events().findLast(({ type }) => type === 'charge.dispute.closed')!;
    app.stripe.deliver(closed.id);
    await untilStatus(app, payment.id, 'CHARGED_BACK');
    await settled(app);
    expect(await typesOf(payment)).toEqual(['payment.paid', 'payment.disputed', 'payment.charged_back']);
    expect(await mailedAbout(payment, 1)).toEqual([['DISPUTE_OPENED', MERCHANT]]);
    const [mail] = mails.mails.filter(({ to, text }) => to?.[0]?.address === MERCHANT && text?.includes(id));
    expect(mail?.text).toContain('the dispute is lost');
    expect(mail?.text).not.toContain('You can give evidence');
  });

  test('that is prevented, of which nothing was ever taken, is told to nobody as a payment', async () => {
    const payment = await paid();
    const { id } = app.stripe.openDispute(payment.providerReference, { withdraw: false });
    await settled(app);
    app.stripe.closeDispute(id, 'won');
    await settled(app);
    expect(await typesOf(payment)).toEqual(['payment.paid', 'payment.disputed', 'dispute.won']);
    expect((await readAsStaff(app, payment)).status).toBe('PAID');
  });
});

test('a bank debit that bounces days later is FAILED with the bank’s reason, its payer is written to, and can pay anew', async () => {
  const payment = await openFor(app, STRIPE);
  app.stripe.pay(payment.providerReference, BANK_DEBIT);
  await untilStatus(app, payment.id, 'PROCESSING');
  app.stripe.settle(payment.providerReference, 'fail');
  expect(await untilStatus(app, payment.id, 'FAILED')).toMatchObject({
    failureCode: 'payment_intent_payment_attempt_failed',
    reserved: 0,
    movements: [],
  });
  await settled(app);
  expect(await typesOf(payment)).toEqual(['payment.processing', 'payment.failed']);
  expect((await mailedAbout(payment, 0)).map(([template]) => template)).toEqual(['PAYMENT_FAILED']);
  const again = await app.pay(payment.orderId, payment.token, { method: 'CARD' });
  expect(again.id).not.toBe(payment.id);
});

/** With the number of times that Stripe was asked about it. */
async function attemptOf({ id, providerReference }: OpenPayment) {
  const [{ count }] = await app.dataSource.query(
    `SELECT count(*)::integer AS count FROM provider_call c JOIN payment_attempt a ON a.id = c.attempt_id
     WHERE a.provider_reference = $1 AND c.operation = 'verify'`,
    [providerReference],
  );
  return { ...(await booksOf(app, id)).attempts[0]!, checkedAgain: count as number };
}

test('a card that was declined before the bank debit began, told late, does not end it', async () => {
  const payment = await openFor(app, STRIPE);
  app.stripe.pay(payment.providerReference, BANK_DEBIT);
  await untilStatus(app, payment.id, 'PROCESSING');
  const before = await attemptOf(payment);
  const error = { type: 'card_error', code: 'card_declined', message: 'Your card was declined.' };
  const values = { status: 'requires_payment_method', last_payment_error: error };
  const declined = stripePaymentIntent(payment, values);
  expect(await notify(app, STRIPE, stripeEvent('payment_intent.payment_failed', declined))).toBe(200);
  // Stripe was asked since, and says that it is still processed.
  await eventually(async () => {
    const now = await attemptOf(payment);
    expect(now).toMatchObject({ status: 'PROCESSING', failureCode: 'card_declined' });
    expect(now.checkedAgain).toBeGreaterThan(before.checkedAgain);
  });
  app.stripe.settle(payment.providerReference, 'succeed');
  await untilStatus(app, payment.id, 'PAID');
  expect(await typesOf(payment)).toEqual(['payment.processing', 'payment.paid']);
});
