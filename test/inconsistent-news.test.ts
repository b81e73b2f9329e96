import { markInsideCheckout, markWith } from '../src/providers/stripe/attempt-mark.js';
import { booksOf, storedEvents, untilEvent, untilStatus } from './support/books.js';
import { emailSettings } from './support/email-settings.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import { startMailServer, type MailServer } from './support/mail-server.js';
import { emailsOf } from './support/mailed-orders.js';
import {
  BANK,
  newEventId,
  notify,
  STRIPE,
  stripeEvent,
  stripePaymentIntent,
  type NotifyingProvider,
  type OpenPayment,
} from './support/notifying-provider.js';
import { orderInFrancs } from './support/mobile-money.js';
import { createPayment, orderOf, readPayment } from './support/payment-calls.js';
import { paidPayment, payAt } from './support/payments-with-money.js';
import {
  codeOf,
  dataOf,
  PAYDUNYA_KEYS,
  RETURN_URL,
  startTestApp,
  type RunningApp,
} from './support/running-app.js';
import { settled } from './support/settled.js';
import { readAsStaff, refundPayment } from './support/staff-calls.js';
import { expectErrors } from './support/unexpected-errors.js';
import { GOOD_CARD } from './support/ways-to-pay.js';

let mails: MailServer;
let settings: Awaited<ReturnType<typeof emailSettings>>;
let app: RunningApp;
beforeAll(async () => {
  mails = await startMailServer();
  settings = await emailSettings(mails.url);
  app = await startTestApp({ emails: settings });
});
afterEach(async () => {
  app.stripe.clearFaults();
  await settled(app);
  await expectInvariants(app.dataSource);
});
afterAll(async () => {
  await app.stop();
  settings.delivery.close();
  await mails.stop();
});

/** A person was asked, once, and each version of the payment has been told. */
async function expectNotedOnce({ id }: { readonly id: string }, code: string): Promise<void> {
  const noted: { noted_problems: string[] }[] = await app.dataSource.query(
    'SELECT noted_problems FROM payment_intent WHERE reference = $1',
    [id],
  );
  expect(noted[0]!.noted_problems.filter((name) => name.startsWith(code))).toHaveLength(1);
  await eventually(async () => {
    const written = (await emailsOf(app, id)).filter(({ template }) => template === 'REVIEW_NEEDED');
    expect(written).toHaveLength(1);
  });
}

/** Sends it, and waits until it is done with. @returns what came of it. */
async function outcomeOf(provider: NotifyingProvider, body: string): Promise<string> {
  const { id } = JSON.parse(body) as { id: string };
  expect(await notify(app, provider, body)).toBe(200);
  return (await untilEvent(app, id, 'APPLIED')).outcome!;
}

function bankPaid(payment: OpenPayment, data: object): string {
  const body = JSON.parse(BANK.paid(payment)) as { data: object };
  return JSON.stringify({ ...body, data: { ...body.data, ...data } });
}

