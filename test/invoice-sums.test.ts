import { createStripeProvider } from '../src/providers/stripe/stripe-provider.js';
import { compareBooks, type ComparableProvider } from '../src/reconcile/compare-books.js';
import { newCustomer, payWith, saveCard } from './support/customers.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import { watch } from './support/subscriber.js';
import { dataOf, startTestApp, STRIPE_WEBHOOK_SECRET, type RunningApp } from './support/running-app.js';
import { updatePayment } from './support/payment-calls.js';
import { refundPayment, settleReview } from './support/staff-calls.js';
import {
  activeSubscription,
  allIsHeard,
  atProvider,
  chargeFromNowOn,
  DAY,
  expectEachChargeToBeOneMovement,
  inDashboard,
  lines,
  MONTH,
  monthly,
  readSubscription,
  stands,
  subscribeTo,
  untilSubscription,
} from './support/subscriptions.js';

const VISA = '4242424242424242';
const NO_FUNDS = '4000000000000341';
/** Is in processing first. */
const BANK_DEBIT = '000123456789';
/** What each period of `activeSubscription` costs. */
const PRICE = 1_380;

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterEach(async () => {
  app.stripe.misbehave({});
  await allIsHeard(app);
  await expectInvariants(app.dataSource);
  await expectEachChargeToBeOneMovement(app);
});
afterAll(() => app.stop());

/** A subscription whose renewal was declined, so that its invoice of `PRICE` is open. @returns Stripe's id of it, too. */
async function openRenewal() {
  const begun = await activeSubscription(app);
  await chargeFromNowOn(app, begun, NO_FUNDS);
  app.stripe.playTimeForward(MONTH);
  await untilSubscription(app, begun.id, stands('PAST_DUE', 'PAID', 'PENDING'));
  await allIsHeard(app);
  return { ...begun, sub: await atProvider(app, begun.id) };
}

/** The newest order and its payment. */
const renewalOf = (subscription: any) => ({
  order: subscription.orders[0],
  payment: subscription.orders[0].paymentIntents[0],
});

async function untilRenewal(id: string, isThere: (payment: any, order: any) => boolean) {
  const read = await untilSubscription(app, id, (subscription) => {
    const { order, payment } = renewalOf(subscription);
    return isThere(payment, order);
  });
  return renewalOf(read);
}

const isPaid = ({ status }: any, order: any) => status === 'PAID' && order.status === 'CONFIRMED';

const refundsAt = (sub: string) =>
  app.stripe
    .chargesFor(sub)
    .map(({ amountRefunded }) => amountRefunded)
    .filter((amount) => amount > 0);

/** What `npm run reconcile` finds. */
async function differences() {
  const provider = createStripeProvider({
    secretKey: app.stripeSecretKey,
    publishableKey: 'pk_test_of_tests',
    webhookSecrets: [STRIPE_WEBHOOK_SECRET],
    apiBase: app.stripe.url,
  });
  const range = { since: new Date(Date.now() - DAY), until: new Date(Date.now() + DAY) };
  const runner = app.dataSource.createQueryRunner();
  try {
    return (await compareBooks(runner.manager, provider as ComparableProvider, range)).differences;
  } finally {
    await runner.release();
  }
}

