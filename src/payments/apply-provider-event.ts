import { parseAttemptReference, isLive, type PaymentAttempt } from './payment-attempt.js';
import type { ProviderEvent, ProviderOutcome } from '../providers/provider.js';
import {
  addMovement,
  changeAttempt,
  confirmOrder,
  moveTo,
  releaseStock,
  setFailure,
  type PaymentChange,
} from './payment-change.js';
import { mayMove, type PaymentStatus } from './transitions.js';

/**
 * Applies what a provider says to a payment: every way a provider can speak (webhook, answer to a call, verify) ends
 * here. It only prepares the change; `commitChange` writes it. The answer says in a few words what came of it, for the
 * webhook event's row.
 */
export function applyProviderEvent(change: PaymentChange, event: ProviderEvent, provider: string): string {
  const attempt = findAttempt(change, event, provider);
  if (!attempt) return `no attempt of ${change.intent.reference} at ${provider} fits`;
  if (event.providerReference && attempt.providerReference === null) {
    changeAttempt(change, attempt, { providerReference: event.providerReference });
  }
  return applyOutcome(change, attempt, event.outcome);
}

function findAttempt(
  change: PaymentChange,
  event: ProviderEvent,
  provider: string,
): PaymentAttempt | undefined {
  const ours = event.attemptReference ? parseAttemptReference(event.attemptReference) : undefined;
  return change.attempts.find((attempt) => {
    if (attempt.provider !== provider) return false;
    return ours ? attempt.number === ours.number : attempt.providerReference === event.providerReference;
  });
}

function applyOutcome(change: PaymentChange, attempt: PaymentAttempt, outcome: ProviderOutcome): string {
  switch (outcome.kind) {
    case 'pending':
      return applyPending(change, attempt);
    case 'processing':
      return applyProcessing(change, attempt);
    case 'paid':
      return applyPaid(change, attempt, outcome);
    case 'declined':
      return applyDeclined(change, attempt, outcome);
    case 'failed':
      return applyEnd(change, attempt, 'FAILED', outcome);
    case 'cancelled':
      return applyEnd(change, attempt, 'CANCELLED', { code: 'CANCELLED', message: outcome.reason });
    case 'refunded':
      return applyRefunded(change, attempt, outcome);
    default:
      return outcome satisfies never;
  }
}

/** Only an unanswered question goes back to PENDING: a late "created" must not undo "processing". */
function applyPending(change: PaymentChange, attempt: PaymentAttempt): string {
  if (attempt.status !== 'UNKNOWN') return 'nothing new';
  changeAttempt(change, attempt, { status: 'PENDING' });
  return step(change, 'PENDING');
}

function applyProcessing(change: PaymentChange, attempt: PaymentAttempt): string {
  if (attempt.status !== 'PENDING' && attempt.status !== 'UNKNOWN') return 'nothing new';
  changeAttempt(change, attempt, { status: 'PROCESSING' });
  return step(change, 'PROCESSING');
}

/** A declined card is not the end: the payer may try again on the same attempt, and watchers are told nothing new. */
function applyDeclined(
  change: PaymentChange,
  attempt: PaymentAttempt,
  { code, message }: { code: string; message: string },
): string {
  if (!isLive(attempt)) return `stale: the attempt is ${attempt.status}`;
  changeAttempt(change, attempt, { status: 'PENDING', failureCode: code, failureMessage: message });
  if (change.intent.status === 'PENDING') return `declined (${code}); the payer may try again`;
  return step(change, 'PENDING');
}

function applyEnd(
  change: PaymentChange,
  attempt: PaymentAttempt,
  end: 'FAILED' | 'CANCELLED',
  { code, message }: { code: string; message: string },
): string {
  if (!isLive(attempt)) return `stale: the attempt is ${attempt.status}`;
  changeAttempt(change, attempt, { status: end, failureCode: code, failureMessage: message });
  if (change.attempts.some(isLive)) return `attempt ${attempt.number} is over; another one is under way`;
  return endIntent(change, end, code, message);
}

/** Ends an intent without money, and gives its stock back. */
export function endIntent(
  change: PaymentChange,
  end: 'FAILED' | 'CANCELLED',
  code: string,
  message: string,
): string {
  const status = end === 'CANCELLED' ? howItWasCancelled(change) : end;
  // A late failure must not stand as the reason of a payment that has succeeded by another attempt.
  if (status === 'FAILED' && mayMove(change.intent.status, status)) setFailure(change, code, message);
  const outcome = step(change, status);
  if (change.intent.status === status) releaseStock(change);
  return outcome;
}

