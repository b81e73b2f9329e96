import {
  cancelBooking,
  markRefunded,
  moveTo,
  releaseStock,
  returnStock,
  tellAgain,
  type PaymentChange,
} from './payment-change.js';
import type { PaymentStatus } from './transitions.js';

/** The status that the money speaks of, once a payment has been PAID. */
function statusOfBooks({ intent, disputes }: PaymentChange): PaymentStatus {
  if (disputes.some(({ status }) => status === 'OPEN')) return 'DISPUTED';
  const kept = intent.capturedAmount - intent.refundedAmount - intent.disputedAmount;
  // Money that came beyond the price (a second capture) may go back without a word: the price is still paid.
  if (kept >= Math.min(intent.capturedAmount, intent.amount)) return 'PAID';
  return kept > 0 ? 'PARTIALLY_REFUNDED' : 'REFUNDED';
}

/**
 * After money went back, or came back: the status follows the books, watchers are told even where it stays, and the
 * order is marked. Answers, in a few words, what came of it.
 */
export function followBooks(change: PaymentChange): string {
  const from = change.intent.status;
  const wanted = wantedStatus(change);
  if (from === 'REVIEW' && wanted === 'REFUNDED') releaseStockOfReview(change);
  if (wanted === null || !moveTo(change, wanted)) tellAgain(change);
  markOrder(change);
  return from === change.intent.status ? 'the books changed' : `${from} → ${change.intent.status}`;
}

/** Null: the status is not the books' to decide. */
function wantedStatus(change: PaymentChange): PaymentStatus | null {
  const { intent } = change;
  if (intent.paidAt !== null) return statusOfBooks(change);
  const allGone = intent.capturedAmount > 0 && intent.refundedAmount === intent.capturedAmount;
  return intent.status === 'REVIEW' && allGone ? 'REFUNDED' : null;
}

function markOrder(change: PaymentChange): void {
  const { intent, order } = change;
  // Only the payment that confirmed the order speaks for it.
  if (intent.paidAt === null || order.status !== 'CONFIRMED') return;
  if (intent.status !== 'REFUNDED') {
    if (order.refundedAt !== null) markRefunded(change, null);
    return;
  }
  if (order.refundedAt === null) markRefunded(change, change.now);
  // What only the payer's bank took back is no refund: whether the booking stands is then the merchant's to say.
  if (intent.refundedAmount > 0) cancelBooking(change);
  const restock = change.refunds.some((refund) => refund.restock && refund.status === 'SUCCEEDED');
  if (restock && order.restockedAt === null) returnStock(change);
}

/** A payment under review that is over gives back the stock it still holds. */
export function releaseStockOfReview(change: PaymentChange): void {
  // A newer payment of the same order may be open, and then the stock is held for that one.
  if (!change.otherIsOpen) releaseStock(change);
}
