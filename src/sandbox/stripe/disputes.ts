import type Stripe from 'stripe';
import { newId, now, type StripeAccount } from './account.js';
import { paymentIntentIdOf } from './charges.js';
import { chargeOf, chargeOfPayment } from './refunds.js';
import { invalidRequest } from './stripe-error.js';

export interface NewDispute {
  /** In Stripe's units; all that was taken when left out. */
  readonly amount?: number | undefined;
  /** False for an inquiry: the bank only asks, and the money stays. */
  readonly withdraw?: boolean | undefined;
}

/** For the answer to the payer's bank. */
const EVIDENCE_SECONDS = 9 * 24 * 3600;

/** The payer complains to their bank, which takes the money back unless it only asks. */
export function openDispute(
  account: StripeAccount,
  paymentIntentId: string,
  { amount, withdraw = true }: NewDispute = {},
): Stripe.Dispute {
  const charge = chargeOfPayment(account, paymentIntentId);
  const disputed = amount ?? charge.amount_captured;
  if (disputed < 1 || disputed > charge.amount_captured) {
    throw invalidRequest('Nobody can dispute more than was taken.', { param: 'amount' });
  }
  const dispute = newDispute(charge, disputed, withdraw ? 'needs_response' : 'warning_needs_response');
  account.disputes.set(dispute.id, dispute);
  charge.disputed = true;
  account.emit('charge.dispute.created', dispute, paymentIntentId);
  if (withdraw) moveMoney(account, dispute, charge, -disputed);
  return dispute;
}

/** The payer's bank has decided. */
export function closeDispute(account: StripeAccount, id: string, decision: 'won' | 'lost'): Stripe.Dispute {
  const dispute = account.dispute(id);
  if (['won', 'lost', 'warning_closed'].includes(dispute.status)) {
    throw invalidRequest(`This dispute is closed already: ${dispute.status}.`);
  }
  const charge = chargeOf(account, dispute);
  const isInquiry = dispute.status === 'warning_needs_response';
  dispute.status = isInquiry && decision === 'won' ? 'warning_closed' : decision;
  const wasWithdrawn = dispute.balance_transactions.length > 0;
  account.emit('charge.dispute.closed', dispute, paymentIntentIdOf(charge));
  if (decision === 'won' && wasWithdrawn) moveMoney(account, dispute, charge, dispute.amount);
  if (decision === 'lost' && !wasWithdrawn) moveMoney(account, dispute, charge, -dispute.amount);
  return dispute;
}

function moveMoney(
  account: StripeAccount,
  dispute: Stripe.Dispute,
  charge: Stripe.Charge,
  amount: number,
): void {
  dispute.balance_transactions.push(newTransaction(dispute, amount));
  const type = amount < 0 ? 'charge.dispute.funds_withdrawn' : 'charge.dispute.funds_reinstated';
  account.emit(type, dispute, paymentIntentIdOf(charge));
}

function newTransaction(dispute: Stripe.Dispute, amount: number): Stripe.BalanceTransaction {
  return {
    id: newId('txn'),
    object: 'balance_transaction',
    amount,
    available_on: now(),
    balance_type: 'payments',
    created: now(),
    currency: dispute.currency,
    description: null,
    exchange_rate: null,
    fee: 0,
    fee_details: [],
    net: amount,
    reporting_category: amount < 0 ? 'dispute' : 'dispute_reversal',
    source: dispute.id,
    status: 'available',
    type: 'adjustment',
  };
}

function newDispute(charge: Stripe.Charge, amount: number, status: Stripe.Dispute.Status): Stripe.Dispute {
  return {
    id: newId('du'),
    object: 'dispute',
    amount,
    balance_transactions: [],
    charge: charge.id,
    created: now(),
    currency: charge.currency,
    enhanced_eligibility_types: [],
    evidence: {} as Stripe.Dispute.Evidence,
    evidence_details: {
      due_by: now() + EVIDENCE_SECONDS,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
    } as Stripe.Dispute.EvidenceDetails,
    intended_submission_method: null,
    is_charge_refundable: status === 'warning_needs_response',
    livemode: false,
    metadata: {},
    payment_intent: charge.payment_intent,
    reason: 'fraudulent',
    status,
  };
}
