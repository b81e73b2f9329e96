import Stripe from 'stripe';
import { parseForm } from '../src/sandbox/stripe/form-body.js';
import {
  startStripeDouble,
  type StripeDouble,
  type StripeDoubleOptions,
} from '../src/sandbox/stripe/stripe-double.js';
import { TEST_CARDS } from '../src/sandbox/stripe/test-cards.js';
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.js';

const SECRET_KEY = 'sk_test_quittance';
const WEBHOOK_SECRET = 'whsec_quittance';

let receiver: WebhookReceiver;
let double: StripeDouble;
let stripe: Stripe;

const start = (more: Partial<StripeDoubleOptions> = {}) =>
  startStripeDouble({
    secretKey: SECRET_KEY,
    publishableKey: 'pk_test_quittance',
    webhookSecret: WEBHOOK_SECRET,
    webhookUrl: () => receiver.url.href,
    webhookRetryMilliseconds: 10,
    ...more,
  });

const sdk = (at: StripeDouble, key = SECRET_KEY) =>
  new Stripe(key, {
    host: at.url.hostname,
    port: at.url.port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
    timeout: 5000,
  });

beforeEach(async () => {
  receiver = await startWebhookReceiver();
  double = await start();
  stripe = sdk(double);
});

afterEach(async () => {
  await double.stop();
  await receiver.stop();
});

const createPayment = (more: Partial<Stripe.PaymentIntentCreateParams> = {}) =>
  stripe.paymentIntents.create({
    amount: 1099,
    currency: 'eur',
    automatic_payment_methods: { enabled: true },
    metadata: { order: '7' },
    ...more,
  });

const createSession = (more: Partial<Stripe.Checkout.SessionCreateParams> = {}) =>
  stripe.checkout.sessions.create({
    mode: 'payment',
    ui_mode: 'hosted_page',
    line_items: [
      { quantity: 2, price_data: { currency: 'xof', unit_amount: 7500, product_data: { name: 'Pagne' } } },
    ],
    success_url: 'https://shop.example/done?session={CHECKOUT_SESSION_ID}',
    cancel_url: 'https://shop.example/back',
    payment_intent_data: { metadata: { order: '7' } },
    ...more,
  });

const eventsReceived = () =>
  receiver.received.map(({ rawBody, headers, receivedAt }) =>
    Stripe.webhooks.constructEvent(
      rawBody,
      headers['stripe-signature'] ?? '',
      WEBHOOK_SECRET,
      300,
      undefined,
      receivedAt.getTime(),
    ),
  );

const typesReceived = () => eventsReceived().map(({ type }) => type);