describe('what carries our mark of one payment, and is another one’s at Stripe', () => {
  test('pays the one whose PaymentIntent it is, and leaves the other alone', async () => {
    const [marked, named] = [await STRIPE.open(app), await STRIPE.open(app)];
    const succeeded = stripePaymentIntent(named, {
      metadata: markWith(marked.attemptReference),
      status: 'succeeded',
      amount_received: named.amount,
    });
    expect(await outcomeOf(STRIPE, stripeEvent('payment_intent.succeeded', succeeded))).toContain('PAID');
    expect(await booksOf(app, named.id)).toMatchObject({ status: 'PAID', captured: 1_500 });
    expect(await booksOf(app, marked.id)).toMatchObject({ status: 'PENDING', captured: 0, version: 1 });
    expect(await outcomeOf(STRIPE, STRIPE.paid(named))).toBe('nothing new');
    payAt(app, STRIPE, marked);
    await untilStatus(app, marked.id, 'PAID');
  });

  test('is noted for a person when nobody here knows its PaymentIntent, once; the payment’s own money still pays it', async () => {
    const payment = await STRIPE.open(app);
    for (const type of ['payment_intent.succeeded', 'payment_intent.succeeded', 'charge.refunded']) {
      const body =
        type === 'charge.refunded'
          ? stripeEvent(type, {
              id: 'ch_other',
              object: 'charge',
              payment_intent: `pi_other_${payment.id}`,
              amount: 1_500,
              amount_captured: 1_500,
              amount_refunded: 0,
              currency: 'eur',
              metadata: markWith(payment.attemptReference),
            })
          : STRIPE.paid(payment, { movement: `pi_other_${payment.id}` });
      await outcomeOf(STRIPE, body);
    }
    expect(await booksOf(app, payment.id)).toMatchObject({
      status: 'REVIEW',
      version: 2,
      failureCode: 'REFERENCE_MISMATCH',
      captured: 0,
      attempts: [{ status: 'PENDING' }],
    });
    await expectNotedOnce(payment, 'REFERENCE_MISMATCH');
    payAt(app, STRIPE, payment);
    expect(await untilStatus(app, payment.id, 'PAID')).toMatchObject({ captured: 1_500, failureCode: null });
  });

  test.each(['payment_intent.canceled', 'payment_intent.payment_failed', 'payment_intent.processing'])(
    'changes nothing when it is %s',
    async (type) => {
      const payment = await STRIPE.open(app);
      const status = {
        canceled: 'canceled',
        payment_failed: 'requires_payment_method',
        processing: 'processing',
      }[type.split('.')[1]!];
      const other = stripePaymentIntent(payment, {
        id: `pi_other_${payment.id}`,
        status,
        last_payment_error: { type: 'card_error', code: 'card_declined', message: 'Declined.' },
      });
      expect(await outcomeOf(STRIPE, stripeEvent(type, other))).toContain('not applied');
      expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PENDING', version: 1 });
    },
  );

  test('inside Checkout is asked about first, and the money goes to the session that it belongs to', async () => {
    const checkout = { method: 'CARD', presentation: 'REDIRECT', returnUrl: RETURN_URL };
    const open = async () => {
      const { orderId, token } = await orderOf(app, { unitAmount: 1_500, currency: 'EUR' });
      return { token, ...(await app.pay(orderId, token, checkout)) };
    };
    const [marked, paid] = [await open(), await open()];
    await settled(app);
    const sessionOf = async ({ id }: { id: string }): Promise<string> => {
      const [row] = await app.dataSource.query(
        `SELECT a.provider_reference AS session FROM payment_attempt a JOIN payment_intent i ON i.id = a.intent_id
         WHERE i.reference = $1`,
        [id],
      );
      return row.session;
    };
    app.stripe.pauseWebhooks();
    app.stripe.pay(await sessionOf(paid), GOOD_CARD);
    const [charge] = app.stripe.chargesFor(`${paid.id}-1`);
    const inside = {
      id: charge!.paymentIntentId,
      object: 'payment_intent',
      status: 'succeeded',
      amount: 1_500,
      amount_received: 1_500,
      currency: 'eur',
      metadata: markInsideCheckout(`${marked.id}-1`),
    };
    expect(await outcomeOf(STRIPE, stripeEvent('payment_intent.succeeded', inside))).toBe('nothing new');
    expect(await booksOf(app, marked.id)).toMatchObject({ status: 'PENDING', captured: 0 });
    app.stripe.resumeWebhooks();
    expect(await untilStatus(app, paid.id, 'PAID')).toMatchObject({ captured: 1_500 });
    app.stripe.pay(await sessionOf(marked), GOOD_CARD);
    await untilStatus(app, marked.id, 'PAID');
  });
});

describe('money for an attempt that its provider has not answered yet', () => {
  test('is believed when the provider, asked, says so too', async () => {
    const { orderId, token } = await orderOf(app, { unitAmount: 1_500, currency: 'EUR' });
    app.bank.answerNext('createPayment', { kind: 'close', afterDoing: true });
    const answer = await createPayment(app, orderId, token, { method: 'BANK', returnUrl: RETURN_URL });
    const { id } = dataOf(answer).createPaymentIntent.paymentIntent;
    app.bank.pay(`${id}-1`);
    await untilStatus(app, id, 'PAID');
    expect(await readPayment(app, id, token)).toMatchObject({ capturedAmount: 1_500 });
  });

  test('is not believed when the provider does not know it', async () => {
    const { orderId, token } = await orderOf(app, { unitAmount: 1_500, currency: 'EUR' });
    app.stripe.answerNext('payment_intents.create', { answer: { kind: 'close' }, times: 100 });
    const answer = await createPayment(app, orderId, token, { method: 'CARD' });
    const { id } = dataOf(answer).createPaymentIntent.paymentIntent;
    const eventId = newEventId();
    const attemptReference = `${id}-1`;
    const payment = {
      id,
      attemptReference,
      providerReference: 'pi_never_made',
      amount: 1_500,
    } as OpenPayment;
    await notify(app, STRIPE, STRIPE.paid({ ...payment, currency: 'EUR' }, { eventId }));
    const [event] = await eventually(
      () => storedEvents(app, eventId),
      (all) => (all[0]?.tries ?? 0) > 1,
    );
    expect(event).toMatchObject({ status: 'WAITING', outcome: expect.stringContaining('did not say') });
    expect(await booksOf(app, id)).toMatchObject({ captured: 0 });
  });
});

