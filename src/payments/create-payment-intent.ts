import type { EntityManager } from 'typeorm';
import { violatedConstraint } from '../database/statement.js';
import {
  IdempotencyKeyReused,
  KEY_CONSTRAINT,
  keyExpiry,
  keyUse,
  type KeyUse,
} from '../idempotency/key-use.js';
import type { CaptureMethod, PaymentMethod } from '../providers/provider.js';
import { excessHold } from '../orders/hold-limits.js';
import { OrderError } from '../orders/order-error.js';
import { refuseOutsideLimits } from '../orders/order-limits.js';
import { soldOutError, whatIsSoldOut } from '../orders/sold-out.js';
import { isOfSubscription, type Order } from '../orders/order.js';
import { cancelAttemptQuietly } from './cancel-attempt.js';
import { endAtProviders } from './cancel-payment-intent.js';
import { chargeSavedMethod } from './charge-saved-method.js';
import { commitChange } from './commit-change.js';
import { lastInPlaceOf } from './fall-back.js';
import { attemptOf, nextActionOf } from './initiate-attempt.js';
import { initiateHere, initiateSomewhere, type InitiatedSomewhere } from './initiate-somewhere.js';
import { refuseAfterDeclines } from './declines.js';
import { loadOrderToPay, loadPayment, type LoadedPayment, type OrderToPay } from './loaded-payment.js';
import { isLive, type PaymentAttempt } from './payment-attempt.js';
import {
  addAttempt,
  afterCommit,
  changePayment,
  openIntent,
  openPaidIntent,
  type PaymentChange,
} from './payment-change.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { PaymentError } from './payment-error.js';
import { choosePayment, fits, type PayerDetails, type WantedWay } from './payment-options.js';
import { readCountry, readPhoneNumber } from './phone-number.js';
import { chooseSavedWay, type SavedWay, type WantedSavedMethod } from './saved-way-to-pay.js';
import { followOrder, whyCannotFollow } from './update-payment-intent.js';
import { awaitsPayer } from './transitions.js';
import { takePhonePrompt } from './take-phone-prompt.js';
import { DISTURBED, untilUndisturbed } from './write-change.js';

