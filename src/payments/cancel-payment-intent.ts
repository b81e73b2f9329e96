import type { EntityManager } from 'typeorm';
import { isOfSubscription } from '../orders/order.js';
import { endIntent } from './apply-provider-event.js';
import { cancelAttempt } from './cancel-attempt.js';
import { loadPayment, type LoadedPayment } from './loaded-payment.js';
import { providerOf } from './initiate-attempt.js';
import { isLive, type PaymentAttempt } from './payment-attempt.js';
import { watchWhatIsLeft, type PaymentChange } from './payment-change.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { PaymentError } from './payment-error.js';
import { awaitsPayer, isOpen, type PaymentStatus } from './transitions.js';
import { writePayment } from './write-change.js';

/**
 * Ends a payment at its providers and gives its stock back. A payment that is over without money stays as it is.
 * @throws {PaymentError} PAYMENT_NOT_FOUND; PAYMENT_NOT_CANCELLABLE when money moved or is moving, or when only the
 * provider of a subscription ends it; PROVIDER_UNAVAILABLE when the provider doesn't say whether it ended.
 */
export async function cancelPaymentIntent(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  intentReference: string,
): Promise<LoadedPayment> {
  const mayEnd = (from: PaymentStatus) => awaitsPayer(from) || from === 'AUTHORIZED';
  const payment = await endAtProviders(manager, dependencies, intentReference, mayEnd);
  const { status } = payment.intent;
  if (status === 'CANCELLED' || status === 'EXPIRED' || status === 'FAILED') return payment;
  throw new PaymentError(
    'PAYMENT_NOT_CANCELLABLE',
    isOfSubscription(payment.order) && isOpen(status)
      ? 'The provider of its subscription collects this payment: cancel the subscription instead.'
      : `This payment is ${status}: money moved or is moving, so it can't be cancelled any more.`,
  );
}

/**
 * Ends every attempt that may still bring money, one after the other, and the intent with the last of them. What a
 * provider collects by itself only it can end.
 */
export async function endAtProviders(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  intentReference: string,
  mayEndFrom: (status: PaymentStatus) => boolean = awaitsPayer,
): Promise<LoadedPayment> {
  const isEndable = ({ intent, order }: LoadedPayment | PaymentChange) =>
    mayEndFrom(intent.status) && !isOfSubscription(order);
  let payment = await loadPayment(manager, intentReference);
  if (!payment) throw new PaymentError('PAYMENT_NOT_FOUND', 'There is no such payment intent.');
  for (const { id } of payment.attempts.filter(isLive)) {
    if (!isEndable(payment)) break;
    payment = await cancelAttempt(manager, dependencies, payment, id);
  }
  const mayEnd = (ended: LoadedPayment | PaymentChange) =>
    isEndable(ended) && !ended.attempts.some((attempt) => standsInTheWay(dependencies, attempt));
  if (!mayEnd(payment)) return payment;
  return writePayment(manager, dependencies, intentReference, (change) => {
    if (!mayEnd(change)) return;
    endIntent(change, 'CANCELLED', 'CANCELLED', '');
    watchWhatIsLeft(change);
  });
}

/**
 * An attempt that only its payer and time can end is no reason to hold the stock, once its provider has said that nothing
 * has moved. It stays watched, and money that comes all the same is late money.
 */
function standsInTheWay(dependencies: PaymentDependencies, attempt: PaymentAttempt): boolean {
  if (!isLive(attempt)) return false;
  const isOpenThere = attempt.status === 'PENDING' && attempt.providerReference !== null;
  return !isOpenThere || providerOf(dependencies, attempt).cancel !== undefined;
}