describe('the API of the Stripe double', () => {
  it('refuses a wrong key, an unknown object and an unknown path, with a request id', async () => {
    const missing = stripe.paymentIntents.retrieve('pi_0');
    await expect(sdk(double, 'sk_test_wrong').paymentIntents.list()).rejects.toMatchObject({
      type: 'StripeAuthenticationError',
    });
    await expect(missing).rejects.toMatchObject({
      type: 'StripeInvalidRequestError',
      code: 'resource_missing',
      statusCode: 404,
      requestId: expect.stringMatching(/^req_/),
    });
    await expect(stripe.coupons.list()).rejects.toMatchObject({ statusCode: 400 });
  });

  it.each([
    [{ payment_method_types: ['card'] }, 'payment_method_types_no_longer_supported'],
    [{ colour: 'red' }, 'parameter_unknown'],
    [{ amount: 49 }, 'amount_too_small'],
    [{ amount: 100_000_000 }, 'amount_too_large'],
    [{ amount: 10.5 }, 'parameter_invalid_integer'],
    [{ amount: 0 }, 'parameter_invalid_integer'],
    [{ amount: undefined }, 'parameter_missing'],
    [{ amount: 1234, currency: 'tnd' }, undefined],
    [{ amount: 1234, currency: 'isk' }, undefined],
    [{ currency: 'zzz' }, undefined],
  ])('refuses a PaymentIntent with %j', async (params, code) => {
    await expect(createPayment(params as object)).rejects.toMatchObject({
      type: 'StripeInvalidRequestError',
      statusCode: 400,
      code,
    });
  });

  it.each([
    { ui_mode: 'hosted' as const },
    { payment_method_types: ['card'] },
    { expires_at: Math.floor(Date.now() / 1000) + 29 * 60 },
    { expires_at: Math.floor(Date.now() / 1000) + 25 * 3600 },
    { line_items: [] },
  ])('refuses a Checkout Session with %j', async (params) => {
    await expect(createSession(params as object)).rejects.toMatchObject({
      type: 'StripeInvalidRequestError',
      statusCode: 400,
    });
  });

  it('merges metadata, removes what is empty, and expands what is asked for', async () => {
    const { id } = await createPayment();
    await stripe.paymentIntents.update(id, { metadata: { order: '', 'a b': 'c&d=é' }, amount: 2000 });
    double.pay(id, '4242 4242 4242 4242');
    const paymentIntent = await stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] });
    expect(paymentIntent).toMatchObject({
      amount: 2000,
      metadata: { 'a b': 'c&d=é' },
      latest_charge: { object: 'charge', amount_captured: 2000, metadata: { 'a b': 'c&d=é' } },
    });
  });

  it('lists in pages, newest first', async () => {
    const ids: string[] = [];
    for (let made = 0; made < 5; made += 1) ids.unshift((await createPayment()).id);
    const first = await stripe.paymentIntents.list({ limit: 2 });
    expect(first).toMatchObject({ object: 'list', has_more: true });
    const all: string[] = [];
    for await (const { id } of stripe.paymentIntents.list({ limit: 2 })) all.push(id);
    expect(all).toEqual(ids);
  });

  it('lists what was made in a time, and events of some types, to the last page', async () => {
    const before = Math.floor(Date.now() / 1000);
    const ids: string[] = [];
    for (let made = 0; made < 5; made += 1) {
      const { id } = await createPayment();
      double.pay(id, 'pm_card_visa');
      ids.push(id);
    }
    const types = ['payment_intent.succeeded', 'charge.succeeded'];
    const told: string[] = [];
    for await (const event of stripe.events.list({ created: { gte: before }, types, limit: 3 })) {
      if (event.type === 'payment_intent.succeeded') told.unshift(event.data.object.id);
      else expect(event.type).toBe('charge.succeeded');
    }
    expect(told).toEqual(ids);
    const charges = async (created: Stripe.RangeQueryParam) =>
      (await stripe.charges.list({ created })).data.length;
    expect(await charges({ gte: before })).toBe(5);
    expect(await charges({ gte: before, lt: before + 60 })).toBe(5);
    expect(await charges({ lt: before })).toBe(0);
    expect(await charges({ gt: before + 60 })).toBe(0);
    expect((await stripe.events.list({ created: { lte: before - 1 } })).data).toEqual([]);
    const tooMany = Array.from({ length: 21 }, (_, number) => `type.${number}`);
    await expect(stripe.events.list({ types: tooMany })).rejects.toMatchObject({ statusCode: 400 });
    await expect(stripe.events.list({ types, type: 'a' })).rejects.toMatchObject({ statusCode: 400 });
  });

  it('tells the same events over the API as it delivers', async () => {
    const { id } = await createPayment();
    double.pay(id, 'pm_card_visa');
    await double.settled();
    const { data } = await stripe.events.list({ type: 'payment_intent.succeeded' });
    expect(data).toHaveLength(1);
    expect(eventsReceived()).toContainEqual(await stripe.events.retrieve(data[0]?.id ?? ''));
  });
});

describe('an idempotency key at the Stripe double', () => {
  const options = { idempotencyKey: 'attempt-1/create' };

  it('makes one PaymentIntent of two equal requests', async () => {
    const first = await createPaymentOnce();
    expect(await createPaymentOnce()).toEqual(first);
    expect(double.counts().objects.paymentIntents).toBe(1);
    expect(double.requests('payment_intents.create')).toBe(2);
  });

  it('is refused with other parameters', async () => {
    await createPaymentOnce();
    await expect(createPaymentOnce(2000)).rejects.toMatchObject({
      type: 'StripeIdempotencyError',
      statusCode: 400,
    });
  });

  it('repeats a decline, though the card would now be taken', async () => {
    const { id } = await createPayment();
    const confirm = () =>
      stripe.paymentIntents.confirm(
        id,
        { payment_method: 'pm_card_visa_chargeDeclined', return_url: 'https://shop.example' },
        options,
      );
    await expect(confirm()).rejects.toMatchObject({ statusCode: 402 });
    double.pay(id, 'pm_card_visa');
    await expect(confirm()).rejects.toMatchObject({ statusCode: 402 });
  });

  it('remembers nothing of what was refused before it began', async () => {
    await expect(createPaymentOnce(1)).rejects.toMatchObject({ code: 'amount_too_small' });
    expect(await createPaymentOnce(1099)).toMatchObject({ amount: 1099 });
  });

  it('is in use while its first request is under way', async () => {
    double.answerNext('payment_intents.create', { answer: { kind: 'hang' }, when: 'BEFORE_WORK' });
    const hanging = createPaymentOnce(1099, 300);
    const outcome = expect(hanging).rejects.toMatchObject({ type: 'StripeConnectionError' });
    while (double.requests('payment_intents.create') === 0) await new Promise(setImmediate);
    await expect(createPaymentOnce()).rejects.toMatchObject({
      statusCode: 409,
      code: 'idempotency_key_in_use',
    });
    await outcome;
  });

  it('remembers work whose answer was lost', async () => {
    double.answerNext('payment_intents.create', {
      answer: { kind: 'status', status: 502 },
      when: 'AFTER_WORK',
    });
    await expect(createPaymentOnce()).rejects.toMatchObject({ statusCode: 502 });
    const [made] = (await stripe.paymentIntents.list()).data;
    expect((await createPaymentOnce()).id).toBe(made?.id);
    expect(double.counts().objects.paymentIntents).toBe(1);
  });

  function createPaymentOnce(amount = 1099, timeout = 5000) {
    return stripe.paymentIntents.create({ amount, currency: 'eur' }, { ...options, timeout });
  }
});

