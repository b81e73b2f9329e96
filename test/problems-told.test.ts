import { pino } from 'pino';
import type { ProviderEvent } from '../src/providers/provider.js';
import { applyAnswer } from '../src/payments/ask-provider.js';
import { loadPayment } from '../src/payments/loaded-payment.js';
import { booksOf, untilStatus } from './support/books.js';
import { emailSettings, MERCHANT } from './support/email-settings.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import { startMailServer, type MailServer } from './support/mail-server.js';
import { emailsOf, openFor } from './support/mailed-orders.js';
import { startMerchantReceiver, verified } from './support/merchant-receiver.js';
import { addEndpoint } from './support/merchant-webhooks.js';
import {
  BANK,
  notify,
  STRIPE,
  stripeEvent,
  stripePaymentIntent,
  type OpenPayment,
} from './support/notifying-provider.js';
import { payAt } from './support/payments-with-money.js';
import { settled } from './support/settled.js';
import { codeOf, dataOf, startTestApp, type RunningApp } from './support/running-app.js';
import { readAsStaff, settleReview } from './support/staff-calls.js';
import { watch } from './support/subscriber.js';

const logged: Record<string, unknown>[] = [];
let mails: MailServer;
let settings: Awaited<ReturnType<typeof emailSettings>>;
let app: RunningApp;
beforeAll(async () => {
  mails = await startMailServer();
  settings = await emailSettings(mails.url);
  const log = pino({ level: 'error' }, { write: (line) => void logged.push(JSON.parse(line)) });
  app = await startTestApp({ log, emails: settings, merchantWebhooks: { allowPrivate: true } });
});
afterEach(async () => {
  await settled(app);
  await expectInvariants(app.dataSource);
});
afterAll(async () => {
  await app.stop();
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

const chargeOf = ({ providerReference }: OpenPayment) => providerReference.replace('pi_', 'ch_');

function refundOf(payment: OpenPayment, values: object): object {
  return {
    id: `re_${payment.id}`,
    object: 'refund',
    amount: 400,
    currency: 'eur',
    charge: chargeOf(payment),
    payment_intent: payment.providerReference,
    metadata: {},
    status: 'succeeded',
    ...values,
  };
}

function disputeOf(payment: OpenPayment): object {
  return {
    id: `dp_${payment.id}`,
    object: 'dispute',
    amount: 9_000,
    currency: 'eur',
    charge: chargeOf(payment),
    payment_intent: payment.providerReference,
    reason: 'fraudulent',
    balance_transactions: [],
    evidence_details: { due_by: null },
    status: 'needs_response',
  };
}

/** Each is told in two forms: as two notifications of different types, about the same thing. */
const PROBLEMS: readonly [string, string, (payment: OpenPayment) => [string, string]][] = [
  [
    'a refund in another currency',
    'REFUND_MISMATCH',
    (payment) => [
      stripeEvent('refund.created', refundOf(payment, { currency: 'usd' })),
      stripeEvent('refund.updated', refundOf(payment, { currency: 'usd' })),
    ],
  ],
  [
    'a refund of more than there is',
    'REFUND_MISMATCH',
    (payment) => [
      stripeEvent('refund.created', refundOf(payment, { amount: 9_000 })),
      stripeEvent('refund.updated', refundOf(payment, { amount: 9_000 })),
    ],
  ],
  [
    'a dispute about more than there is',
    'DISPUTE_MISMATCH',
    (payment) => [
      stripeEvent('charge.dispute.funds_withdrawn', disputeOf(payment)),
      stripeEvent('charge.dispute.funds_withdrawn', disputeOf(payment)),
    ],
  ],
  [
    'more money, in another currency',
    'CURRENCY_MISMATCH',
    (payment) => {
      const values = { id: 'pi_other', status: 'succeeded', amount_received: 1_500, currency: 'usd' };
      const event = () => stripeEvent('payment_intent.succeeded', stripePaymentIntent(payment, values));
      return [event(), event()];
    },
  ],
];

describe.each(PROBLEMS)('%s, of a payment that is PAID', (_, code, notificationsOf) => {
  test('is told once: live, to the merchant’s backend, by mail, and to operators', async () => {
    const receiver = await startMerchantReceiver();
    const { secret } = await addEndpoint(app, receiver.url);
    const payment = await paid();
    const { version } = await booksOf(app, payment.id);
    const watcher = watch(app, payment.id, payment.token, version);
    const [once, again] = notificationsOf(payment);
    for (const body of [once, once, again]) expect(await notify(app, STRIPE, body)).toBe(200);

    await watcher.until((heard) => heard.at(-1)?.version === version + 1);
    await watcher.close();
    const message = await eventually(
      () =>
        receiver.received.map((one) => verified(one, secret)).find(({ data }) => data.failureCode === code),
      (found) => found !== undefined,
    );
    expect(message.data).toMatchObject({ paymentIntentId: payment.id, version: version + 1 });
    const [mail] = await eventually(
      () => mails.mails.filter(({ to, text }) => to?.[0]?.address === MERCHANT && text?.includes(code)),
      (found) => found.some(({ text }) => text?.includes(payment.orderId)),
    );
    expect(mail!.subject).toMatch(/^Look at the payment of order /);
    expect(mail!.text).toContain('look at it at the provider');
    expect(mail!.text).not.toContain('settlePaymentReview');

    expect(await booksOf(app, payment.id)).toMatchObject({ version: version + 1, failureCode: code });
    expect(codeOf(await settleReview(app, payment, 'CLOSE'))).toBe('PAYMENT_NOT_IN_REVIEW');
    const written = (await emailsOf(app, payment.id)).map(({ template }) => template);
    expect(written.filter((template) => template === 'REVIEW_NEEDED')).toHaveLength(1);
    expect(written.filter((template) => template === 'PAYMENT_UNDER_REVIEW')).toEqual([]);
    const alerts = logged.filter(({ paymentIntent }) => paymentIntent === payment.id);
    expect(alerts).toEqual([
      expect.objectContaining({
        failureCode: code,
        msg: expect.stringContaining('look at it at the provider'),
      }),
    ]);
    await receiver.stop();
    await app.dataSource.query('DELETE FROM webhook_endpoint');
  });
});

test('several problems that the provider answers with at each check are told once each', async () => {
  const { id } = await paid();
  const { version } = await booksOf(app, id);
  const refund = { kind: 'refund', amount: 400, currency: 'USD', status: 'succeeded' } as const;
  const events: ProviderEvent[] = [
    { outcome: { ...refund, providerRefundReference: 're_1' } },
    { outcome: { kind: 'paid', amount: 1_500, currency: 'USD', movementReference: 'pi_other' } },
    { outcome: { ...refund, providerRefundReference: 're_2' } },
  ];
  const dependencies = { providers: new Map(), wakeRelay: () => undefined, actor: 'test' };
  for (let check = 0; check < 3; check += 1) {
    const payment = (await loadPayment(app.dataSource.manager, id))!;
    await applyAnswer(app.dataSource.manager, dependencies, payment, payment.attempts[0]!, events);
    expect((await booksOf(app, id)).version).toBe(version + 3);
  }
  const noted = await app.dataSource.query(
    `SELECT reason FROM audit_log WHERE subject = $1 AND action = 'payment.noted'`,
    [id],
  );
  expect(noted).toHaveLength(3);
  const mailed = await eventually(
    () => emailsOf(app, id),
    (emails) => emails.length === 4,
  );
  expect(mailed.map(({ template }) => template)).toEqual([
    'ORDER_CONFIRMED',
    'REVIEW_NEEDED',
    'REVIEW_NEEDED',
    'REVIEW_NEEDED',
  ]);
});

test('a second problem of a payment under review is told to whom decides, who can', async () => {
  const payment = await openFor(app, BANK);
  await notify(app, BANK, BANK.paid(payment, { amount: 1_200 }));
  await notify(app, BANK, BANK.paid(payment, { currency: 'USD', movement: 'tr_dollars' }));
  const asked = await eventually(
    () => mails.mails.filter(({ text }) => text?.includes(payment.orderId) && text.includes('_MISMATCH')),
    (found) => found.length === 2,
  );
  for (const { subject, text } of asked) {
    expect(subject).toMatch(/^Decide about/);
    expect(text).toContain('settlePaymentReview');
  }
});

test('what a person has closed is not opened again by the same problem, said in another form', async () => {
  const payment = await openFor(app, STRIPE);
  const dollars = () => STRIPE.paid(payment, { currency: 'USD' });
  await notify(app, STRIPE, dollars());
  await untilStatus(app, payment.id, 'REVIEW');
  dataOf(await settleReview(app, payment, 'CLOSE'));
  await notify(app, STRIPE, dollars());
  expect(await readAsStaff(app, payment)).toMatchObject({ status: 'CANCELLED', version: 3 });
});
