import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import Stripe from 'stripe';
import type { Currency } from '../src/money.js';
import type {
  AttemptToInitiate,
  InitiatedAttempt,
  PromptProvider,
  RefundReason,
  RefundToMake,
} from '../src/providers/provider.js';
import { checkoutLocale } from '../src/providers/stripe/checkout-locale.js';
import {
  fromStripeAmount,
  STRIPE_CURRENCIES,
  stripeLimits,
  toStripeAmount,
} from '../src/providers/stripe/currency.js';
import { TYPES_TO_LIST } from '../src/providers/stripe/notifications.js';
import { createStripeProvider } from '../src/providers/stripe/stripe-provider.js';
import { surelyNeverSent } from '../src/providers/stripe/tries.js';
import type { FaultyAnswer } from '../src/sandbox/stripe/faults.js';
import { startStripeDouble, type StripeDouble } from '../src/sandbox/stripe/stripe-double.js';
import { NO_SUCH_HOST } from './support/no-such-host.js';

const SECRET_KEY = 'sk_test_quittance';
const WEBHOOK_SECRET = 'whsec_quittance';
const TIMEOUT_MILLISECONDS = 250;

/** The SDK sends a request, and repeats it twice. */
const EVERY_TRY = 3;

function startDouble(): Promise<StripeDouble> {
  return startStripeDouble({
    secretKey: SECRET_KEY,
    publishableKey: 'pk_test_quittance',
    webhookSecret: WEBHOOK_SECRET,
    webhookUrl: () => 'http://127.0.0.1:9/',
    webhooks: false,
  });
}

function providerAt(
  apiBase: URL,
  more: { secretKey?: string; webhookSecrets?: string[] } = {},
): PromptProvider {
  return createStripeProvider({
    secretKey: SECRET_KEY,
    publishableKey: 'pk_test_quittance',
    webhookSecrets: [WEBHOOK_SECRET],
    apiBase,
    timeoutMilliseconds: TIMEOUT_MILLISECONDS,
    ...more,
  });
}

let attemptsMade = 0;

function attempt(more: Partial<AttemptToInitiate> = {}): AttemptToInitiate {
  attemptsMade += 1;
  return {
    reference: `TXN-STRIPE${attemptsMade}-1`,
    idempotencyKey: `stripe-key-${attemptsMade}`,
    amount: 1099,
    currency: 'EUR',
    method: 'CARD',
    presentation: 'EMBEDDED',
    description: 'Commande 1042',
    returnUrl: 'https://shop.example/done',
    captureMethod: 'AUTOMATIC',
    expiresAt: new Date(Date.now() + 20 * 60_000),
    ...more,
  };
}

function signed(payload: string, secret = WEBHOOK_SECRET, timestamp?: number) {
  return {
    'stripe-signature': Stripe.webhooks.generateTestHeaderString({
      payload,
      secret,
      ...(timestamp !== undefined && { timestamp }),
    }),
  };
}

const UNDERSTOOD_TYPES = ['payment_intent.created', ...TYPES_TO_LIST.flat()];

function event(type: string, object: object) {
  return { id: 'evt_1', object: 'event', type, data: { object } };
}

const MARKED = { quittance_attempt: 'TXN-1-1' };

function paymentIntent(more: object = {}) {
  return {
    id: 'pi_1',
    object: 'payment_intent',
    amount: 1099,
    amount_received: 1099,
    currency: 'eur',
    status: 'succeeded',
    metadata: MARKED,
    ...more,
  };
}

function session(more: object = {}) {
  return {
    id: 'cs_1',
    object: 'checkout.session',
    amount_total: 1099,
    currency: 'eur',
    status: 'complete',
    payment_status: 'paid',
    payment_intent: 'pi_1',
    metadata: MARKED,
    ...more,
  };
}

function charge(more: object = {}) {
  return {
    id: 'ch_1',
    object: 'charge',
    amount_captured: 1099,
    amount_refunded: 300,
    currency: 'eur',
    payment_intent: 'pi_1',
    metadata: MARKED,
    ...more,
  };
}

function refund(more: object = {}) {
  return {
    id: 're_1',
    object: 'refund',
    amount: 300,
    currency: 'eur',
    status: 'succeeded',
    charge: 'ch_1',
    payment_intent: 'pi_1',
    balance_transaction: 'txn_1',
    metadata: {},
    ...more,
  };
}

const DISPUTED_AT = 1_760_000_000;

function dispute(more: object = {}) {
  return {
    id: 'du_1',
    object: 'dispute',
    amount: 1099,
    currency: 'eur',
    status: 'needs_response',
    reason: 'fraudulent',
    charge: 'ch_1',
    payment_intent: 'pi_1',
    balance_transactions: [],
    evidence_details: { due_by: DISPUTED_AT },
    metadata: {},
    ...more,
  };
}

