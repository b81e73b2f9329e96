import type Stripe from 'stripe';
import { now, type MethodRecord, type PaymentRecord, type StripeAccount } from './account.js';
import { recordCharge } from './charges.js';
import { holdMoney, releaseHold } from './holds.js';
import { nextAction, type HowToAsk } from './next-action.js';
import { asksFirst, attachMethod, requireAllowedType, requireUsable } from './payment-methods.js';
import { followPayment } from './payment-progress.js';
import { unexpectedState } from './stripe-error.js';
import type { Decline } from './test-cards.js';

/** How a PaymentIntent moves: each function here is one arrow of Stripe's state diagram, and tells what happened. */

export interface Confirmation extends HowToAsk {
  /** FAIL when nobody is there to answer the bank: what needs an answer is then a failure. */
  readonly whenAsked?: 'ASK' | 'FAIL';
  /** Whether the payer is absent, which some banks mind, and others don't. */
  readonly offSession?: boolean;
}

/** The payer's card is tried. A decline is not thrown: it is the payment's new state. */
export function confirmPayment(
  account: StripeAccount,
  payment: PaymentRecord,
  method: MethodRecord,
  how: Confirmation = {},
): void {
  const { returnUrl, whenAsked = 'ASK', offSession = false } = how;
  const { object } = payment;
  requireStatus(payment, 'confirm', ['requires_payment_method', 'requires_confirmation', 'requires_action']);
  requireUsable(method, typeof object.customer === 'string' ? object.customer : null);
  requireAllowedType(method, object.allowed_payment_method_types);
  payment.method = method;
  if (returnUrl !== undefined) payment.returnUrl = returnUrl;
  object.payment_method = method.object.id;
  object.last_payment_error = null;
  object.next_action = null;
  if (!asksFirst(method, offSession)) return takeMoney(account, payment, method);
  if (whenAsked === 'FAIL') return failPayment(account, payment, NOBODY_THERE);
  object.status = 'requires_action';
  object.next_action = nextAction(account, object.client_secret, how);
  account.emit('payment_intent.requires_action', object, object.id);
  followPayment(account, payment);
}

const NOBODY_THERE: Decline = {
  kind: 'declines',
  code: 'authentication_required',
  declineCode: 'authentication_required',
  message: 'Your card was declined. This transaction requires authentication.',
};

/** The payer answers their bank. */
export function finishAuthentication(account: StripeAccount, payment: PaymentRecord, passed: boolean): void {
  requireStatus(payment, 'authenticate', ['requires_action']);
  payment.object.next_action = null;
  if (passed && payment.method) return takeMoney(account, payment, payment.method);
  failPayment(account, payment, {
    kind: 'declines',
    code: 'payment_intent_authentication_failure',
    message:
      'We are unable to authenticate your payment method. Please choose a different one and try again.',
  });
}

/** What was in processing is decided. */
export function settlePayment(account: StripeAccount, payment: PaymentRecord, succeeded: boolean): void {
  requireStatus(payment, 'settle', ['processing']);
  if (succeeded) return succeed(account, payment);
  failPayment(account, payment, {
    kind: 'declines',
    code: 'payment_intent_payment_attempt_failed',
    message: 'The payment failed.',
  });
}

export function cancelPayment(
  account: StripeAccount,
  payment: PaymentRecord,
  reason: 'duplicate' | 'fraudulent' | 'requested_by_customer' | 'abandoned' | null,
): void {
  if (payment.sessionId !== undefined && payment.object.status !== 'requires_capture') {
    throw unexpectedState(
      'A PaymentIntent of Checkout cannot be canceled. Expire its session.',
      payment.object,
    );
  }
  if (payment.invoiceId !== undefined) {
    throw unexpectedState(
      'A PaymentIntent of an invoice cannot be canceled. Void its invoice.',
      payment.object,
    );
  }
  requireStatus(payment, 'cancel', [
    'requires_payment_method',
    'requires_confirmation',
    'requires_action',
    'requires_capture',
  ]);
  endPayment(account, payment, reason);
}

/** Nobody captured in time. */
export function lapseAuthorization(account: StripeAccount, payment: PaymentRecord): void {
  requireStatus(payment, 'let lapse', ['requires_capture']);
  endPayment(account, payment, 'automatic');
}

export function endPayment(
  account: StripeAccount,
  payment: PaymentRecord,
  reason: Stripe.PaymentIntent.CancellationReason | null,
): void {
  const { object } = payment;
  releaseHold(account, payment, reason === 'automatic');
  object.status = 'canceled';
  object.canceled_at = now();
  object.cancellation_reason = reason;
  object.next_action = null;
  account.emit('payment_intent.canceled', object, object.id);
}

function takeMoney(account: StripeAccount, payment: PaymentRecord, method: MethodRecord): void {
  const { object } = payment;
  const { result } = method.card;
  if (result.kind !== 'declines') keepOrUseUp(account, payment, method);
  switch (result.kind) {
    case 'succeeds':
      return object.capture_method === 'manual' ? holdMoney(account, payment) : succeed(account, payment);
    case 'processes':
      object.status = 'processing';
      account.emit('payment_intent.processing', object, object.id);
      return followPayment(account, payment);
    case 'declines':
      return failPayment(account, payment, result);
    default:
      return result satisfies never;
  }
}

/** A method is saved when it pays, if that was asked for; one that nobody saved pays once. */
function keepOrUseUp(account: StripeAccount, { object }: PaymentRecord, method: MethodRecord): void {
  const usage = object.setup_future_usage;
  if (usage === 'off_session') method.setUp = true;
  if (usage !== null && typeof object.customer === 'string') {
    attachMethod(account, method, object.customer);
  } else if (usage === null && method.object.customer === null) {
    method.spent = true;
  }
}

function succeed(account: StripeAccount, payment: PaymentRecord): void {
  const { object } = payment;
  const charge = recordCharge(account, payment);
  object.status = 'succeeded';
  object.amount_received = object.amount;
  object.latest_charge = charge.id;
  account.emit('charge.succeeded', charge, object.id);
  account.emit('payment_intent.succeeded', object, object.id);
  followPayment(account, payment);
}

function failPayment(account: StripeAccount, payment: PaymentRecord, decline: Decline): void {
  const { object } = payment;
  const charge = recordCharge(account, payment, decline);
  object.status = 'requires_payment_method';
  object.payment_method = null;
  object.latest_charge = charge.id;
  object.last_payment_error = {
    type: 'card_error',
    code: decline.code,
    message: decline.message,
    charge: charge.id,
    ...(decline.declineCode !== undefined && { decline_code: decline.declineCode }),
    ...(payment.method && { payment_method: payment.method.object }),
  };
  account.emit('charge.failed', charge, object.id);
  account.emit('payment_intent.payment_failed', object, object.id);
  followPayment(account, payment);
}

function requireStatus({ object }: PaymentRecord, verb: string, allowed: readonly string[]): void {
  if (allowed.includes(object.status)) return;
  throw unexpectedState(
    `You cannot ${verb} this PaymentIntent because it has a status of ${object.status}.`,
    object,
  );
}
