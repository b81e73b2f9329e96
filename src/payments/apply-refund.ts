import type { ProviderEvent, ProviderOutcome } from '../providers/provider.js';
import { followBooks } from './books.js';
import { nextCheckOf } from './check-schedule.js';
import { MoneyNotKnownYet } from './money-not-known-yet.js';
import type { PaymentAttempt } from './payment-attempt.js';
import { addMovement, setFailure, tellAgain, type PaymentChange } from './payment-change.js';
import type { Refund } from './refund.js';
import type { ChangeCause } from './status-changed.js';
import { addRefund, capturesOf, changeRefund, NEVER_TAKEN, PROVIDER_NOT_CONFIGURED } from './refunds.js';
import { isNoted, review } from './review.js';

type RefundOutcome = Extract<ProviderOutcome, { kind: 'refund' }>;

/** Applies what a provider says of one refund, whoever made it, in whatever order it is said. */
export function applyRefund(
  change: PaymentChange,
  attempt: PaymentAttempt,
  event: ProviderEvent,
  outcome: RefundOutcome,
): string {
  if (outcome.currency !== change.intent.currency) {
    const message = `A refund in ${outcome.currency}: ${outcome.providerRefundReference}.`;
    return review(change, { ...mismatchOf(attempt.provider, outcome), message });
  }
  if (!Number.isSafeInteger(outcome.amount) || outcome.amount <= 0)
    return noteContradiction(change, attempt, outcome);
  const known = knownRefund(change, attempt, outcome);
  if (known && known.amount !== outcome.amount) return noteContradiction(change, attempt, outcome, known);
  const refund = known ?? foundRefund(change, attempt, event, outcome);
  if (refund === null) throw new MoneyNotKnownYet('the payment that it gives back has not been told of yet');
  if (refund.providerReference === null) {
    changeRefund(change, refund, { providerReference: outcome.providerRefundReference });
  }
  return STEPS[outcome.status](change, attempt, refund, outcome);
}

type Step = (
  change: PaymentChange,
  attempt: PaymentAttempt,
  refund: Refund,
  outcome: RefundOutcome,
) => string;

const STEPS: Readonly<Record<RefundOutcome['status'], Step>> = {
  pending(change, _attempt, refund) {
    if (refund.status !== 'QUEUED') return 'nothing new';
    const nextCheckAt = nextCheckOf(change.now, refund.createdAt);
    changeRefund(change, refund, { status: 'SUBMITTED', nextCheckAt });
    return 'refund submitted';
  },
  succeeded(change, attempt, refund, outcome) {
    if (refund.status === 'SUCCEEDED') return 'nothing new';
    if (refund.status === 'FAILED' && !isFailedByUs(refund)) return 'stale: the refund is FAILED';
    const { intent } = change;
    if (outcome.amount > intent.capturedAmount - intent.refundedAmount) {
      return noteMismatch(change, refund, outcome);
    }
    if (isSettledNow(change, refund, outcome)) setFailure(change, null, null);
    changeRefund(change, refund, {
      status: 'SUCCEEDED',
      failureCode: null,
      failureMessage: null,
      nextCheckAt: null,
      settledAt: change.now,
    });
    addMovement(change, refundMovement(change, attempt, 'REFUND', outcome));
    return followBooks(change, { kind: 'REFUND_MADE', refundReference: refund.reference });
  },
  failed(change, attempt, refund, outcome) {
    if (refund.status === 'FAILED') return 'nothing new';
    const hadSucceeded = refund.status === 'SUCCEEDED';
    changeRefund(change, refund, {
      status: 'FAILED',
      failureCode: outcome.code ?? 'FAILED',
      failureMessage: outcome.message ?? 'The provider could not give the money back.',
      nextCheckAt: null,
      settledAt: change.now,
    });
    const cause = refundFailure(refund, hadSucceeded);
    if (!hadSucceeded) {
      tellAgain(change, { cause });
      return 'refund failed';
    }
    addMovement(change, refundMovement(change, attempt, 'REFUND_REVERSAL', outcome));
    return followBooks(change, cause);
  },
};

