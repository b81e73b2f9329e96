import Stripe from 'stripe';
import { BetweenSteps } from './support/between-steps.js';
import { untilStatus } from './support/books.js';
import { expectBooksToAgree } from './support/both-books.js';
import { eventually } from './support/eventually.js';
import { BANK, STRIPE, type NotifyingProvider, type OpenPayment } from './support/notifying-provider.js';
import { changeOrder } from './support/bookings.js';
import { cancelPayment, updatePayment } from './support/payment-calls.js';
import { heldPayment, paidPayment, payAt, underpaidPayment } from './support/payments-with-money.js';
import { codeOf, dataOf, RETURN_URL, startTestApp, type RunningApp } from './support/running-app.js';
import {
  capturePayment,
  readAsStaff,
  refundPayment,
  settleReview,
  verifyPayment,
} from './support/staff-calls.js';
import { expectSettled, settled } from './support/settled.js';

/** One thing happens inside another, between two of its steps: both sides' books are right all the same. */
const steps = new BetweenSteps();
let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp({ decorate: steps.decorate });
});
afterEach(async () => {
  steps.expectAllHappened();
  await expectSettled(app);
  await expectBooksToAgree(app);
});
afterAll(async () => {
  await app.stop();
  steps.stop();
});

function refundAt(provider: NotifyingProvider, payment: OpenPayment, amount: number): void {
  if (provider === BANK) app.bank.refundAtBank(payment.attemptReference, amount);
  else app.stripe.refundInDashboard(payment.providerReference, amount);
}

/** How the provider itself has it, in minor units: what it took, and what it gave back. */
function moneyAt({ name }: NotifyingProvider, { attemptReference }: OpenPayment) {
  if (name === BANK.name) {
    const { chargesByReference, refundedByReference } = app.bank.counts();
    const charges = chargesByReference[attemptReference] ?? 0;
    return { charges, refunded: refundedByReference[attemptReference] ?? 0 };
  }
  const charges = app.stripe.chargesFor(attemptReference).filter(({ amountCaptured }) => amountCaptured > 0);
  return {
    charges: charges.length,
    refunded: app.stripe.refundsFor(attemptReference).reduce((sum, { amount }) => sum + amount, 0),
  };
}

const timeIsUp = ({ id }: OpenPayment) =>
  app.dataSource.query('UPDATE payment_intent SET expires_at = now() WHERE reference = $1', [id]);

/** A payment that was opened later has expired: the job has been by since then. */
async function untilExpiryWasBy(): Promise<void> {
  const other = await BANK.open(app);
  await timeIsUp(other);
  await untilStatus(app, other.id, 'EXPIRED');
}