describe('a payment at the Stripe double', () => {
  it.each(TEST_CARDS.map((card) => [card.label, card] as const))(
    'with the card "%s" ends as the card says',
    async (_label, card) => {
      const { id } = await createPayment();
      const before = double.pay(id, card.number);
      expect(before.status === 'requires_action').toBe(card.authentication);
      const { status, declineCode } = card.authentication ? double.authenticate(id, 'complete') : before;
      switch (card.result.kind) {
        case 'succeeds':
          expect(status).toBe('succeeded');
          break;
        case 'processes':
          expect(status).toBe('processing');
          break;
        case 'declines':
          expect(status).toBe('requires_payment_method');
          expect(declineCode).toBe(card.result.declineCode ?? card.result.code);
          break;
        default:
          card.result satisfies never;
      }
      const succeeded = double.chargesFor(id).filter((charge) => charge.status === 'succeeded');
      expect(succeeded).toHaveLength(card.result.kind === 'succeeds' ? 1 : 0);
    },
  );

  it('that is declined can be tried again, and is charged once', async () => {
    const { id } = await createPayment();
    double.pay(id, 'pm_card_visa_chargeDeclined');
    double.pay(id, 'pm_card_visa');
    expect(() => double.pay(id, 'pm_card_visa')).toThrow('succeeded');
    expect(double.chargesFor('7').map(({ status }) => status)).toEqual(['failed', 'succeeded']);
    expect(double.counts().charges).toEqual({ succeeded: 1, failed: 1 });
  });

  it('that the payer fails to authenticate is payable again', async () => {
    const { id } = await createPayment();
    const asked = double.pay(id, '4000000000003220');
    expect(asked.status).toBe('requires_action');
    const { next_action } = await stripe.paymentIntents.retrieve(id);
    expect(next_action?.redirect_to_url?.url).toContain(`${double.url.origin}/3ds/`);
    expect(double.authenticate(id, 'fail')).toMatchObject({
      status: 'requires_payment_method',
      declineCode: 'payment_intent_authentication_failure',
    });
  });

  it('declined for the server is an error with the PaymentIntent in it', async () => {
    await expect(
      createPayment({
        confirm: true,
        payment_method: 'pm_card_visa_chargeDeclinedInsufficientFunds',
        return_url: 'https://shop.example',
      }),
    ).rejects.toMatchObject({
      type: 'StripeCardError',
      code: 'card_declined',
      decline_code: 'insufficient_funds',
      payment_intent: { status: 'requires_payment_method' },
    });
  });

  it('can be cancelled once, and not when it is paid', async () => {
    const { id } = await createPayment();
    expect(await stripe.paymentIntents.cancel(id)).toMatchObject({ status: 'canceled' });
    await expect(stripe.paymentIntents.cancel(id)).rejects.toMatchObject({
      code: 'payment_intent_unexpected_state',
      payment_intent: { status: 'canceled' },
    });
    const paid = await createPayment();
    double.pay(paid.id, 'pm_card_visa');
    await expect(stripe.paymentIntents.cancel(paid.id)).rejects.toMatchObject({ statusCode: 400 });
    await expect(stripe.paymentIntents.update(paid.id, { amount: 2000 })).rejects.toMatchObject({
      code: 'payment_intent_unexpected_state',
    });
  });
});