/** Its provider has not said that it failed: what is heard of it later counts. */
function isFailedByUs({ failureCode }: Refund): boolean {
  return failureCode === NEVER_TAKEN || failureCode === PROVIDER_NOT_CONFIGURED;
}

/**
 * The refund that it stands in for may have failed, which we have not been told yet. So the provider is asked again, and
 * never told to give it back.
 */
function noteMismatch(change: PaymentChange, refund: Refund, outcome: RefundOutcome): string {
  const mismatch = mismatchOf(refund.provider, outcome);
  if (refund.status === 'SUBMITTED' && isNoted(change, mismatch)) return 'nothing new';
  const nextCheckAt = nextCheckOf(change.now, refund.createdAt);
  changeRefund(change, refund, { status: 'SUBMITTED', nextCheckAt });
  const message = `${outcome.amount} more given back than was there to give.`;
  return review(change, { ...mismatch, message });
}

/** One of what is said, or was asked for, is wrong: nothing is believed, and the refund stays as it is. */
function noteContradiction(
  change: PaymentChange,
  { provider }: PaymentAttempt,
  outcome: RefundOutcome,
  known?: Refund,
): string {
  const { amount, currency, status, providerRefundReference } = outcome;
  const instead = known ? `, and the refund is of ${known.amount}` : '';
  const message = `${provider} says of refund ${providerRefundReference}: ${amount} ${currency} (minor units), ${status}${instead}.`;
  const about = `${provider}:${providerRefundReference}:${amount}`;
  return review(change, { code: 'REFUND_CONTRADICTED', message, about });
}

/** Whether it was too much, that still stands as what is wrong with the payment, and by now it fits. */
function isSettledNow(change: PaymentChange, { provider }: Refund, outcome: RefundOutcome): boolean {
  const mismatch = mismatchOf(provider, outcome);
  return change.intent.failureCode === mismatch.code && isNoted(change, mismatch);
}

function mismatchOf(provider: string, { providerRefundReference }: RefundOutcome) {
  return { code: 'REFUND_MISMATCH', about: `${provider}:${providerRefundReference}` };
}

/** What is told when a refund fails. The customer had heard of one that had succeeded, and of one that we made by ourselves. */
export function refundFailure({ reference, origin }: Refund, hadSucceeded: boolean): ChangeCause {
  const wasAnnounced = hadSucceeded || origin === 'AUTOMATIC';
  return { kind: 'REFUND_FAILED', refundReference: reference, wasAnnounced };
}

function refundMovement(
  { intent }: PaymentChange,
  attempt: PaymentAttempt,
  kind: 'REFUND' | 'REFUND_REVERSAL',
  { amount, providerRefundReference }: RefundOutcome,
) {
  return {
    intentId: intent.id,
    attemptId: attempt.id,
    kind,
    amount,
    currency: intent.currency,
    provider: attempt.provider,
    providerReference: providerRefundReference,
  };
}

function knownRefund(
  { refunds }: PaymentChange,
  { provider }: PaymentAttempt,
  { providerRefundReference, refundReference }: RefundOutcome,
): Refund | undefined {
  const ofProvider = refunds.filter((refund) => refund.provider === provider);
  return (
    ofProvider.find(({ providerReference }) => providerReference === providerRefundReference) ??
    // By our mark only what the provider has not named yet: another refund that carries it is money of its own.
    ofProvider.find(
      ({ reference, providerReference }) => reference === refundReference && providerReference === null,
    )
  );
}

/** A refund that somebody made at the provider. Null when the capture that it belongs to is not in the books. */
function foundRefund(
  change: PaymentChange,
  attempt: PaymentAttempt,
  { captureReference }: ProviderEvent,
  outcome: RefundOutcome,
): Refund | null {
  const capture = capturesOf(change).find(
    (movement) =>
      movement.attemptId === attempt.id &&
      (captureReference === undefined || movement.providerReference === captureReference),
  );
  if (!capture) return null;
  const { amount } = outcome;
  return addRefund(change, { capture, amount, origin: 'PROVIDER', reason: null, nextCheckAt: null });
}
