import type Stripe from 'stripe';
import type { ProviderEvent, ProviderOutcome, RefundReason, RefundToMake } from '../provider.js';
import { markOf, markRefund, refundMarkOf } from './attempt-mark.js';
import { amountLetGo, isCharge } from './charges.js';
import { everyItem, type StripeClient } from './client.js';
import { idOf } from './concerns.js';
import { fromStripeAmount } from './currency.js';
import { stripeAmountOrRejection } from './initiate.js';

type RefundStatus = Extract<ProviderOutcome, { kind: 'refund' }>['status'];

const REASONS: Record<RefundReason, Stripe.RefundCreateParams.Reason | undefined> = {
  REQUESTED_BY_CUSTOMER: 'requested_by_customer',
  DUPLICATE: 'duplicate',
  FRAUDULENT: 'fraudulent',
  OTHER: undefined,
};

/**
 * Stripe forgets an idempotency key after a day, and would then give the money back again. So a refund that was made
 * before is looked for first; the key is for those that are asked for at the same time.
 */
export async function makeRefund(client: StripeClient, toMake: RefundToMake): Promise<ProviderEvent> {
  const { captureReference, reference, attempt, idempotencyKey } = toMake;
  const params: Stripe.RefundCreateParams = {
    ...captureParameter(captureReference),
    amount: stripeAmountOrRejection(toMake.amount, toMake.currency),
    reason: toMake.reason === null ? undefined : REASONS[toMake.reason],
    metadata: markRefund(reference, attempt.reference),
  };
  for (const known of await refundsOf(client, captureReference)) {
    if (refundMarkOf(known.metadata) === reference) return refundEvent(known, captureReference);
  }
  const refund = await client.call((stripe) =>
    stripe.refunds.create(params, { idempotencyKey: `${idempotencyKey}/create` }),
  );
  return refundEvent(refund, captureReference);
}

/** One event for each refund of a payment that was captured, whoever made it. */
export async function refundEvents(
  client: StripeClient,
  paymentIntentId: string,
  charge: Stripe.Charge | undefined,
): Promise<readonly ProviderEvent[]> {
  const refunds = await refundsOf(client, paymentIntentId);
  return refunds
    .filter((refund) => !(charge && refund === refunds.at(-1) && isRestLetGo(refund, charge)))
    .map((refund) => refundEvent(refund, paymentIntentId));
}

/**
 * None for a refund without a payment, which is not ours, and none for a hold that was let go, which Stripe tells
 * as a refund too: somebody else's, succeeded, and without any effect on the balance. A real one may look so for its
 * first seconds, but then the `charge.refunded` beside it tells of the money.
 */
export function refundNotificationEvents(refund: Stripe.Refund): readonly ProviderEvent[] {
  const captureReference = idOf(refund.payment_intent) ?? idOf(refund.charge);
  const movedNothing = refund.status === 'succeeded' && refund.balance_transaction === null;
  if (!captureReference || (movedNothing && markOf(refund.metadata) === undefined)) return [];
  return [refundEvent(refund, captureReference)];
}

/** A partial capture lets go of the rest at once, so that no refund can be older. */
function isRestLetGo(oldest: Stripe.Refund, charge: Stripe.Charge): boolean {
  return markOf(oldest.metadata) === undefined && oldest.amount === amountLetGo(charge);
}

async function refundsOf(client: StripeClient, paymentIntentId: string): Promise<Stripe.Refund[]> {
  const refunds: Stripe.Refund[] = [];
  const pages = everyItem(client, (stripe, page) =>
    stripe.refunds.list({ ...page, ...captureParameter(paymentIntentId) }),
  );
  for await (const refund of pages) refunds.push(refund);
  return refunds;
}

function captureParameter(reference: string): { charge: string } | { payment_intent: string } {
  return isCharge(reference) ? { charge: reference } : { payment_intent: reference };
}

function refundEvent(refund: Stripe.Refund, captureReference: string): ProviderEvent {
  const attemptReference = markOf(refund.metadata);
  return {
    ...(attemptReference !== undefined && { attemptReference }),
    captureReference,
    outcome: refundOutcome(refund),
  };
}

function refundOutcome(refund: Stripe.Refund): ProviderOutcome {
  const refundReference = refundMarkOf(refund.metadata);
  const status = statusOf(refund);
  return {
    kind: 'refund',
    ...(refundReference !== undefined && { refundReference }),
    providerRefundReference: refund.id,
    ...fromStripeAmount(refund.amount, refund.currency),
    status,
    ...(status === 'failed' && {
      code: refund.failure_reason ?? refund.status ?? 'unknown',
      message: 'The card provider could not give the money back.',
    }),
  };
}

/** What we don't know is not decided yet. */
function statusOf({ status }: Stripe.Refund): RefundStatus {
  if (status === 'succeeded') return 'succeeded';
  return status === 'failed' || status === 'canceled' ? 'failed' : 'pending';
}
