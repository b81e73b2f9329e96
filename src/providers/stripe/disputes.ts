import type Stripe from 'stripe';
import type { ProviderEvent, ProviderOutcome } from '../provider.js';
import { everyItem, type StripeClient } from './client.js';
import { fromStripeAmount } from './currency.js';
import { fromStripeTime } from './time.js';

type DisputeOutcome = Extract<ProviderOutcome, { kind: 'dispute' }>;
type DisputedMoney = DisputeOutcome['money'];

/** One event for each dispute of a payment. */
export async function disputeEvents(
  client: StripeClient,
  paymentIntentId: string,
): Promise<readonly ProviderEvent[]> {
  const events: ProviderEvent[] = [];
  const disputes = everyItem(client, (stripe, page) =>
    stripe.disputes.list({ ...page, payment_intent: paymentIntentId }),
  );
  for await (const dispute of disputes) events.push(disputeEvent(dispute, paymentIntentId, moneyOf(dispute)));
  return events;
}

/**
 * A dispute is made by the payer's bank, so it carries no mark of ours. None for one without a PaymentIntent.
 * @param money what the notification itself says of the money; otherwise what the dispute's transactions say.
 */
export function disputeNotificationEvents(
  dispute: Stripe.Dispute,
  money: DisputedMoney = moneyOf(dispute),
): readonly ProviderEvent[] {
  const { payment_intent: paymentIntent } = dispute;
  const captureReference = typeof paymentIntent === 'string' ? paymentIntent : paymentIntent?.id;
  return captureReference ? [disputeEvent(dispute, captureReference, money)] : [];
}

function disputeEvent(
  dispute: Stripe.Dispute,
  captureReference: string,
  money: DisputedMoney,
): ProviderEvent {
  const dueBy = dispute.evidence_details?.due_by;
  return {
    captureReference,
    outcome: {
      kind: 'dispute',
      providerDisputeReference: dispute.id,
      ...fromStripeAmount(dispute.amount, dispute.currency),
      status: statusOf(dispute),
      money,
      reason: dispute.reason,
      ...(dueBy && { respondBy: fromStripeTime(dueBy) }),
    },
  };
}

/** An inquiry that was closed, and a dispute that was prevented, cost nothing. */
function statusOf({ status }: Stripe.Dispute): DisputeOutcome['status'] {
  if (status === 'won' || status === 'warning_closed' || status === 'prevented') return 'won';
  return status === 'lost' ? 'lost' : 'open';
}

/** The transactions are in the currency of the account, so they say what happened, and not how much of the payment's. */
function moneyOf({ balance_transactions: transactions }: Stripe.Dispute): DisputedMoney {
  if (!Array.isArray(transactions) || transactions.length === 0) return 'unmoved';
  const net = transactions.reduce((sum, { amount }) => sum + amount, 0);
  return net < 0 ? 'withdrawn' : 'returned';
}