describe('a bank’s notice with another payment_id than the one it gave us', () => {
  test('is noted for a person when nobody here knows it, once', async () => {
    const payment = await BANK.open(app);
    const other = { payment_id: `other_${payment.id}` };
    await outcomeOf(BANK, bankPaid(payment, other));
    expect(await outcomeOf(BANK, bankPaid(payment, other))).toBe('nothing new');
    expect(await booksOf(app, payment.id)).toMatchObject({
      status: 'REVIEW',
      version: 2,
      failureCode: 'REFERENCE_MISMATCH',
      captured: 0,
    });
    await expectNotedOnce(payment, 'REFERENCE_MISMATCH');
  });

  test('pays the payment that it names', async () => {
    const [marked, named] = [await BANK.open(app), await BANK.open(app)];
    await outcomeOf(BANK, bankPaid(marked, { payment_id: named.providerReference }));
    expect(await booksOf(app, named.id)).toMatchObject({ status: 'PAID' });
    expect(await booksOf(app, marked.id)).toMatchObject({ status: 'PENDING', captured: 0 });
  });
});

test('another invoice of PayDunya’s that is paid for an attempt is noted for a person, once it has confirmed it', async () => {
  const { orderId, token } = await orderInFrancs(app);
  const input = { method: 'MOBILE_MONEY', provider: 'paydunya', returnUrl: RETURN_URL };
  const { id } = await app.pay(orderId, token, input);
  const response = await fetch(`${app.paydunya.url.href}/checkout-invoice/create`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'paydunya-master-key': PAYDUNYA_KEYS.masterKey,
      'paydunya-private-key': PAYDUNYA_KEYS.privateKey,
      'paydunya-token': PAYDUNYA_KEYS.token,
    },
    body: JSON.stringify({
      invoice: { total_amount: 500, description: 'Another' },
      store: { name: 'Shop of tests' },
      actions: { callback_url: `${app.url}/webhooks/paydunya` },
      custom_data: { attempt: `${id}-1` },
    }),
  });
  const { token: invoice } = (await response.json()) as { token: string };
  app.paydunya.pay(invoice);
  expect(await untilStatus(app, id, 'REVIEW')).toMatchObject({
    failureCode: 'REFERENCE_MISMATCH',
    captured: 0,
  });
  await expectNotedOnce({ id }, 'REFERENCE_MISMATCH');
});

describe('money that is known, told with another amount', () => {
  test.each([
    ['less', { amount: 900 }],
    ['more', { amount: 150_000 }],
    ['another currency', { currency: 'USD' as const }],
  ])('is noted once and not believed: %s', async (_, other) => {
    const payment = await BANK.open(app);
    await outcomeOf(BANK, BANK.paid(payment));
    const { version } = await booksOf(app, payment.id);
    expect(await outcomeOf(BANK, BANK.paid(payment, other))).toContain('AMOUNT_CONTRADICTED');
    expect(await outcomeOf(BANK, BANK.paid(payment, other))).toBe('nothing new');
    expect(await outcomeOf(BANK, BANK.paid(payment))).toBe('nothing new');
    expect(await booksOf(app, payment.id)).toMatchObject({
      status: 'PAID',
      version: version + 1,
      captured: 1_500,
      failureCode: 'AMOUNT_CONTRADICTED',
    });
    await expectNotedOnce(payment, 'AMOUNT_CONTRADICTED');
  });
});

describe('an amount that can’t be', () => {
  test.each([0, -5])('of %i received is noted once, and not tried for a day', async (amount) => {
    const payment = await STRIPE.open(app);
    expect(await outcomeOf(STRIPE, STRIPE.paid(payment, { amount }))).toContain('AMOUNT_IMPOSSIBLE');
    expect(await outcomeOf(STRIPE, STRIPE.paid(payment, { amount }))).toBe('nothing new');
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'REVIEW', captured: 0 });
    await expectNotedOnce(payment, 'AMOUNT_IMPOSSIBLE');
    payAt(app, STRIPE, payment);
    await untilStatus(app, payment.id, 'PAID');
  });

  test.each([0, -5])('of %i held is noted once', async (amount) => {
    const payment = await STRIPE.open(app);
    const held = stripePaymentIntent(payment, { status: 'requires_capture', amount_capturable: amount });
    const type = 'payment_intent.amount_capturable_updated';
    expect(await outcomeOf(STRIPE, stripeEvent(type, held))).toContain('AMOUNT_IMPOSSIBLE');
    expect(await outcomeOf(STRIPE, stripeEvent(type, held))).toBe('nothing new');
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'REVIEW' });
    await expectNotedOnce(payment, 'AMOUNT_IMPOSSIBLE');
  });
});

