import { countDecline, TOO_MANY_DECLINES } from './declines.js';
import { decimalShift, shiftInWords } from '../money.js';
import { findAttempt, namesAnother } from './attempt-of-event.js';
import { isLive, type PaymentAttempt } from './payment-attempt.js';
import type { ProviderEvent, ProviderOutcome } from '../providers/provider.js';
import { applyDispute } from './apply-dispute.js';
import { applyRefund } from './apply-refund.js';
import { isOfSubscription } from '../orders/order.js';
import { bookCollected, followCollected } from './collected-payment.js';
import { giveBack, giveBackMisfits } from './give-back.js';
import type { LoadedPayment } from './loaded-payment.js';
import type { Movement } from './movement.js';
import {
  addMovement,
  changeAttempt,
  checkSoon,
  confirmOrder,
  moveTo,
  releaseStock,
  setFailure,
  tellAgain,
  watchWhatIsLeft,
  type PaymentChange,
} from './payment-change.js';
import { capturesOf } from './refunds.js';
import { review, type Problem } from './review.js';
import { awaitsPayer, mayMove, type PaymentStatus } from './transitions.js';

/**
 * Applies what a provider says to a payment: every way a provider can speak (webhook, answer to a call, verify) ends
 * here. It only prepares the change; `commitChange` writes it. The answer says in a few words what came of it, for the
 * webhook event's row.
 */
export function applyProviderEvent(change: PaymentChange, event: ProviderEvent, provider: string): string {
  const attempt = findAttempt(change, event, provider);
  if (!attempt) return `no attempt of ${change.intent.reference} at ${provider} fits`;
  if (namesAnother(attempt, event)) return noteAnother(change, attempt, event);
  if (event.providerReference && attempt.providerReference === null) {
    changeAttempt(change, attempt, { providerReference: event.providerReference });
  }
  return applyOutcome(change, attempt, event);
}

/**
 * Our mark is on something that isn't the attempt. What moves no money there is no concern of this payment; of money, a
 * person finds out whose it is.
 */
function noteAnother(
  change: PaymentChange,
  { provider, providerReference }: PaymentAttempt,
  { providerReference: said, outcome }: ProviderEvent,
): string {
  const message = `${provider} speaks of ${said} with the mark of this payment, which is ${providerReference} there.`;
  if (!movesMoney(outcome)) return `not applied: ${message}`;
  const isForeignMoney = outcome.kind === 'paid' && outcome.currency !== change.intent.currency;
  const code = isForeignMoney ? 'CURRENCY_MISMATCH' : 'REFERENCE_MISMATCH';
  return review(change, { code, message, about: `${provider}:${said}` });
}

function movesMoney({ kind }: ProviderOutcome): boolean {
  return ['paid', 'authorized', 'refund', 'refundsChanged', 'dispute'].includes(kind);
}

function applyOutcome(change: PaymentChange, attempt: PaymentAttempt, event: ProviderEvent): string {
  const { outcome } = event;
  switch (outcome.kind) {
    case 'pending':
      return applyPending(change, attempt, event);
    case 'processing':
      return applyProcessing(change, attempt);
    case 'paid':
      return applyPaid(change, attempt, outcome);
    case 'declined':
      return applyDeclined(change, attempt, event, outcome);
    case 'failed':
      return applyEnd(change, attempt, 'FAILED', reasonOf(attempt, outcome));
    case 'cancelled':
      return applyEnd(change, attempt, 'CANCELLED', { code: 'CANCELLED', message: outcome.reason });
    case 'authorized':
      return applyAuthorized(change, attempt, outcome);
    case 'refund':
      return applyRefund(change, attempt, event, outcome);
    case 'refundsChanged':
      return applyRefundsChanged(change, attempt, outcome);
    case 'dispute':
      return applyDispute(change, attempt, outcome);
    default:
      return outcome satisfies never;
  }
}

/** Only an unanswered question goes back to PENDING: a late "created" must not undo "processing". */
function applyPending(change: PaymentChange, attempt: PaymentAttempt, { isAnswer }: ProviderEvent): string {
  if (isAnswer && attempt.status === 'PROCESSING' && attempt.failureCode !== null) {
    return applyEnd(change, attempt, 'FAILED', reasonOf(attempt));
  }
  if (attempt.status !== 'UNKNOWN') return 'nothing new';
  changeAttempt(change, attempt, { status: 'PENDING' });
  return step(change, 'PENDING');
}

function applyProcessing(change: PaymentChange, attempt: PaymentAttempt): string {
  if (attempt.status !== 'PENDING' && attempt.status !== 'UNKNOWN') return 'nothing new';
  // What was declined before is over. A payer who is away is written to once, and this is how it is known.
  const reason = isPayerAway(change, attempt) ? {} : { failureCode: null, failureMessage: null };
  changeAttempt(change, attempt, { status: 'PROCESSING', ...reason });
  return step(change, 'PROCESSING');
}