describe('money that the Stripe double holds', () => {
  const held = async () => {
    const { id } = await createPayment({ capture_method: 'manual' });
    expect(double.pay(id, 'pm_card_visa').status).toBe('requires_capture');
    return id;
  };
  const withCharge = { expand: ['latest_charge'] };

  it('can be captured once, and only then is taken', async () => {
    const id = await held();
    expect(await stripe.paymentIntents.retrieve(id, withCharge)).toMatchObject({
      amount_capturable: 1099,
      amount_received: 0,
      latest_charge: {
        captured: false,
        amount_captured: 0,
        payment_method_details: { card: { capture_before: expect.any(Number) } },
      },
    });
    await expect(stripe.refunds.create({ payment_intent: id })).rejects.toMatchObject({ statusCode: 400 });
    await expect(stripe.paymentIntents.capture(id, { amount_to_capture: 1100 })).rejects.toMatchObject({
      statusCode: 400,
      code: 'amount_too_large',
    });
    expect(await stripe.paymentIntents.capture(id, withCharge)).toMatchObject({
      status: 'succeeded',
      amount_capturable: 0,
      amount_received: 1099,
      latest_charge: { captured: true, amount_captured: 1099, amount_refunded: 0 },
    });
    await expect(stripe.paymentIntents.capture(id)).rejects.toMatchObject({
      code: 'payment_intent_unexpected_state',
      payment_intent: { status: 'succeeded' },
    });
    await double.settled();
    expect(typesReceived()).toEqual([
      'payment_intent.created',
      'charge.succeeded',
      'payment_intent.amount_capturable_updated',
      'charge.captured',
      'payment_intent.succeeded',
    ]);
  });

  it('can be captured in part: the rest is let go by a refund that moves nothing, and no more can be given back', async () => {
    const id = await held();
    const captured = await stripe.paymentIntents.capture(id, { amount_to_capture: 400, ...withCharge });
    expect(captured).toMatchObject({
      amount_received: 400,
      latest_charge: { amount_captured: 400, amount_refunded: 699, refunded: false },
    });
    const { data } = await stripe.refunds.list({ payment_intent: id });
    expect(data).toMatchObject([{ amount: 699, balance_transaction: null, status: 'succeeded' }]);
    expect(double.refundsFor(id)).toEqual([]);
    await expect(stripe.refunds.create({ payment_intent: id, amount: 401 })).rejects.toMatchObject({
      statusCode: 400,
    });
    await stripe.refunds.create({ payment_intent: id });
    expect(double.refundsFor(id)).toMatchObject([{ amount: 400, status: 'succeeded' }]);
    expect(double.chargesFor(id)).toMatchObject([{ amountCaptured: 400, amountRefunded: 1099 }]);
  });

  it('is let go when it is cancelled, or when nobody captures it in time', async () => {
    const [cancelled, lapsed] = [await held(), await held()];
    expect(await stripe.paymentIntents.cancel(cancelled)).toMatchObject({
      status: 'canceled',
      amount_capturable: 0,
    });
    double.lapse(lapsed);
    expect(await stripe.paymentIntents.retrieve(lapsed)).toMatchObject({
      status: 'canceled',
      cancellation_reason: 'automatic',
    });
    expect((await stripe.refunds.list({ payment_intent: lapsed })).data).toMatchObject([
      { reason: 'expired_uncaptured_charge', balance_transaction: null },
    ]);
    expect(() => double.lapse(lapsed)).toThrow('canceled');
    await expect(stripe.paymentIntents.capture(lapsed)).rejects.toMatchObject({ statusCode: 400 });
    await double.settled();
    expect(typesReceived().filter((type) => type === 'payment_intent.canceled')).toHaveLength(2);
    expect(double.counts().refunds).toEqual({ succeeded: 0, pending: 0, failed: 0 });
  });

  it('inside Checkout completes the session, which can then be cancelled by its PaymentIntent alone', async () => {
    const session = await createSession({ payment_intent_data: { capture_method: 'manual' } });
    const { paymentIntentId } = double.pay(session.id, 'pm_card_visa');
    expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({
      status: 'complete',
      payment_status: 'unpaid',
    });
    await expect(stripe.checkout.sessions.expire(session.id)).rejects.toMatchObject({ statusCode: 400 });
    await stripe.paymentIntents.capture(paymentIntentId);
    expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({ payment_status: 'paid' });
    const other = double.pay(
      (await createSession({ payment_intent_data: { capture_method: 'manual' } })).id,
      'pm_card_visa',
    );
    expect(await stripe.paymentIntents.cancel(other.paymentIntentId)).toMatchObject({ status: 'canceled' });
  });
});