describe('a refund that contradicts what is known', () => {
  function refundEvent(payment: OpenPayment, values: object): string {
    return stripeEvent('refund.updated', {
      object: 'refund',
      currency: 'eur',
      charge: payment.providerReference.replace('pi_', 'ch_'),
      payment_intent: payment.providerReference,
      metadata: {},
      status: 'succeeded',
      ...values,
    });
  }

  async function refunded(payment: OpenPayment, amount: number): Promise<string> {
    expect(dataOf(await refundPayment(app, payment, { amount })).refundPayment.status).toBe('SUCCEEDED');
    await settled(app);
    return referenceOfRefund(payment);
  }

  async function referenceOfRefund({ id }: OpenPayment): Promise<string> {
    const [row] = await app.dataSource.query(
      `SELECT r.provider_reference AS reference FROM refund r JOIN payment_intent i ON i.id = r.intent_id
       WHERE i.reference = $1`,
      [id],
    );
    return row.reference;
  }

  test.each(['succeeded', 'failed', 'pending'])('of 600, told as 400 %s, is noted once', async (status) => {
    const payment = await paidPayment(app, STRIPE);
    const id = await refunded(payment, 600);
    const told = { id, amount: 400, status };
    expect(await outcomeOf(STRIPE, refundEvent(payment, told))).toContain('REFUND_CONTRADICTED');
    expect(await outcomeOf(STRIPE, refundEvent(payment, told))).toBe('nothing new');
    expect(await readAsStaff(app, payment)).toMatchObject({
      status: 'PARTIALLY_REFUNDED',
      refundedAmount: 600,
      failureCode: 'REFUND_CONTRADICTED',
      refunds: [{ amount: 600, status: 'SUCCEEDED' }],
    });
    await expectNotedOnce(payment, 'REFUND_CONTRADICTED');
  });

  test('of 600 that is under way, told as 400 done, is not done, and the truth still counts', async () => {
    const payment = await paidPayment(app, STRIPE);
    app.stripe.answerNext('refunds.create', {
      answer: { kind: 'status', status: 502, shouldRetry: false },
    });
    const { id: reference } = dataOf(await refundPayment(app, payment, { amount: 600 })).refundPayment;
    const metadata = { ...markWith(payment.attemptReference), quittance_refund: reference };
    const told = { id: `re_${payment.id}`, amount: 400, metadata };
    expect(await outcomeOf(STRIPE, refundEvent(payment, told))).toContain('REFUND_CONTRADICTED');
    expect(await readAsStaff(app, payment)).toMatchObject({ refundedAmount: 0, refunds: [{ amount: 600 }] });
    await eventually(async () => {
      await app.dataSource.query('UPDATE refund SET next_check_at = now() WHERE next_check_at IS NOT NULL');
      expect(await readAsStaff(app, payment)).toMatchObject({
        refundedAmount: 600,
        refunds: [{ status: 'SUCCEEDED' }],
      });
    });
  });

  test.each([0, -400])('of %i is noted once', async (amount) => {
    const payment = await paidPayment(app, STRIPE);
    const told = { id: `re_${payment.id}`, amount };
    expect(await outcomeOf(STRIPE, refundEvent(payment, told))).toContain('REFUND_CONTRADICTED');
    expect(await outcomeOf(STRIPE, refundEvent(payment, told))).toBe('nothing new');
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'PAID', refundedAmount: 0, refunds: [] });
    await expectNotedOnce(payment, 'REFUND_CONTRADICTED');
  });

  test('that is another payment’s already is noted once, and ends in no loop', async () => {
    const [first, second] = [await paidPayment(app, STRIPE), await paidPayment(app, STRIPE)];
    const id = await refunded(first, 600);
    expect(await outcomeOf(STRIPE, refundEvent(second, { id, amount: 600 }))).toContain('REFUSED_BY_BOOKS');
    expect(await outcomeOf(STRIPE, refundEvent(second, { id, amount: 600 }))).toContain('nothing new');
    expect(await readAsStaff(app, second)).toMatchObject({ status: 'PAID', refundedAmount: 0, refunds: [] });
    await expectNotedOnce(second, 'REFUSED_BY_BOOKS');
  });

  test('with our mark under another id is money of its own', async () => {
    const payment = await paidPayment(app, STRIPE);
    await refunded(payment, 600);
    const { refunds } = await readAsStaff(app, payment);
    const metadata = { ...markWith(payment.attemptReference), quittance_refund: refunds[0].id };
    await outcomeOf(STRIPE, refundEvent(payment, { id: `re_again_${payment.id}`, amount: 600, metadata }));
    expect(await readAsStaff(app, payment)).toMatchObject({ refundedAmount: 1_200 });
  });

  test.each([
    ['more than was taken', { amount_refunded: 9_000 }],
    ['a currency that is not the payment’s', { amount_refunded: 400, currency: 'usd' }],
  ])('by a total of %s is noted once', async (_, values) => {
    const payment = await paidPayment(app, STRIPE);
    const charge = {
      id: payment.providerReference.replace('pi_', 'ch_'),
      object: 'charge',
      payment_intent: payment.providerReference,
      amount: 1_500,
      amount_captured: 1_500,
      currency: 'eur',
      metadata: markWith(payment.attemptReference),
      ...values,
    };
    expect(await outcomeOf(STRIPE, stripeEvent('charge.refunded', charge))).toContain('MISMATCH');
    expect(await readAsStaff(app, payment)).toMatchObject({ status: 'PAID', refundedAmount: 0 });
  });
});