describe.each([STRIPE, BANK])('at $name', (provider) => {
  const call = `${provider.name}.refund` as const;
  const cancelCall = `${provider.name}.cancel` as const;

  test('a refund of 60 % inside a refund of 60 %: one is made, and the other says how much is left', async () => {
    const payment = await paidPayment(app, provider);
    steps.beforeWriting('refund.queued', async () => {
      expect(dataOf(await refundPayment(app, payment, { amount: 900 })).refundPayment.status).toBe(
        'SUCCEEDED',
      );
    });
    const outer = await refundPayment(app, payment, { amount: 900 });
    expect(codeOf(outer)).toBe('BAD_USER_INPUT');
    expect(outer.errors![0]!.extensions.fields).toMatchObject([{ path: expect.stringMatching(/amount$/) }]);
    expect(outer.errors![0]!.message).toMatch(/^At most 600 EUR/);
    expect(moneyAt(provider, payment)).toEqual({ charges: 1, refunded: 900 });
  });

  test('a refund of 60 % while another one is at the provider: it is refused before the provider hears of it', async () => {
    const payment = await paidPayment(app, provider);
    steps.before(call, async () => {
      expect(codeOf(await refundPayment(app, payment, { amount: 900 }))).toBe('BAD_USER_INPUT');
    });
    expect(dataOf(await refundPayment(app, payment, { amount: 900 })).refundPayment.status).toBe('SUCCEEDED');
    expect(moneyAt(provider, payment)).toEqual({ charges: 1, refunded: 900 });
  });

  test('the notification of a refund before its own call is answered: it is written once', async () => {
    const payment = await paidPayment(app, provider);
    steps.after(call, () => settled(app));
    expect(dataOf(await refundPayment(app, payment, { amount: 400 })).refundPayment.status).toBe('SUCCEEDED');
    expect(await readAsStaff(app, payment)).toMatchObject({
      status: 'PARTIALLY_REFUNDED',
      version: 3,
      refundedAmount: 400,
      refunds: [{ status: 'SUCCEEDED', origin: 'REQUESTED' }],
    });
  });

  test('the notification of a refund while its answer is being written: it is written once', async () => {
    const payment = await paidPayment(app, provider);
    const [pause, resume] = webhooksOf(provider);
    pause();
    steps.beforeWriting('refund.succeeded', async () => {
      resume();
      await settled(app);
    });
    expect(dataOf(await refundPayment(app, payment, { amount: 400 })).refundPayment.status).toBe('SUCCEEDED');
    expect(await readAsStaff(app, payment)).toMatchObject({ version: 3, refundedAmount: 400 });
  });

  test.each([
    ['is told of', () => settled(app)],
    ['is not told of yet', () => {}],
  ])(
    'a refund made at the provider inside ours, that %s and leaves too little: ours fails, and the books are right',
    async (_, told) => {
      const payment = await paidPayment(app, provider);
      steps.before(call, () => {
        refundAt(provider, payment, 1_000);
        return told();
      });
      expect(dataOf(await refundPayment(app, payment, { amount: 900 })).refundPayment).toMatchObject({
        status: 'FAILED',
        failureCode: 'REFUSED',
      });
      await settled(app);
      expect(await readAsStaff(app, payment)).toMatchObject({
        status: 'PARTIALLY_REFUNDED',
        refundedAmount: 1_000,
      });
      expect(dataOf(await refundPayment(app, payment)).refundPayment).toMatchObject({ amount: 500 });
      expect(moneyAt(provider, payment)).toEqual({ charges: 1, refunded: 1_500 });
    },
  );

  test('a refund made at the provider inside ours, that leaves enough: both are made', async () => {
    const payment = await paidPayment(app, provider);
    steps.before(call, async () => {
      refundAt(provider, payment, 600);
      await settled(app);
    });
    expect(dataOf(await refundPayment(app, payment, { amount: 900 })).refundPayment.status).toBe('SUCCEEDED');
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'REFUNDED', refundedAmount: 1_500 });
  });

  test('a refund made at the provider is told of while ours is being written: ours is decided anew', async () => {
    const payment = await paidPayment(app, provider);
    steps.beforeWriting('refund.queued', async () => {
      refundAt(provider, payment, 1_000);
      await settled(app);
    });
    const answer = await refundPayment(app, payment, { amount: 900 });
    expect(answer.errors![0]!.message).toMatch(/^At most 500 EUR/);
    expect(moneyAt(provider, payment)).toEqual({ charges: 1, refunded: 1_000 });
  });

  test('the payer pays inside a cancellation: PAID, and the cancellation is refused', async () => {
    const payment = await provider.open(app, { stock: 5 });
    steps.before(cancelCall, async () => {
      payAt(app, provider, payment);
      await settled(app);
    });
    expect(codeOf(await cancelPayment(app, payment.id, payment.token))).toBe('PAYMENT_NOT_CANCELLABLE');
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'PAID', version: 2 });
    expect(moneyAt(provider, payment)).toEqual({ charges: 1, refunded: 0 });
  });

  test('the payer pays inside a cancellation, and its notification is late: PAID all the same', async () => {
    const payment = await provider.open(app, { stock: 5 });
    steps.before(cancelCall, () => payAt(app, provider, payment));
    expect(codeOf(await cancelPayment(app, payment.id, payment.token))).toBe('PAYMENT_NOT_CANCELLABLE');
    await settled(app);
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'PAID', version: 2 });
  });

  test('the payer pays inside the expiry of the payment: PAID', async () => {
    const payment = await provider.open(app, { stock: 5 });
    steps.before(cancelCall, async () => {
      payAt(app, provider, payment);
      await settled(app);
    });
    await timeIsUp(payment);
    expect(await untilStatus(app, payment.id, 'PAID')).toMatchObject({
      version: 2,
      orderStatus: 'CONFIRMED',
      stock: 4,
      reserved: 0,
    });
    await untilExpiryWasBy();
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'PAID', version: 2 });
  });

  test('“did it go through?” inside the notification that says so: it is written once', async () => {
    const payment = await provider.open(app, { stock: 5 });
    await app.dataSource.query(
      `UPDATE payment_intent SET created_at = now() - interval '1 minute' WHERE reference = $1`,
      [payment.id],
    );
    steps.beforeWriting('money.moved', async () => {
      const { verifyPaymentIntent } = dataOf(await verifyPayment(app, payment, payment.token));
      expect(verifyPaymentIntent).toMatchObject({ status: 'PAID', capturedAmount: 1_500 });
    });
    payAt(app, provider, payment);
    await settled(app);
    expect(await readAsStaff(app, payment)).toMatchObject({
      status: 'PAID',
      version: 2,
      capturedAmount: 1_500,
    });
  });

  test('two operators settle one review: who writes first has decided, and the other is told', async () => {
    const accepted = await underpaidPayment(app, provider);
    steps.beforeWriting('review.refund', async () => {
      expect(dataOf(await settleReview(app, accepted, 'ACCEPT')).settlePaymentReview.status).toBe('PAID');
    });
    expect(codeOf(await settleReview(app, accepted, 'REFUND'))).toBe('PAYMENT_NOT_IN_REVIEW');
    expect(moneyAt(provider, accepted)).toEqual({ charges: 1, refunded: 0 });

    const refunded = await underpaidPayment(app, provider);
    steps.beforeWriting('review.accept', async () => {
      expect(dataOf(await settleReview(app, refunded, 'REFUND')).settlePaymentReview.status).toBe('REFUNDED');
    });
    expect(codeOf(await settleReview(app, refunded, 'ACCEPT'))).toBe('PAYMENT_NOT_IN_REVIEW');
    expect(moneyAt(provider, refunded)).toEqual({ charges: 1, refunded: 1_500 });
  });

  test('a review is accepted, refunded again or closed while its money is on its way back: the money goes back once', async () => {
    const accepted = await underpaidPayment(app, provider);
    steps.before(call, async () => {
      expect(codeOf(await settleReview(app, accepted, 'ACCEPT'))).toBe('PAYMENT_NOT_IN_REVIEW');
    });
    expect(dataOf(await settleReview(app, accepted, 'REFUND')).settlePaymentReview.status).toBe('REFUNDED');
    expect(moneyAt(provider, accepted)).toEqual({ charges: 1, refunded: 1_500 });

    const closed = await underpaidPayment(app, provider);
    steps.before(call, async () => {
      expect(dataOf(await settleReview(app, closed, 'CLOSE')).settlePaymentReview.status).toBe('CANCELLED');
    });
    dataOf(await settleReview(app, closed, 'REFUND'));
    await settled(app);
    expect(await readAsStaff(app, closed)).toMatchObject({ status: 'REFUNDED', refundedAmount: 1_500 });
    expect(moneyAt(provider, closed)).toEqual({ charges: 1, refunded: 1_500 });
  });

  test.each([
    [1_500, 'REFUNDED', 'PAYMENT_NOT_IN_REVIEW'],
    [400, 'REVIEW', 'PAYMENT_CHANGED'],
  ])(
    '%d is given back at the provider while a review is being accepted: it is %s, and accepting is refused',
    async (amount, status, refusal) => {
      const payment = await underpaidPayment(app, provider);
      steps.beforeWriting('review.accept', async () => {
        refundAt(provider, payment, amount);
        await settled(app);
      });
      expect(codeOf(await settleReview(app, payment, 'ACCEPT'))).toBe(refusal);
      expect(await readAsStaff(app, payment)).toMatchObject({
        status,
        refundedAmount: amount,
        order: { status: 'OPEN' },
      });
    },
  );

  test('a part is given back at the provider while a review’s money goes back: the rest can go back afterwards', async () => {
    const payment = await underpaidPayment(app, provider);
    steps.before(call, async () => {
      refundAt(provider, payment, 400);
      await settled(app);
    });
    expect(dataOf(await settleReview(app, payment, 'REFUND')).settlePaymentReview).toMatchObject({
      status: 'REVIEW',
      refundedAmount: 400,
    });
    expect(dataOf(await settleReview(app, payment, 'REFUND')).settlePaymentReview).toMatchObject({
      status: 'REFUNDED',
      refundedAmount: 1_500,
    });
    expect(moneyAt(provider, payment)).toEqual({ charges: 1, refunded: 1_500 });
  });

  function webhooksOf({ name }: NotifyingProvider): [pause: () => void, resume: () => void] {
    const double = name === BANK.name ? app.bank : app.stripe;
    return [() => double.pauseWebhooks(), () => double.resumeWebhooks()];
  }
});