describe('a Checkout Session at the Stripe double', () => {
  it('makes its PaymentIntent when the payer begins, and completes with it', async () => {
    const session = await createSession();
    expect(session).toMatchObject({ payment_intent: null, amount_total: 15_000, payment_status: 'unpaid' });
    const { paymentIntentId } = double.pay(session.id, 'pm_card_visa_chargeDeclined');
    expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({ status: 'open' });
    expect(double.pay(session.id, 'pm_card_visa').paymentIntentId).toBe(paymentIntentId);
    expect(await stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent'] })).toMatchObject(
      {
        status: 'complete',
        payment_status: 'paid',
        url: null,
        payment_intent: { id: paymentIntentId, metadata: { order: '7' }, amount_received: 15_000 },
      },
    );
    await double.settled();
    expect(typesReceived()).toEqual([
      'payment_intent.created',
      'charge.failed',
      'payment_intent.payment_failed',
      'charge.succeeded',
      'payment_intent.succeeded',
      'checkout.session.completed',
    ]);
  });

  it('ends only as a whole: its PaymentIntent cannot be cancelled', async () => {
    const session = await createSession();
    const { paymentIntentId } = double.pay(session.id, 'pm_card_visa_chargeDeclined');
    await expect(stripe.paymentIntents.cancel(paymentIntentId)).rejects.toMatchObject({ statusCode: 400 });
    expect(await stripe.checkout.sessions.expire(session.id)).toMatchObject({ status: 'expired' });
    expect(await stripe.paymentIntents.retrieve(paymentIntentId)).toMatchObject({ status: 'canceled' });
    await expect(stripe.checkout.sessions.expire(session.id)).rejects.toMatchObject({ statusCode: 400 });
    expect(() => double.pay(session.id, 'pm_card_visa')).toThrow('canceled');
  });

  it('says of a bank debit that it is complete but unpaid, and later how it ended', async () => {
    const session = await createSession();
    const { paymentIntentId } = double.pay(session.id, 'pm_usBankAccount_processing');
    double.settle(paymentIntentId, 'succeed');
    await double.settled();
    const told = eventsReceived().flatMap((event) =>
      event.type.startsWith('checkout') ? [[event.type, event.data.object]] : [],
    );
    expect(told).toMatchObject([
      ['checkout.session.completed', { status: 'complete', payment_status: 'unpaid' }],
      ['checkout.session.async_payment_succeeded', { payment_status: 'paid' }],
    ]);
  });
});

describe('a refund at the Stripe double', () => {
  const paid = async (card = 'pm_card_visa') => {
    const { id } = await createPayment();
    double.pay(id, card);
    return id;
  };

  it('made in the dashboard is told as the charge and as the refund', async () => {
    const id = await paid();
    double.refundInDashboard(id, 300);
    double.refundInDashboard(id);
    await double.settled();
    const told = eventsReceived().filter(({ type }) => type === 'charge.refunded');
    expect(told.map(({ data }) => data.object)).toMatchObject([
      { amount_refunded: 300, refunded: false, payment_intent: id, metadata: { order: '7' } },
      { amount_refunded: 1099, refunded: true },
    ]);
    expect(typesReceived().filter((type) => type === 'refund.created')).toHaveLength(2);
    expect((await stripe.refunds.list({ payment_intent: id })).data).toHaveLength(2);
  });

  it('is never more than was taken', async () => {
    const id = await paid();
    await expect(stripe.refunds.create({ payment_intent: id, amount: 1100 })).rejects.toMatchObject({
      type: 'StripeInvalidRequestError',
    });
    await stripe.refunds.create({ payment_intent: id });
    await expect(stripe.refunds.create({ payment_intent: id })).rejects.toMatchObject({
      code: 'charge_already_refunded',
    });
  });

  it('of a test card may fail afterwards', async () => {
    const id = await paid('4000 0000 0000 5126');
    const refund = await stripe.refunds.create({ payment_intent: id });
    expect(refund.status).toBe('succeeded');
    await double.settled();
    expect(await stripe.refunds.retrieve(refund.id)).toMatchObject({ status: 'failed' });
    expect(double.chargesFor(id)).toMatchObject([{ amountRefunded: 0 }]);
    expect(typesReceived()).toContain('refund.failed');
  });
});

describe('a refund that a test lets fail', () => {
  it('gives its amount back to the charge, and cannot fail twice', async () => {
    const { id } = await createPayment();
    double.pay(id, 'pm_card_visa');
    const refund = await stripe.refunds.create({
      payment_intent: id,
      amount: 500,
      metadata: { refund: '1' },
    });
    expect(double.refundsFor('7')).toEqual([
      { id: refund.id, amount: 500, status: 'succeeded', metadata: { refund: '1' } },
    ]);
    double.failRefund(refund.id);
    expect(double.refundsFor('1')).toMatchObject([{ id: refund.id, status: 'failed' }]);
    expect(double.chargesFor(id)).toMatchObject([{ amountRefunded: 0 }]);
    expect(() => double.failRefund(refund.id)).toThrow('failed');
    expect(double.counts().refunds).toEqual({ succeeded: 0, pending: 0, failed: 1 });
    await double.settled();
    expect(typesReceived()).toContain('refund.failed');
  });
});

