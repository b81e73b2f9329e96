import type { EntityManager } from 'typeorm';
import { violatedConstraint } from '../database/statement.js';
import {
  IdempotencyKeyReused,
  KEY_CONSTRAINT,
  keyExpiry,
  keyUse,
  type KeyUse,
} from '../idempotency/key-use.js';
import type { CaptureMethod } from '../providers/provider.js';
import { OrderError } from '../orders/order-error.js';
import { outOfStock } from '../orders/out-of-stock.js';
import { STOCK_CONSTRAINT } from '../orders/stock.js';
import type { Order } from '../orders/order.js';
import { cancelAttemptQuietly } from './cancel-attempt.js';
import { endAtProviders } from './cancel-payment-intent.js';
import { commitChange } from './commit-change.js';
import { attemptOf, initiateAttempt } from './initiate-attempt.js';
import { loadOrderToPay, loadPayment, type LoadedPayment, type OrderToPay } from './loaded-payment.js';
import { isLive, type PaymentAttempt } from './payment-attempt.js';
import { addAttempt, afterCommit, changePayment, openIntent, type PaymentChange } from './payment-change.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { PaymentError } from './payment-error.js';
import { choosePayment, fits, type PaymentChoice, type WantedWay } from './payment-options.js';
import { updatePaymentIntent } from './update-payment-intent.js';
import { awaitsPayer } from './transitions.js';
import { DISTURBED, untilUndisturbed } from './write-change.js';

export interface CreatePaymentIntent extends WantedWay {
  /** The order's public id. */
  readonly orderReference: string;
  readonly returnUrl?: string | null;
  /** Of a new intent; one that is open keeps its own. */
  readonly captureMethod?: CaptureMethod | null;
  /** Who asks, and the key they gave: the same key and the same input give the same answer. */
  readonly caller: string;
  readonly idempotencyKey?: string | null;
}

/** A payment, and the attempt of it that this request is about; null when there is nothing for the payer to do. */
export interface CreatedPayment {
  readonly payment: LoadedPayment;
  readonly attempt: PaymentAttempt | null;
}

/**
 * Opens a payment for an order, or gives the one that is open: the order's stock is held, an attempt is written with the
 * key that its provider call will use, and only then, outside any transaction, the provider is called.
 * @throws {OrderError} ORDER_NOT_FOUND, ORDER_ALREADY_PAID, ORDER_CANCELLED, OUT_OF_STOCK
 * @throws {PaymentError} NO_WAY_TO_PAY, RETURN_URL_…, IDEMPOTENCY_KEY_REUSED, PROVIDER_…, PAYMENT_DECLINED
 */
export async function createPaymentIntent(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  request: CreatePaymentIntent,
): Promise<CreatedPayment> {
  const key = keyUse('createPaymentIntent', request);
  const begun = await untilUndisturbed(async () => {
    const found = await loadOrderToPay(manager, request.orderReference, key);
    if (!found) throw new OrderError('ORDER_NOT_FOUND', 'There is no such order.', 'orderId');
    const overdue = paymentToEnd(found);
    if (overdue) {
      await endAtProviders(manager, dependencies, overdue.intent.reference);
      return DISTURBED;
    }
    const outdated = paymentToUpdate(found);
    if (outdated) {
      await updatePaymentIntent(manager, dependencies, outdated.intent.reference);
      return DISTURBED;
    }
    return begin(manager, dependencies, found, request, key);
  });
  return finish(manager, dependencies, begun);
}

interface Begun {
  readonly payment: LoadedPayment;
  readonly attemptId: string | null;
}

/** Everything up to the call of the provider. */
async function begin(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  { now, order, payment, usedKey }: OrderToPay,
  request: CreatePaymentIntent,
  key: KeyUse | null,
): Promise<Begun | typeof DISTURBED> {
  if (usedKey) {
    if (usedKey.fingerprint !== key?.fingerprint || !payment) throw new IdempotencyKeyReused();
    return { payment, attemptId: usedKey.attemptId };
  }
  refuseUnpayable(order);
  // Money may be moving, or a person decides about it: no second way is opened beside it.
  if (payment && !awaitsPayer(payment.intent.status)) {
    return { payment, attemptId: null };
  }
  const resumed = payment?.attempts.findLast((attempt) => isLive(attempt) && fits(attempt, request));
  if (resumed && payment && !key) return { payment, attemptId: resumed.id };

  const change = payment
    ? changePayment(payment, dependencies.actor)
    : openIntent(order, dependencies.actor, now, {
        expiresAt: new Date(now.getTime() + dependencies.reservationMilliseconds),
        captureMethod: request.captureMethod ?? 'AUTOMATIC',
      });
  const attempt = resumed ?? beginAttempt(change, dependencies, request);
  if (key) change.newKeys.push({ ...key, resourceId: attempt.id, expiresAt: keyExpiry(now) });
  if (!(await write(manager, change))) return DISTURBED;
  if (change.outboxEvents.length > 0) dependencies.wakeRelay();
  return { payment: afterCommit(change), attemptId: attempt.id };
}