function howItWasCancelled({ intent, now }: PaymentChange): 'CANCELLED' | 'EXPIRED' | 'FAILED' {
  // A provider that had begun to process and then gave up did not cancel: it failed.
  if (intent.status === 'PROCESSING') return 'FAILED';
  // Whoever ends it once the time is up (our job, the provider's own limit), the payer reads the same reason.
  return intent.status === 'PENDING' && intent.expiresAt <= now ? 'EXPIRED' : 'CANCELLED';
}

function applyPaid(
  change: PaymentChange,
  attempt: PaymentAttempt,
  paid: Extract<ProviderOutcome, { kind: 'paid' }>,
): string {
  if (isKnownMoney(change, attempt.provider, paid.movementReference, 'CAPTURE')) return 'nothing new';
  changeAttempt(change, attempt, { status: 'SUCCEEDED', failureCode: null, failureMessage: null });
  const { intent, order } = change;
  if (paid.currency !== intent.currency) {
    // Money of another currency can't be added to this intent's totals; the notification itself is the evidence.
    return review(change, 'CURRENCY_MISMATCH', `Paid in ${paid.currency} instead of ${intent.currency}.`);
  }
  const firstMoney = intent.capturedAmount === 0;
  addMovement(change, {
    intentId: intent.id,
    attemptId: attempt.id,
    kind: 'CAPTURE',
    amount: paid.amount,
    currency: intent.currency,
    provider: attempt.provider,
    providerReference: paid.movementReference,
  });
  if (!firstMoney) return review(change, 'CAPTURED_TWICE', 'Two attempts of this payment took money.');
  if (order.status === 'CONFIRMED') {
    return review(change, 'ORDER_ALREADY_PAID', 'Another payment had already paid this order.');
  }
  if (paid.amount !== intent.amount || paid.amount !== order.amount) {
    return review(change, 'AMOUNT_MISMATCH', `Paid ${paid.amount}, and the order costs ${order.amount}.`);
  }
  if (change.stockIsGone) {
    return review(change, 'PAID_WITHOUT_STOCK', 'Paid after the stock had been released, and it is sold.');
  }
  setFailure(change, null, null);
  const outcome = step(change, 'PAID');
  if (change.intent.status === 'PAID') confirmOrder(change);
  return outcome;
}

function applyRefunded(
  change: PaymentChange,
  attempt: PaymentAttempt,
  refunded: Extract<ProviderOutcome, { kind: 'refunded' }>,
): string {
  const { intent } = change;
  // The total is what the provider says for certain: notifications of several refunds come in any order.
  const amount = refunded.totalAmount - intent.refundedAmount;
  if (amount <= 0) return 'nothing new';
  if (refunded.currency !== intent.currency || refunded.totalAmount > intent.capturedAmount) {
    return review(
      change,
      'REFUND_MISMATCH',
      `${refunded.totalAmount} ${refunded.currency} given back of ${intent.capturedAmount} ${intent.currency} taken.`,
    );
  }
  addMovement(change, {
    intentId: intent.id,
    attemptId: attempt.id,
    kind: 'REFUND',
    amount,
    currency: intent.currency,
    provider: attempt.provider,
    providerReference: refunded.movementReference,
  });
  return step(change, intent.refundedAmount === intent.capturedAmount ? 'REFUNDED' : 'PARTIALLY_REFUNDED');
}

/**
 * Money that can't be honoured is never dropped: a person decides. Where the table has no such step (the intent was
 * PAID already), the reason still stands on the intent.
 */
export function review(change: PaymentChange, code: string, message: string): string {
  setFailure(change, code, message);
  moveTo(change, 'REVIEW');
  return `${code}: ${message}`;
}

function step(change: PaymentChange, status: PaymentStatus): string {
  const from = change.intent.status;
  if (from === status) return 'nothing new';
  return moveTo(change, status) ? `${from} → ${status}` : `stale: ${from} does not become ${status}`;
}

function isKnownMoney(change: PaymentChange, provider: string, reference: string, kind: 'CAPTURE'): boolean {
  return change.movements.some(
    (movement) =>
      movement.provider === provider && movement.providerReference === reference && movement.kind === kind,
  );
}
