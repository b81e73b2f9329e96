import type { PaymentRecord, StripeAccount } from './account.js';
import { newId, now } from './account.js';
import { recordCharge } from './charges.js';
import { followPayment } from './checkout-progress.js';
import { holdMoney, releaseHold } from './holds.js';
import { unexpectedState } from './stripe-error.js';
import type { CardResult, TestCard } from './test-cards.js';

/** How a PaymentIntent moves: each function here is one arrow of Stripe's state diagram, and tells what happened. */

/** The payer's card is tried. A decline is not thrown: it is the payment's new state. */
export function confirmPayment(
  account: StripeAccount,
  payment: PaymentRecord,
  card: TestCard,
  returnUrl?: string,
): void {
  const { object } = payment;
  requireStatus(payment, 'confirm', ['requires_payment_method', 'requires_confirmation', 'requires_action']);
  payment.card = card;
  if (returnUrl !== undefined) payment.returnUrl = returnUrl;
  object.payment_method = newId('pm');
  object.last_payment_error = null;
  object.next_action = null;
  if (!card.authentication) return takeMoney(account, payment, card);
  object.status = 'requires_action';
  object.next_action = {
    type: 'redirect_to_url',
    redirect_to_url: {
      url: `${account.baseUrl()}/3ds/${object.client_secret}`,
      return_url: returnUrl ?? null,
    },
  };
  account.emit('payment_intent.requires_action', object, object.id);
}

/** The payer answers their bank. */
export function finishAuthentication(account: StripeAccount, payment: PaymentRecord, passed: boolean): void {
  requireStatus(payment, 'authenticate', ['requires_action']);
  payment.object.next_action = null;
  if (passed && payment.card) return takeMoney(account, payment, payment.card);
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
  reason: 'duplicate' | 'fraudulent' | 'requested_by_customer' | 'abandoned' | 'automatic' | null,
): void {
  const { object } = payment;
  releaseHold(account, payment, reason === 'automatic');
  object.status = 'canceled';
  object.canceled_at = now();
  object.cancellation_reason = reason;
  object.next_action = null;
  account.emit('payment_intent.canceled', object, object.id);
}

function takeMoney(account: StripeAccount, payment: PaymentRecord, card: TestCard): void {
  const { object } = payment;
  switch (card.result.kind) {
    case 'succeeds':
      return object.capture_method === 'manual' ? holdMoney(account, payment) : succeed(account, payment);
    case 'processes':
      object.status = 'processing';
      account.emit('payment_intent.processing', object, object.id);
      return followPayment(account, payment);
    case 'declines':
      return failPayment(account, payment, card.result);
    default:
      return card.result satisfies never;
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

function failPayment(
  account: StripeAccount,
  payment: PaymentRecord,
  decline: Extract<CardResult, { kind: 'declines' }>,
): void {
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