describe('a bank that credits a payment', () => {
  test('right after it has cancelled it: PAID, and the cancellation is refused', async () => {
    const payment = await BANK.open(app, { stock: 5 });
    steps.after('bank-x.cancel', async () => {
      app.bank.payLate(payment.attemptReference);
      await settled(app);
    });
    expect(codeOf(await cancelPayment(app, payment.id, payment.token))).toBe('PAYMENT_NOT_CANCELLABLE');
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'PAID', order: { status: 'CONFIRMED' } });
  });

  test('while its cancellation, the time being up, is being written: PAID', async () => {
    const payment = await BANK.open(app, { stock: 5 });
    app.bank.pauseWebhooks();
    steps.beforeWriting('EXPIRED', async () => {
      app.bank.payLate(payment.attemptReference);
      app.bank.resumeWebhooks();
      await settled(app);
    });
    await timeIsUp(payment);
    await untilStatus(app, payment.id, 'PAID');
    await untilExpiryWasBy();
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'PAID', order: { status: 'CONFIRMED' } });
  });
});

// Of a refund, a bank tells once; Stripe twice, and the second notification would be faster than what is interrupted.
test('a review is accepted inside the notification that all of its money went back: the order is confirmed and refunded', async () => {
  const payment = await underpaidPayment(app, BANK);
  steps.beforeWriting('refund.succeeded', async () => {
    dataOf(await settleReview(app, payment, 'ACCEPT'));
  });
  refundAt(BANK, payment, 1_500);
  await settled(app);
  expect(await readAsStaff(app, payment)).toMatchObject({
    status: 'REFUNDED',
    order: { status: 'CONFIRMED', refundedAt: expect.any(String) },
  });
});

