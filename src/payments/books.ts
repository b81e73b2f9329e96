import {
  cancelBooking,
  markRefunded,
  moveTo,
  releaseStock,
  returnStock,
  tellAgain,
  type PaymentChange,
} from './payment-change.js';
import { forbidsRefunds, isHeldByBank, lostToBank } from './disputed-money.js';
import type { ChangeCause } from './status-changed.js';
import type { PaymentStatus } from './transitions.js';

/** What the shop has of a payment, in minor units. */
function keptOf(change: PaymentChange): number {
  const { capturedAmount, refundedAmount } = change.intent;
  return capturedAmount - refundedAmount - lostToBank(change);
}

/** The status that the money and the decisions about it speak of, once a payment has been PAID. */
export function statusOfBooks(change: PaymentChange): PaymentStatus {
  const { intent } = change;
  const isGivenBack = isRefundedWhole(change);
  // An inquiry about money that was all given back is answered, and asks for nothing more.
  if (isGivenBack ? forbidsRefunds(change) : isHeldByBank(change)) return 'DISPUTED';
  // Money that came beyond the price (a second capture) may go back without a word: the price is still paid.
  if (keptOf(change) >= Math.min(intent.capturedAmount, intent.amount)) return 'PAID';
  if (lostToBank(change) > 0) return 'CHARGED_BACK';
  return isGivenBack ? 'REFUNDED' : 'PARTIALLY_REFUNDED';
}

function isRefundedWhole({ intent }: PaymentChange): boolean {
  return intent.capturedAmount > 0 && intent.refundedAmount === intent.capturedAmount;
}

/**
 * After money went back, or came back, or a bank decided: the status follows the books, watchers are told even where it
 * stays, and the order is marked. Answers, in a few words, what came of it.
 */
export function followBooks(change: PaymentChange, cause?: ChangeCause): string {
  const from = change.intent.status;
  const wanted = wantedStatus(change);
  if (from === 'REVIEW' && wanted === 'REFUNDED') releaseStockOfReview(change);
  if (wanted === null || !moveTo(change, wanted, cause)) tellAgain(change, cause && { cause });
  markOrder(change);
  return from === change.intent.status ? 'the books changed' : `${from} → ${change.intent.status}`;
}

/** Null: the status is not the books' to decide. */
function wantedStatus(change: PaymentChange): PaymentStatus | null {
  const { status, paidAt } = change.intent;
  if (paidAt !== null) return statusOfBooks(change);
  const allGone = isRefundedWhole(change);
  // Its refund has failed after all: a person decides again.
  if (status === 'REFUNDED') return allGone ? null : 'REVIEW';
  const isReviewed = status === 'REVIEW' || status === 'CANCELLED';
  return isReviewed && allGone ? 'REFUNDED' : null;
}

/** Only refunds mark an order. What the payer's bank took is none: whether the booking stands is then the merchant's to say. */
function markOrder(change: PaymentChange): void {
  const { intent, order } = change;
  // Only the payment that confirmed the order speaks for it.
  if (intent.paidAt === null || order.status !== 'CONFIRMED') return;
  if (isRefundedWhole(change)) {
    if (order.refundedAt === null) markRefunded(change, change.now);
    cancelBooking(change);
  } else if (order.refundedAt !== null) {
    markRefunded(change, null);
  }
  // The pieces were asked for with a refund that left nothing.
  const restock = change.refunds.some((refund) => refund.restock && refund.status === 'SUCCEEDED');
  if (restock && keptOf(change) <= 0 && order.restockedAt === null) returnStock(change);
}

/** A payment under review that is over gives back the stock it still holds. */
export function releaseStockOfReview(change: PaymentChange): void {
  // A newer payment of the same order may be open, and then the stock is held for that one.
  if (!change.otherIsOpen) releaseStock(change);
}