describe('the Stripe adapter', () => {
  let double: StripeDouble;
  let provider: PromptProvider;
  let stripe: Stripe;

  beforeAll(async () => {
    double = await startDouble();
    provider = providerAt(double.url);
    stripe = new Stripe(SECRET_KEY, { host: '127.0.0.1', port: double.url.port, protocol: 'http' });
  });

  afterEach(() => double.clearFaults());

  afterAll(() => double.stop());

  const initiated = async (toInitiate = attempt()): Promise<InitiatedAttempt> => {
    const { providerReference } = await provider.initiate(toInitiate);
    return { ...toInitiate, providerReference, begunAt: new Date(), openRefunds: [] };
  };

  /** How the payment itself stands. */
  const standing = async (ours: InitiatedAttempt) => (await provider.verify(ours))[0]?.outcome;

  describe('initiating', () => {
    it('makes a PaymentIntent that carries our mark, and hands its client secret on', async () => {
      const ours = attempt();
      const { providerReference, nextAction } = await provider.initiate(ours);
      const paymentIntent = await stripe.paymentIntents.retrieve(providerReference);
      expect(nextAction).toEqual({
        type: 'ConfirmWithStripe',
        clientSecret: paymentIntent.client_secret,
        publishableKey: 'pk_test_quittance',
      });
      expect(paymentIntent).toMatchObject({
        amount: 1099,
        currency: 'eur',
        metadata: { quittance_attempt: ours.reference },
      });
    });

    it('makes a Checkout Session that lives a little longer than our reservation', async () => {
      const ours = attempt({ presentation: 'REDIRECT', locale: 'fr-CI', customerEmail: 'a@example.com' });
      const { providerReference, nextAction } = await provider.initiate(ours);
      const session = await stripe.checkout.sessions.retrieve(providerReference);
      expect(nextAction).toEqual({ type: 'RedirectToUrl', url: session.url });
      expect(session).toMatchObject({
        amount_total: 1099,
        currency: 'eur',
        adaptive_pricing: { enabled: false },
        client_reference_id: ours.reference,
        metadata: { quittance_attempt: ours.reference },
        success_url: 'https://shop.example/done',
        cancel_url: 'https://shop.example/done',
        customer_email: 'a@example.com',
        locale: 'fr',
        expires_at: Math.floor((ours.expiresAt.getTime() + 31 * 60_000) / 1000),
      });
    });

    it('leaves the expiry of a Checkout Session to Stripe when ours is a day away', async () => {
      const expiresAt = new Date(Date.now() + 30 * 3_600_000);
      const { providerReference } = await initiated(attempt({ presentation: 'REDIRECT', expiresAt }));
      const session = await stripe.checkout.sessions.retrieve(providerReference);
      expect(session.expires_at - session.created).toBe(24 * 3600);
    });

    it('refuses by itself what Stripe cannot count, or cannot return from', async () => {
      const before = double.counts().requests;
      const rejected = (code: string) => ({ kind: 'rejected', code });
      const { returnUrl: _, ...nowhere } = attempt({ presentation: 'REDIRECT' });
      await expect(provider.initiate(nowhere)).rejects.toMatchObject(rejected('RETURN_URL_MISSING'));
      for (const [amount, currency] of [
        [1234, 'TND'],
        [150, 'MGA'],
        [5000, 'UGX'],
        [5000, 'GHS'],
      ] as const) {
        await expect(provider.initiate(attempt({ amount, currency }))).rejects.toMatchObject(
          rejected('AMOUNT_NOT_EXPRESSIBLE'),
        );
      }
      expect(double.counts().requests).toEqual(before);
    });

    it('is rejected when the same key comes with another amount', async () => {
      const ours = attempt();
      await provider.initiate(ours);
      await expect(provider.initiate({ ...ours, amount: 2000 })).rejects.toMatchObject({
        kind: 'rejected',
        code: 'idempotency_error',
      });
    });
  });

  describe('verifying', () => {
    it('tells a decline by the issuer’s reason, and that the payer may try again', async () => {
      const ours = await initiated();
      double.pay(ours.providerReference, '4000 0000 0000 9995');
      expect(await standing(ours)).toEqual({
        kind: 'declined',
        code: 'insufficient_funds',
        message: 'Your card has insufficient funds.',
      });
      double.pay(ours.providerReference, '4242 4242 4242 4242');
      expect((await standing(ours))?.kind).toBe('paid');
    });

    it.each(['EMBEDDED', 'REDIRECT'] as const)(
      'follows 3-D Secure and a bank debit (%s)',
      async (presentation) => {
        const ours = await initiated(attempt({ presentation }));
        const kind = async () => (await standing(ours))?.kind;
        const { paymentIntentId } = double.pay(ours.providerReference, '4000002760003184');
        expect(await kind()).toBe('pending');
        double.authenticate(paymentIntentId, 'fail');
        expect(await kind()).toBe('declined');
        double.pay(ours.providerReference, 'pm_usBankAccount_processing');
        expect(await kind()).toBe('processing');
        double.settle(paymentIntentId, 'succeed');
        expect(await standing(ours)).toEqual({
          kind: 'paid',
          amount: 1099,
          currency: 'EUR',
          movementReference: paymentIntentId,
        });
      },
    );

    it('takes a Checkout Session whose bank debit failed for failed', async () => {
      const ours = await initiated(attempt({ presentation: 'REDIRECT' }));
      const { paymentIntentId } = double.pay(ours.providerReference, 'pm_usBankAccount_processing');
      double.settle(paymentIntentId, 'fail');
      expect((await standing(ours))?.kind).toBe('failed');
    });
  });

  describe('cancelling', () => {
    it('works after it was refused while the bank was deciding', async () => {
      const ours = await initiated();
      double.pay(ours.providerReference, 'pm_usBankAccount_processing');
      expect((await provider.cancel(ours)).outcome.kind).toBe('processing');
      double.settle(ours.providerReference, 'fail');
      expect((await provider.cancel(ours)).outcome.kind).toBe('cancelled');
    });

    it('throws when the question that follows a refusal is not answered', async () => {
      const ours = await initiated();
      double.pay(ours.providerReference, 'pm_card_visa');
      double.answerNext('payment_intents.retrieve', { answer: { kind: 'status', status: 429 } });
      await expect(provider.cancel(ours)).rejects.toMatchObject({ kind: 'unavailable' });
    });
  });

  describe('changing the amount', () => {
    const amountAtStripe = async (ours: InitiatedAttempt) =>
      (await stripe.paymentIntents.retrieve(ours.providerReference)).amount;

    it('may go there and back', async () => {
      const ours = await initiated();
      for (const amount of [2000, 3000, 2000]) {
        expect((await provider.updateAmount?.(ours, amount))?.outcome.kind).toBe('pending');
        expect(await amountAtStripe(ours)).toBe(amount);
      }
    });

    it('is rejected when the payer was faster, and for a Checkout Session', async () => {
      const paid = await initiated();
      double.pay(paid.providerReference, 'pm_card_visa');
      await expect(provider.updateAmount?.(paid, 2000)).rejects.toMatchObject({
        kind: 'rejected',
        code: 'payment_intent_unexpected_state',
      });
      const session = await initiated(attempt({ presentation: 'REDIRECT' }));
      await expect(provider.updateAmount?.(session, 2000)).rejects.toMatchObject({
        kind: 'rejected',
        code: 'AMOUNT_FIXED',
      });
    });
  });

  describe.each(['EMBEDDED', 'REDIRECT'] as const)('holding money (%s)', (presentation) => {
    const opened = () => initiated(attempt({ presentation, captureMethod: 'MANUAL' }));
    const held = async () => {
      const ours = await opened();
      const { paymentIntentId } = double.pay(ours.providerReference, 'pm_card_visa');
      return { ours, paymentIntentId };
    };
    const capture = async (ours: InitiatedAttempt, amount: number) =>
      (await provider.capture?.(ours, amount))?.outcome;

    it('tells how much is held, and until when', async () => {
      const { ours, paymentIntentId } = await held();
      const { latest_charge } = await stripe.paymentIntents.retrieve(paymentIntentId, {
        expand: ['latest_charge'],
      });
      const { capture_before: captureBefore = NaN } =
        (latest_charge as Stripe.Charge).payment_method_details?.card ?? {};
      expect(await provider.verify(ours)).toEqual([
        {
          providerReference: ours.providerReference,
          attemptReference: ours.reference,
          outcome: {
            kind: 'authorized',
            amount: 1099,
            currency: 'EUR',
            expiresAt: new Date(captureBefore * 1000),
          },
        },
      ]);
    });

    it('captures a part, by the name of the PaymentIntent, and knows no refund of the rest', async () => {
      const { ours, paymentIntentId } = await held();
      const paid = { kind: 'paid', amount: 400, currency: 'EUR', movementReference: paymentIntentId };
      expect(await provider.capture?.(ours, 400)).toEqual({
        providerReference: ours.providerReference,
        attemptReference: ours.reference,
        outcome: paid,
      });
      expect((await stripe.refunds.list({ payment_intent: paymentIntentId })).data).toHaveLength(1);
      expect(await provider.verify(ours)).toMatchObject([{ outcome: paid }]);
      double.refundInDashboard(paymentIntentId, 150);
      expect(await provider.verify(ours)).toMatchObject([
        { outcome: paid },
        { outcome: { kind: 'refund', amount: 150, status: 'succeeded' } },
      ]);
    });

    it('tells how it stands when there is nothing to capture: not paid yet, taken, or lapsed', async () => {
      const early = await opened();
      expect((await capture(early, 1099))?.kind).toBe('pending');
      const { ours, paymentIntentId } = await held();
      await capture(ours, 1099);
      expect(await capture(ours, 500)).toMatchObject({ kind: 'paid', amount: 1099 });
      const late = await held();
      double.lapse(late.paymentIntentId);
      const lapsed = { kind: 'cancelled', reason: 'automatic' };
      expect(await capture(late.ours, 1099)).toEqual(lapsed);
      expect(await standing(late.ours)).toEqual(lapsed);
      expect(paymentIntentId).not.toBe(late.paymentIntentId);
    });

    it('lets go of it when cancelled, and gives nothing back that was never taken', async () => {
      const { ours } = await held();
      expect((await provider.cancel(ours)).outcome.kind).toBe('cancelled');
      expect(await provider.verify(ours)).toMatchObject([{ outcome: { kind: 'cancelled' } }]);
      expect((await provider.cancel(ours)).outcome.kind).toBe('cancelled');
    });

    it('takes nothing twice when the answer to the first capture got lost', async () => {
      const { ours } = await held();
      double.answerNext('payment_intents.capture', {
        answer: { kind: 'hang' },
        when: 'AFTER_WORK',
        times: EVERY_TRY,
      });
      await expect(capture(ours, 1099)).rejects.toMatchObject({ kind: 'outcomeUnknown' });
      expect(await capture(ours, 1099)).toMatchObject({ kind: 'paid', amount: 1099 });
    });
  });

  describe.each(['EMBEDDED', 'REDIRECT'] as const)('giving money back (%s)', (presentation) => {
    let refundsAsked = 0;

    const paid = async (card = 'pm_card_visa') => {
      const ours = await initiated(attempt({ presentation }));
      const { paymentIntentId } = double.pay(ours.providerReference, card);
      return { ours, paymentIntentId };
    };
    const toMake = (
      { ours, paymentIntentId }: Awaited<ReturnType<typeof paid>>,
      more: Partial<RefundToMake> = {},
    ): RefundToMake => {
      refundsAsked += 1;
      return {
        reference: `RFD-${presentation}${refundsAsked}`,
        idempotencyKey: `${presentation}-refund-${refundsAsked}`,
        attempt: ours,
        captureReference: paymentIntentId,
        amount: 300,
        currency: 'EUR',
        reason: null,
        ...more,
      };
    };
    const make = async (asked: RefundToMake) => (await provider.refund?.(asked))!;

    it('marks the refund as ours, and names the attempt and the money', async () => {
      const payment = await paid();
      const asked = toMake(payment);
      const made = await make(asked);
      const [atStripe] = double.refundsFor(asked.reference);
      expect(made).toEqual({
        attemptReference: payment.ours.reference,
        captureReference: payment.paymentIntentId,
        outcome: {
          kind: 'refund',
          refundReference: asked.reference,
          providerRefundReference: atStripe?.id,
          amount: 300,
          currency: 'EUR',
          status: 'succeeded',
        },
      });
      expect(await provider.verify(payment.ours)).toEqual([
        expect.objectContaining({ outcome: expect.objectContaining({ kind: 'paid', amount: 1099 }) }),
        made,
      ]);
    });

    it.each<[RefundReason | null, string | null]>([
      ['REQUESTED_BY_CUSTOMER', 'requested_by_customer'],
      ['DUPLICATE', 'duplicate'],
      ['FRAUDULENT', 'fraudulent'],
      ['OTHER', null],
      [null, null],
    ])('tells Stripe the reason %s as %s', async (reason, stripes) => {
      const asked = toMake(await paid(), { reason });
      await make(asked);
      const [made] = double.refundsFor(asked.reference);
      expect((await stripe.refunds.retrieve(made?.id ?? '')).reason).toBe(stripes);
    });

    it('gives nothing back twice, even when Stripe has forgotten the key', async () => {
      const asked = toMake(await paid());
      const first = await make(asked);
      expect(await make({ ...asked, idempotencyKey: 'as-if-a-day-later' })).toEqual(first);
      expect(double.refundsFor(asked.attempt.reference)).toHaveLength(1);
    });

    it('tells of a refund that is pending, and of one that fails after it succeeded', async () => {
      const slow = await paid('4000000000007726');
      expect((await make(toMake(slow))).outcome).toMatchObject({ kind: 'refund', status: 'pending' });
      const payment = await paid();
      const { outcome } = await make(toMake(payment));
      if (outcome.kind !== 'refund') throw new Error('no refund');
      double.failRefund(outcome.providerRefundReference);
      expect((await provider.verify(payment.ours))[1]?.outcome).toEqual({
        ...outcome,
        status: 'failed',
        code: 'expired_or_canceled_card',
        message: 'The card provider could not give the money back.',
      });
      // What came back can be given again.
      expect((await make(toMake(payment, { amount: 1099 }))).outcome).toMatchObject({ status: 'succeeded' });
    });

    it('is rejected when nothing is left', async () => {
      const payment = await paid();
      await make(toMake(payment, { amount: 1099 }));
      await expect(make(toMake(payment))).rejects.toMatchObject({
        kind: 'rejected',
        code: 'charge_already_refunded',
      });
    });

    it('is told by verify whoever made it, and however many there are', async () => {
      const payment = await paid();
      for (let made = 0; made < 105; made += 1) double.refundInDashboard(payment.paymentIntentId, 10);
      const [, ...refunds] = await provider.verify(payment.ours);
      expect(refunds).toHaveLength(105);
      expect(new Set(refunds.map(({ outcome }) => JSON.stringify(outcome))).size).toBe(105);
      expect(refunds[0]).toMatchObject({
        attemptReference: payment.ours.reference,
        captureReference: payment.paymentIntentId,
        outcome: { kind: 'refund', amount: 10, currency: 'EUR', status: 'succeeded' },
      });
      expect(refunds[0]?.outcome).not.toHaveProperty('refundReference');
    });

    it('is taken by disputes too, which verify tells with what they did to the money', async () => {
      const payment = await paid();
      const { id } = double.openDispute(payment.paymentIntentId, { amount: 500 });
      const told = async () => (await provider.verify(payment.ours))[1];
      expect(await told()).toEqual({
        attemptReference: payment.ours.reference,
        captureReference: payment.paymentIntentId,
        outcome: {
          kind: 'dispute',
          providerDisputeReference: id,
          amount: 500,
          currency: 'EUR',
          status: 'open',
          refundable: false,
          saidAt: null,
          movements: [{ kind: 'withdrawn', amount: 500, reference: expect.stringMatching(/^txn_/) }],
          reason: 'fraudulent',
          respondBy: expect.any(Date),
        },
      });
      double.closeDispute(id, 'won', 200);
      expect((await told())?.outcome).toMatchObject({
        status: 'won',
        movements: [{ kind: 'withdrawn' }, { kind: 'reinstated', amount: 200 }],
      });
    });
  });

  describe('Stripe’s own books', () => {
    const minutesFromNow = (minutes: number) => new Date(Date.now() + minutes * 60_000);
    const all = async <Item>(items: AsyncIterable<Item> | undefined): Promise<Item[]> => {
      const found: Item[] = [];
      for await (const item of items ?? []) found.push(item);
      return found;
    };
    const payments = () => all(provider.listPayments?.(minutesFromNow(-5), minutesFromNow(5)));

    it('name a payment inside Checkout by our mark and its money, and count only what was given back', async () => {
      const ours = await initiated(attempt({ presentation: 'REDIRECT', captureMethod: 'MANUAL' }));
      const { paymentIntentId } = double.pay(ours.providerReference, 'pm_card_visa');
      const listed = async () =>
        (await payments()).find(({ attemptReference }) => attemptReference === ours.reference);
      expect(await listed()).toBeUndefined();
      await provider.capture?.(ours, 600);
      double.refundInDashboard(paymentIntentId, 100);
      expect(await listed()).toEqual({
        attemptReference: ours.reference,
        captureReference: paymentIntentId,
        currency: 'EUR',
        capturedAmount: 600,
        refundedAmount: 100,
        createdAt: expect.any(Date),
      });
    });

    it('have the payments of others, but none in a currency that cannot be ours', async () => {
      const pay = (currency: string) =>
        stripe.paymentIntents.create({
          amount: 5000,
          currency,
          confirm: true,
          return_url: 'https://shop.example',
          payment_method: 'pm_card_visa',
        });
      const [euros, shillings] = [await pay('eur'), await pay('ugx')];
      const listed = await payments();
      expect(listed).toContainEqual(
        expect.objectContaining({ providerReference: euros.id, captureReference: euros.id }),
      );
      expect(listed.find(({ captureReference }) => captureReference === euros.id)).not.toHaveProperty(
        'attemptReference',
      );
      expect(listed.map(({ captureReference }) => captureReference)).not.toContain(shillings.id);
    });

    it('are read to the last page, oldest notification first, without client secrets', async () => {
      const mine: string[] = [];
      for (let made = 0; made < 110; made += 1) {
        const ours = await initiated();
        double.pay(ours.providerReference, 'pm_card_visa');
        mine.push(ours.providerReference);
      }
      const notifications = await all(provider.listNotifications?.(minutesFromNow(-5)));
      const told = notifications.flatMap(({ body }) => {
        const parsed = provider.readKeptNotification(body, {});
        return parsed.verdict === 'accepted' && parsed.type === 'payment_intent.succeeded'
          ? [parsed.events[0]?.providerReference ?? '']
          : [];
      });
      expect(told.filter((reference) => mine.includes(reference))).toEqual(mine);
      for (const { body } of notifications) expect(body.toString()).not.toMatch(/_secret_\w/);
      const listed = (await payments()).map(({ captureReference }) => captureReference);
      expect(listed).toEqual(expect.arrayContaining(mine));
    });

    it('that do not answer are a failure like any other', async () => {
      double.answerNext('events.list', { answer: { kind: 'status', status: 429 }, times: EVERY_TRY });
      await expect(all(provider.listNotifications?.(minutesFromNow(-5)))).rejects.toMatchObject({
        kind: 'unavailable',
      });
    });

    it('are asked for no more types than Stripe lists by', () => {
      for (const types of TYPES_TO_LIST) expect(types.length).toBeLessThanOrEqual(20);
    });
  });

  describe('a failed call', () => {
    const stays = (status: number, code?: string): FaultyAnswer => ({
      kind: 'status',
      status,
      shouldRetry: false,
      ...(code !== undefined && { code }),
    });

    it.each<[string, string, FaultyAnswer]>([
      ['a 402', 'declined', stays(402, 'card_declined')],
      ['a 400', 'rejected', stays(400, 'amount_too_small')],
      ['a 403', 'rejected', stays(403)],
      ['a 429', 'unavailable', stays(429, 'rate_limit')],
      ['a 429 for contention', 'unavailable', stays(429, 'lock_timeout')],
      ['a 409', 'outcomeUnknown', stays(409, 'idempotency_key_in_use')],
      ['a 500', 'outcomeUnknown', stays(500)],
      ['a 503', 'outcomeUnknown', stays(503)],
      ['a page that is no JSON', 'outcomeUnknown', { kind: 'notJson' }],
      ['a closed connection', 'outcomeUnknown', { kind: 'close' }],
      ['silence', 'outcomeUnknown', { kind: 'hang' }],
    ])('that met %s is %s', async (_name, kind, answer) => {
      double.answerNext('payment_intents.create', { answer, times: EVERY_TRY });
      await expect(provider.initiate(attempt())).rejects.toMatchObject({
        name: 'ProviderFailure',
        provider: 'stripe',
        kind,
        cause: expect.any(Error),
      });
    });

    it('is told to the caller in our words: no key, no id and no address', async () => {
      const wrongKey = providerAt(double.url, { secretKey: 'sk_test_wrong' });
      const failed = wrongKey.initiate(attempt());
      await expect(failed).rejects.toMatchObject({ kind: 'rejected' });
      await expect(failed).rejects.toThrow('The card provider refused the request.');
    });

    it('is healed by the SDK when a repetition is answered, with one PaymentIntent', async () => {
      const before = double.counts();
      double.answerNext('payment_intents.create', {
        answer: { kind: 'status', status: 502 },
        when: 'AFTER_WORK',
      });
      await provider.initiate(attempt());
      const after = double.counts();
      expect(after.objects.paymentIntents - before.objects.paymentIntents).toBe(1);
      expect(double.requests('payment_intents.create')).toBe(
        (before.requests['payment_intents.create'] ?? 0) + 2,
      );
    });

    it('is not called harmless when its last try was, but an earlier one may have arrived', async () => {
      double.answerNext('payment_intents.create', { answer: { kind: 'close' }, when: 'AFTER_WORK' });
      double.answerNext('payment_intents.create', { answer: stays(429, 'rate_limit') });
      await expect(provider.initiate(attempt())).rejects.toMatchObject({ kind: 'outcomeUnknown' });
    });

    it('is not called harmless when the server dies under it and then refuses connections', async () => {
      const dying = await startDouble();
      dying.answerNext('payment_intents.create', { answer: { kind: 'hang' }, when: 'AFTER_WORK' });
      const failed = providerAt(dying.url).initiate(attempt());
      const assertion = expect(failed).rejects.toMatchObject({
        kind: 'outcomeUnknown',
        code: 'ECONNREFUSED',
      });
      while (dying.requests('payment_intents.create') === 0) await new Promise(setImmediate);
      await dying.stop();
      await assertion;
    });

    it('is unavailable when no name or no server is there', async () => {
      const lost = providerAt(new URL(`http://${NO_SUCH_HOST}`));
      await expect(lost.initiate(attempt())).rejects.toMatchObject({
        kind: 'unavailable',
        code: 'ENOTFOUND',
      });
      const closed = createServer().listen(0, '127.0.0.1');
      await once(closed, 'listening');
      const { port } = closed.address() as AddressInfo;
      closed.close();
      await expect(providerAt(new URL(`http://127.0.0.1:${port}`)).initiate(attempt())).rejects.toMatchObject(
        {
          kind: 'unavailable',
          code: 'ECONNREFUSED',
        },
      );
    });

    it('was surely never sent only when connecting failed', () => {
      const failedIn = (syscall?: string) => Object.assign(new Error('x'), { code: 'EHOSTUNREACH', syscall });
      expect(surelyNeverSent(failedIn('connect'))).toBe(true);
      expect(surelyNeverSent(failedIn('getaddrinfo'))).toBe(true);
      expect(surelyNeverSent(failedIn('read'))).toBe(false);
      expect(surelyNeverSent(failedIn('write'))).toBe(false);
      expect(surelyNeverSent(failedIn())).toBe(false);
      expect(surelyNeverSent(new AggregateError([failedIn('connect'), failedIn('connect')]))).toBe(true);
      expect(surelyNeverSent(new AggregateError([failedIn('connect'), failedIn('read')]))).toBe(false);
      expect(surelyNeverSent(new AggregateError([]))).toBe(false);
      expect(surelyNeverSent('ECONNREFUSED')).toBe(false);
    });
  });
});

