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
  partlyRefunded: (payment) => refund('refund.created', payment, 30),
  refunded: (payment) => refund('refund.created', payment, payment.amount - 30),
  refundBegun: (payment) => refund('refund.created', payment, 40, 'pending'),
  refundDone: (payment) => refund('refund.updated', payment, 40),
  refundFailed: (payment) => refund('refund.failed', payment, 40, 'failed'),
  disputed: (payment) => dispute('charge.dispute.created', payment, 'needs_response'),
  disputeTaken: (payment) => dispute('charge.dispute.funds_withdrawn', payment, 'needs_response'),
  disputeWon: (payment) => dispute('charge.dispute.closed', payment, 'won'),
  disputeReturned: (payment) => dispute('charge.dispute.funds_reinstated', payment, 'won'),
  disputeLost: (payment) => dispute('charge.dispute.closed', payment, 'lost'),
  lifeOpened: (payment) => laterDispute('created', payment, 1, 'needs_response'),
  lifeTaken: (payment) => laterDispute('funds_withdrawn', payment, 2, 'needs_response', -103),
  lifeLost: (payment) => laterDispute('closed', payment, 3, 'lost', -103),
  lifePartlyReturned: (payment) => laterDispute('funds_reinstated', payment, 4, 'lost', -103, 30),
  lifeAppealed: (payment) => laterDispute('updated', payment, 5, 'appeal_under_review', -103, 30),
  lifeWon: (payment) => laterDispute('closed', payment, 6, 'won', -103, 30),
  lifeReturned: (payment) => laterDispute('funds_reinstated', payment, 7, 'won', -103, 30, 73),
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

function refund(
  type: 'refund.created' | 'refund.updated' | 'refund.failed',
  { paymentIntentId }: NotifiedPayment,
  amount: number,
  status: 'pending' | 'succeeded' | 'failed' = 'succeeded',
): StripeNotification {
  const id = `re_${paymentIntentId}_${amount}`;
  return event(type, id, {
    id,
    object: 'refund',
    amount,
    currency: 'eur',
    charge: paymentIntentId.replace('pi_', 'ch_'),
    payment_intent: paymentIntentId,
    metadata: {},
    status,
    ...(status === 'failed' && { failure_reason: 'expired_or_canceled_card' }),
  });
}

function dispute(
  type: string,
  { paymentIntentId, amount }: NotifiedPayment,
  status: string,
): StripeNotification {
  const id = `dp_${paymentIntentId}`;
  return event(type, id, {
    id,
    object: 'dispute',
    amount,
    currency: 'eur',
    charge: paymentIntentId.replace('pi_', 'ch_'),
    payment_intent: paymentIntentId,
    reason: 'fraudulent',
    balance_transactions: [],
    evidence_details: { due_by: null },
    status,
  });
}

/** With its own time, and the money that it had moved by then. */
function laterDispute(
  type: string,
  payment: NotifiedPayment,
  created: number,
  status: string,
  ...amounts: readonly number[]
): StripeNotification {
  const { body } = dispute(`charge.dispute.${type}`, payment, status);
  const event = JSON.parse(body);
  const id = `${event.id}_${created}`;
  const transactions = amounts.map((amount, index) => ({
    id: `txn_${payment.paymentIntentId}_${index}`,
    object: 'balance_transaction',
    amount,
    currency: 'eur',
    created: index,
    exchange_rate: null,
    fee: 0,
  }));
  const object = { ...event.data.object, balance_transactions: transactions };
  return { id, type: event.type, body: JSON.stringify({ ...event, id, created, data: { object } }) };
}

/** The same story of the same payment is the same event, with the same id: sent twice, it is a duplicate. */
function event(type: string, about: string, object: object): StripeNotification {
  const id = `evt_${type}_${about}`;
  return { id, type, body: JSON.stringify({ id, object: 'event', type, data: { object } }) };
}