describe('money that is held', () => {
  test('is captured inside a cancellation: PAID, and the cancellation is refused', async () => {
    const payment = await heldPayment(app);
    steps.before('stripe.cancel', async () => {
      expect(dataOf(await capturePayment(app, payment)).capturePaymentIntent.status).toBe('PAID');
    });
    expect(codeOf(await cancelPayment(app, payment.id, app.apiKey))).toBe('PAYMENT_NOT_CANCELLABLE');
    expect(moneyAt(STRIPE, payment)).toEqual({ charges: 1, refunded: 0 });
  });

  test('is let go inside a capture: CANCELLED, and nothing is taken', async () => {
    const payment = await heldPayment(app);
    steps.before('stripe.capture', async () => {
      expect(dataOf(await cancelPayment(app, payment.id, app.apiKey)).cancelPaymentIntent.status).toBe(
        'CANCELLED',
      );
    });
    await capturePayment(app, payment);
    expect(await readAsStaff(app, payment)).toMatchObject({
      status: 'CANCELLED',
      failureCode: 'AUTHORIZATION_RELEASED',
      capturedAmount: 0,
    });
    expect(moneyAt(STRIPE, payment)).toEqual({ charges: 0, refunded: 0 });
  });

  test('is let go while its capture is being decided: the capture is refused', async () => {
    const payment = await heldPayment(app);
    steps.beforeWriting('capture.asked', async () => {
      dataOf(await cancelPayment(app, payment.id, app.apiKey));
    });
    expect(codeOf(await capturePayment(app, payment))).toBe('PAYMENT_NOT_CAPTURABLE');
    expect(app.stripe.chargesFor(payment.attemptReference)).toMatchObject([{ amountCaptured: 0 }]);
  });

  test('is let go by Stripe inside a capture: CANCELLED, and the stock is back', async () => {
    const payment = await heldPayment(app);
    steps.before('stripe.capture', async () => {
      app.stripe.lapse(payment.providerReference);
      await settled(app);
    });
    await capturePayment(app, payment);
    expect(await untilStatus(app, payment.id, 'CANCELLED')).toMatchObject({
      failureCode: 'AUTHORIZATION_RELEASED',
      captured: 0,
      stock: 5,
      reserved: 0,
    });
  });

  test('is captured although the time to pay is over meanwhile', async () => {
    const payment = await heldPayment(app);
    steps.before('stripe.capture', async () => {
      await timeIsUp(payment);
      await untilExpiryWasBy();
    });
    expect(dataOf(await capturePayment(app, payment)).capturePaymentIntent.status).toBe('PAID');
  });

  test('is captured twice at once, with two amounts: once, and the other amount is refused', async () => {
    const payment = await heldPayment(app);
    steps.beforeWriting('capture.asked', async () => {
      dataOf(await capturePayment(app, payment, 1_000));
    });
    expect(codeOf(await capturePayment(app, payment, 600))).toBe('PAYMENT_NOT_CAPTURABLE');
    expect(app.stripe.chargesFor(payment.attemptReference)).toMatchObject([{ amountCaptured: 1_000 }]);
  });

  test('is captured, and told of, before the call is answered: it is written once', async () => {
    const payment = await heldPayment(app);
    steps.after('stripe.capture', () => settled(app));
    expect(dataOf(await capturePayment(app, payment, 1_000)).capturePaymentIntent).toMatchObject({
      status: 'PAID',
      version: 3,
      capturedAmount: 1_000,
    });
  });
});