describe('a signature of Stripe', () => {
  const provider = createStripeProvider({
    secretKey: SECRET_KEY,
    publishableKey: 'pk_test_quittance',
    webhookSecrets: [WEBHOOK_SECRET, 'whsec_new'],
  });
  const now = new Date('2026-11-20T12:00:00Z');
  const seconds = now.getTime() / 1000;
  const body = JSON.stringify(event('payment_intent.succeeded', paymentIntent()));

  const parse = (payload: string | Buffer, header: string | string[] | undefined, at = now) =>
    provider.parseNotification(Buffer.from(payload), { 'stripe-signature': header }, at);
  const header = (timestamp = seconds, secret = WEBHOOK_SECRET) =>
    signed(body, secret, timestamp)['stripe-signature'];

  it('matches the published test vector', () => {
    const withVectorSecret = createStripeProvider({
      secretKey: SECRET_KEY,
      publishableKey: 'pk_test_quittance',
      webhookSecrets: ['whsec_test_secret'],
    });
    const vector = '{"id":"evt_test_1","object":"event","type":"payment_intent.succeeded"}';
    const parsed = withVectorSecret.parseNotification(
      Buffer.from(vector),
      {
        'stripe-signature':
          't=1760000000,v1=5666d5ce449c1e2e1b52a81299c4a304b70f3faaed1157d1a47f3d5a58706296',
      },
      new Date(1_760_000_000_000),
    );
    // Genuine; but the vector's event is about nothing.
    expect(parsed.verdict).toBe('malformed');
  });

  it('is accepted with any of our secrets, and among the signatures of others', () => {
    expect(parse(body, header()).verdict).toBe('accepted');
    expect(parse(body, header(seconds, 'whsec_new')).verdict).toBe('accepted');
    expect(parse(body, header().replace(',v1=', ',v1=00ff,v1=')).verdict).toBe('accepted');
    expect(parse(body, header(seconds, 'whsec_other'))).toMatchObject({ reason: 'SIGNATURE_INVALID' });
  });

  it('covers the bytes, and not the text that is made of them', () => {
    const signedBytes = (bytes: Buffer) => {
      const digest = createHmac('sha256', WEBHOOK_SECRET).update(`${seconds}.`).update(bytes).digest('hex');
      return `t=${seconds},v1=${digest}`;
    };
    const latin1 = Buffer.from(body.replace('"object":', '"note":"Koné","object":'), 'latin1');
    expect(parse(latin1, signedBytes(latin1)).verdict).toBe('accepted');
    // The same text for who decodes it first.
    const other = Buffer.from(latin1.map((byte) => (byte === 0xe9 ? 0xea : byte)));
    expect(other.toString()).toBe(latin1.toString());
    expect(parse(other, signedBytes(latin1))).toMatchObject({ reason: 'SIGNATURE_INVALID' });
    const marked = Buffer.from(`\ufeff${body}`);
    expect(parse(marked, header())).toMatchObject({ reason: 'SIGNATURE_INVALID' });
  });

  it('is refused when any byte of the header is another', () => {
    const genuine = header();
    fc.assert(
      fc.property(fc.nat(genuine.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, other) => {
        // Capitals are the same digits.
        fc.pre(genuine[at] !== other.toLowerCase());
        const forged = genuine.slice(0, at) + other + genuine.slice(at + 1);
        return parse(body, forged).verdict === 'refused';
      }),
      { numRuns: 500 },
    );
  });

  it('is refused when it is missing, twice there, or nonsense', () => {
    expect(parse(body, undefined)).toMatchObject({ reason: 'SIGNATURE_MISSING' });
    expect(parse(body, '')).toMatchObject({ reason: 'SIGNATURE_MISSING' });
    const nonsense = [[header(), header()], 'hello', 't=,v1=', `t=${seconds}`, `t=${seconds},v1=`, 'v1=00'];
    for (const value of [...nonsense, `t=abc,v1=00`, `t=${seconds},v0=${header().split('v1=')[1]}`]) {
      expect(parse(body, value)).toMatchObject({ verdict: 'refused', reason: 'SIGNATURE_INVALID' });
    }
  });

  it('is believed for five minutes, before and after', () => {
    expect(parse(body, header(seconds - 300)).verdict).toBe('accepted');
    expect(parse(body, header(seconds - 301))).toMatchObject({ reason: 'TOO_OLD' });
    expect(parse(body, header(seconds + 300)).verdict).toBe('accepted');
    expect(parse(body, header(seconds + 301))).toMatchObject({ reason: 'SIGNATURE_INVALID' });
  });

  it('cannot be made young again by a second time in the header', () => {
    const old = header(seconds - 3600);
    expect(parse(body, `t=${seconds},${old}`)).toMatchObject({ verdict: 'refused' });
    expect(parse(body, `${old},t=${seconds}`)).toMatchObject({ verdict: 'refused' });
  });

  it('never makes the parser throw, whatever was signed', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        const verdict = parse(text, signed(text, WEBHOOK_SECRET, seconds)['stripe-signature']).verdict;
        return verdict !== 'accepted';
      }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...UNDERSTOOD_TYPES), fc.object(), (type, object) => {
        const text = JSON.stringify(event(type, { ...object, id: 'x_1' }));
        return parse(text, signed(text, WEBHOOK_SECRET, seconds)['stripe-signature']).verdict !== 'refused';
      }),
    );
  });

  it('is demanded: there is no provider without a secret', () => {
    const options = { secretKey: SECRET_KEY, publishableKey: 'pk_test_quittance' };
    expect(() => createStripeProvider({ ...options, webhookSecrets: [] })).toThrow('webhook secret');
    expect(() => createStripeProvider({ ...options, webhookSecrets: [' '] })).toThrow('webhook secret');
  });

  it('costs tens of microseconds', () => {
    const genuine = header();
    const raw = Buffer.from(body);
    const measured = () => {
      const start = process.hrtime.bigint();
      for (let round = 0; round < 1000; round += 1) {
        provider.parseNotification(raw, { 'stripe-signature': genuine }, now);
      }
      return Number(process.hrtime.bigint() - start) / 1e6;
    };
    measured();
    // Microseconds each, with much room for a busy machine.
    expect(measured()).toBeLessThan(500);
  });
});

