import type { EntityManager } from 'typeorm';
import { violatedConstraint } from '../database/statement.js';
import {
  NEVER_ACCEPTED,
  ProviderFailure,
  type AttemptToInitiate,
  type Initiated,
  type InitiatedAttempt,
  type NextAction,
  type Provider,
} from '../providers/provider.js';
import { savedMethodGone } from '../customers/provider-account.js';
import { applyProviderEvent, endIntent } from './apply-provider-event.js';
import { beginAnewForCustomer } from './begin-anew-for-customer.js';
import { SharedCalls } from './shared-calls.js';
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
import { writePayment } from './write-change.js';

/** By attempt: whoever needs the same answer waits for it instead of asking again. */
const initiations = new SharedCalls<LoadedPayment>();

/**
 * Makes sure that the provider has been asked for this attempt and that its answer is stored. The call carries the
 * attempt's own key, so making it again (after a crash, a lost answer, on another node) gives the same answer and never
 * a second charge. Returns the payment as it is afterwards.
 * @throws {PaymentError} PROVIDER_UNAVAILABLE: nothing happened, the same request may be made again.
 * PROVIDER_REJECTED, PAYMENT_DECLINED or AMOUNT_NOT_TAKEN: the attempt is over. @throws {CustomerError} SAVED_METHOD_NOT_FOUND: likewise.
 */
export async function initiateAttempt(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  attemptId: string,
): Promise<LoadedPayment> {
  const attempt = attemptOf(payment, attemptId);
  if (attempt.failureCode === NEVER_ACCEPTED) throw whyItEnded(attempt);
  if (isAnswered(attempt)) return payment;
  if (attempt.status === 'FAILED') throw whyItEnded(attempt);
  if (!isLive(attempt)) return payment;
  return initiations.join(attemptId, () => callProvider(manager, dependencies, payment, attempt));
}

/**
 * A notification can be faster than the answer: it brings the reference, but not what the payer does next. So can the
 * provider's own reference be known of a call whose answer was lost.
 */
function isAnswered({ providerReference, sealedNextAction, status }: PaymentAttempt): boolean {
  const isPayersTurn = status === 'PENDING' || status === 'UNKNOWN';
  return providerReference !== null && (sealedNextAction !== null || !isPayersTurn);
}

async function callProvider(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  attempt: PaymentAttempt,
): Promise<LoadedPayment> {
  const reserved = await reserve(manager, dependencies, payment, attempt);
  let current = reserved instanceof ProviderFailure ? payment : reserved;
  let said =
    reserved instanceof ProviderFailure ? reserved : await initiate(dependencies, reserved, attempt.id);
  if (said instanceof ProviderFailure && said.missing === 'customer') {
    const anew = await beginAnewForCustomer(manager, dependencies, current, attempt.id);
    if (anew) [current, said] = [anew, await initiate(dependencies, anew, attempt.id)];
  }
  if (said === null) return current;
  const { stored, answer } = await storeUsable(manager, dependencies, current, attempt, said);
  if (answer instanceof ProviderFailure) {
    dependencies.log.warn({ err: answer, attempt: attempt.id }, 'the provider did not open the payment');
    throwIfCallerMustKnow(answer, attemptOf(stored, attempt.id));
  }
  return stored;
}

/** The id of another payment is no answer: it would be refused however often the provider gave it. */
async function storeUsable(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  { id, provider }: PaymentAttempt,
  answer: Initiated | ProviderFailure,
): Promise<{ stored: LoadedPayment; answer: Initiated | ProviderFailure }> {
  try {
    return { stored: await storeAnswer(manager, dependencies, payment, id, answer), answer };
  } catch (error) {
    const isTaken = violatedConstraint(error) === 'payment_attempt_provider_reference_once';
    if (answer instanceof ProviderFailure || !isTaken) throw error;
    dependencies.log.error(
      { err: error, attempt: id, provider, providerReference: answer.providerReference },
      'a provider gave a new attempt the id of another one: look at it there',
    );
    const failure = new ProviderFailure(
      provider,
      'rejected',
      'REFERENCE_IN_USE',
      `${provider} answered with another payment than the one that was asked for.`,
      { cause: error, coversEarlierCalls: true },
    );
    return { stored: await storeAnswer(manager, dependencies, payment, id, failure), answer: failure };
  }
}

/** Null when somebody else has ended the attempt, or has got its answer, meanwhile. */
async function initiate(
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  attemptId: string,
): Promise<Initiated | ProviderFailure | null> {
  const attempt = attemptOf(payment, attemptId);
  if (!isLive(attempt) || isAnswered(attempt)) return null;
  try {
    return await providerOf(dependencies, attempt).initiate(asToInitiate(payment, attempt));
  } catch (error) {
    if (error instanceof ProviderFailure) return error;
    throw error;
  }
}