/**
 * A declined card is not the end: the payer may try again on the same attempt, and watchers are told nothing new. But a
 * payer who was not there when what they saved was charged is to hear of it.
 */
function applyDeclined(
  change: PaymentChange,
  attempt: PaymentAttempt,
  { isAnswer }: ProviderEvent,
  { code, message }: Reason,
): string {
  if (!isLive(attempt) || attempt.status === 'AUTHORIZED') return `stale: the attempt is ${attempt.status}`;
  if (attempt.status === 'PROCESSING' && !isOfSubscription(change.order)) {
    return applyBounced(change, attempt, isAnswer === true, { code, message });
  }
  const isAway = isPayerAway(change, attempt);
  // What its provider answers again, and what a provider tries by itself, is nobody trying cards out.
  if (!isAnswer && !isAway) countDecline(change);
  const isNeeded = isAway && attempt.failureCode === null;
  changeAttempt(change, attempt, { status: 'PENDING', failureCode: code, failureMessage: message });
  if (isNeeded) setFailure(change, code, message);
  if (change.intent.status !== 'PENDING') return step(change, 'PENDING');
  if (isNeeded) tellAgain(change);
  return `declined (${code}); the payer may try again`;
}

function isPayerAway({ order }: PaymentChange, { offSession }: PaymentAttempt): boolean {
  return offSession || isOfSubscription(order);
}

/**
 * The payer had done all that they could, so what their bank refuses days later is over. What is told of it may be old: of
 * a card that was declined before the bank debit began. So the provider is asked before anybody is told that it failed.
 */
function applyBounced(
  change: PaymentChange,
  attempt: PaymentAttempt,
  isAnswer: boolean,
  reason: Reason,
): string {
  if (isAnswer) return applyEnd(change, attempt, 'FAILED', reason);
  changeAttempt(change, attempt, { failureCode: reason.code, failureMessage: reason.message });
  checkSoon(change);
  return `declined (${reason.code}) while it was processed: the provider is asked`;
}

interface Reason {
  readonly code: string;
  readonly message: string;
}

/** What the payer's bank said, where it was told apart, says more than that it failed. */
function reasonOf(
  { status, failureCode, failureMessage }: PaymentAttempt,
  told: Reason = { code: 'FAILED', message: 'The payment was not completed.' },
): Reason {
  if (status !== 'PROCESSING' || failureCode === null) return told;
  return { code: failureCode, message: failureMessage ?? told.message };
}

function applyEnd(
  change: PaymentChange,
  attempt: PaymentAttempt,
  end: 'FAILED' | 'CANCELLED',
  { code, message }: Reason,
): string {
  if (!isLive(attempt)) return `stale: the attempt is ${attempt.status}`;
  changeAttempt(change, attempt, { status: end, failureCode: code, failureMessage: message });
  const isHeldNoMore =
    change.intent.status === 'AUTHORIZED' && !change.attempts.some(({ status }) => status === 'AUTHORIZED');
  if (change.attempts.some(isLive) && !isHeldNoMore) {
    return `attempt ${attempt.number} is over; another one is under way`;
  }
  // It may be over because the invoice was paid otherwise.
  if (isOfSubscription(change.order)) {
    return `attempt ${attempt.number} is over; its invoice says what follows`;
  }
  const outcome = endIntent(change, end, code, message);
  // Nothing is held any more, and there is no way back to paying: what is open beside it ends too.
  watchWhatIsLeft(change);
  return outcome;
}

/** Ends an intent without money, and gives its stock back. */
export function endIntent(
  change: PaymentChange,
  end: 'FAILED' | 'CANCELLED',
  code: string,
  message: string,
): string {
  const status = end === 'CANCELLED' ? howItWasCancelled(change) : end;
  // A late failure must not stand as the reason of a payment that has succeeded by another attempt.
  if (status === 'FAILED' && mayMove(change.intent.status, status)) setFailure(change, code, message);
  if (change.intent.status === 'AUTHORIZED') {
    setFailure(change, 'AUTHORIZATION_RELEASED', `The money that was held was let go: ${message}.`);
  }
  const before = change.intent.status;
  const outcome = step(change, status);
  // Of one that had ended before, nothing is held any more: what its order holds is a newer payment's.
  if (before !== status && change.intent.status === status) releaseStock(change);
  return outcome;
}

