import type Stripe from 'stripe';
import type { DisputeMovement } from '../provider.js';
import { fromStripeAmount } from './currency.js';

/**
 * Converted by a rate that Stripe rounds, an amount is the dispute's own if it differs by no more than this share. A bank
 * that returns all but a thousandth is not known.
 */
const ROUNDING = 0.001;

/** What a dispute has moved by now, the oldest first. Empty where it doesn't list it, as in older versions of the API. */
export function disputeMovements(dispute: Stripe.Dispute): readonly DisputeMovement[] {
  const { balance_transactions: listed } = dispute;
  const transactions = Array.isArray(listed) ? listed.filter(isReadable) : [];
  return transactions
    .toSorted((one, other) => (one.created ?? 0) - (other.created ?? 0))
    .map((transaction) => ({
      kind: transaction.amount < 0 ? ('withdrawn' as const) : ('reinstated' as const),
      amount: fromStripeAmount(inDisputesCurrency(dispute, transaction), dispute.currency).amount,
      reference: transaction.id,
    }));
}

/** Stripe writes its movements in the currency of the account's balance. Its fee is apart, and is not the payment's. */
function inDisputesCurrency(dispute: Stripe.Dispute, transaction: Stripe.BalanceTransaction): number {
  const amount = Math.abs(transaction.amount);
  if (transaction.currency === dispute.currency) return amount;
  const rate = transaction.exchange_rate;
  if (typeof rate !== 'number' || rate <= 0) return dispute.amount;
  const converted = Math.round(amount / rate);
  // Of currencies without decimals it isn't documented in which unit their rate counts: that shows.
  const isPlausible = converted > 0 && converted <= 2 * dispute.amount;
  const isRounded = Math.abs(converted - dispute.amount) <= Math.max(1, dispute.amount * ROUNDING);
  return isPlausible && !isRounded ? converted : dispute.amount;
}

function isReadable(transaction: unknown): transaction is Stripe.BalanceTransaction {
  if (typeof transaction !== 'object' || transaction === null) return false;
  const { id, amount, currency } = transaction as Partial<Stripe.BalanceTransaction>;
  return (
    typeof id === 'string' && Number.isSafeInteger(amount) && amount !== 0 && typeof currency === 'string'
  );
}
