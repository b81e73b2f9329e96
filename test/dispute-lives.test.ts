import Stripe from 'stripe';
import { bookableOrder, days, readBookedOrder, type BookedOrder } from './support/bookings.js';
import { booksOf, untilStatus } from './support/books.js';
import { eventually } from './support/eventually.js';
import { notify, STRIPE, stripeEvent, type OpenPayment } from './support/notifying-provider.js';
import { paidPayment } from './support/payments-with-money.js';
import { sessionIn } from './support/payment-calls.js';
import { codeOf, dataOf, RETURN_URL, startTestApp, type RunningApp } from './support/running-app.js';
import { readAsStaff, refundPayment, verifyPayment } from './support/staff-calls.js';
import { expectSettled, settled } from './support/settled.js';
import { GOOD_CARD } from './support/ways-to-pay.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterEach(() => expectSettled(app));
afterAll(() => app.stop());

type NewDispute = Parameters<RunningApp['stripe']['openDispute']>[1];

async function disputed(payment: OpenPayment, dispute: NewDispute = {}): Promise<string> {
  const { id } = app.stripe.openDispute(payment.providerReference, dispute);
  await settled(app);
  return id;
}

async function happened(act: () => void): Promise<void> {
  act();
  await settled(app);
}

async function movementsOf({ id }: OpenPayment): Promise<(readonly [string, number])[]> {
  const { movements } = await booksOf(app, id);
  return movements
    .filter(({ kind }) => kind !== 'CAPTURE')
    .map(({ kind, amount }) => [kind, amount] as const);
}

/** The statuses that were published, in order. */
async function publishedOf({ id }: OpenPayment): Promise<string[]> {
  const rows: { status: string }[] = await app.dataSource.query(
    `SELECT e.payload ->> 'status' AS status FROM outbox_event e
     JOIN payment_intent i ON i.id = e.key WHERE i.reference = $1 ORDER BY e.version`,
    [id],
  );
  return rows.map(({ status }) => status);
}

