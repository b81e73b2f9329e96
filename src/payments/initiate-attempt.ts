import type { EntityManager } from 'typeorm';
import {
  ProviderFailure,
  type Initiated,
  type InitiatedAttempt,
  type NextAction,
  type Provider,
} from '../providers/provider.js';
import { applyProviderEvent, endIntent } from './apply-provider-event.js';
import { commitChange } from './commit-change.js';
import type { LoadedPayment } from './loaded-payment.js';
import { attemptReference, isLive, type PaymentAttempt } from './payment-attempt.js';
import {
  afterCommit,
  changeAttempt,
  changePayment,
  isEmpty,
  moveTo,
  type PaymentChange,
} from './payment-change.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { PaymentError } from './payment-error.js';
import type { PaymentIntent } from './payment-intent.js';
import { writePayment } from './write-change.js';

/** Calls under way in this process, by attempt: whoever needs the same answer waits for it instead of asking again. */
const underWay = new Map<string, Promise<LoadedPayment>>();

/**
 * Makes sure that the provider has been asked for this attempt and that its answer is stored. The call carries the
 * attempt's own key, so making it again (after a crash, a lost answer, on another node) gives the same answer and never
 * a second charge. Returns the payment as it is afterwards.
 * @throws {PaymentError} PROVIDER_UNAVAILABLE: nothing happened, the same request may be made again.
 * PROVIDER_REJECTED or PAYMENT_DECLINED: the attempt is over.
 */
export async function initiateAttempt(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  attemptId: string,
): Promise<LoadedPayment> {
  const attempt = attemptOf(payment, attemptId);
  if (isAnswered(attempt)) return payment;
  if (attempt.status === 'FAILED') throw whyItEnded(attempt);
  if (!isLive(attempt)) return payment;
  const others = underWay.get(attemptId);
  if (others) return others;
  const call = callProvider(manager, dependencies, payment, attempt).finally(() =>
    underWay.delete(attemptId),
  );
  underWay.set(attemptId, call);
  return call;
}

/** A notification can be faster than the answer: it brings the reference, but not what the payer does next. */
function isAnswered({ providerReference, sealedNextAction, status }: PaymentAttempt): boolean {
  return providerReference !== null && (sealedNextAction !== null || status !== 'PENDING');
}

async function callProvider(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  attempt: PaymentAttempt,
): Promise<LoadedPayment> {
  const provider = providerOf(dependencies, attempt);
  let answer: Initiated | ProviderFailure;
  try {
    answer = await provider.initiate({
      reference: attemptReference(payment.intent.reference, attempt.number),
      idempotencyKey: attempt.idempotencyKey,
      amount: attempt.amount,
      currency: payment.intent.currency,
      method: attempt.method,
      presentation: attempt.presentation,
      description: payment.order.number ?? payment.order.reference,
      returnUrl: attempt.returnUrl ?? undefined,
      customerEmail: payment.order.customer?.email,
      locale: payment.order.locale,
      captureMethod: payment.intent.captureMethod,
      expiresAt: payment.intent.expiresAt,
    });
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    answer = error;
  }
  const stored = await storeAnswer(manager, dependencies, payment, attempt.id, answer);
  if (answer instanceof ProviderFailure) {
    dependencies.log.warn({ err: answer, attempt: attempt.id }, 'the provider did not open the payment');
    throwIfCallerMustKnow(answer, attemptOf(stored, attempt.id));
  }
  return stored;
}

/** First on what we know, which nearly always still holds and saves a round trip; else on what has happened since. */
async function storeAnswer(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  attemptId: string,
  answer: Initiated | ProviderFailure,
): Promise<LoadedPayment> {
  const prepare = (change: PaymentChange) => applyAnswer(change, dependencies, attemptId, answer);
  const first = changePayment(payment, dependencies.actor);
  prepare(first);
  if (isEmpty(first)) return payment;
  if (!(await commitChange(manager, first))) {
    return writePayment(manager, dependencies, payment.intent.reference, prepare);
  }
  if (first.outboxEvents.length > 0) dependencies.wakeRelay();
  return afterCommit(first);
}