describe('an invoice that is paid in parts', () => {
  test('is paid with the last of them: each is one capture, and nothing is given back', async () => {
    const { id, sub } = await openRenewal();
    app.stripe.payPartOfInvoice(sub, 600, VISA);
    await untilRenewal(id, ({ capturedAmount }) => capturedAmount === 600);
    app.stripe.payPartOfInvoice(sub, 780, VISA);
    const { order, payment } = await untilRenewal(id, isPaid);
    expect(order.amount).toBe(PRICE);
    expect(payment).toMatchObject({ capturedAmount: PRICE, refundedAmount: 0, failureCode: null });
    expect(payment.attempts.map(({ status }: any) => status)).toEqual([
      'CANCELLED',
      'SUCCEEDED',
      'SUCCEEDED',
    ]);
    await allIsHeard(app);
    expect(refundsAt(sub)).toEqual([]);
    expect(await differences()).toEqual([]);
  });

  test('is open until then, and says what has come, to those who watch it too', async () => {
    const { id, sub } = await openRenewal();
    const { payment } = renewalOf(await readSubscription(app, id));
    const watcher = watch(app, payment.id, app.apiKey);
    app.stripe.payPartOfInvoice(sub, 600, VISA);
    const part = await untilRenewal(id, ({ capturedAmount }) => capturedAmount === 600);
    expect(part).toMatchObject({ order: { status: 'OPEN' }, payment: { status: 'PENDING' } });
    await eventually(
      () => Promise.resolve(watcher.heard.at(-1)),
      (seen) => seen !== undefined && seen.version > payment.version && seen.status === 'PENDING',
    );
    await watcher.close();
  });

  test('can be paid by its payer to the end, who is asked for what remains', async () => {
    const { id, sub } = await openRenewal();
    app.stripe.payPartOfInvoice(sub, 600, VISA);
    const { order } = await untilRenewal(id, ({ capturedAmount }) => capturedAmount === 600);
    const { nextAction } = dataOf(await payWith(app, order.id, app.apiKey, {})).createPaymentIntent;
    app.stripe.pay(nextAction.clientSecret, VISA);
    const { payment } = await untilRenewal(id, isPaid);
    expect(payment).toMatchObject({ capturedAmount: PRICE, refundedAmount: 0 });
    const taken = app.stripe.chargesFor(sub).map(({ amountCaptured }) => amountCaptured);
    expect(taken.filter((amount) => amount > 0)).toEqual([PRICE, 600, 780]);
  });

  test('of which one part is given back is refunded in part, by the API and at the provider', async () => {
    const { id, sub } = await openRenewal();
    const { id: first } = app.stripe.payPartOfInvoice(sub, 600, VISA);
    app.stripe.payPartOfInvoice(sub, 780, VISA);
    const { payment } = await untilRenewal(id, isPaid);
    app.stripe.refundInDashboard(first);
    await untilRenewal(id, ({ refundedAmount }) => refundedAmount === 600);
    dataOf(await refundPayment(app, payment));
    await untilRenewal(id, ({ status }) => status === 'REFUNDED');
    await allIsHeard(app);
    expect(refundsAt(sub)).toEqual([600, 780]);
  });

  test('and then voided is under review, and what came can be given back', async () => {
    const { id, sub } = await openRenewal();
    app.stripe.payPartOfInvoice(sub, 600, VISA);
    app.stripe.voidInvoice(sub);
    const { payment, order } = await untilRenewal(id, ({ status }) => status === 'REVIEW');
    expect(payment).toMatchObject({ failureCode: 'PAID_IN_PART', capturedAmount: 600 });
    expect(order.status).toBe('OPEN');
    dataOf(await settleReview(app, payment, 'REFUND'));
    await untilRenewal(id, ({ status }) => status === 'REFUNDED');
    await allIsHeard(app);
    expect(refundsAt(sub)).toEqual([600]);
  });

  test('and then given up is under review, until the rest comes all the same', async () => {
    const { id, sub } = await openRenewal();
    app.stripe.payPartOfInvoice(sub, 600, VISA);
    const { latest_invoice: invoice } = await inDashboard(app, `subscriptions/${sub}`, { description: 'x' });
    await inDashboard(app, `invoices/${invoice}/mark_uncollectible`);
    await untilRenewal(id, ({ status }) => status === 'REVIEW');
    app.stripe.payPartOfInvoice(sub, 780, VISA);
    const { payment } = await untilRenewal(id, isPaid);
    expect(payment).toMatchObject({ capturedAmount: PRICE, refundedAmount: 0 });
  });
});

describe('a credit note', () => {
  test('before the payment lowers what is collected: the order is paid with what is left', async () => {
    const { id, sub } = await openRenewal();
    app.stripe.creditInvoice(sub, 200);
    await untilRenewal(id, ({ amount }) => amount === PRICE - 200);
    app.stripe.payInvoice(sub, VISA);
    const { order, payment } = await untilRenewal(id, isPaid);
    expect(order.amount).toBe(PRICE);
    expect(payment).toMatchObject({ amount: 1_180, capturedAmount: 1_180, failureCode: null });
  });

  test('is heard of with the money, when its own notification is lost', async () => {
    const { id, sub } = await openRenewal();
    app.stripe.misbehave({ drop: 1, seed: 1 });
    app.stripe.creditInvoice(sub, 200);
    await app.stripe.settled();
    app.stripe.misbehave({});
    app.stripe.payInvoice(sub, VISA);
    const { payment } = await untilRenewal(id, isPaid);
    expect(payment).toMatchObject({ capturedAmount: 1_180, failureCode: null });
  });

  test('over what remains after a part was paid settles it', async () => {
    const { id, sub } = await openRenewal();
    app.stripe.payPartOfInvoice(sub, 600, VISA);
    app.stripe.creditInvoice(sub, 780);
    const { order, payment } = await untilRenewal(id, isPaid);
    expect([order.amount, payment.amount, payment.capturedAmount]).toEqual([PRICE, 600, 600]);
  });

  test('over all of it confirms the order without money', async () => {
    const { id, sub } = await openRenewal();
    app.stripe.creditInvoice(sub, PRICE);
    const { payment } = await untilRenewal(id, isPaid);
    expect(payment).toMatchObject({ amount: 0, capturedAmount: 0 });
  });

  test.each([
    ['gives money back, and it is a refund', 'REFUND', 'PARTIALLY_REFUNDED', 300],
    ['becomes the customer’s balance, and no money moves', 'BALANCE', 'PAID', 0],
    ['was given back elsewhere, and no money moves', 'OUTSIDE', 'PAID', 0],
  ] as const)('after the payment %s', async (_, by, status, refundedAmount) => {
    const { id, sub } = await openRenewal();
    app.stripe.payInvoice(sub, VISA);
    await untilRenewal(id, isPaid);
    app.stripe.creditInvoice(sub, 300, by);
    await allIsHeard(app);
    const { payment, order } = await untilRenewal(id, (one) => one.refundedAmount === refundedAmount);
    expect(payment).toMatchObject({ status, capturedAmount: PRICE, refundedAmount });
    expect(order.status).toBe('CONFIRMED');
  });
});