/** Like `commitChange`, and what the database refuses is said kindly. A key that was used meanwhile is read again. */
async function write(manager: EntityManager, change: PaymentChange): Promise<boolean> {
  try {
    return await commitChange(manager, change);
  } catch (error) {
    const constraint = violatedConstraint(error);
    if (constraint === STOCK_CONSTRAINT) throw await outOfStock(manager, change.order);
    if (constraint === KEY_CONSTRAINT) return false;
    throw error;
  }
}

async function finish(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  { payment, attemptId }: Begun,
): Promise<CreatedPayment> {
  if (attemptId === null) return { payment, attempt: null };
  const initiated = await initiateAttempt(manager, dependencies, payment, attemptId);
  const attempt = attemptOf(initiated, attemptId);
  const earlier = initiated.attempts.filter(({ number }) => number < attempt.number).filter(isLive);
  if (earlier.length === 0 || !isLive(attempt)) return { payment: initiated, attempt };
  // The payer changed their mind: earlier attempts end at their providers. What can't be ended stays watched.
  for (const other of earlier) await cancelAttemptQuietly(manager, dependencies, initiated, other);
  const after = (await loadPayment(manager, initiated.intent.reference)) ?? initiated;
  return { payment: after, attempt: attemptOf(after, attemptId) };
}

/** Its time is up and the job has not come by yet: it ends now, so that the payer gets one that they can finish. */
function paymentToEnd({ usedKey, payment, now }: OrderToPay): LoadedPayment | null {
  if (usedKey || !payment || payment.intent.expiresAt > now) return null;
  return awaitsPayer(payment.intent.status) ? payment : null;
}

/**
 * The order was changed while its payment was open: the payment follows before the payer goes on with it. Our own row
 * alone is not enough: the provider may not have taken the new amount yet.
 */
function paymentToUpdate({ usedKey, payment, order }: OrderToPay): LoadedPayment | null {
  if (usedKey || !payment || !awaitsPayer(payment.intent.status)) return null;
  const live = payment.attempts.filter(isLive);
  const follows =
    payment.intent.amount === order.amount &&
    (live.length === 0 || live.some(({ amount }) => amount === order.amount));
  return follows ? null : payment;
}

function refuseUnpayable(order: Order): void {
  if (order.status === 'CONFIRMED') throw new OrderError('ORDER_ALREADY_PAID', 'This order is already paid.');
  if (order.status === 'CANCELLED') {
    throw new OrderError('ORDER_CANCELLED', 'This order was cancelled. Make a new one.');
  }
}

function beginAttempt(
  change: PaymentChange,
  dependencies: PaymentDependencies,
  request: CreatePaymentIntent,
): PaymentAttempt {
  const choice = choosePayment(dependencies.providers, change.intent, request);
  const returnUrl = checkedReturnUrl(dependencies, choice, request);
  return addAttempt(change, { ...choice, provider: choice.provider.name, returnUrl });
}

function checkedReturnUrl(
  { mayReturnTo }: PaymentDependencies,
  { provider, presentation }: PaymentChoice,
  { returnUrl }: CreatePaymentIntent,
): string | null {
  if (!returnUrl) {
    if (presentation !== 'REDIRECT') return null;
    throw new PaymentError(
      'RETURN_URL_MISSING',
      `${provider.name} sends the payer away to pay: say in returnUrl where to send them back to.`,
    );
  }
  if (URL.canParse(returnUrl) && mayReturnTo(new URL(returnUrl))) return returnUrl;
  throw new PaymentError(
    'RETURN_URL_NOT_ALLOWED',
    'returnUrl must be an http(s) URL of an origin that this server allows (ALLOWED_ORIGINS).',
  );
}
