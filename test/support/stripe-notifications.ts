import Stripe from 'stripe';
import { STRIPE_WEBHOOK_SECRET, type RunningApp } from './running-app.js';

/** A notification that Stripe could send of one payment: its body, to be signed when it is sent. */
export interface StripeNotification {
  readonly id: string;
  readonly type: string;
  readonly body: string;
}

export interface NotifiedPayment {
  readonly paymentIntentId: string;
  /** `TXN-…-1` */
  readonly attemptReference: string;
  readonly amount: number;
}

export const PAYMENT_STORIES = {
  created: (payment) => paymentIntent('payment_intent.created', payment, 'requires_payment_method'),
  processing: (payment) => paymentIntent('payment_intent.processing', payment, 'processing'),
  declined: (payment) =>
    paymentIntent('payment_intent.payment_failed', payment, 'requires_payment_method', {
      last_payment_error: { type: 'card_error', code: 'card_declined', message: 'Your card was declined.' },
    }),
  cancelled: (payment) =>
    paymentIntent('payment_intent.canceled', payment, 'canceled', { cancellation_reason: 'abandoned' }),
  succeeded: (payment) =>
    paymentIntent('payment_intent.succeeded', payment, 'succeeded', { amount_received: payment.amount }),
  partlyRefunded: (payment) => refundedCharge(payment, 30),
  refunded: (payment) => refundedCharge(payment, payment.amount),
} satisfies Record<string, (payment: NotifiedPayment) => StripeNotification>;

export type PaymentStory = keyof typeof PAYMENT_STORIES;

/** Posts it as Stripe does: over HTTP, with a signature that Stripe's own SDK makes. Gives the answer's status. */
export async function notify(app: RunningApp, { body }: StripeNotification): Promise<number> {
  const signature = Stripe.webhooks.generateTestHeaderString({
    payload: body,
    secret: STRIPE_WEBHOOK_SECRET,
  });
  const response = await fetch(`${app.url}/webhooks/stripe`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'stripe-signature': signature },
    body,
  });
  await response.body?.cancel();
  return response.status;
}

function paymentIntent(
  type: string,
  { paymentIntentId, attemptReference, amount }: NotifiedPayment,
  status: string,
  more: object = {},
): StripeNotification {
  return event(type, paymentIntentId, {
    id: paymentIntentId,
    object: 'payment_intent',
    amount,
    amount_received: 0,
    currency: 'eur',
    status,
    metadata: { quittance_attempt: attemptReference },
    ...more,
  });
}

function refundedCharge(payment: NotifiedPayment, amountRefunded: number): StripeNotification {
  const { paymentIntentId, attemptReference, amount } = payment;
  return event('charge.refunded', `${paymentIntentId}_${amountRefunded}`, {
    id: paymentIntentId.replace('pi_', 'ch_'),
    object: 'charge',
    payment_intent: paymentIntentId,
    amount,
    amount_captured: amount,
    amount_refunded: amountRefunded,
    currency: 'eur',
    metadata: { quittance_attempt: attemptReference },
  });
}

/** The same story of the same payment is the same event, with the same id: sent twice, it is a duplicate. */
function event(type: string, about: string, object: object): StripeNotification {
  const id = `evt_${type}_${about}`;
  return { id, type, body: JSON.stringify({ id, object: 'event', type, data: { object } }) };
}
