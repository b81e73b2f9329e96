import type { ProviderOutcome } from '../providers/provider.js';
import { endIntent } from './apply-provider-event.js';
import { followBooks } from './books.js';
import { isLive, type PaymentAttempt } from './payment-attempt.js';
import {
  addMovement,
  changeAttempt,
  confirmOrder,
  moveTo,
  record,
  setFailure,
  summaryOf,
  tellAgain,
  type PaymentChange,
} from './payment-change.js';
import { addRefund, capturesOf, leftOf } from './refunds.js';
import { review } from './review.js';

/**
 * The payment of an order that a provider collects by an invoice of its own. Its amount is what is to come through the
 * provider. It may come in several parts, each through an attempt of its own, and the payment is PAID once the invoice
 * is: whether by money, or by nothing at all. See `docs/decisions/0011-the-invoice-has-the-sums.md`.
 */

/** Writes one part of the money into the books. @returns false where it is there already, or can't be counted here. */
export function bookCollected(
  change: PaymentChange,
  attempt: PaymentAttempt,
  { amount, currency, movementReference }: Extract<ProviderOutcome, { kind: 'paid' }>,
): boolean {
  const { intent } = change;
  const isKnown = change.movements.some(
    ({ kind, provider, providerReference }) =>
      kind === 'CAPTURE' && provider === attempt.provider && providerReference === movementReference,
  );
  if (isKnown) return false;
  changeAttempt(change, attempt, { status: 'SUCCEEDED', failureCode: null, failureMessage: null });
  if (currency !== intent.currency) {
    const message = `Paid in ${currency} instead of ${intent.currency}.`;
    review(change, { code: 'CURRENCY_MISMATCH', message, about: `${attempt.provider}:${movementReference}` });
    return false;
  }
  addMovement(change, {
    ...{ intentId: intent.id, attemptId: attempt.id, kind: 'CAPTURE', amount, currency: intent.currency },
    ...{ provider: attempt.provider, providerReference: movementReference },
  });
  return true;
}

/** Money was booked: the payment is PAID if that is all, and else its watchers hear what has come so far. */
export function followCollected(change: PaymentChange): string {
  const { intent } = change;
  if (intent.paidAt !== null) return followBooks(change);
  if (intent.capturedAmount >= intent.amount) return confirmCollected(change);
  const isOver = intent.status === 'FAILED' || intent.status === 'CANCELLED' || intent.status === 'EXPIRED';
  if (isOver) return reviewPart(change, 'came after its provider had given it up');
  const isProcessing = change.attempts.some(({ status }) => status === 'PROCESSING');
  if (isProcessing || !moveTo(change, 'PENDING')) tellAgain(change);
  return `${intent.capturedAmount} of ${intent.amount} has come`;
}

/** The invoice is paid, by whatever: the order is confirmed, and what was given back meanwhile counts. */
export function confirmCollected(change: PaymentChange): string {
  const { intent } = change;
  if (intent.paidAt !== null) return 'nothing new';
  if (change.soldOut) return giveAllBack(change, change.soldOut === 'STOCK' ? 'STOCK' : 'BOOKING');
  const from = intent.status;
  setFailure(change, null, null);
  if (!moveTo(change, 'PAID')) return `stale: ${from} does not become PAID`;
  confirmOrder(change);
  const isLess = intent.refundedAmount + intent.disputedAmount > 0 || change.disputes.length > 0;
  return isLess ? followBooks(change) : `${from} → PAID`;
}

/** The provider collects it no more. Money that has come all the same is a person's to decide about. */
export function endCollected(
  change: PaymentChange,
  end: 'FAILED' | 'CANCELLED',
  { code, message }: { readonly code: string; readonly message: string },
): string {
  const { intent } = change;
  for (const attempt of change.attempts.filter(isLive)) {
    changeAttempt(change, attempt, { status: end, failureCode: code, failureMessage: message });
  }
  if (intent.paidAt !== null) return 'nothing new';
  if (intent.capturedAmount > intent.refundedAmount)
    return reviewPart(change, `came before it ended (${code})`);
  return endIntent(change, end, code, message);
}

/** What is to come through the provider has changed: by a credit note, say, or because a part was paid elsewhere. */
export function takeCollectedAmount(change: PaymentChange, amount: number): void {
  if (change.intent.amount === amount) return;
  const before = summaryOf(change.intent);
  change.intent.amount = amount;
  change.intentChanged = true;
  record(change, 'payment.amount', before);
}

function reviewPart(change: PaymentChange, why: string): string {
  const { reference, capturedAmount, amount } = change.intent;
  const message = `${capturedAmount} of ${amount} ${why}.`;
  return review(change, { code: 'PAID_IN_PART', message, about: `${reference}:${capturedAmount}` });
}

function giveAllBack(change: PaymentChange, missing: 'STOCK' | 'BOOKING'): string {
  const message = 'Paid after the last piece or place had been sold; what was taken is given back.';
  const about = change.intent.reference;
  const outcome = review(change, { code: `PAID_WITHOUT_${missing}`, message, about });
  for (const capture of capturesOf(change)) {
    const amount = leftOf(change, capture);
    if (amount <= 0) continue;
    addRefund(change, { capture, amount, origin: 'AUTOMATIC', reason: 'OTHER', nextCheckAt: change.now });
  }
  return outcome;
}
