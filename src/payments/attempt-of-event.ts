import type { ProviderEvent } from '../providers/provider.js';
import type { LoadedPayment } from './loaded-payment.js';
import { parseAttemptReference, type PaymentAttempt } from './payment-attempt.js';

/** By what a provider names a payment. */
export type PaymentNames = Pick<ProviderEvent, 'attemptReference' | 'providerReference' | 'captureReference'>;

type KnownPayment = Pick<LoadedPayment, 'intent' | 'attempts' | 'movements'>;

/**
 * The attempt that a provider speaks of: by the provider's own id of it or of its money, as we have stored them; only
 * then by our mark, which anybody who uses the same account may write on anything.
 */
export function findAttempt(
  payment: KnownPayment,
  event: PaymentNames,
  provider: string,
): PaymentAttempt | undefined {
  const attempts = payment.attempts.filter((attempt) => attempt.provider === provider);
  return (
    attempts.find((attempt) => isNamedByProvider(payment, attempt, event)) ??
    attempts.find((attempt) => isMarked(payment, attempt, event))
  );
}

/** Whether the mark, and all that the provider calls it by, speak of this attempt as we know it. */
export function isConsistent(payment: KnownPayment, event: PaymentNames, provider: string): boolean {
  const attempt = payment.attempts.find(
    (candidate) => candidate.provider === provider && isMarked(payment, candidate, event),
  );
  if (!attempt) return false;
  const { providerReference, captureReference } = event;
  return (
    (providerReference === undefined || providerReference === attempt.providerReference) &&
    (captureReference === undefined || isOfCapture(payment, attempt, captureReference))
  );
}

/** It carries our mark of the attempt, and the provider calls it by another id than the one that we have stored. */
export function namesAnother({ providerReference }: PaymentAttempt, event: ProviderEvent): boolean {
  return (
    event.providerReference !== undefined &&
    providerReference !== null &&
    event.providerReference !== providerReference
  );
}

/**
 * Whether the provider has to be asked before the money is believed: what ties it to the attempt is our mark alone. What
 * is in the books already needs no proof.
 */
export function isMoneyToProve(payment: KnownPayment, event: ProviderEvent, provider: string): boolean {
  const { outcome } = event;
  if (event.isAnswer) return false;
  if (outcome.kind !== 'paid' && outcome.kind !== 'authorized') return false;
  const attempt = findAttempt(payment, event, provider);
  if (!attempt || isNamedByProvider(payment, attempt, event)) return false;
  if (outcome.kind === 'paid' && isOfCapture(payment, attempt, outcome.movementReference)) return false;
  if (attempt.providerReference === null) return true;
  // A hold moves nothing. It is captured by the attempt's own id, and proven by that.
  const isHoldOnPage = outcome.kind === 'authorized' && attempt.presentation === 'REDIRECT';
  return event.namedByMarkAlone === true && !isHoldOnPage;
}

function isNamedByProvider(payment: KnownPayment, attempt: PaymentAttempt, event: PaymentNames): boolean {
  const { providerReference, captureReference } = event;
  if (providerReference !== undefined && providerReference === attempt.providerReference) return true;
  return captureReference !== undefined && isOfCapture(payment, attempt, captureReference);
}

function isMarked({ intent }: KnownPayment, { number }: PaymentAttempt, event: PaymentNames): boolean {
  const ours = event.attemptReference ? parseAttemptReference(event.attemptReference) : undefined;
  return ours?.intentReference === intent.reference && ours.number === number;
}

function isOfCapture({ movements }: KnownPayment, attempt: PaymentAttempt, capture: string): boolean {
  return (
    attempt.providerReference === capture ||
    movements.some(
      ({ kind, attemptId, providerReference }) =>
        kind === 'CAPTURE' && attemptId === attempt.id && providerReference === capture,
    )
  );
}