describe('a dispute at the Stripe double', () => {
  const paid = async () => {
    const { id } = await createPayment();
    double.pay(id, 'pm_card_visa');
    return id;
  };
  const disputesTold = async () => {
    await double.settled();
    return eventsReceived().flatMap(({ type, data }) =>
      type.startsWith('charge.dispute') ? [[type, (data.object as Stripe.Dispute).status]] : [],
    );
  };

  it('takes the money at once, and gives it back when it is won', async () => {
    const id = await paid();
    const { id: disputeId } = double.openDispute(id, { amount: 500 });
    expect(await stripe.charges.list({ payment_intent: id })).toMatchObject({ data: [{ disputed: true }] });
    double.closeDispute(disputeId, 'won');
    expect(await stripe.disputes.retrieve(disputeId)).toMatchObject({
      amount: 500,
      status: 'won',
      balance_transactions: [{ amount: -500 }, { amount: 500 }],
    });
    expect((await stripe.disputes.list({ payment_intent: id })).data).toHaveLength(1);
    expect((await stripe.disputes.list({ payment_intent: 'pi_0' })).data).toHaveLength(0);
    expect(() => double.closeDispute(disputeId, 'lost')).toThrow('closed');
    expect(await disputesTold()).toEqual([
      ['charge.dispute.created', 'needs_response'],
      ['charge.dispute.funds_withdrawn', 'needs_response'],
      ['charge.dispute.closed', 'won'],
      ['charge.dispute.funds_reinstated', 'won'],
    ]);
  });

  it('may be an inquiry first, which takes the money only when it is lost', async () => {
    const [won, lost] = [await paid(), await paid()].map(
      (id) => double.openDispute(id, { withdraw: false }).id,
    );
    double.closeDispute(won ?? '', 'won');
    double.closeDispute(lost ?? '', 'lost');
    expect(await stripe.disputes.retrieve(won ?? '')).toMatchObject({
      status: 'warning_closed',
      balance_transactions: [],
    });
    expect(await stripe.disputes.retrieve(lost ?? '')).toMatchObject({
      status: 'lost',
      balance_transactions: [{ amount: -1099 }],
    });
    const id = await paid();
    expect(() => double.openDispute(id, { amount: 1100 })).toThrow('more than was taken');
  });
});

describe('the webhooks of the Stripe double', () => {
  it('come signed, in order, each in an envelope of the pinned version', async () => {
    const { id } = await createPayment({});
    double.pay(id, 'pm_card_visa');
    await double.settled();
    expect(typesReceived()).toEqual([
      'payment_intent.created',
      'charge.succeeded',
      'payment_intent.succeeded',
    ]);
    const [created, , succeeded] = eventsReceived();
    expect(created).toMatchObject({
      object: 'event',
      api_version: Stripe.API_VERSION,
      livemode: false,
      request: { id: expect.stringMatching(/^req_/), idempotency_key: expect.any(String) },
      data: { object: { id, status: 'requires_payment_method' } },
    });
    expect(succeeded).toMatchObject({
      request: null,
      data: { object: { status: 'succeeded', amount_received: 1099 } },
    });
    expect(double.webhooksSent).toBe(3);
  });

  it('come again until they are answered 2xx', async () => {
    receiver.answerNext(500, 302, 404);
    await createPayment();
    await double.settled();
    expect(double.counts().webhooks).toEqual({ sent: 4, delivered: 1, givenUp: 0 });
    expect(new Set(receiver.received.map(({ rawBody }) => rawBody.toString())).size).toBe(1);
  });

  it('are given up after a handful of tries, with a word in the log', async () => {
    const log: string[] = [];
    const deaf = await start({ webhookUrl: () => 'http://127.0.0.1:1/', log: (line) => log.push(line) });
    const wrong = await start({ webhookUrl: () => 'nowhere', log: (line) => log.push(line) });
    for (const one of [deaf, wrong]) {
      await sdk(one).paymentIntents.create({ amount: 1099, currency: 'eur' });
      await one.settled();
      expect(one.counts().webhooks).toEqual({ sent: 6, delivered: 0, givenUp: 1 });
      await one.stop();
    }
    expect(log).toHaveLength(2);
  });

  it('can be held back, let go, and sent twice', async () => {
    double.pauseWebhooks();
    const { id } = await createPayment();
    double.pay(id, 'pm_card_visa');
    await double.settled();
    expect(receiver.received).toHaveLength(0);
    double.resumeWebhooks();
    double.deliver(double.events().at(-1)?.id ?? '');
    await double.settled();
    expect(typesReceived().filter((type) => type === 'payment_intent.succeeded')).toHaveLength(2);
  });

  it('can be late, or switched off', async () => {
    const late = await start({ webhookDelayMilliseconds: 50 });
    const silent = await start({ webhooks: false });
    const began = Date.now();
    await sdk(late).paymentIntents.create({ amount: 1099, currency: 'eur' });
    await sdk(silent).paymentIntents.create({ amount: 1099, currency: 'eur' });
    await Promise.all([late.settled(), silent.settled()]);
    expect(Date.now() - began).toBeGreaterThanOrEqual(49);
    expect([late.webhooksSent, silent.webhooksSent]).toEqual([1, 0]);
    await Promise.all([late.stop(), silent.stop()]);
  });

  it('leave nothing behind when the double stops in the middle of retries', async () => {
    const stopped = await start({
      webhookUrl: () => 'http://127.0.0.1:1/',
      webhookRetryMilliseconds: 60_000,
    });
    await sdk(stopped).paymentIntents.create({ amount: 1099, currency: 'eur' });
    await stopped.stop();
    await stopped.settled();
  });
});