describe('an invoice that was paid by a charge without a PaymentIntent', () => {
  test('is paid by that charge, and can be given back by the API and at the provider', async () => {
    const { id, sub } = await openRenewal();
    const { id: charge } = app.stripe.payInvoiceByCharge(sub);
    const { payment } = await untilRenewal(id, isPaid);
    expect(payment).toMatchObject({ amount: PRICE, capturedAmount: PRICE });
    app.stripe.refundInDashboard(charge, 380);
    await untilRenewal(id, ({ refundedAmount }) => refundedAmount === 380);
    dataOf(await refundPayment(app, payment));
    await untilRenewal(id, ({ status }) => status === 'REFUNDED');
    await allIsHeard(app);
    expect(await differences()).toEqual([]);
  });
});

describe('an invoice without money of the provider’s', () => {
  test('of nothing (a coupon of 100 %) is an order of nothing, confirmed', async () => {
    const { id } = await activeSubscription(app);
    const sub = await atProvider(app, id);
    app.stripe.discount(sub, 100);
    app.stripe.playTimeForward(MONTH);
    const read = await untilSubscription(app, id, stands('ACTIVE', 'PAID', 'PAID'));
    const { order, payment } = renewalOf(read);
    expect(order).toMatchObject({ status: 'CONFIRMED', amount: 0 });
    expect(payment).toMatchObject({ amount: 0, capturedAmount: 0, failureCode: null, attempts: [] });
    expect(app.stripe.chargesFor(sub)).toHaveLength(1);
  });

  test('that was paid elsewhere confirms the order, and the books have no money of it', async () => {
    const { id, sub } = await openRenewal();
    app.stripe.payInvoiceOutside(sub);
    const { order, payment } = await untilRenewal(id, isPaid);
    expect(order.amount).toBe(PRICE);
    expect(payment).toMatchObject({ amount: 0, capturedAmount: 0, failureCode: null });
    expect(await differences()).toEqual([]);
  });

  test('that was paid elsewhere in part is paid with the rest', async () => {
    const { id, sub } = await openRenewal();
    app.stripe.payInvoiceOutside(sub, 380);
    const { payment: open } = await untilRenewal(id, ({ amount }) => amount === 1_000);
    // What is to come through its provider, only the provider says.
    expect(dataOf(await updatePayment(app, open.id, app.apiKey)).updatePaymentIntent.amount).toBe(1_000);
    app.stripe.payInvoice(sub, VISA);
    const { payment } = await untilRenewal(id, isPaid);
    expect(payment).toMatchObject({ amount: 1_000, capturedAmount: 1_000 });
  });

  test.each([
    ['a part of it', -500, 880],
    ['all of it', -5_000, 0],
  ])('the customer’s balance pays %s', async (_, balance, collected) => {
    const { id, customer } = await activeSubscription(app);
    app.stripe.changeBalance(await customerAtProvider(customer.id), balance);
    app.stripe.playTimeForward(MONTH);
    const read = await untilSubscription(app, id, stands('ACTIVE', 'PAID', 'PAID'));
    const { order, payment } = renewalOf(read);
    expect(order).toMatchObject({ status: 'CONFIRMED', amount: PRICE });
    expect(payment).toMatchObject({ amount: collected, capturedAmount: collected });
  });

  test('what the customer owes from before is a part of what the next order costs', async () => {
    const { id, customer } = await activeSubscription(app);
    app.stripe.changeBalance(await customerAtProvider(customer.id), 120);
    app.stripe.playTimeForward(MONTH);
    const read = await untilSubscription(app, id, stands('ACTIVE', 'PAID', 'PAID'));
    expect(renewalOf(read)).toMatchObject({
      order: { amount: PRICE + 120 },
      payment: { capturedAmount: PRICE + 120 },
    });
  });

  test('the first one may be of nothing too', async () => {
    const customer = await newCustomer(app);
    const { id: savedMethodId } = await saveCard(app, customer, VISA);
    app.stripe.changeBalance(await customerAtProvider(customer.id), -1_000);
    const { sku } = await monthly(app);
    const answer = await subscribeTo(app, customer, { lines: lines(sku), savedMethodId });
    const { id } = dataOf(answer).createRecurringSubscription.subscription;
    const read = await untilSubscription(app, id, stands('ACTIVE', 'PAID'));
    expect(renewalOf(read)).toMatchObject({ order: { amount: 690 }, payment: { amount: 0 } });
  });
});