describe('money that is in the books of another payment already', () => {
  test('is noted once, and not tried for a day', async () => {
    const [first, second] = [await BANK.open(app), await BANK.open(app)];
    const movement = `tr_both_${first.id}`;
    await outcomeOf(BANK, BANK.paid(first, { movement }));
    expect(await outcomeOf(BANK, BANK.paid(second, { movement }))).toContain('REFUSED_BY_BOOKS');
    expect(await outcomeOf(BANK, BANK.paid(second, { movement }))).toContain('nothing new');
    expect(await booksOf(app, first.id)).toMatchObject({ status: 'PAID', captured: 1_500 });
    expect(await booksOf(app, second.id)).toMatchObject({
      status: 'REVIEW',
      failureCode: 'REFUSED_BY_BOOKS',
      captured: 0,
      orderStatus: 'OPEN',
    });
    await expectNotedOnce(second, 'REFUSED_BY_BOOKS');
  });

  test('is noted once when the provider says so each time that it is asked', async () => {
    const [first, second] = [await BANK.open(app), await BANK.open(app)];
    app.bank.pauseWebhooks();
    app.bank.pay(second.attemptReference);
    const { transfer_id: movement } = app.bank.payment(second.attemptReference) as { transfer_id: string };
    await outcomeOf(BANK, BANK.paid(first, { movement }));
    for (let check = 0; check < 3; check += 1) {
      await app.dataSource.query('UPDATE payment_intent SET next_check_at = now() WHERE reference = $1', [
        second.id,
      ]);
      await eventually(async () => {
        const [row] = await app.dataSource.query(
          'SELECT next_check_at IS NULL OR next_check_at > now() AS done FROM payment_intent WHERE reference = $1',
          [second.id],
        );
        expect(row.done).toBe(true);
      });
    }
    expect(await untilStatus(app, second.id, 'REVIEW')).toMatchObject({ captured: 0, version: 2 });
    await expectNotedOnce(second, 'REFUSED_BY_BOOKS');
    app.bank.resumeWebhooks();
  });
});

test('a provider that answers a new payment with the id of another one is not paid through, and says so', async () => {
  expectErrors(/the id of another one/);
  const first = await BANK.open(app);
  const confused = await startTestApp({
    decorate: (provider) =>
      provider.name === 'bank-x'
        ? {
            ...provider,
            initiate: async (attempt) => ({
              ...(await provider.initiate(attempt)),
              providerReference: first.providerReference,
            }),
          }
        : provider,
  });
  const open = async () => {
    const { orderId, token } = await orderOf(confused, { unitAmount: 1_500, currency: 'EUR' });
    return createPayment(confused, orderId, token, { method: 'BANK', returnUrl: RETURN_URL });
  };
  dataOf(await open());
  expect(codeOf(await open())).toBe('PROVIDER_REJECTED');
  await expectInvariants(confused.dataSource);
  await confused.stop();
});