describe('the Stripe double', () => {
  it('pays by itself when told so', async () => {
    const eager = await start({ autoConfirm: { card: 'pm_card_visa', afterMilliseconds: 1 } });
    const { id } = await sdk(eager).paymentIntents.create({ amount: 1099, currency: 'eur' });
    await eager.settled();
    expect(eager.chargesFor(id)).toMatchObject([{ status: 'succeeded', amount: 1099 }]);
    await eager.stop();
  });

  it('forgets its oldest objects rather than grow', async () => {
    const small = await start({ maxObjects: 2, webhooks: false });
    const [first] = await Promise.all(
      [1, 2, 3].map(() => sdk(small).paymentIntents.create({ amount: 1099, currency: 'eur' })),
    );
    expect(small.counts().objects.paymentIntents).toBe(2);
    expect(first?.id).toMatch(/^pi_/);
    await small.stop();
  });

  it('is ruled over HTTP too', async () => {
    const { id } = await createPayment();
    const post = async (path: string, form: Record<string, string>) =>
      (
        await fetch(new URL(`/_double/${path}`, double.url), {
          method: 'POST',
          body: new URLSearchParams(form),
        })
      ).json();
    const get = async (path: string) => (await fetch(new URL(`/_double/${path}`, double.url))).json();

    expect(await post('pay', { payment_intent: id, card: '4000002760003184' })).toMatchObject({
      status: 'requires_action',
    });
    expect(await post('authenticate', { payment_intent: id, result: 'complete' })).toMatchObject({
      status: 'succeeded',
    });
    expect(await post('refund', { payment_intent: id, amount: '99' })).toMatchObject({
      id: expect.stringMatching(/^re_/),
    });
    const [refund] = (await get(`refunds?for=${id}`)) as { id: string }[];
    expect(refund).toEqual({ id: refund?.id, amount: 99, status: 'succeeded', metadata: {} });
    await post('refund/fail', { refund: refund?.id ?? '' });
    expect(await get('refunds?for=7')).toMatchObject([{ status: 'failed' }]);
    const opened = await post('dispute', { payment_intent: id, amount: '50', withdraw: 'false' });
    const { id: dispute } = opened as { id: string };
    expect(await post('dispute/close', { dispute, result: 'won' })).toMatchObject({
      status: 'warning_closed',
    });
    const { id: heldId } = await createPayment({ capture_method: 'manual' });
    double.pay(heldId, 'pm_card_visa');
    expect(await post('lapse', { payment_intent: heldId })).toMatchObject({ status: 'canceled' });
    await post('refund', { payment_intent: id, amount: '99' });
    expect(await post('pay', { payment_intent: id, card: '1' })).toMatchObject({
      error: { type: 'invalid_request_error' },
    });
    await post('faults', { operation: 'payment_intents.retrieve', answer: 'status', status: '429' });
    await expect(stripe.paymentIntents.retrieve(id)).rejects.toMatchObject({ statusCode: 429 });
    await get('settled');
    expect(await get('counts')).toEqual(double.counts());
    expect(await get(`charges?for=${id}`)).toMatchObject([{ paymentIntentId: id, amountRefunded: 99 }]);
    const events = (await get('events')) as { id: string }[];
    await post('webhooks/pause', {});
    await post('deliver', { event: events[0]?.id ?? '' });
    await post('webhooks/resume', {});
    await get('settled');
    expect(double.webhooksSent).toBe(events.length + 1);
  });
});