describe('a dispute', () => {
  test('opened while a refund is being decided: the refund is refused', async () => {
    const payment = await paidPayment(app, STRIPE);
    steps.beforeWriting('refund.queued', async () => {
      app.stripe.openDispute(payment.providerReference);
      await settled(app);
    });
    expect(codeOf(await refundPayment(app, payment, { amount: 400 }))).toBe('PAYMENT_NOT_REFUNDABLE');
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'DISPUTED', disputedAmount: 1_500 });
    expect(moneyAt(STRIPE, payment).refunded).toBe(0);
  });

  test('opened just before a refund comes to Stripe: it is refused there, and the payment is DISPUTED', async () => {
    const payment = await paidPayment(app, STRIPE);
    steps.before('stripe.refund', async () => {
      app.stripe.openDispute(payment.providerReference);
      await settled(app);
    });
    expect(dataOf(await refundPayment(app, payment, { amount: 400 })).refundPayment.status).toBe('FAILED');
    expect(await readAsStaff(app, payment)).toMatchObject({
      status: 'DISPUTED',
      refundedAmount: 0,
      disputedAmount: 1_500,
    });
  });
});

test('a refund made anew at Stripe is told of before the failure of the one that it replaces: both are in the books', async () => {
  const payment = await paidPayment(app, STRIPE);
  const failed = app.stripe.refundInDashboard(payment.providerReference);
  await untilStatus(app, payment.id, 'REFUNDED');
  await settled(app);

  app.stripe.misbehave({ drop: 1 });
  app.stripe.failRefund(failed.id);
  app.stripe.refundInDashboard(payment.providerReference);
  app.stripe.misbehave({});
  for (const type of ['refund.created', 'refund.failed']) {
    app.stripe.deliver(app.stripe.events().findLast((event) => event.type === type)!.id);
    await settled(app);
  }

  await eventually(async () => {
    await app.dataSource.query('UPDATE refund SET next_check_at = now() WHERE next_check_at IS NOT NULL');
    expect(await readAsStaff(app, payment)).toMatchObject({
      status: 'REFUNDED',
      refundedAmount: 1_500,
      refunds: [{ status: 'FAILED' }, { status: 'SUCCEEDED' }],
      failureCode: null,
    });
  });
});