describe('a notification of Stripe', () => {
  const provider = createStripeProvider({
    secretKey: SECRET_KEY,
    publishableKey: 'pk_test_quittance',
    webhookSecrets: [WEBHOOK_SECRET],
  });
  const understand = (type: string, object: object) => {
    const body = JSON.stringify(event(type, object));
    return provider.parseNotification(Buffer.from(body), signed(body), new Date());
  };
  const PAID = { kind: 'paid', amount: 1099, currency: 'EUR', movementReference: 'pi_1' };

  it.each([
    ['created', { status: 'requires_payment_method' }, { kind: 'pending' }],
    ['requires_action', { status: 'requires_action' }, { kind: 'pending' }],
    ['processing', { status: 'processing' }, { kind: 'processing' }],
    ['processing', { status: 'something_new' }, { kind: 'processing' }],
    ['succeeded', {}, PAID],
    [
      'payment_failed',
      {
        status: 'requires_payment_method',
        last_payment_error: { type: 'card_error', code: 'expired_card', message: 'Your card has expired.' },
      },
      { kind: 'declined', code: 'expired_card', message: 'Your card has expired.' },
    ],
    [
      'canceled',
      { status: 'canceled', cancellation_reason: null },
      { kind: 'cancelled', reason: 'canceled' },
    ],
    [
      'canceled',
      { status: 'canceled', cancellation_reason: 'abandoned' },
      { kind: 'cancelled', reason: 'abandoned' },
    ],
  ])('payment_intent.%s with %j means %j', (type, state, outcome) => {
    expect(understand(`payment_intent.${type}`, paymentIntent(state))).toEqual({
      verdict: 'accepted',
      proof: 'SIGNED',
      eventId: 'evt_1',
      type: `payment_intent.${type}`,
      markedAsOurs: true,
      events: [{ providerReference: 'pi_1', attemptReference: 'TXN-1-1', outcome }],
    });
  });

  it.each([
    ['completed', {}, PAID],
    ['completed', { payment_status: 'unpaid' }, { kind: 'processing' }],
    ['completed', { payment_status: 'something_new' }, { kind: 'processing' }],
    ['async_payment_succeeded', {}, PAID],
    ['async_payment_failed', { payment_status: 'unpaid' }, { kind: 'failed' }],
    ['expired', { status: 'expired', payment_status: 'unpaid' }, { kind: 'cancelled', reason: 'expired' }],
  ])('checkout.session.%s with %j means %j', (type, state, outcome) => {
    expect(understand(`checkout.session.${type}`, session(state))).toMatchObject({
      verdict: 'accepted',
      proof: 'SIGNED',
      markedAsOurs: true,
      events: [{ providerReference: 'cs_1', attemptReference: 'TXN-1-1', outcome }],
    });
  });

  it('of a refund says first that the money came, by the same name, and then how much went back', () => {
    const about = { providerReference: 'pi_1', attemptReference: 'TXN-1-1' };
    expect(understand('charge.refunded', charge())).toMatchObject({
      verdict: 'accepted',
      proof: 'SIGNED',
      events: [
        { ...about, outcome: PAID },
        {
          ...about,
          outcome: { kind: 'refundsChanged', totalAmount: 300, currency: 'EUR' },
        },
      ],
    });
  });

  it('of a hold tells how much can be captured', () => {
    const holding = { status: 'requires_capture', amount_capturable: 1099, amount_received: 0 };
    expect(
      understand(
        'payment_intent.amount_capturable_updated',
        paymentIntent({ ...holding, latest_charge: 'ch_1' }),
      ),
    ).toMatchObject({
      events: [{ providerReference: 'pi_1', outcome: { kind: 'authorized', amount: 1099, currency: 'EUR' } }],
    });
  });

  it('of a hold that was let go is no refund, though Stripe calls it one', () => {
    const letGo = charge({ amount: 1099, amount_captured: 0, amount_refunded: 1099, captured: false });
    expect(understand('charge.refunded', letGo)).toMatchObject({ verdict: 'ignored' });
    expect(understand('refund.created', refund({ balance_transaction: null }))).toMatchObject({
      verdict: 'ignored',
      proof: 'SIGNED',
    });
    const rest = charge({ amount: 1099, amount_captured: 600, amount_refunded: 499 });
    expect(understand('charge.refunded', rest)).toMatchObject({
      events: [
        { outcome: { kind: 'paid', amount: 600 } },
        { outcome: { kind: 'refundsChanged', totalAmount: 0 } },
      ],
    });
  });

  it('inside Checkout ends the attempt when the money had been held', () => {
    const metadata = { ...MARKED, quittance_inside_checkout: 'yes' };
    const lapsed = {
      status: 'canceled',
      cancellation_reason: 'automatic',
      capture_method: 'manual',
      latest_charge: 'ch_1',
      metadata,
    };
    expect(understand('payment_intent.canceled', paymentIntent(lapsed))).toMatchObject({
      events: [{ attemptReference: 'TXN-1-1', outcome: { kind: 'cancelled', reason: 'automatic' } }],
    });
  });

  it.each(['refund.created', 'refund.updated', 'refund.failed', 'charge.refund.updated'])(
    '%s tells of one refund, ours by its mark, and one made in the dashboard by its money alone',
    (type) => {
      const outcome = { kind: 'refund', providerRefundReference: 're_1', amount: 300, currency: 'EUR' };
      const metadata = { ...MARKED, quittance_refund: 'RFD-1' };
      expect(understand(type, refund({ metadata, balance_transaction: null }))).toEqual({
        verdict: 'accepted',
        proof: 'SIGNED',
        eventId: 'evt_1',
        type,
        markedAsOurs: true,
        events: [
          {
            attemptReference: 'TXN-1-1',
            captureReference: 'pi_1',
            outcome: { ...outcome, refundReference: 'RFD-1', status: 'succeeded' },
          },
        ],
      });
      expect(understand(type, refund())).toEqual({
        verdict: 'accepted',
        proof: 'SIGNED',
        eventId: 'evt_1',
        type,
        markedAsOurs: false,
        events: [{ captureReference: 'pi_1', outcome: { ...outcome, status: 'succeeded' } }],
      });
      expect(understand(type, refund({ payment_intent: null, charge: 'ch_1' }))).toMatchObject({
        events: [{ captureReference: 'ch_1' }],
      });
      expect(understand(type, refund({ payment_intent: null, charge: null }))).toMatchObject({
        verdict: 'ignored',
      });
    },
  );

  it.each([
    ['pending', {}, { status: 'pending' }],
    ['requires_action', {}, { status: 'pending' }],
    ['something_new', {}, { status: 'pending' }],
    ['succeeded', {}, { status: 'succeeded' }],
    ['failed', { failure_reason: 'declined' }, { status: 'failed', code: 'declined' }],
    ['canceled', {}, { status: 'failed', code: 'canceled' }],
  ])('of a refund that is %s with %j means %j', (status, more, expected) => {
    expect(understand('refund.updated', refund({ status, ...more }))).toMatchObject({
      events: [{ outcome: { kind: 'refund', ...expected } }],
    });
  });

  it('of a dispute names the money, and when an answer is due', () => {
    expect(understand('charge.dispute.created', dispute())).toEqual({
      verdict: 'accepted',
      proof: 'SIGNED',
      eventId: 'evt_1',
      type: 'charge.dispute.created',
      markedAsOurs: false,
      events: [
        {
          captureReference: 'pi_1',
          outcome: {
            kind: 'dispute',
            providerDisputeReference: 'du_1',
            amount: 1099,
            currency: 'EUR',
            status: 'open',
            refundable: false,
            saidAt: new Date(0),
            movements: [],
            reason: 'fraudulent',
            respondBy: new Date(DISPUTED_AT * 1000),
          },
        },
      ],
    });
    expect(understand('charge.dispute.created', dispute({ payment_intent: null }))).toMatchObject({
      verdict: 'ignored',
      proof: 'SIGNED',
    });
  });

  const moved = (amount: number, more: object = {}) => ({
    id: `txn_${amount}`,
    object: 'balance_transaction',
    amount,
    currency: 'eur',
    created: DISPUTED_AT,
    exchange_rate: null,
    fee: 1_500,
    net: amount - 1_500,
    ...more,
  });
  const TAKEN = { kind: 'withdrawn', amount: 1099, reference: 'txn_-1099' };
  const RETURNED = { kind: 'reinstated', amount: 1099, reference: 'txn_1099' };

  it.each([
    ['created', { status: 'warning_needs_response' }, { status: 'open', refundable: true, movements: [] }],
    [
      'created',
      { status: 'needs_response', is_charge_refundable: true },
      { status: 'open', refundable: true },
    ],
    ['updated', { status: 'warning_under_review' }, { status: 'open', refundable: true }],
    [
      'updated',
      { status: 'under_review', balance_transactions: [moved(-1099)] },
      { status: 'open', refundable: false, movements: [TAKEN] },
    ],
    ['updated', { status: 'something_new' }, { status: 'open', refundable: false, movements: [] }],
    ['updated', { status: 'appeal_under_review' }, { status: 'appealed' }],
    [
      'closed',
      { status: 'lost', balance_transactions: [moved(-1099)] },
      { status: 'lost', movements: [TAKEN] },
    ],
    [
      'closed',
      { status: 'won', balance_transactions: [moved(-1099)] },
      { status: 'won', movements: [TAKEN] },
    ],
    [
      'closed',
      { status: 'won', balance_transactions: [moved(-1099), moved(1099)] },
      { status: 'won', movements: [TAKEN, RETURNED] },
    ],
    ['closed', { status: 'warning_closed' }, { status: 'won', movements: [] }],
    ['closed', { status: 'prevented' }, { status: 'won', movements: [] }],
  ])('charge.dispute.%s with %j means %j', (type, more, meaning) => {
    expect(understand(`charge.dispute.${type}`, dispute(more))).toMatchObject({
      events: [{ outcome: { kind: 'dispute', ...meaning } }],
    });
  });

  it.each([
    ['funds_withdrawn', undefined, [{ ...TAKEN, reference: null }]],
    ['funds_withdrawn', null, [{ ...TAKEN, reference: null }]],
    ['funds_withdrawn', ['txn_1'], [{ ...TAKEN, reference: null }]],
    ['funds_withdrawn', [moved(-1099)], [TAKEN]],
    [
      'funds_reinstated',
      [],
      [
        { ...TAKEN, reference: null },
        { ...RETURNED, reference: null },
      ],
    ],
    // Listed in whatever order; the oldest comes first.
    ['funds_reinstated', [moved(1099, { created: DISPUTED_AT + 1 }), moved(-1099)], [TAKEN, RETURNED]],
  ])('charge.dispute.%s of a dispute that lists %j tells of its money', (type, listed, movements) => {
    expect(understand(`charge.dispute.${type}`, dispute({ balance_transactions: listed }))).toMatchObject({
      events: [{ outcome: { kind: 'dispute', movements } }],
    });
  });

  it.each([
    ['its own currency', moved(-1103), 1103],
    ['another one, by its rate', moved(-500, { currency: 'usd', exchange_rate: 1.25 }), 400],
    [
      'another one, where the rate is rounded',
      moved(-1191, { currency: 'usd', exchange_rate: 1.0837 }),
      1099,
    ],
    ['another one, without a rate', moved(-1191, { currency: 'usd' }), 1099],
    ['another one, by a rate of other units', moved(-1191, { currency: 'usd', exchange_rate: 0.0108 }), 1099],
  ])('a movement of a dispute in %s is an amount of the dispute’s currency', (_, transaction, amount) => {
    const { events } = understand(
      'charge.dispute.funds_withdrawn',
      dispute({ balance_transactions: [transaction] }),
    ) as unknown as { events: object[] };
    expect(events).toMatchObject([{ outcome: { currency: 'EUR', movements: [{ amount }] } }]);
  });

  it('inside Checkout names no attempt but by our mark, and does not end it', () => {
    const metadata = { ...MARKED, quittance_inside_checkout: 'yes' };
    const understood = understand('payment_intent.canceled', paymentIntent({ status: 'canceled', metadata }));
    expect(understood).toMatchObject({
      events: [{ attemptReference: 'TXN-1-1', outcome: { kind: 'pending' } }],
    });
    expect(understood).not.toHaveProperty('events.0.providerReference');
  });

  it('without our mark is accepted, but not as ours', () => {
    expect(understand('payment_intent.succeeded', paymentIntent({ metadata: {} }))).toMatchObject({
      verdict: 'accepted',
      proof: 'SIGNED',
      markedAsOurs: false,
    });
  });

  it.each(['payment_intent.partially_funded', 'customer.created', 'constructor'])(
    'of type %s is ignored',
    (type) => {
      expect(understand(type, paymentIntent())).toMatchObject({ verdict: 'ignored', eventId: 'evt_1', type });
    },
  );

  it('of a refunded charge without a PaymentIntent is ignored', () => {
    expect(understand('charge.refunded', charge({ payment_intent: null }))).toMatchObject({
      verdict: 'ignored',
      proof: 'SIGNED',
    });
  });

  it('with an amount or a currency that cannot be is malformed', () => {
    for (const wrong of [{ amount_received: 10.5 }, { amount_received: '1099' }, { currency: 'zzz' }]) {
      expect(understand('payment_intent.succeeded', paymentIntent(wrong)).verdict).toBe('malformed');
    }
    expect(
      understand('payment_intent.succeeded', paymentIntent({ currency: 'isk', amount_received: 550 }))
        .verdict,
    ).toBe('malformed');
  });
});

