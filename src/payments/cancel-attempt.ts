import type { EntityManager } from 'typeorm';
import { ProviderFailure, type ProviderEvent } from '../providers/provider.js';
import { applyAnswer } from './ask-provider.js';
import { asInitiated, attemptOf, initiateAttempt, providerOf } from './initiate-attempt.js';
import { loadPayment, type LoadedPayment } from './loaded-payment.js';
import { askAndNote } from './note-unreadable-answer.js';
import { isLive, type PaymentAttempt } from './payment-attempt.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { PaymentError } from './payment-error.js';

/**
 * Ends an attempt at its provider, and stores what the provider says of it then: it may also be that it was paid, or,
 * where only the payer and time can end it, that it is still open.
 * An attempt whose first call was never answered is asked for again with its own key, for it may exist there.
 * @throws {PaymentError} PROVIDER_UNAVAILABLE: it is not known whether it ended, and it stays watched.
 */
export async function cancelAttempt(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  attemptId: string,
): Promise<LoadedPayment> {
  const { providerReference } = attemptOf(payment, attemptId);
  const initiated =
    providerReference === null ? await beginOrEnd(manager, dependencies, payment, attemptId) : payment;
  const attempt = attemptOf(initiated, attemptId);
  if (!isLive(attempt)) return initiated;
  if (attempt.providerReference === null) throw notKnown(attempt);
  const events = await askToCancel(manager, dependencies, initiated, attempt, attempt.providerReference);
  return applyAnswer(manager, dependencies, initiated, attempt, events);
}

/** Begun anew, the provider may refuse it, and then it is over as well. */
async function beginOrEnd(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  attemptId: string,
): Promise<LoadedPayment> {
  const attempt = attemptOf(payment, attemptId);
  if (providerOf(dependencies, attempt).reserve) {
    const outcome = { kind: 'cancelled', reason: 'it was never begun at the provider' } as const;
    return applyAnswer(manager, dependencies, payment, attempt, [{ outcome }]);
  }
  try {
    return await initiateAttempt(manager, dependencies, payment, attemptId);
  } catch (error) {
    const isOver = error instanceof PaymentError && error.kind !== 'PROVIDER_UNAVAILABLE';
    const after = isOver ? await loadPayment(manager, payment.intent.reference) : null;
    if (!after) throw error;
    return after;
  }
}

/**
 * For an attempt that another one has replaced, or whose payment is over: if it can't be ended now, it stays watched, and
 * nobody waits for it. One whose money is held by now stays: only the merchant lets go of a hold.
 */
export async function cancelAttemptQuietly(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  attempt: PaymentAttempt,
): Promise<void> {
  try {
    const present = (await loadPayment(manager, payment.intent.reference)) ?? payment;
    if (attemptOf(present, attempt.id).status === 'AUTHORIZED') return;
    await cancelAttempt(manager, dependencies, present, attempt.id);
  } catch (error) {
    if (!(error instanceof PaymentError)) throw error;
    dependencies.log.warn(
      { err: error, attempt: attempt.id },
      'a replaced attempt could not be ended at its provider and stays watched',
    );
  }
}

async function askToCancel(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  attempt: PaymentAttempt,
  providerReference: string,
): Promise<readonly ProviderEvent[]> {
  const provider = providerOf(dependencies, attempt);
  const initiated = asInitiated(payment, attempt, providerReference);
  try {
    // Where nobody can end it, it is asked about: time, or the payer, may have ended it.
    return await askAndNote(manager, dependencies, payment, attempt, async () =>
      provider.cancel ? [await provider.cancel(initiated)] : provider.verify(initiated),
    );
  } catch (error) {
    if (error instanceof ProviderFailure) throw notKnown(attempt, error);
    throw error;
  }
}

function notKnown(attempt: PaymentAttempt, cause?: unknown): PaymentError {
  return new PaymentError(
    'PROVIDER_UNAVAILABLE',
    `${attempt.provider} does not say whether the payment could be ended. Try again in a moment.`,
    { cause },
  );
}
