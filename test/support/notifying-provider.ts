import { createHmac, randomUUID } from 'node:crypto';
import Stripe from 'stripe';
import { toDecimal, type Currency } from '../../src/money.js';
import { markWith } from '../../src/providers/stripe/attempt-mark.js';
import { BANK_WEBHOOK_SECRET, RETURN_URL, STRIPE_WEBHOOK_SECRET, type RunningApp } from './running-app.js';

/** A payment that waits for its payer, and what tests need to speak of it in a provider's name. */
export interface OpenPayment {
  readonly id: string;
  readonly attemptReference: string;
  /** Of the provider's own, where tests need it. */
  readonly providerReference: string;
  readonly orderId: string;
  readonly token: string;
  readonly sku: string;
  readonly amount: number;
  readonly currency: Currency;
}

export interface PaidHow {
  readonly eventId?: string;
  readonly amount?: number;
  readonly currency?: Currency;
  /** The provider's id of the money. */
  readonly movement?: string;
}

/** Signs and words notifications exactly as one provider does, so that tests can send what its double would not. */
export interface NotifyingProvider {
  readonly name: string;
  readonly signatureHeader: string;
  /** How what is not proven is answered. */
  readonly refusalStatus: 400 | 401;
  open(app: RunningApp, product?: { readonly stock?: number }): Promise<OpenPayment>;
  /** @param at the time in the signature. */
  sign(body: string, at?: Date): Record<string, string>;
  /** The body of "this payment was paid". */
  paid(payment: OpenPayment, how?: PaidHow): string;
  /** Genuine, and of a type that has nothing for us. */
  ofAnotherType(eventId: string): string;
}

const AMOUNT = 1_500;

export function newEventId(): string {
  return `evt_${randomUUID().replaceAll('-', '')}`;
}

async function openOrder(app: RunningApp, product: { readonly stock?: number } = {}) {
  const { sku } = await app.addProduct({ unitAmount: AMOUNT, currency: 'EUR', ...product });
  return { sku, amount: AMOUNT, currency: 'EUR' as const, ...(await app.order(sku)) };
}

export const STRIPE: NotifyingProvider = {
  name: 'stripe',
  signatureHeader: 'stripe-signature',
  refusalStatus: 400,
  async open(app, product) {
    const order = await openOrder(app, product);
    const { id, nextAction } = await app.pay(order.orderId, order.token, { method: 'CARD' });
    const [providerReference] = nextAction.clientSecret.split('_secret_');
    // Stripe tells of the creation too; what a test sends must not race with it.
    await app.stripe.settled();
    return { ...order, id, attemptReference: `${id}-1`, providerReference };
  },
  sign(payload, at = new Date()) {
    const timestamp = Math.floor(at.getTime() / 1_000);
    const secret = STRIPE_WEBHOOK_SECRET;
    return { 'stripe-signature': Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp }) };
  },
  paid: (payment, { eventId, amount, currency, movement } = {}) =>
    stripeEvent(
      'payment_intent.succeeded',
      stripePaymentIntent(payment, {
        ...(movement && { id: movement }),
        status: 'succeeded',
        amount_received: amount ?? payment.amount,
        currency: (currency ?? payment.currency).toLowerCase(),
      }),
      eventId,
    ),
  ofAnotherType: (eventId) =>
    stripeEvent('customer.created', { id: 'cus_somebody', object: 'customer' }, eventId),
};

export const BANK: NotifyingProvider = {
  name: 'bank-x',
  signatureHeader: 'x-signature',
  refusalStatus: 401,
  async open(app, product) {
    const order = await openOrder(app, product);
    const input = { method: 'BANK', returnUrl: RETURN_URL };
    const { id } = await app.pay(order.orderId, order.token, input);
    const attemptReference = `${id}-1`;
    const { id: providerReference } = app.bank.payment(attemptReference) as { id: string };
    return { ...order, id, attemptReference, providerReference };
  },
  sign(body, at = new Date()) {
    const timestamp = Math.floor(at.getTime() / 1_000);
    const signature = createHmac('sha256', BANK_WEBHOOK_SECRET).update(`${timestamp}.${body}`).digest('hex');
    return { 'x-signature': `t=${timestamp},v1=${signature}` };
  },
  paid: (payment, { eventId = newEventId(), amount, currency, movement } = {}) =>
    JSON.stringify({
      id: eventId,
      type: 'transfer.credited',
      data: {
        reference: payment.attemptReference,
        transfer_id: movement ?? `tr_${payment.id}`,
        amount: toDecimal(amount ?? payment.amount, currency ?? payment.currency),
        currency: currency ?? payment.currency,
        status: 'BOOKED',
      },
    }),
  ofAnotherType: (id) => JSON.stringify({ id, type: 'account.statement_ready', data: { account: 'X1' } }),
};

/** The body of a Stripe event. */
export function stripeEvent(type: string, object: object, id = newEventId()): string {
  const created = Math.floor(Date.now() / 1_000);
  return JSON.stringify({ id, object: 'event', type, created, livemode: false, data: { object } });
}

export function stripePaymentIntent(payment: OpenPayment, values: object): object {
  return {
    id: payment.providerReference,
    object: 'payment_intent',
    amount: payment.amount,
    amount_received: 0,
    currency: payment.currency.toLowerCase(),
    metadata: markWith(payment.attemptReference),
    last_payment_error: null,
    ...values,
  };
}

/** Sends what a provider would send. @param headers those of a good signature, unless told. */
export async function notify(
  { url }: { readonly url: string },
  provider: NotifyingProvider,
  body: string | Buffer<ArrayBuffer>,
  headers: Record<string, string> = provider.sign(body.toString()),
): Promise<number> {
  const response = await fetch(`${url}/webhooks/${provider.name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  await response.arrayBuffer();
  return response.status;
}

/** A time so many seconds from now. */
export function secondsFromNow(seconds: number): Date {
  return new Date(Date.now() + seconds * 1_000);
}