function applyAnswer(
  change: PaymentChange,
  { seal }: PaymentDependencies,
  attemptId: string,
  answer: Initiated | ProviderFailure,
): void {
  const attempt = attemptOf(change, attemptId);
  if (answer instanceof ProviderFailure) {
    applyFailure(change, attempt, answer);
    return;
  }
  if (attempt.sealedNextAction === null) {
    changeAttempt(change, attempt, { sealedNextAction: seal.seal(answer.nextAction, attempt.id) });
  }
  const event = {
    attemptReference: attemptReference(change.intent.reference, attempt.number),
    providerReference: answer.providerReference,
    outcome: { kind: 'pending' } as const,
  };
  applyProviderEvent(change, event, attempt.provider);
}

function applyFailure(change: PaymentChange, attempt: PaymentAttempt, failure: ProviderFailure): void {
  if (attempt.providerReference !== null || !isLive(attempt)) return;
  switch (failure.kind) {
    case 'unavailable':
      return;
    case 'outcomeUnknown':
      changeAttempt(change, attempt, { status: 'UNKNOWN' });
      moveTo(change, 'UNKNOWN');
      return;
    case 'declined':
    case 'rejected':
      // Most refusals speak of this call alone: of an earlier one that was not answered they prove nothing.
      if (attempt.status === 'UNKNOWN' && !failure.coversEarlierCalls) return;
      changeAttempt(change, attempt, {
        status: 'FAILED',
        failureCode: failure.code,
        failureMessage: failure.message,
      });
      if (!change.attempts.some(isLive)) endIntent(change, 'FAILED', failure.code, failure.message);
      return;
    default:
      return failure.kind satisfies never;
  }
}

/** An unknown outcome is not an error to the caller: the payment exists, says UNKNOWN, and can be watched. */
function throwIfCallerMustKnow(failure: ProviderFailure, attempt: PaymentAttempt): void {
  // "Nothing happened" speaks of this call alone: an earlier one that was not answered stays unknown.
  if (failure.kind === 'outcomeUnknown' || attempt.status === 'UNKNOWN') return;
  if (failure.kind === 'unavailable') {
    throw new PaymentError(
      'PROVIDER_UNAVAILABLE',
      `${failure.provider} can't be reached at the moment; nothing was charged. Repeat the same request in a moment, or choose another way to pay.`,
      { cause: failure },
    );
  }
  const kind = failure.kind === 'declined' ? 'PAYMENT_DECLINED' : 'PROVIDER_REJECTED';
  throw new PaymentError(kind, failure.message, { cause: failure });
}

function whyItEnded(attempt: PaymentAttempt): PaymentError {
  return new PaymentError(
    'PROVIDER_REJECTED',
    attempt.failureMessage ?? 'The attempt ended before it began.',
  );
}

export function attemptOf(
  payment: { readonly attempts: readonly PaymentAttempt[] },
  attemptId: string,
): PaymentAttempt {
  const attempt = payment.attempts.find(({ id }) => id === attemptId);
  if (!attempt) throw new Error(`attempt ${attemptId} is not one of this payment`);
  return attempt;
}

/** The attempt as its provider knows it. */
export function asInitiated(
  { reference, currency }: PaymentIntent,
  { number, idempotencyKey, amount }: PaymentAttempt,
  providerReference: string,
): InitiatedAttempt {
  return {
    reference: attemptReference(reference, number),
    providerReference,
    idempotencyKey,
    amount,
    currency,
  };
}

export function providerOf(
  { providers }: Pick<PaymentDependencies, 'providers'>,
  attempt: PaymentAttempt,
): Provider {
  const provider = providers.get(attempt.provider);
  if (provider) return provider;
  throw new PaymentError(
    'PROVIDER_UNAVAILABLE',
    `The provider ${attempt.provider}, with which this payment was begun, is not configured any more.`,
  );
}

/** What the payer does next on this attempt; null once there is nothing left to do. */
export function nextActionOf(seal: PaymentDependencies['seal'], attempt: PaymentAttempt): NextAction | null {
  if (attempt.sealedNextAction === null || attempt.status !== 'PENDING') return null;
  return seal.open(attempt.sealedNextAction, attempt.id);
}