export interface CreatePaymentIntent extends WantedWay, PayerDetails, WantedSavedMethod {
  /** The order's public id. */
  readonly orderReference: string;
  /** Of a new intent; null: AUTOMATIC. One that is open keeps its own, and another one is refused. */
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
 * key that its provider call will use, and only then, outside any transaction, the provider is called. The payment of an
 * order that costs nothing is PAID at once, without a provider.
 * @throws {OrderError} ORDER_NOT_FOUND, ORDER_ALREADY_PAID, ORDER_CANCELLED, OUT_OF_STOCK, FULLY_BOOKED,
 * INVALID_ORDER (its booking is over, or it is more than one buyer may hold), AMOUNT_OUTSIDE_LIMITS
 * @throws {PaymentError} CAPTURE_METHOD_FIXED, NO_WAY_TO_PAY, AMOUNT_NOT_TAKEN, COUNTRY_…, PHONE_NUMBER_…, OPERATOR_MISSING, RETURN_URL_…,
 * IDEMPOTENCY_KEY_REUSED, PROVIDER_…, PAYMENT_DECLINED, CUSTOMER_MISSING, SAVED_METHOD_MISSING
 * @throws {LimitError} RATE_LIMITED: too many cards were declined, the phone was asked too often, or too much is held unpaid
 * @throws {CustomerError} SAVED_METHOD_NOT_FOUND, NO_WAY_TO_PAY, PROVIDER_…
 */
export async function createPaymentIntent(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  asked: CreatePaymentIntent,
  clientDigest: string | null = null,
): Promise<CreatedPayment> {
  const key = keyUse('createPaymentIntent', asked);
  const chosen = await chooseSavedWay(manager, dependencies, asked.orderReference, asked);
  const request = {
    ...asked,
    ...readPayer(asked),
    returnUrl: readReturnUrl(dependencies, asked.returnUrl),
    method: asked.method ?? methodMeant(asked),
    ...chosen?.way,
    saved: chosen?.saved ?? null,
    prompt: { isTaken: false },
  };
  const begun = await untilUndisturbed(async () => {
    const found = await loadOrderToPay(manager, request.orderReference, key, clientDigest);
    if (!found) throw new OrderError('ORDER_NOT_FOUND', 'There is no such order.', 'orderId');
    if (!found.usedKey && found.order.status === 'OPEN') {
      refuseOutsideLimits(dependencies.orderLimits, found.order, 'orderId');
    }
    const overdue = paymentToEnd(found);
    if (overdue) {
      await endAtProviders(manager, dependencies, overdue.intent.reference);
      return DISTURBED;
    }
    const outdated = paymentToUpdate(found);
    if (outdated && whyCannotFollow(dependencies, outdated) !== null) {
      // Its provider can't count the new total: another payment takes its place, there or elsewhere.
      await endAtProviders(manager, dependencies, outdated.intent.reference);
      return DISTURBED;
    }
    if (outdated) {
      await followOrder(manager, dependencies, outdated.intent.reference);
      return DISTURBED;
    }
    return begin(manager, dependencies, found, { ...request, clientDigest }, key);
  });
  return finish(manager, dependencies, begun, request);
}

/** What was asked for, read and completed. */
interface Request extends CreatePaymentIntent {
  /** Null: nothing saved is to be charged, and nothing to be saved. */
  readonly saved: SavedWay | null;
  /** Of the payer's address; null where the merchant asks. */
  readonly clientDigest?: string | null;
  /** However often the write is repeated, the phone rings once. */
  readonly prompt: { isTaken: boolean };
}

interface Begun {
  readonly payment: LoadedPayment;
  readonly attemptId: string | null;
  /** Whether this request has made the attempt, so that nobody can have called its provider before. */
  readonly isNew: boolean;
}

/** Who gives a phone number, and nothing else of how to pay, wants to pay with their phone. */
function methodMeant({ phoneNumber, provider, presentation }: CreatePaymentIntent): PaymentMethod | null {
  return phoneNumber && !provider && !presentation ? 'MOBILE_MONEY' : null;
}

/** The number's own country counts: a payer abroad keeps their operator. @throws {PaymentError} PHONE_NUMBER_INVALID, COUNTRY_INVALID */
function readPayer({ phoneNumber, country }: PayerDetails): PayerDetails {
  const said = country ? readCountry(country) : null;
  return phoneNumber ? readPhoneNumber(phoneNumber, said) : { country: said };
}

/** Everything up to the call of the provider. */
async function begin(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  { now, order, payment, usedKey, recentDeclines }: OrderToPay,
  request: Request,
  key: KeyUse | null,
): Promise<Begun | typeof DISTURBED> {
  if (usedKey) {
    if (usedKey.fingerprint !== key?.fingerprint || !payment) throw new IdempotencyKeyReused();
    if (usedKey.madeId === payment.intent.id) return { payment, attemptId: null, isNew: false };
    const attempt = lastInPlaceOf(payment.attempts, attemptOf(payment, usedKey.madeId));
    return { payment, attemptId: attempt.id, isNew: false };
  }
  refuseUnpayable(order, now);
  if (payment) refuseOtherCapture(payment, request);
  // Money may be moving, or a person decides about it: no second way is opened beside it.
  if (payment && !awaitsPayer(payment.intent.status)) {
    return { payment, attemptId: null, isNew: false };
  }
  if (order.amount === 0 && !isOfSubscription(order)) {
    return payNothing(manager, dependencies, { now, order }, request, key);
  }
  refuseUnresolvedMethod(request);
  if (!payment && request.clientDigest) refuseAfterDeclines(recentDeclines, dependencies.declinesPerHour);
  const resumed = payment?.attempts.findLast(
    (attempt) =>
      isLive(attempt) &&
      isWhatWasAsked(attempt, request) &&
      sendsBackTo(dependencies, attempt, request.returnUrl),
  );
  if (isOfSubscription(order) && !resumed?.sealedNextAction) throw onlyItsProvider(payment);
  if (resumed && payment && !key) return { payment, attemptId: resumed.id, isNew: false };

  const change = payment
    ? changePayment(payment, dependencies.actor)
    : openIntent(order, dependencies.actor, now, termsOf(dependencies, now, request));
  const attempt = resumed ?? beginAttempt(change, dependencies, request);
  if (!resumed && !request.prompt.isTaken) {
    await takePhonePrompt(manager, dependencies, attempt);
    request.prompt.isTaken = true;
  }
  if (key) change.newKeys.push({ ...key, resourceId: attempt.id, expiresAt: keyExpiry(now) });
  if (!(await write(manager, change))) return DISTURBED;
  if (change.outboxEvents.length > 0) dependencies.wakeRelay();
  return { payment: afterCommit(change), attemptId: attempt.id, isNew: !resumed };
}

/** An order that costs nothing is paid by whoever asks to pay it, without a provider, and its stock is taken at once. */
async function payNothing(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  { now, order }: Pick<OrderToPay, 'now' | 'order'>,
  request: Request,
  key: KeyUse | null,
): Promise<Begun | typeof DISTURBED> {
  const change = openPaidIntent(order, dependencies.actor, now, termsOf(dependencies, now, request));
  if (key) change.newKeys.push({ ...key, resourceId: change.intent.id, expiresAt: keyExpiry(now) });
  if (!(await write(manager, change))) return DISTURBED;
  dependencies.wakeRelay();
  return { payment: afterCommit(change), attemptId: null, isNew: false };
}

function termsOf(
  { reservationMilliseconds, holdLimits }: PaymentDependencies,
  now: Date,
  { captureMethod, clientDigest = null }: Request,
) {
  const expiresAt = new Date(now.getTime() + reservationMilliseconds);
  return { expiresAt, clientDigest, holdLimits, captureMethod: captureMethod ?? ('AUTOMATIC' as const) };
}

/** It was not looked up because the order cost nothing then. */
function refuseUnresolvedMethod({ savedMethodId, saveMethod, saved }: Request): void {
  if (saved !== null || (!savedMethodId && !saveMethod)) return;
  throw new PaymentError('CHANGED_TOO_OFTEN', 'The order was changed meanwhile. Repeat the same request.');
}

/** Like `commitChange`, and what the database refuses is said kindly. A key that was used meanwhile is read again. */
async function write(manager: EntityManager, change: PaymentChange): Promise<boolean> {
  try {
    return await commitChange(manager, change);
  } catch (error) {
    const excess = excessHold(error, 'orderId');
    if (excess) throw excess;
    const gone = whatIsSoldOut(error);
    if (gone) throw await soldOutError(manager, change.order, gone);
    if (violatedConstraint(error) === KEY_CONSTRAINT) return false;
    throw error;
  }
}

async function finish(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  { payment, attemptId, isNew }: Begun,
  request: Request,
): Promise<CreatedPayment> {
  if (attemptId === null) return { payment, attempt: null };
  const begun = isNew
    ? await initiateSomewhere(manager, dependencies, { payment, attemptId }, request)
    : await initiateHere(manager, dependencies, { payment, attemptId });
  const alone = await endEarlier(manager, dependencies, begun);
  return chargeIfAsked(manager, dependencies, alone, request);
}

/** The payer changed their mind: earlier attempts end at their providers. What can't be ended stays watched. */
async function endEarlier(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  { initiated, attempt }: InitiatedSomewhere,
): Promise<CreatedPayment> {
  const earlier = initiated.attempts.filter(({ number }) => number < attempt.number).filter(isLive);
  const goesOnAlone = earlier.length > 0 && isLive(attempt) && !isOfSubscription(initiated.order);
  if (!goesOnAlone) return { payment: initiated, attempt };
  for (const other of earlier) await cancelAttemptQuietly(manager, dependencies, initiated, other);
  const after = (await loadPayment(manager, initiated.intent.reference)) ?? initiated;
  if (after.intent.status !== 'AUTHORIZED') return { payment: after, attempt: attemptOf(after, attempt.id) };
  // The payer was faster by the earlier one, and its money is held: nothing is opened beside it.
  await cancelAttemptQuietly(manager, dependencies, after, attempt);
  return { payment: after, attempt: null };
}

/** Whoever only opens a payment charges nothing that was saved, even where somebody else had asked for it. */
async function chargeIfAsked(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  begun: CreatedPayment,
  { saved }: Request,
): Promise<CreatedPayment> {
  const { payment, attempt } = begun;
  if (!attempt || !saved?.methodReference || saved.methodReference !== attempt.methodReference) return begun;
  const charged = await chargeSavedMethod(manager, dependencies, payment, attempt.id);
  return { payment: charged, attempt: attemptOf(charged, attempt.id) };
}

/** A payer who corrects their number, or says another operator or country, is not served by what they had before. */
function isWhatWasAsked(attempt: PaymentAttempt, request: Request): boolean {
  const same = (asked: string | null | undefined, had: string | null) => !asked || asked === had;
  const isMobileMoney = attempt.presentation === 'PHONE' || attempt.method === 'MOBILE_MONEY';
  const sameWallet =
    !isMobileMoney ||
    (same(request.phoneNumber, attempt.phoneNumber) &&
      same(request.operator, attempt.operator) &&
      same(request.country, attempt.country));
  // Elsewhere a country only says which route is taken: one that was not said before changes nothing.
  const sameRoute = attempt.country === null || same(request.country, attempt.country);
  return sameWallet && sameRoute && isSavedAsAsked(attempt, request) && fits(attempt, request);
}

/** A page that was opened for another address would send the payer back there. */
function sendsBackTo(
  { seal }: Pick<PaymentDependencies, 'seal'>,
  attempt: PaymentAttempt,
  returnUrl: string | null | undefined,
): boolean {
  if (!returnUrl || returnUrl === attempt.returnUrl) return true;
  if (attempt.presentation === 'REDIRECT') return false;
  // Some operators ask on a page of theirs instead of on the phone. A phone that rings is not rung again for an address.
  return nextActionOf(seal, attempt)?.type !== 'RedirectToUrl';
}

/** When the money is taken is the merchant's wish, and a payment that somebody may be paying does not change it. */
function refuseOtherCapture(
  { intent: { captureMethod, status } }: LoadedPayment,
  { captureMethod: wanted }: CreatePaymentIntent,
): void {
  if (!wanted || wanted === captureMethod) return;
  throw new PaymentError(
    'CAPTURE_METHOD_FIXED',
    `This order’s payment is ${status} with captureMethod ${captureMethod}. Leave captureMethod out to go on with it, or end it with cancelPaymentIntent and ask again.`,
  );
}

/**
 * A payer in person may go on with what was begun for something they saved, where that was declined or asks for them.
 * What is to be charged is charged by an attempt of its own, unless this one was begun for just that.
 */
function isSavedAsAsked(attempt: PaymentAttempt, { saved }: Request): boolean {
  if (saved === null) return attempt.customerReference === null || attempt.methodReference !== null;
  if (saved.methodReference !== null && attempt.failureCode !== null) return false;
  return (
    attempt.customerReference === saved.customerReference &&
    attempt.methodReference === saved.methodReference &&
    attempt.offSession === saved.offSession
  );
}

/**
 * Its time is up and the job has not come by yet: it ends now, so that the payer gets one that they can finish. Or its
 * order has come to cost nothing: nobody is to pay at a provider any more.
 */
function paymentToEnd({ usedKey, payment, order, now }: OrderToPay): LoadedPayment | null {
  if (usedKey || !payment || !awaitsPayer(payment.intent.status)) return null;
  const isForNothing = order.amount === 0 && !isOfSubscription(order);
  return payment.intent.expiresAt <= now || isForNothing ? payment : null;
}

/**
 * The order was changed while its payment was open: the payment follows before the payer goes on with it. Our own row
 * alone is not enough: the provider may not have taken the new amount yet.
 */
function paymentToUpdate({ usedKey, payment, order }: OrderToPay): LoadedPayment | null {
  if (usedKey || !payment || !awaitsPayer(payment.intent.status)) return null;
  // What of it is to come through its provider, the provider says.
  if (isOfSubscription(order)) return null;
  const live = payment.attempts.filter(isLive);
  const follows =
    payment.intent.amount === order.amount &&
    (live.length === 0 || live.some(({ amount }) => amount === order.amount));
  return follows ? null : payment;
}

function refuseUnpayable(order: Order, now: Date): void {
  if (order.status === 'CONFIRMED') throw new OrderError('ORDER_ALREADY_PAID', 'This order is already paid.');
  if (order.status === 'CANCELLED') {
    throw new OrderError('ORDER_CANCELLED', 'This order was cancelled. Make a new one.');
  }
  if (order.reservedUntil === null && order.bookingEndsAt && order.bookingEndsAt <= now) {
    throw new OrderError('INVALID_ORDER', 'What this order books is over: update its booking.', 'orderId');
  }
}

/** Any other way would be paid beside what the provider goes on collecting. */
function onlyItsProvider(payment: LoadedPayment | null): PaymentError {
  const collects = 'The provider of its subscription collects this order';
  return new PaymentError(
    'NO_WAY_TO_PAY',
    payment
      ? `${collects}: it can be paid there, with another card in your own page (CARD, EMBEDDED), and in no other way.`
      : `${collects}, and has given up. It can't be paid any more.`,
  );
}

function beginAttempt(
  change: PaymentChange,
  dependencies: PaymentDependencies,
  request: Request,
): PaymentAttempt {
  const { order, intent } = change;
  const choice = choosePayment(
    dependencies,
    { ...order, amount: intent.amount },
    intent.captureMethod,
    request,
  );
  const { phoneNumber = null, country = null, operator = null, returnUrl = null } = request;
  const way = { ...choice, ...request.saved, provider: choice.provider.name, fallbackOf: null };
  return addAttempt(change, { ...way, phoneNumber, country, operator, returnUrl }, choice.provider);
}

/** As a browser reads it: given as it came, one with a backslash in it is another page for the next reader. */
function readReturnUrl(
  { mayReturnTo }: PaymentDependencies,
  given: string | null | undefined,
): string | null {
  if (!given) return null;
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url && url.username === '' && url.password === '' && mayReturnTo(url)) return url.href;
  throw new PaymentError(
    'RETURN_URL_NOT_ALLOWED',
    'returnUrl must be an http(s) URL, without a user, of an origin that this server allows (ALLOWED_ORIGINS).',
  );
}