function howItWasCancelled({ intent, now }: PaymentChange): 'CANCELLED' | 'EXPIRED' | 'FAILED' {
  if (intent.failureCode === TOO_MANY_DECLINES) return 'CANCELLED';
  // A provider that had begun to process and then gave up did not cancel: it failed.
  if (intent.status === 'PROCESSING') return 'FAILED';
  // Whoever ends it once the time is up (our job, the provider's own limit), the payer reads the same reason.
  return awaitsPayer(intent.status) && intent.expiresAt <= now ? 'EXPIRED' : 'CANCELLED';
}

function applyAuthorized(
  change: PaymentChange,
  attempt: PaymentAttempt,
  { amount, currency }: Extract<ProviderOutcome, { kind: 'authorized' }>,
): string {
  if (attempt.status === 'AUTHORIZED') return 'nothing new';
  if (attempt.status === 'SUCCEEDED') return 'stale: the attempt is SUCCEEDED';
  if (!isPossible(amount))
    return noteImpossible(change, attempt, { amount, currency }, `held:${attempt.number}`);
  changeAttempt(change, attempt, { status: 'AUTHORIZED', failureCode: null, failureMessage: null });
  const { intent, order } = change;
  // The order may have changed since the payment was told its amount.
  const fits = amount === intent.amount && currency === intent.currency && amount === order.amount;
  const outcome = fits
    ? step(change, 'AUTHORIZED')
    : review(change, {
        code: 'AMOUNT_MISMATCH',
        message: `${amount} ${currency} held, and the order costs ${order.amount}.`,
        about: `${attempt.provider}:held:${attempt.number}`,
      });
  // Held for a payment that is over, or paid otherwise: it is let go.
  watchWhatIsLeft(change);
  return outcome;
}

function applyPaid(
  change: PaymentChange,
  attempt: PaymentAttempt,
  paid: Extract<ProviderOutcome, { kind: 'paid' }>,
): string {
  if (isOfSubscription(change.order)) {
    return bookCollected(change, attempt, paid) ? followCollected(change) : 'nothing new';
  }
  const known = knownCapture(change, attempt.provider, paid.movementReference);
  if (known) return compareCapture(change, known, paid);
  if (!isPossible(paid.amount)) return noteImpossible(change, attempt, paid, paid.movementReference);
  changeAttempt(change, attempt, { status: 'SUCCEEDED', failureCode: null, failureMessage: null });
  const { intent } = change;
  if (paid.currency !== intent.currency) {
    // Money of another currency can't be added to this intent's totals; the notification itself is the evidence.
    return review(change, {
      code: 'CURRENCY_MISMATCH',
      message: `Paid in ${paid.currency} instead of ${intent.currency}.`,
      about: `${attempt.provider}:${paid.movementReference}`,
    });
  }
  const problem = whyNotPaid(change, paid.amount);
  const capture = addMovement(change, {
    intentId: intent.id,
    attemptId: attempt.id,
    kind: 'CAPTURE',
    amount: paid.amount,
    currency: intent.currency,
    provider: attempt.provider,
    providerReference: paid.movementReference,
  });
  if (problem) return takeAsProblem(change, capture, problem);
  return takeAsPrice(change, capture);
}

/** It pays the order, and what came before it and waits under review is not needed any more. */
function takeAsPrice(change: PaymentChange, capture: Movement): string {
  const { intent, order } = change;
  const waitsForDecision = intent.status === 'REVIEW';
  // The payment was told another amount since; it is the order's price that counts.
  if (intent.captureMethod !== 'MANUAL') intent.amount = order.amount;
  setFailure(change, null, null);
  // What was closed was settled elsewhere.
  if (waitsForDecision) giveBackMisfits(change, capture);
  const outcome = step(change, 'PAID');
  if (intent.status === 'PAID') confirmOrder(change);
  return outcome;
}

function isPossible(amount: number): boolean {
  return Number.isSafeInteger(amount) && amount > 0;
}

/** The attempt stays as it is: the provider is asked, and may say something that can be. */
function noteImpossible(
  change: PaymentChange,
  { provider }: PaymentAttempt,
  { amount, currency }: { readonly amount: number; readonly currency: string },
  subject: string,
): string {
  const message = `${provider} says that ${amount} ${currency} (minor units) came (${subject}), which can't be.`;
  const noted = review(change, { code: 'AMOUNT_IMPOSSIBLE', message, about: `${provider}:${subject}` });
  checkSoon(change);
  return noted;
}

/** The same money, told with another amount than before: one of the two is wrong, and nobody knows which. */
function compareCapture(
  change: PaymentChange,
  { provider, providerReference, amount, currency }: Movement,
  told: { readonly amount: number; readonly currency: string },
): string {
  if (told.amount === amount && told.currency === currency) return 'nothing new';
  const message = `${provider} said ${amount} ${currency} (minor units) of ${providerReference}, and now ${told.amount} ${told.currency}.`;
  return review(change, {
    code: 'AMOUNT_CONTRADICTED',
    message,
    about: `${provider}:${providerReference}:${told.amount}:${told.currency}`,
  });
}