describe('Stripe’s way to count', () => {
  it('comes back as it went, for every currency and amount', () => {
    fc.assert(
      fc.property(fc.constantFrom(...STRIPE_CURRENCIES), fc.nat(99_999_999), (currency, stripeAmount) => {
        // Only what Stripe can express: whole krónur, thousandths that end in 0.
        const expressible = stripeAmount - (stripeAmount % (currency === 'ISK' ? 100 : 10));
        const ours = fromStripeAmount(expressible, currency.toLowerCase());
        return ours.currency === currency && toStripeAmount(ours.amount, currency) === expressible;
      }),
    );
  });

  it.each<[Currency, number, number]>([
    ['EUR', 1099, 1099],
    ['XOF', 15_000, 15_000],
    ['JPY', 500, 500],
    ['ISK', 5, 500],
    ['MGA', 500_00, 500],
    ['KWD', 5_120, 5_120],
    ['HUF', 1045, 1045],
  ])('sends %s %d as %d', (currency, ours, stripes) => {
    expect(toStripeAmount(ours, currency)).toBe(stripes);
    expect(fromStripeAmount(stripes, currency)).toEqual({ amount: ours, currency });
  });

  it.each<[Currency, number]>([
    ['KWD', 5_124],
    ['MGA', 150],
    ['UGX', 5_000],
    ['GHS', 100],
    ['EUR', 10.5],
  ])('refuses %s %d', (currency, amount) => {
    expect(() => toStripeAmount(amount, currency)).toThrow(RangeError);
  });

  it('has limits that Stripe can express', () => {
    for (const currency of STRIPE_CURRENCIES) {
      const { minimum, maximum } = stripeLimits(currency);
      expect(toStripeAmount(maximum ?? NaN, currency)).toBeLessThanOrEqual(99_999_999);
      if (minimum !== undefined) expect(toStripeAmount(minimum, currency)).toBeGreaterThan(0);
    }
    expect(stripeLimits('EUR')).toEqual({ minimum: 50, maximum: 99_999_999 });
    expect(stripeLimits('XOF')).toEqual({ minimum: 400, maximum: 99_999_999 });
    expect(stripeLimits('ISK')).toEqual({ maximum: 999_999 });
    expect(stripeLimits('MGA')).toEqual({ maximum: 99_999_999_00, step: 100 });
    expect(stripeLimits('UGX')).toEqual({});
  });
});

describe('the language of Stripe’s page', () => {
  it.each([
    ['fr', 'fr'],
    ['fr-CI', 'fr'],
    ['fr-CA', 'fr-CA'],
    ['en-US', 'en'],
    ['wo', 'auto'],
    [undefined, 'auto'],
  ])('for %s is %s', (locale, expected) => {
    expect(checkoutLocale(locale)).toBe(expected);
  });
});