describe('the money of a dispute', () => {
  test('that is won, of which Stripe says so before it returns the money: DISPUTED until it is back, and never refunded', async () => {
    const payment = await paidPayment(app, STRIPE);
    const id = await disputed(payment);
    await happened(() => app.stripe.closeDispute(id, 'won', 0));
    expect(await readAsStaff(app, payment)).toMatchObject({
      status: 'DISPUTED',
      disputedAmount: 1_500,
      disputes: [{ status: 'WON' }],
    });
    await happened(() => app.stripe.reinstateFunds(id));
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'PAID', disputedAmount: 0 });
    expect(await publishedOf(payment)).not.toEqual(expect.arrayContaining(['REFUNDED']));
    expect(await publishedOf(payment)).not.toEqual(expect.arrayContaining(['CHARGED_BACK']));
  });

  test('is booked by each of its movements: after a refund, with a part returned, nothing is left to refund', async () => {
    const payment = await paidPayment(app, STRIPE);
    dataOf(await refundPayment(app, payment, { amount: 300 }));
    const id = await disputed(payment, { amount: 1_500 });
    await happened(() => app.stripe.closeDispute(id, 'lost', 300));
    expect(await movementsOf(payment)).toEqual([
      ['REFUND', 300],
      ['CHARGEBACK', 1_500],
      ['CHARGEBACK_REVERSAL', 300],
    ]);
    expect(await readAsStaff(app, payment)).toMatchObject({
      status: 'CHARGED_BACK',
      refundedAmount: 300,
      disputedAmount: 1_200,
    });
    expect(codeOf(await refundPayment(app, payment, { amount: 1 }))).toBe('BAD_USER_INPUT');
  });

  test('that is won in part is CHARGED_BACK with the rest, which can be refunded no more', async () => {
    const payment = await paidPayment(app, STRIPE);
    const id = await disputed(payment);
    await happened(() => app.stripe.closeDispute(id, 'won', 500));
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'CHARGED_BACK', disputedAmount: 1_000 });
    expect(codeOf(await refundPayment(app, payment, { amount: 501 }))).toBe('BAD_USER_INPUT');
  });

  test.each([
    ['won', 'PAID', 0],
    ['lost', 'CHARGED_BACK', 1_503],
  ] as const)(
    'may be more than was captured, by exchange rates; %s: %s',
    async (decision, status, disputedAmount) => {
      const payment = await paidPayment(app, STRIPE);
      const id = await disputed(payment, { amount: 1_503, amountDiffers: true });
      expect(await readAsStaff(app, payment)).toMatchObject({
        status: 'DISPUTED',
        disputedAmount: 1_503,
        failureCode: null,
      });
      await happened(() => app.stripe.closeDispute(id, decision));
      expect(await readAsStaff(app, payment)).toMatchObject({ status, disputedAmount });
    },
  );

  test('that comes back a little less, at another day’s exchange rate, was won all the same: PAID', async () => {
    const payment = await paidPayment(app, STRIPE);
    const id = await disputed(payment, { amount: 1_503, amountDiffers: true });
    await happened(() => app.stripe.closeDispute(id, 'won', 1_480));
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'PAID', disputedAmount: 23 });
    expect(codeOf(await refundPayment(app, payment, { amount: 1_478 }))).toBe('BAD_USER_INPUT');
    expect(dataOf(await refundPayment(app, payment)).refundPayment).toMatchObject({ amount: 1_477 });
  });

  test('that Stripe lists in the currency of another balance is booked in the payment’s', async () => {
    const payment = await paidPayment(app, STRIPE);
    const balance = { currency: 'usd', exchangeRate: 1.0837 };
    const id = await disputed(payment, { balance });
    await happened(() => app.stripe.closeDispute(id, 'lost', 500));
    expect(await movementsOf(payment)).toEqual([
      ['CHARGEBACK', 1_500],
      ['CHARGEBACK_REVERSAL', 500],
    ]);
  });

  test('is booked once, however often and in whatever order Stripe’s notifications come', async () => {
    const payment = await paidPayment(app, STRIPE);
    app.stripe.pauseWebhooks();
    const { id } = app.stripe.openDispute(payment.providerReference);
    app.stripe.closeDispute(id, 'lost', 400);
    app.stripe.decideDisputeAgain(id, 'won');
    const told = app.stripe.events().filter(({ type }) => type.startsWith('charge.dispute'));
    app.stripe.resumeWebhooks();
    for (const event of told.toReversed()) app.stripe.deliver(event.id);
    await settled(app);
    for (const event of told) app.stripe.deliver(event.id);
    await settled(app);
    expect((await movementsOf(payment)).toSorted()).toEqual([
      ['CHARGEBACK', 1_500],
      ['CHARGEBACK_REVERSAL', 1_100],
      ['CHARGEBACK_REVERSAL', 400],
    ]);
    await eventually(async () =>
      expect(await readAsStaff(app, payment)).toMatchObject({
        status: 'PAID',
        disputes: [{ status: 'WON' }],
      }),
    );
  });

  test('is known by the dispute’s own id where an older version lists no movements, and is not booked again when they are listed', async () => {
    const payment = await paidPayment(app, STRIPE);
    const older = (status: string) => ({
      id: `dp_${payment.id}`,
      object: 'dispute',
      amount: 1_500,
      currency: 'eur',
      charge: 'ch_1',
      payment_intent: payment.providerReference,
      reason: 'general',
      evidence_details: { due_by: null },
      status,
    });
    await notify(app, STRIPE, stripeEvent('charge.dispute.funds_withdrawn', older('needs_response')));
    expect(await movementsOf(payment)).toEqual([['CHARGEBACK', 1_500]]);
    const listed = (...amounts: number[]) => ({
      ...older('won'),
      balance_transactions: amounts.map((amount, index) => ({
        id: `txn_${payment.id}_${index}`,
        object: 'balance_transaction',
        amount,
        currency: 'eur',
        created: index,
        exchange_rate: null,
        fee: 1_500,
      })),
    });
    await notify(app, STRIPE, stripeEvent('charge.dispute.closed', listed(-1_500)));
    await notify(app, STRIPE, stripeEvent('charge.dispute.funds_reinstated', listed(-1_500, 1_500)));
    await notify(app, STRIPE, stripeEvent('charge.dispute.funds_reinstated', older('won')));
    expect(await movementsOf(payment)).toEqual([
      ['CHARGEBACK', 1_500],
      ['CHARGEBACK_REVERSAL', 1_500],
    ]);
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'PAID', disputedAmount: 0 });
  });

  test('of more than twice the payment is an error that a person looks at, and books nothing', async () => {
    const payment = await paidPayment(app, STRIPE);
    const id = await disputed(payment, { amount: 3_001, amountDiffers: true });
    expect(await readAsStaff(app, payment)).toMatchObject({
      disputedAmount: 0,
      failureCode: 'DISPUTE_MISMATCH',
      disputes: [{ providerReference: id }],
    });
    expect(codeOf(await refundPayment(app, payment))).toBe('PAYMENT_NOT_REFUNDABLE');
  });
});