/** Where the provider takes no key of ours: its own reference is stored before anything that could charge is asked for. */
async function reserve(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  attempt: PaymentAttempt,
): Promise<LoadedPayment | ProviderFailure> {
  const provider = providerOf(dependencies, attempt);
  if (!provider.reserve || attempt.providerReference !== null) return payment;
  try {
    const providerReference = await provider.reserve(asToInitiate(payment, attempt));
    if (providerReference === undefined) return payment;
    return await writePayment(manager, dependencies, payment.intent.reference, (change) => {
      const draft = attemptOf(change, attempt.id);
      // Of two that were reserved side by side, the first one that is stored is the one that is used.
      if (draft.providerReference === null) changeAttempt(change, draft, { providerReference });
    });
  } catch (error) {
    if (error instanceof ProviderFailure) return error;
    throw error;
  }
}

function asToInitiate({ now, intent, order }: LoadedPayment, attempt: PaymentAttempt): AttemptToInitiate {
  return {
    reference: attemptReference(intent.reference, attempt.number),
    idempotencyKey: attempt.idempotencyKey,
    amount: attempt.amount,
    currency: intent.currency,
    method: attempt.method,
    presentation: attempt.presentation,
    description: order.number ?? order.reference,
    returnUrl: attempt.returnUrl ?? undefined,
    customerEmail: order.customer?.email,
    customerName: order.customer?.name,
    phoneNumber: attempt.phoneNumber ?? undefined,
    country: attempt.country ?? undefined,
    operator: attempt.operator ?? undefined,
    providerReference: attempt.providerReference ?? undefined,
    locale: order.locale,
    captureMethod: intent.captureMethod,
    customerReference: attempt.customerReference ?? undefined,
    savesMethod: attempt.customerReference !== null && attempt.methodReference === null,
    expiresAt: intent.expiresAt,
    now,
  };
}

/** First on what we know, which nearly always still holds and saves a round trip; else on what has happened since. */
async function storeAnswer(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  attemptId: string,
  answer: Initiated | ProviderFailure,
): Promise<LoadedPayment> {
  const called = attemptOf(payment, attemptId);
  const { reserve: reserves, keyIsReference } = providerOf(dependencies, called);
  const reserved = reserves || keyIsReference ? called.providerReference : null;
  const prepare = (change: PaymentChange) => {
    if (answer instanceof ProviderFailure) applyFailure(change, attemptId, answer, reserved);
    else applyInitiated(change, dependencies, attemptId, answer);
  };
  const first = changePayment(payment, dependencies.actor);
  prepare(first);
  if (isEmpty(first)) return payment;
  if (!(await commitChange(manager, first))) {
    return writePayment(manager, dependencies, payment.intent.reference, prepare);
  }
  if (first.outboxEvents.length > 0) dependencies.wakeRelay();
  return afterCommit(first);
}

function applyInitiated(
  change: PaymentChange,
  { seal }: PaymentDependencies,
  attemptId: string,
  answer: Initiated,
): void {
  const attempt = attemptOf(change, attemptId);
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

/** @param reserved the reference that the call was made with, where it says nothing of whether the provider has acted. */
function applyFailure(
  change: PaymentChange,
  attemptId: string,
  failure: ProviderFailure,
  reserved: string | null,
): void {
  const attempt = attemptOf(change, attemptId);
  // A notification was faster, so the provider has the attempt, whatever its answer was.
  if (attempt.providerReference !== reserved || !isLive(attempt)) return;
  switch (failure.kind) {
    case 'unavailable':
      return;
    case 'outcomeUnknown':
      changeAttempt(change, attempt, {
        status: 'UNKNOWN',
        providerReference: attempt.providerReference ?? failure.providerReference ?? null,
      });
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
  if (failure.missing === 'customer' && attempt.methodReference !== null) throw savedMethodGone(failure);
  if (failure.kind === 'unavailable') {
    throw new PaymentError(
      'PROVIDER_UNAVAILABLE',
      `${failure.provider} can't be reached at the moment; nothing was charged. Repeat the same request in a moment, or choose another way to pay.`,
      { cause: failure },
    );
  }
  if (failure.isAboutAmount) {
    throw new PaymentError('AMOUNT_NOT_TAKEN', failure.message, { cause: failure, field: 'orderId' });
  }
  const kind = failure.kind === 'declined' ? 'PAYMENT_DECLINED' : 'PROVIDER_REJECTED';
  throw new PaymentError(kind, failure.message, { cause: failure });
}

/** Who repeats a request with its key gets its attempt, which does not begin again. */
function whyItEnded({ failureCode, failureMessage }: PaymentAttempt): PaymentError {
  const why = failureMessage?.replace(/\.?$/, '.') ?? 'The attempt ended before it began.';
  const charged = failureCode === NEVER_ACCEPTED ? 'Nothing was charged. ' : '';
  return new PaymentError('PROVIDER_REJECTED', `${why} ${charged}To try again, send a new idempotencyKey.`);
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
  { now, intent, refunds }: Pick<LoadedPayment, 'now' | 'intent' | 'refunds'>,
  { id, number, idempotencyKey, amount, presentation, createdAt }: PaymentAttempt,
  providerReference: string,
): InitiatedAttempt {
  return {
    reference: attemptReference(intent.reference, number),
    providerReference,
    idempotencyKey,
    amount,
    currency: intent.currency,
    presentation,
    begunAt: createdAt,
    now,
    openRefunds: refunds.filter(({ attemptId, status }) => attemptId === id && status !== 'SUCCEEDED'),
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
