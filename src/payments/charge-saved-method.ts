import type { EntityManager } from 'typeorm';
import { noteSavedMethodGone } from '../customers/change-saved-methods.js';
import { savedMethodGone } from '../customers/provider-account.js';
import { ProviderFailure, type ProviderEvent } from '../providers/provider.js';
import { applyProviderEvent } from './apply-provider-event.js';
import { SharedCalls } from './shared-calls.js';
import { asInitiated, attemptOf, providerOf } from './initiate-attempt.js';
import type { LoadedPayment } from './loaded-payment.js';
import { attemptReference, type PaymentAttempt } from './payment-attempt.js';
import { changeAttempt, moveTo, type PaymentChange } from './payment-change.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { PaymentError } from './payment-error.js';
import { awaitsPayer } from './transitions.js';
import { writePayment } from './write-change.js';

/** By attempt: whoever asks for the same charge waits for it. */
const charges = new SharedCalls<LoadedPayment>();

/**
 * Charges the saved way to pay that the attempt was made for, once the provider has the attempt. It is done because
 * somebody asks for it, and by no job: after a crash the same request does it, and else the payer pays in person.
 * @throws {PaymentError} PROVIDER_UNAVAILABLE: nothing was charged, the same request may be made again.
 * @throws {CustomerError} SAVED_METHOD_NOT_FOUND: nothing was charged, and the payment can be paid otherwise.
 */
export function chargeSavedMethod(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  attemptId: string,
): Promise<LoadedPayment> {
  const isDue = awaitsPayer(payment.intent.status) && isChargeDue(attemptOf(payment, attemptId));
  if (!isDue) return Promise.resolve(payment);
  return charges.join(attemptId, () => charge(manager, dependencies, payment, attemptId));
}

/** Once it was declined, it is the payer's turn: the same request does not try again behind their back. */
function isChargeDue({ status, methodReference, providerReference, failureCode }: PaymentAttempt): boolean {
  const isUndecided = status === 'PENDING' || status === 'UNKNOWN';
  return isUndecided && methodReference !== null && providerReference !== null && failureCode === null;
}

async function charge(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  attemptId: string,
): Promise<LoadedPayment> {
  const attempt = attemptOf(payment, attemptId);
  const answer = await ask(dependencies, payment, attempt);
  if (answer instanceof ProviderFailure) {
    dependencies.log.warn({ err: answer, attempt: attemptId }, 'a saved way to pay was not charged');
    if (answer.kind === 'unavailable') throw unavailable(answer);
  }
  const isGone = answer instanceof ProviderFailure && answer.missing !== undefined;
  if (isGone && attempt.methodReference !== null) {
    await noteSavedMethodGone(manager, attempt.provider, attempt.methodReference);
  }
  const written = await writePayment(manager, dependencies, payment.intent.reference, (change) => {
    if (answer instanceof ProviderFailure && answer.kind === 'outcomeUnknown')
      return notKnown(change, attemptId);
    const event = answer instanceof ProviderFailure ? declinedBy(answer) : answer;
    const reference = attemptReference(change.intent.reference, attempt.number);
    applyProviderEvent(change, { ...event, attemptReference: reference }, attempt.provider);
  });
  if (isGone) throw savedMethodGone(answer);
  return written;
}

async function ask(
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  attempt: PaymentAttempt,
): Promise<ProviderEvent | ProviderFailure> {
  const { chargeSavedMethod: chargeIt } = providerOf(dependencies, attempt);
  const { customerReference, methodReference, providerReference, offSession } = attempt;
  if (!chargeIt || !customerReference || !methodReference || !providerReference) {
    throw new PaymentError('NO_WAY_TO_PAY', `${attempt.provider} can't charge a saved payment method.`);
  }
  try {
    const initiated = asInitiated(payment, attempt, providerReference);
    return await chargeIt(initiated, { customerReference, methodReference, offSession });
  } catch (error) {
    if (error instanceof ProviderFailure) return error;
    throw error;
  }
}

/** What was saved can't be charged; the payment can still be paid otherwise. */
function declinedBy({ code, message, missing }: ProviderFailure): ProviderEvent {
  if (missing !== undefined) {
    const gone = 'The saved payment method is not at its provider any more.';
    return { outcome: { kind: 'declined', code: 'payment_method_missing', message: gone } };
  }
  return { outcome: { kind: 'declined', code, message } };
}

function notKnown(change: PaymentChange, attemptId: string): void {
  const attempt = attemptOf(change, attemptId);
  // A notification was faster.
  if (attempt.status !== 'PENDING' || attempt.failureCode !== null) return;
  changeAttempt(change, attempt, { status: 'UNKNOWN' });
  moveTo(change, 'UNKNOWN');
}

function unavailable(failure: ProviderFailure): PaymentError {
  return new PaymentError(
    'PROVIDER_UNAVAILABLE',
    `${failure.provider} can't be reached at the moment; nothing was charged. Repeat the same request in a moment.`,
    { cause: failure },
  );
}