test.each([
  ['is told of', () => settled(app)],
  ['is not told of yet', () => {}],
])(
  'a part of double money is given back at Stripe, which %s, while all of it goes back by itself: the rest goes back by itself',
  async (_, told) => {
    const payment = await STRIPE.open(app, { stock: 5 });
    // So that the first attempt can't be ended before it is paid too.
    app.stripe.answerNext('payment_intents.cancel', {
      answer: { kind: 'status', status: 500, shouldRetry: false },
      times: 1_000,
    });
    await app.pay(payment.orderId, payment.token, { method: 'BANK', returnUrl: RETURN_URL });
    app.bank.pay(`${payment.id}-2`);
    await untilStatus(app, payment.id, 'PAID');
    steps.before('stripe.refund', () => {
      app.stripe.refundInDashboard(payment.providerReference, 820);
      return told();
    });
    payAt(app, STRIPE, payment);
    await eventually(async () =>
      expect(await readAsStaff(app, payment)).toMatchObject({
        status: 'PAID',
        capturedAmount: 3_000,
        refundedAmount: 1_500,
      }),
    );
    app.stripe.clearFaults();
    expect(app.stripe.chargesFor(payment.attemptReference)).toMatchObject([{ amountRefunded: 1_500 }]);
  },
);

describe('a capture that somebody was faster than', () => {
  test('answers PAYMENT_NOT_CAPTURABLE where the money is let go before Stripe hears of it', async () => {
    const payment = await heldPayment(app);
    steps.before('stripe.capture', async () => {
      dataOf(await cancelPayment(app, payment.id, app.apiKey));
    });
    await expectNotCapturable(payment, 'CANCELLED');
  });

  test('answers so where the hold lapsed at Stripe, and nobody had told us', async () => {
    const payment = await heldPayment(app);
    steps.before('stripe.capture', () => {
      app.stripe.misbehave({ drop: 1 });
      app.stripe.lapse(payment.providerReference);
      app.stripe.misbehave({});
    });
    await expectNotCapturable(payment, 'CANCELLED');
  });

  test('answers so where the payment is over by the time it is written', async () => {
    const payment = await heldPayment(app);
    steps.beforeWriting('capture.asked', async () => {
      dataOf(await cancelPayment(app, payment.id, app.apiKey));
    });
    await expectNotCapturable(payment, 'CANCELLED');
  });

  test('answers so where another amount was taken at Stripe itself, and that is what is in the books', async () => {
    const payment = await heldPayment(app);
    steps.before('stripe.capture', async () => {
      const { hostname: host, port } = app.stripe.url;
      const stripe = new Stripe(app.stripeSecretKey, { host, port, protocol: 'http' });
      await stripe.paymentIntents.capture(payment.providerReference, { amount_to_capture: 600 });
    });
    const answer = await capturePayment(app, payment, 1_000);
    expect(codeOf(answer)).toBe('PAYMENT_NOT_CAPTURABLE');
    expect(answer.errors![0]!.message).toContain('600');
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'PAID', capturedAmount: 600 });
  });

  async function expectNotCapturable(payment: OpenPayment, status: string): Promise<void> {
    const answer = await capturePayment(app, payment);
    expect(codeOf(answer)).toBe('PAYMENT_NOT_CAPTURABLE');
    expect(answer.errors![0]!.message).toContain(status);
    expect(await readAsStaff(app, payment)).toMatchObject({ status, capturedAmount: 0 });
  }
});

describe('an update of an amount that the payer was faster than', () => {
  test('answers PAYMENT_NOT_UPDATABLE, and what they paid is under review', async () => {
    const payment = await STRIPE.open(app);
    const changes = { lines: [{ sku: payment.sku, quantity: 2 }] };
    dataOf(await changeOrder(app, payment, changes));
    steps.before('stripe.updateAmount', async () => {
      payAt(app, STRIPE, payment);
      await untilStatus(app, payment.id, 'REVIEW');
    });
    expect(codeOf(await updatePayment(app, payment.id, payment.token))).toBe('PAYMENT_NOT_UPDATABLE');
  });

  test('leaves createPaymentIntent to give the payment as it is', async () => {
    const payment = await STRIPE.open(app);
    const changes = { lines: [{ sku: payment.sku, quantity: 2 }] };
    dataOf(await changeOrder(app, payment, changes));
    steps.beforeWriting('payment.amount', async () => {
      payAt(app, STRIPE, payment);
      await untilStatus(app, payment.id, 'REVIEW');
    });
    expect(await app.pay(payment.orderId, payment.token)).toMatchObject({
      id: payment.id,
      status: 'REVIEW',
      nextAction: null,
    });
  });
});