interface Misfit extends Omit<Problem, 'about'> {
  /** Whether the money goes back by itself; else a person decides. */
  readonly goesBack: boolean;
}

/** The policies for money that is not simply the price of an open order: section 4 of the design, one line each. */
function whyNotPaid(change: PaymentChange, amount: number): Misfit | null {
  const { intent, order } = change;
  const goesBackHow =
    change.providerWithoutRefunds === null ? 'is given back.' : 'has to be given back by hand.';
  const problem = (code: string, message: string, goesBack: boolean) => ({
    code,
    message: goesBack ? `${message} ${goesBackHow}` : message,
    goesBack,
  });
  if (intent.paidAt !== null) {
    return problem('CAPTURED_TWICE', 'Two attempts of this payment took money; the second', true);
  }
  if (order.status === 'CONFIRMED') {
    return problem('ORDER_ALREADY_PAID', 'Another payment had paid this order; this one', true);
  }
  if (order.status === 'CANCELLED') {
    return problem('ORDER_CANCELLED', 'Paid after the order had been cancelled; it', true);
  }
  // Of money that was held, a part may be taken; what is taken is then the merchant's decision.
  const isPartOfHeld =
    intent.captureMethod === 'MANUAL' && amount <= intent.amount && intent.amount === order.amount;
  if (amount !== order.amount && !isPartOfHeld) {
    return problem('AMOUNT_MISMATCH', mismatchInWords(amount, order), false);
  }
  switch (change.soldOut ?? (bookingIsOver(change) ? 'PLACES' : null)) {
    case 'STOCK':
      return problem('PAID_WITHOUT_STOCK', 'Paid after the stock had been sold; it', true);
    case 'PLACES':
      return problem('PAID_WITHOUT_BOOKING', 'Paid when it could not be booked any more; it', true);
    case null:
      return null;
  }
}

/** Says so where it looks as if the provider counted in other units than we do: that is put right once, and not by reviews. */
function mismatchInWords(amount: number, { amount: price, currency }: LoadedPayment['order']): string {
  const message = `Paid ${amount}, and the order costs ${price}.`;
  const shift = decimalShift(amount, price);
  if (shift === undefined) return message;
  return `${message} That is ${shiftInWords(shift, currency)}: check in which units the provider counts (of a bank, its AMOUNT_EXPONENTS).`;
}

/** Late money for a time that is over; a payer whose places were held until then had what they paid for. */
function bookingIsOver({ order, now }: PaymentChange): boolean {
  return order.reservedUntil === null && order.bookingEndsAt !== null && order.bookingEndsAt <= now;
}

function takeAsProblem(
  change: PaymentChange,
  capture: Movement,
  { code, message, goesBack }: Misfit,
): string {
  const about = `${capture.provider}:${capture.providerReference}`;
  const outcome = review(change, { code, message, about });
  const isDuplicate = code === 'CAPTURED_TWICE' || code === 'ORDER_ALREADY_PAID';
  if (goesBack) giveBack(change, capture, isDuplicate ? 'DUPLICATE' : 'OTHER');
  return outcome;
}

function applyRefundsChanged(
  change: PaymentChange,
  { provider }: PaymentAttempt,
  { totalAmount, currency }: Extract<ProviderOutcome, { kind: 'refundsChanged' }>,
): string {
  const { intent } = change;
  const isTooMuch = intent.capturedAmount > 0 && totalAmount > intent.capturedAmount;
  if (totalAmount < 0 || isTooMuch || currency !== intent.currency) {
    const message = `${provider} says that ${totalAmount} ${currency} (minor units) were given back in all, of ${intent.capturedAmount} ${intent.currency}.`;
    const about = `${provider}:total:${totalAmount}:${currency}`;
    return review(change, { code: 'REFUND_MISMATCH', message, about });
  }
  if (totalAmount === intent.refundedAmount) return 'nothing new';
  checkSoon(change);
  return 'refunds changed: the provider is asked';
}

function step(change: PaymentChange, status: PaymentStatus): string {
  const from = change.intent.status;
  if (from === status) return 'nothing new';
  return moveTo(change, status) ? `${from} → ${status}` : `stale: ${from} does not become ${status}`;
}

function knownCapture(change: PaymentChange, provider: string, reference: string): Movement | undefined {
  return capturesOf(change).find(
    (movement) => movement.provider === provider && movement.providerReference === reference,
  );
}