describe('money beyond an invoice', () => {
  test('stays with the provider as the customer’s credit: a person hears of it, and nothing goes back', async () => {
    const { id, sub } = await openRenewal();
    app.stripe.payInvoice(sub, BANK_DEBIT);
    const { payment: processing } = await untilRenewal(id, ({ status }) => status === 'PROCESSING');
    app.stripe.payInvoiceOutside(sub);
    await untilRenewal(id, isPaid);
    const [charge] = await attemptsAtProvider(processing.id);
    app.stripe.settle(charge!, 'succeed');
    const { payment } = await untilRenewal(id, ({ failureCode }) => failureCode === 'OVERPAID');
    expect(payment).toMatchObject({ status: 'PAID', capturedAmount: PRICE, refundedAmount: 0 });
    await allIsHeard(app);
    expect(refundsAt(sub)).toEqual([]);
  });

  test('that was taken for another order counts once: it stays with that order', async () => {
    const { sku } = await app.addProduct({ unitAmount: PRICE, currency: 'EUR' });
    const { orderId, token } = await app.order(sku);
    const { nextAction } = dataOf(
      await payWith(app, orderId, token, { method: 'CARD', presentation: 'EMBEDDED' }),
    ).createPaymentIntent;
    const { paymentIntentId } = app.stripe.pay(nextAction.clientSecret, VISA);
    const { id, sub } = await openRenewal();
    const { latest_invoice: invoice } = await inDashboard(app, `subscriptions/${sub}`, { description: 'x' });
    await inDashboard(app, `invoices/${invoice}/attach_payment`, { payment_intent: paymentIntentId });
    const { payment } = await untilRenewal(id, isPaid);
    expect(payment).toMatchObject({ amount: 0, capturedAmount: 0 });
  });
});

describe('when no notification arrives', () => {
  const ways: [string, (sub: string) => void, number][] = [
    [
      'two payments',
      (sub) => {
        app.stripe.payPartOfInvoice(sub, 600, VISA);
        app.stripe.payPartOfInvoice(sub, 780, VISA);
      },
      PRICE,
    ],
    [
      'a credit note and a payment',
      (sub) => {
        app.stripe.creditInvoice(sub, 200);
        app.stripe.payInvoice(sub, VISA);
      },
      1_180,
    ],
    ['a payment made elsewhere', (sub) => app.stripe.payInvoiceOutside(sub), 0],
  ];

  test.each(ways)('%s: found when the subscription is looked at', async (_, settle, captured) => {
    const { id, sub } = await openRenewal();
    app.stripe.misbehave({ drop: 1, seed: 1 });
    settle(sub);
    await app.stripe.settled();
    await app.dataSource.query(
      'UPDATE recurring_subscription SET next_check_at = now() WHERE reference = $1',
      [id],
    );
    const { payment } = await untilRenewal(id, isPaid);
    expect(payment.capturedAmount).toBe(captured);
    expect(await differences()).toEqual([]);
  });

  test.each(ways)('%s: found in the provider’s list of events', async (_, settle, captured) => {
    const listing = await startTestApp({ notificationListPauseMilliseconds: 200 });
    const before = app;
    app = listing;
    try {
      const { id, sub } = await openRenewal();
      app.stripe.misbehave({ drop: 1, seed: 1 });
      settle(sub);
      const { payment } = await untilRenewal(id, isPaid);
      expect(payment.capturedAmount).toBe(captured);
      await expectInvariants(app.dataSource);
    } finally {
      app = before;
      await listing.stop();
    }
  });
});

async function customerAtProvider(reference: string): Promise<string> {
  const [{ at }] = await app.dataSource.query(
    `SELECT a.provider_reference AS at FROM customer_provider_account a JOIN customer c ON c.id = a.customer_id
     WHERE c.reference = $1`,
    [reference],
  );
  return at;
}

async function attemptsAtProvider(paymentId: string): Promise<string[]> {
  const rows: { reference: string }[] = await app.dataSource.query(
    `SELECT a.provider_reference AS reference FROM payment_attempt a JOIN payment_intent i ON i.id = a.intent_id
     WHERE i.reference = $1 ORDER BY a.number`,
    [paymentId],
  );
  return rows.map(({ reference }) => reference);
}
