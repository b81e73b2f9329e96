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
  /** The payer's bank counts in another currency, so that the amount may be more than was taken. */
  readonly amountDiffers?: boolean | undefined;
  /** The account's balance, where it is kept in another currency than the charge. */
  readonly balance?: DisputedBalance | undefined;
  /** Lost from its first day, as a bank debit is that its payer takes back. */
  readonly lost?: boolean | undefined;
  readonly reason?: string | undefined;
}

export interface DisputedBalance {
  readonly currency: string;
  /** One unit of the charge's currency in the balance's. */
  readonly exchangeRate: number;
}

/** For the answer to the payer's bank. */
const EVIDENCE_SECONDS = 9 * 24 * 3600;

const CLOSED: readonly string[] = ['won', 'lost', 'warning_closed', 'prevented'];

/** The payer complains to their bank, which takes the money back unless it only asks. */
export function openDispute(
  account: StripeAccount,
  paymentIntentId: string,
  { amount, withdraw = true, amountDiffers = false, balance, lost = false, reason }: NewDispute = {},
): Stripe.Dispute {
  const charge = chargeOfPayment(account, paymentIntentId);
  const disputed = amount ?? charge.amount_captured;
  if (disputed < 1 || (disputed > charge.amount_captured && !amountDiffers)) {
    throw invalidRequest('Nobody can dispute more than was taken.', { param: 'amount' });
  }
  const status = withdraw ? 'needs_response' : 'warning_needs_response';
  const dispute = newDispute(charge, disputed, lost ? 'lost' : status, reason);
  account.disputes.set(dispute.id, dispute);
  if (balance) account.balancesOfDisputes.set(dispute.id, balance);
  charge.disputed = true;
  account.emit('charge.dispute.created', dispute, paymentIntentId);
  if (withdraw) moveMoney(account, dispute, charge, -disputed);
  if (lost) account.emit('charge.dispute.closed', dispute, paymentIntentId);
  return dispute;
}

/**
 * The payer's bank has decided. Stripe tells of the decision first, and of the money afterwards.
 * @param reinstate what the shop is given back: all that was withdrawn when it has won, and nothing when it has lost,
 * unless told. 0: nothing yet, see `reinstateFunds`.
 */
export function closeDispute(
  account: StripeAccount,
  id: string,
  decision: 'won' | 'lost',
  reinstate?: number,
): Stripe.Dispute {
  const dispute = account.dispute(id);
  if (CLOSED.includes(dispute.status)) {
    throw invalidRequest(`This dispute is closed already: ${dispute.status}.`);
  }
  return decide(account, dispute, decision, reinstate);
}

/** The bank, or the card's network, decides otherwise than before. */
export function decideDisputeAgain(
  account: StripeAccount,
  id: string,
  decision: 'won' | 'lost',
): Stripe.Dispute {
  const dispute = account.dispute(id);
  if (!CLOSED.includes(dispute.status))
    throw invalidRequest(`This dispute is not closed: ${dispute.status}.`);
  return decide(account, dispute, decision);
}

function decide(
  account: StripeAccount,
  dispute: Stripe.Dispute,
  decision: 'won' | 'lost',
  reinstate?: number,
): Stripe.Dispute {
  const charge = chargeOf(account, dispute);
  dispute.status = isInquiry(dispute) && decision === 'won' ? 'warning_closed' : decision;
  dispute.is_charge_refundable = decision === 'won';
  account.emit('charge.dispute.closed', dispute, paymentIntentIdOf(charge));
  const withdrawn = withdrawnBy(dispute);
  if (decision === 'lost' && withdrawn === 0) moveMoney(account, dispute, charge, -dispute.amount);
  const back = reinstate ?? (decision === 'won' ? withdrawn : 0);
  if (back > 0) moveMoney(account, dispute, charge, back);
  return dispute;
}

/** What was won comes back. @param amount in the charge's units; all that is still withdrawn when left out. */
export function reinstateFunds(account: StripeAccount, id: string, amount?: number): Stripe.Dispute {
  const dispute = account.dispute(id);
  const withdrawn = withdrawnBy(dispute);
  const back = amount ?? withdrawn;
  if (back < 1 || back > withdrawn) throw invalidRequest(`At most ${withdrawn} can be reinstated.`);
  moveMoney(account, dispute, chargeOf(account, dispute), back);
  return dispute;
}

/** The shop doesn't accept that it has lost. */
export function appealDispute(account: StripeAccount, id: string): Stripe.Dispute {
  const dispute = account.dispute(id);
  if (dispute.status !== 'lost') throw invalidRequest(`Only a lost dispute is appealed: ${dispute.status}.`);
  dispute.status = 'appeal_needs_response';
  account.emit('charge.dispute.updated', dispute, paymentIntentIdOf(chargeOf(account, dispute)));
  return dispute;
}

/** The answer to an inquiry did not satisfy the bank, and it takes the money. */
export function escalateInquiry(account: StripeAccount, id: string): Stripe.Dispute {
  const dispute = account.dispute(id);
  if (!isInquiry(dispute)) throw invalidRequest(`This is no open inquiry: ${dispute.status}.`);
  const charge = chargeOf(account, dispute);
  dispute.status = 'needs_response';
  dispute.is_charge_refundable = false;
  account.emit('charge.dispute.updated', dispute, paymentIntentIdOf(charge));
  moveMoney(account, dispute, charge, -dispute.amount);
  return dispute;
}

function isInquiry({ status }: Stripe.Dispute): boolean {
  return status === 'warning_needs_response' || status === 'warning_under_review';
}

/** What a dispute has taken and not returned, in the charge's units. */
function withdrawnBy(dispute: Stripe.Dispute): number {
  return -dispute.balance_transactions.reduce(
    (sum, { amount, exchange_rate: rate }) => sum + Math.round(amount / (rate ?? 1)),
    0,
  );
}

function moveMoney(
  account: StripeAccount,
  dispute: Stripe.Dispute,
  charge: Stripe.Charge,
  amount: number,
): void {
  const balance = account.balancesOfDisputes.get(dispute.id);
  dispute.balance_transactions.push(newTransaction(dispute, amount, balance));
  const type = amount < 0 ? 'charge.dispute.funds_withdrawn' : 'charge.dispute.funds_reinstated';
  account.emit(type, dispute, paymentIntentIdOf(charge));
}

function newTransaction(
  dispute: Stripe.Dispute,
  chargeAmount: number,
  balance?: DisputedBalance,
): Stripe.BalanceTransaction {
  const amount = balance ? Math.round(chargeAmount * balance.exchangeRate) : chargeAmount;
  return {
    id: newId('txn'),
    object: 'balance_transaction',
    amount,
    available_on: now(),
    balance_type: 'payments',
    created: now(),
    currency: balance?.currency ?? dispute.currency,
    description: null,
    exchange_rate: balance?.exchangeRate ?? null,
    fee: 0,
    fee_details: [],
    net: amount,
    reporting_category: amount < 0 ? 'dispute' : 'dispute_reversal',
    source: dispute.id,
    status: 'available',
    type: 'adjustment',
  };
}

function newDispute(
  charge: Stripe.Charge,
  amount: number,
  status: Stripe.Dispute.Status,
  reason = 'fraudulent',
): Stripe.Dispute {
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
    reason,
    status,
  };
}
