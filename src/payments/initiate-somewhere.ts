import type { EntityManager } from 'typeorm';
import { SharedCalls } from './shared-calls.js';
import { chainOf, fallBack, lastInPlaceOf, type FallenBack } from './fall-back.js';
import { attemptOf, initiateAttempt } from './initiate-attempt.js';
import type { LoadedPayment } from './loaded-payment.js';
import type { PaymentAttempt } from './payment-attempt.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { PaymentError } from './payment-error.js';
import type { PayerDetails, WantedWay } from './payment-options.js';

export interface InitiatedSomewhere {
  readonly initiated: LoadedPayment;
  readonly attempt: PaymentAttempt;
}

/**
 * From provider to provider, by the first attempt: an equal request waits for the end of it.
 * Between a provider's "unavailable" and the next provider's call it must not ask the first one again.
 */
const chains = new SharedCalls<InitiatedSomewhere>();

/**
 * For a new attempt: from provider to provider, while each of them has surely done nothing.
 * @throws {PaymentError} PROVIDER_UNAVAILABLE, PROVIDER_REJECTED, PAYMENT_DECLINED
 */
export function initiateSomewhere(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  begun: FallenBack,
  wanted: WantedWay & PayerDetails,
): Promise<InitiatedSomewhere> {
  return chains.join(begun.attemptId, () => goOn(manager, dependencies, begun, wanted));
}

async function goOn(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  { payment, attemptId }: FallenBack,
  wanted: WantedWay & PayerDetails,
): Promise<InitiatedSomewhere> {
  try {
    const initiated = await initiateAttempt(manager, dependencies, payment, attemptId);
    return { initiated, attempt: attemptOf(initiated, attemptId) };
  } catch (error) {
    if (!(error instanceof PaymentError && error.kind === 'PROVIDER_UNAVAILABLE')) throw error;
    const next = await fallBack(manager, dependencies, payment, attemptId, wanted);
    if (!next) throw error;
    return goOn(manager, dependencies, next, wanted);
  }
}

/**
 * For an attempt that another request has made: it goes nowhere else, but follows to where that request has gone.
 * @throws {PaymentError} PROVIDER_UNAVAILABLE, PROVIDER_REJECTED, PAYMENT_DECLINED
 */
export async function initiateHere(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  { payment, attemptId }: FallenBack,
): Promise<InitiatedSomewhere> {
  const first = chainOf(payment.attempts, attemptOf(payment, attemptId)).at(-1);
  const chain = first && chains.find(first.id);
  if (chain) return chain;
  const initiated = await initiateAttempt(manager, dependencies, payment, attemptId);
  const attempt = attemptOf(initiated, attemptId);
  const last = lastInPlaceOf(initiated.attempts, attempt);
  if (last === attempt) return { initiated, attempt };
  return initiateHere(manager, dependencies, { payment: initiated, attemptId: last.id });
}