describe('the pages of the Stripe double', () => {
  const visit = (url: string | URL, form?: Record<string, string>) =>
    fetch(new URL(url, double.url), {
      redirect: 'manual',
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    });
  const secretOf = ({ client_secret }: Stripe.PaymentIntent) => client_secret ?? '';

  it('show a payment, take a card, and tell a decline', async () => {
    const payment = await createPayment({ description: '<script>alert("é")</script>' });
    const shown = await visit(`/pay/${secretOf(payment)}`);
    const html = await shown.text();
    expect(shown.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(html).toContain('10.99 EUR');
    expect(html).toContain('Sandbox – no real money');
    expect(html).toContain('&lt;script&gt;alert(&quot;é&quot;)&lt;/script&gt;');
    expect(html).not.toContain('<script');
    const declined = await visit(`/pay/${secretOf(payment)}`, { card: '4000 0000 0000 9995' });
    expect(await declined.text()).toContain('Your card has insufficient funds.');
    const unknown = await visit(`/pay/${secretOf(payment)}`, { card: '1234' });
    expect(await unknown.text()).toContain('Only the test cards below work here.');
    const paid = await visit(`/pay/${secretOf(payment)}`, { card: '4242 4242 4242 4242' });
    expect(await paid.text()).toContain('10.99 EUR were paid.');
    const again = await visit(`/pay/${secretOf(payment)}`, { card: '4242 4242 4242 4242' });
    expect(await again.text()).toContain('10.99 EUR were paid.');
    expect(double.counts().charges.succeeded).toBe(1);
  });

  it('go back to the shop as Stripe.js would, also after 3-D Secure', async () => {
    const payment = await createPayment();
    const address = `/pay/${secretOf(payment)}?return_url=${encodeURIComponent('https://shop.example/done?a=1')}`;
    const asked = await visit(address, { card: '4000002760003184' });
    const question = asked.headers.get('location') ?? '';
    expect(question).toContain('/3ds/');
    expect(await (await visit(question)).text()).toContain('Complete authentication');
    const done = await visit(question, { result: 'complete' });
    const location = new URL(done.headers.get('location') ?? '');
    expect(location.origin + location.pathname).toBe('https://shop.example/done');
    expect(Object.fromEntries(location.searchParams)).toEqual({
      a: '1',
      payment_intent: payment.id,
      payment_intent_client_secret: payment.client_secret,
      redirect_status: 'succeeded',
    });
  });

  it('of Checkout lead to the success page or back', async () => {
    const session = await createSession();
    const html = await (await visit(session.url ?? '')).text();
    expect(html).toContain('15000 XOF');
    expect(html).toContain('href="https://shop.example/back"');
    const asked = await visit(session.url ?? '', { card: '4000000000003220' });
    const failed = await visit(asked.headers.get('location') ?? '', { result: 'fail' });
    expect(failed.headers.get('location')).toBe(`/c/pay/${session.id}`);
    const paid = await visit(session.url ?? '', { card: '4242424242424242' });
    expect(paid.headers.get('location')).toBe(`https://shop.example/done?session=${session.id}`);
    const late = await createSession();
    await stripe.checkout.sessions.expire(late.id);
    expect(await (await visit(late.url ?? '')).text()).toContain('expired');
  });

  it('show nothing for a wrong secret or address, say what they are, and never link to a script', async () => {
    const payment = await createPayment();
    expect((await visit(`/pay/${payment.id}_secret_0`)).status).toBe(404);
    expect((await visit('/nothing')).status).toBe(404);
    expect(await (await visit('/')).text()).toContain('A double of Stripe');
    const page = await visit(`/pay/${secretOf(payment)}?return_url=javascript:alert(1)`);
    expect(await page.text()).not.toContain('javascript:');
  });
});

describe('a form body of Stripe', () => {
  it('nests brackets, makes lists, and decodes', () => {
    const form = parseForm(
      'amount=1099&metadata[a%20b]=c%26d&expand[0]=x&expand[1]=y&line_items[0][price_data][currency]=xof&tags[]=1&tags[]=2&empty=',
    );
    expect(JSON.parse(JSON.stringify(form))).toEqual({
      amount: '1099',
      metadata: { 'a b': 'c&d' },
      expand: ['x', 'y'],
      line_items: [{ price_data: { currency: 'xof' } }],
      tags: ['1', '2'],
      empty: '',
    });
  });

  it('cannot touch what all objects share', () => {
    parseForm('__proto__[polluted]=1&constructor[prototype][polluted]=1');
    expect({}).not.toHaveProperty('polluted');
  });
});
