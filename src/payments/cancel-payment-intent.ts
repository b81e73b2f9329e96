import type { EntityManager } from 'typeorm';
import { isOfSubscription } from '../orders/order.js';
import { endIntent } from './apply-provider-event.js';
import { cancelAttempt, cancelAttemptQuietly } from './cancel-attempt.js';
import { loadPayment, type LoadedPayment } from './loaded-payment.js';
import { attemptOf, providerOf } from './initiate-attempt.js';
import { endWithoutProvider, isConfigured } from './missing-provider.js';
import { isLive, type PaymentAttempt } from './payment-attempt.js';
import { watchWhatIsLeft, type PaymentChange } from './payment-change.js';
import { mayEndPayment, moneyStateOf, refuseEndOfHold, type Party } from './order-rights.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { PaymentError } from './payment-error.js';
import { awaitsPayer, isOpen, isOverWithoutMoney, type PaymentStatus } from './transitions.js';
import { writePayment } from './write-change.js';

/**
 * Ends a payment at its providers and gives its stock back. A payment that is over without money stays as it is.
 * @throws {PaymentError} PAYMENT_NOT_FOUND; PAYMENT_NOT_CANCELLABLE when money moved or is moving, or when only the
 * provider of a subscription ends it; PROVIDER_UNAVAILABLE when the provider doesn't say whether it ended.
 * @throws {AccessError} FORBIDDEN: a payer or support would let go of money that is held.
 */
export async function cancelPaymentIntent(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  party: Party,
  intentReference: string,
): Promise<LoadedPayment> {
  const mayEnd = ({ intent: { status }, order }: LoadedPayment | PaymentChange) =>
    isEndable(status) && mayEndPayment(party, order, moneyStateOf([status]));
  if (party !== 'MERCHANT') await endBeforeItIsHeld(manager, dependencies, intentReference, mayEnd);
  const payment = await endAtProviders(manager, dependencies, intentReference, mayEnd);
  const { status } = payment.intent;
  refuseEndOfHold(party, payment.order, moneyStateOf([status]));
  if (isOverWithoutMoney(status)) return payment;
  // Nobody can say whether its money is moving, and the error says why.
  for (const attempt of payment.attempts.filter(isLive)) providerOf(dependencies, attempt);
  throw new PaymentError(
    'PAYMENT_NOT_CANCELLABLE',
    isOfSubscription(payment.order) && isOpen(status)
      ? 'The provider of its subscription collects this payment: cancel the subscription instead.'
      : `This payment is ${status}: money moved or is moving, so it can't be cancelled any more.`,
  );
}

function isEndable(status: PaymentStatus): boolean {
  return awaitsPayer(status) || status === 'AUTHORIZED';
}

/**
 * Where money is to be held, the end by who may not let go of it is written before the provider is told: the provider would let go of a hold
 * that we have not heard of. A hold that comes afterwards was promised to nobody.
 */
async function endBeforeItIsHeld(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  intentReference: string,
  mayEnd: (payment: PaymentChange) => boolean,
): Promise<void> {
  let isEnded = false;
  const payment = await writePayment(manager, dependencies, intentReference, (change) => {
    const { captureMethod } = change.intent;
    isEnded = captureMethod === 'MANUAL' && !isOfSubscription(change.order) && mayEnd(change);
    if (!isEnded) return;
    endIntent(change, 'CANCELLED', 'CANCELLED', '');
    watchWhatIsLeft(change);
  });
  if (!isEnded) return;
  for (const attempt of payment.attempts.filter(isLive)) {
    await cancelAttemptQuietly(manager, dependencies, payment, attempt);
  }
}

/**
 * Ends every attempt that may still bring money, one after the other, and the intent with the last of them. What a
 * provider collects by itself only it can end.
 */
export async function endAtProviders(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  intentReference: string,
  mayEndIt: (payment: LoadedPayment | PaymentChange) => boolean = isAwaitingPayer,
): Promise<LoadedPayment> {
  const isEndableHere = (payment: LoadedPayment | PaymentChange) =>
    mayEndIt(payment) && !isOfSubscription(payment.order);
  let payment = await loadPayment(manager, intentReference);
  if (!payment) throw new PaymentError('PAYMENT_NOT_FOUND', 'There is no such payment intent.');
  for (const { id } of payment.attempts.filter(isLive)) {
    if (!isEndableHere(payment)) break;
    payment = isConfigured(dependencies, attemptOf(payment, id))
      ? await cancelAttempt(manager, dependencies, payment, id)
      : await endWithoutProvider(manager, dependencies, payment, id, { isWanted: true });
  }
  const mayEnd = (ended: LoadedPayment | PaymentChange) =>
    isEndableHere(ended) && !ended.attempts.some((attempt) => standsInTheWay(dependencies, attempt));
  if (!mayEnd(payment)) return payment;
  return writePayment(manager, dependencies, intentReference, (change) => {
    if (!mayEnd(change)) return;
    endIntent(change, 'CANCELLED', 'CANCELLED', '');
    watchWhatIsLeft(change);
  });
}

function isAwaitingPayer({ intent }: LoadedPayment | PaymentChange): boolean {
  return awaitsPayer(intent.status);
}

/**
 * An attempt that only its payer and time can end is no reason to hold the stock, once its provider has said that nothing
 * has moved. It stays watched, and money that comes all the same is late money.
 */
function standsInTheWay(dependencies: PaymentDependencies, attempt: PaymentAttempt): boolean {
  if (!isLive(attempt)) return false;
  const isOpenThere = attempt.status === 'PENDING' && attempt.providerReference !== null;
  // Nobody can be asked about it: it ends when its time is up, and not before.
  if (!isConfigured(dependencies, attempt)) return true;
  return !isOpenThere || providerOf(dependencies, attempt).cancel !== undefined;
}