describe('the decision about a dispute', () => {
  test('that was lost, and is won after all: PAID', async () => {
    const payment = await paidPayment(app, STRIPE);
    const id = await disputed(payment);
    await happened(() => app.stripe.closeDispute(id, 'lost'));
    await happened(() => app.stripe.decideDisputeAgain(id, 'won'));
    await eventually(async () =>
      expect(await readAsStaff(app, payment)).toMatchObject({
        status: 'PAID',
        disputedAmount: 0,
        disputes: [{ status: 'WON' }],
      }),
    );
  });

  test('that was won, and is lost after all: CHARGED_BACK', async () => {
    const payment = await paidPayment(app, STRIPE);
    const id = await disputed(payment);
    await happened(() => app.stripe.closeDispute(id, 'won'));
    await happened(() => app.stripe.decideDisputeAgain(id, 'lost'));
    await eventually(async () =>
      expect(await readAsStaff(app, payment)).toMatchObject({
        status: 'CHARGED_BACK',
        disputedAmount: 1_500,
        disputes: [{ status: 'LOST' }],
      }),
    );
    expect(await movementsOf(payment)).toEqual([
      ['CHARGEBACK', 1_500],
      ['CHARGEBACK_REVERSAL', 1_500],
      ['CHARGEBACK', 1_500],
    ]);
  });

  test('that is appealed is open again: DISPUTED, and then as the appeal ends', async () => {
    const payment = await paidPayment(app, STRIPE);
    const id = await disputed(payment);
    await happened(() => app.stripe.closeDispute(id, 'lost'));
    await happened(() => app.stripe.appealDispute(id));
    expect(await readAsStaff(app, payment)).toMatchObject({
      status: 'DISPUTED',
      disputes: [{ status: 'OPEN' }],
    });
    await happened(() => app.stripe.closeDispute(id, 'won'));
    await eventually(async () =>
      expect(await readAsStaff(app, payment)).toMatchObject({
        status: 'PAID',
        disputes: [{ status: 'WON' }],
      }),
    );
  });

  test('is not undone by older news, whenever it comes', async () => {
    const payment = await paidPayment(app, STRIPE);
    const id = await disputed(payment);
    await happened(() => app.stripe.closeDispute(id, 'lost'));
    const opened = app.stripe.events().find(({ type }) => type === 'charge.dispute.created');
    // The same words under another id, as when somebody sends an event again by hand.
    const [row] = await app.dataSource.query(
      `SELECT payload FROM webhook_event WHERE payload LIKE '%' || $1 || '%' AND type = 'charge.dispute.created'`,
      [id],
    );
    await notify(app, STRIPE, row.payload.replace(/"evt_\w+"/, `"evt_${payment.id}"`));
    await settled(app);
    expect(opened).toBeDefined();
    expect(await readAsStaff(app, payment)).toMatchObject({
      status: 'CHARGED_BACK',
      disputes: [{ status: 'LOST' }],
    });
  });
});

describe('an inquiry', () => {
  test('moves no money and is answered by a refund: REFUNDED, and the booking would go with it', async () => {
    const payment = await paidPayment(app, STRIPE);
    const id = await disputed(payment, { withdraw: false });
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'DISPUTED', disputedAmount: 0 });
    expect(dataOf(await refundPayment(app, payment)).refundPayment).toMatchObject({
      amount: 1_500,
      status: 'SUCCEEDED',
    });
    await settled(app);
    expect(await readAsStaff(app, payment)).toMatchObject({
      status: 'REFUNDED',
      order: { refundedAt: expect.any(String) },
    });
    await happened(() => app.stripe.closeDispute(id, 'won'));
    expect(await readAsStaff(app, payment)).toMatchObject({
      status: 'REFUNDED',
      disputes: [{ status: 'WON' }],
    });
  });

  test('that becomes a dispute takes the money, and forbids refunds', async () => {
    const payment = await paidPayment(app, STRIPE);
    const id = await disputed(payment, { withdraw: false });
    await happened(() => app.stripe.escalateInquiry(id));
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'DISPUTED', disputedAmount: 1_500 });
    expect(codeOf(await refundPayment(app, payment, { amount: 1 }))).toBe('PAYMENT_NOT_REFUNDABLE');
  });
});

describe('a booking', () => {
  async function booked() {
    const product = await app.addProduct({ unitAmount: 1_500, currency: 'EUR', dailyCapacity: 5 });
    const order = await bookableOrder(app, product, days(1));
    const { id, nextAction } = await app.pay(order.orderId, order.token, { method: 'CARD' });
    const providerReference = nextAction.clientSecret.split('_secret_')[0];
    app.stripe.pay(providerReference, GOOD_CARD);
    await untilStatus(app, id, 'PAID');
    await settled(app);
    return { order, payment: { id }, providerReference };
  }
  const statusOf = async (order: BookedOrder) => (await readBookedOrder(app, order)).booking.status;

  test.each(['won', 'lost'] as const)(
    'is not cancelled by a small refund and a dispute about the rest that is %s',
    async (decision) => {
      const { order, payment, providerReference } = await booked();
      dataOf(await refundPayment(app, payment, { amount: 300 }));
      await settled(app);
      const { id } = app.stripe.openDispute(providerReference);
      await settled(app);
      app.stripe.closeDispute(id, decision, 0);
      await settled(app);
      expect(await statusOf(order)).toBe('CONFIRMED');
      expect((await readBookedOrder(app, order)).refundedAt).toBeNull();
      if (decision === 'won') await happened(() => app.stripe.reinstateFunds(id));
      expect(await statusOf(order)).toBe('CONFIRMED');
    },
  );

  test('is cancelled by a full refund', async () => {
    const { order, payment } = await booked();
    dataOf(await refundPayment(app, payment, { amount: 300 }));
    dataOf(await refundPayment(app, payment));
    await settled(app);
    expect(await statusOf(order)).toBe('CANCELLED');
  });
});

