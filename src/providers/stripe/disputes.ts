import type Stripe from 'stripe';
import type { DisputeMovement, ListedDispute, ProviderEvent, ProviderOutcome } from '../provider.js';
import { everyItem, type StripeClient } from './client.js';
import { fromStripeAmount } from './currency.js';
import { disputeMovements } from './dispute-movements.js';
import { fromStripeTime } from './time.js';

type DisputeOutcome = Extract<ProviderOutcome, { kind: 'dispute' }>;

/** One event for each dispute of a payment, as it stands now. */
export async function disputeEvents(
  client: StripeClient,
  paymentIntentId: string,
): Promise<readonly ProviderEvent[]> {
  const disputes = await disputesOf(client, paymentIntentId);
  return disputes.map((dispute) => disputeEvent(dispute, paymentIntentId, disputeMovements(dispute), null));
}

async function disputesOf(client: StripeClient, paymentIntentId: string): Promise<Stripe.Dispute[]> {
  const disputes: Stripe.Dispute[] = [];
  const pages = everyItem(client, (stripe, page) =>
    stripe.disputes.list({ ...page, payment_intent: paymentIntentId }),
  );
  for await (const dispute of pages) disputes.push(dispute);
  return disputes;
}

export async function listedDisputes(
  client: StripeClient,
  paymentIntentId: string,
): Promise<readonly ListedDispute[]> {
  const disputes = await disputesOf(client, paymentIntentId);
  return disputes.map((dispute) => {
    const status = disputeStatus(dispute);
    return {
      reference: dispute.id,
      status: status === 'appealed' ? 'open' : status,
      amount: disputeMovements(dispute).reduce(
        (sum, { kind, amount }) => (kind === 'withdrawn' ? sum + amount : sum - amount),
        0,
      ),
    };
  });
}

/**
 * A dispute is made by the payer's bank, so it carries no mark of ours. None for one without a PaymentIntent.
 * @param moved what the type of the notification says of the money, where the dispute itself lists no movements.
 */
export function disputeNotificationEvents(
  dispute: Stripe.Dispute,
  { created }: { readonly created?: unknown },
  moved?: 'withdrawn' | 'reinstated',
): readonly ProviderEvent[] {
  const { payment_intent: paymentIntent } = dispute;
  const captureReference = typeof paymentIntent === 'string' ? paymentIntent : paymentIntent?.id;
  if (!captureReference) return [];
  // Without a time of its own, a notification is older than all that we know.
  const saidAt = fromStripeTime(typeof created === 'number' ? created : 0);
  const movements = disputeMovements(dispute);
  const told = movements.length === 0 && moved ? unnamedMovements(dispute, moved) : movements;
  return [disputeEvent(dispute, captureReference, told, saidAt)];
}

/** What was reinstated had been withdrawn. */
function unnamedMovements(
  { amount, currency }: Stripe.Dispute,
  moved: 'withdrawn' | 'reinstated',
): readonly DisputeMovement[] {
  const whole = { amount: fromStripeAmount(amount, currency).amount, reference: null };
  const withdrawn = { kind: 'withdrawn' as const, ...whole };
  return moved === 'withdrawn' ? [withdrawn] : [withdrawn, { kind: 'reinstated', ...whole }];
}

function disputeEvent(
  dispute: Stripe.Dispute,
  captureReference: string,
  movements: readonly DisputeMovement[],
  saidAt: Date | null,
): ProviderEvent {
  const dueBy = dispute.evidence_details?.due_by;
  return {
    captureReference,
    outcome: {
      kind: 'dispute',
      providerDisputeReference: dispute.id,
      ...fromStripeAmount(dispute.amount, dispute.currency),
      status: disputeStatus(dispute),
      refundable: isRefundable(dispute),
      saidAt,
      movements,
      reason: dispute.reason,
      ...(dueBy && { respondBy: fromStripeTime(dueBy) }),
    },
  };
}

/** An inquiry that was closed, and a dispute that was prevented, cost nothing. */
function disputeStatus({ status }: Stripe.Dispute): DisputeOutcome['status'] {
  if (status === 'won' || status === 'warning_closed' || status === 'prevented') return 'won';
  if (status === 'appeal_needs_response' || status === 'appeal_under_review') return 'appealed';
  return status === 'lost' ? 'lost' : 'open';
}

/** Older versions don't say it of inquiries. */
function isRefundable({ status, is_charge_refundable: refundable }: Stripe.Dispute): boolean {
  return refundable ?? status.startsWith('warning_');
}