describe('what is told before its payment at Checkout', () => {
  async function paidAtCheckout() {
    const { sku } = await app.addProduct({ unitAmount: 1_500, currency: 'EUR' });
    const { orderId, token } = await app.order(sku);
    const input = { method: 'CARD', presentation: 'REDIRECT', returnUrl: RETURN_URL };
    const { id, nextAction } = await app.pay(orderId, token, input);
    app.stripe.misbehave({ drop: 1 });
    const { paymentIntentId } = app.stripe.pay(sessionIn(nextAction.url), GOOD_CARD);
    return { id, paymentIntentId };
  }
  async function tellInThisOrder(...types: string[]): Promise<void> {
    await app.stripe.settled();
    app.stripe.misbehave({});
    for (const type of types) {
      app.stripe.deliver(app.stripe.events().findLast((event) => event.type === type)!.id);
      await app.stripe.settled();
    }
  }

  test('a dispute waits, and is applied as soon as the payment is known', async () => {
    const { id, paymentIntentId } = await paidAtCheckout();
    const dispute = app.stripe.openDispute(paymentIntentId);
    await tellInThisOrder('charge.dispute.funds_withdrawn', 'checkout.session.completed');
    await untilStatus(app, id, 'DISPUTED');
    expect(await readAsStaff(app, { id })).toMatchObject({
      disputedAmount: 1_500,
      disputes: [{ providerReference: dispute.id }],
    });
  });

  test('a refund that somebody made at Stripe waits, too', async () => {
    const { id, paymentIntentId } = await paidAtCheckout();
    app.stripe.refundInDashboard(paymentIntentId, 400);
    await tellInThisOrder('refund.created', 'checkout.session.completed');
    await untilStatus(app, id, 'PARTIALLY_REFUNDED');
    expect(await readAsStaff(app, { id })).toMatchObject({ refundedAmount: 400 });
  });

  test.each([
    ['that Stripe doesn’t know for our key', 'pi_of_somebody'],
    ['that is another application’s', undefined],
  ])('is ignored when it is of money %s', async (_, unknown) => {
    const foreign = unknown ?? (await paymentOfAnotherApplication());
    const id = `dp_${foreign}`;
    const dispute = { id, object: 'dispute', amount: 100, currency: 'eur', status: 'needs_response' };
    const more = { reason: 'general', payment_intent: foreign, charge: 'ch_1', balance_transactions: [] };
    const body = stripeEvent('charge.dispute.created', { ...dispute, ...more });
    expect(await notify(app, STRIPE, body)).toBe(200);
    await eventually(async () => {
      const [row] = await app.dataSource.query(
        `SELECT status, tries FROM webhook_event WHERE payload LIKE '%' || $1 || '%'`,
        [id],
      );
      expect(row).toEqual({ status: 'IGNORED', tries: 1 });
    });
  });

  async function paymentOfAnotherApplication(): Promise<string> {
    const stripe = new Stripe(app.stripeSecretKey, {
      protocol: 'http',
      host: app.stripe.url.hostname,
      port: app.stripe.url.port,
    });
    const { id } = await stripe.paymentIntents.create({ amount: 100, currency: 'eur' });
    return id;
  }
});

test('a disputed payment that is verified is asked about: a decision whose notification was lost is found', async () => {
  const quiet = await startTestApp({
    notificationListPauseMilliseconds: 3_600_000,
    jobPauseMilliseconds: 3_600_000,
  });
  try {
    const payment = await paidPayment(quiet, STRIPE);
    const { id } = quiet.stripe.openDispute(payment.providerReference);
    await untilStatus(quiet, payment.id, 'DISPUTED');
    await quiet.stripe.settled();
    quiet.stripe.misbehave({ drop: 1 });
    quiet.stripe.closeDispute(id, 'lost', 200);
    await quiet.stripe.settled();
    await quiet.dataSource.query(`UPDATE payment_intent SET created_at = now() - interval '1 minute'`);
    expect(dataOf(await verifyPayment(quiet, payment, quiet.apiKey)).verifyPaymentIntent).toMatchObject({
      status: 'CHARGED_BACK',
      disputedAmount: 1_300,
    });
  } finally {
    await quiet.stop();
  }
});
