import type Stripe from 'stripe';
import type { ProviderEvent, ProviderOutcome } from '../provider.js';
import { isInsideCheckout, markOf } from './attempt-mark.js';
import { fromStripeAmount } from './currency.js';
import { fromStripeTime } from './time.js';

/**
 * What the state of a Stripe object means, the same for an answer and for a notification. The movement of a payment is
 * always named by its PaymentIntent, wherever we hear of it, so that the same money has the same name.
 * All of these throw a `RangeError` for an amount or a currency that can't be ours.
 */
export function paymentIntentEvent(paymentIntent: Stripe.PaymentIntent): ProviderEvent {
  const outcome = paymentIntentOutcome(paymentIntent);
  const sessionMayLive = isInsideCheckout(paymentIntent.metadata) && !heldMoney(paymentIntent);
  return {
    ...attemptOf(paymentIntent.id, paymentIntent.metadata),
    outcome: sessionMayLive ? whileSessionLives(outcome) : outcome,
  };
}

/** The attempt of a Checkout Session is the session: its PaymentIntent's id must not be taken for the attempt's. */
export function attemptOf(
  paymentIntentId: string,
  metadata: Stripe.Metadata,
): Omit<ProviderEvent, 'outcome'> {
  const attemptReference = markOf(metadata);
  return isInsideCheckout(metadata)
    ? { attemptReference, namedByMarkAlone: true }
    : { providerReference: paymentIntentId, attemptReference };
}

/** Only the session can end its attempt: its page may put another PaymentIntent in place of a cancelled one. */
function whileSessionLives(outcome: ProviderOutcome): ProviderOutcome {
  return outcome.kind === 'cancelled' ? { kind: 'pending' } : outcome;
}

/** Money was held, so the payer is done, and the session is over with its PaymentIntent. */
function heldMoney(paymentIntent: Stripe.PaymentIntent): boolean {
  const { capture_method: captureMethod, last_payment_error: error } = paymentIntent;
  return captureMethod === 'manual' && Boolean(latestChargeOf(paymentIntent)) && !error;
}

/** Before API version 2022-11-15, a PaymentIntent lists its charges, the latest first. */
function latestChargeOf(
  paymentIntent: Stripe.PaymentIntent & {
    readonly charges?: { readonly data: readonly Stripe.Charge[] } | null;
  },
): string | Stripe.Charge | undefined {
  return paymentIntent.latest_charge ?? paymentIntent.charges?.data[0];
}

function paymentIntentOutcome(paymentIntent: Stripe.PaymentIntent): ProviderOutcome {
  switch (paymentIntent.status) {
    case 'requires_payment_method':
      return paymentIntent.last_payment_error
        ? declined(paymentIntent.last_payment_error)
        : { kind: 'pending' };
    case 'requires_confirmation':
    case 'requires_action':
      return { kind: 'pending' };
    case 'requires_capture':
      return authorized(paymentIntent);
    case 'succeeded':
      return paid(paymentIntent.amount_received, paymentIntent.currency, paymentIntent.id);
    case 'canceled':
      return { kind: 'cancelled', reason: paymentIntent.cancellation_reason ?? 'canceled' };
    default:
      return { kind: 'processing' };
  }
}

/** A session whose PaymentIntent is expanded tells more than one that only names it; both are understood. */
export function checkoutSessionEvent(session: Stripe.Checkout.Session): ProviderEvent {
  return sessionEvent(session, checkoutSessionOutcome(session));
}

/** The notification is the only place that says so: the session itself looks as it did when the money was still awaited. */
export function failedCheckoutSessionEvent(session: Stripe.Checkout.Session): ProviderEvent {
  return sessionEvent(session, {
    kind: 'failed',
    code: 'async_payment_failed',
    message: 'The payment was not completed.',
  });
}

function sessionEvent(session: Stripe.Checkout.Session, outcome: ProviderOutcome): ProviderEvent {
  return { providerReference: session.id, attemptReference: markOf(session.metadata), outcome };
}

const MONEY_IS_THERE: ReadonlySet<string> = new Set(['succeeded', 'requires_capture', 'processing']);

function checkoutSessionOutcome(session: Stripe.Checkout.Session): ProviderOutcome {
  const payment = expandedPaymentIntent(session);
  // Money that moved, is held or on its way is the truth, whatever the session around it says.
  if (payment && MONEY_IS_THERE.has(payment.status)) return paymentIntentOutcome(payment);
  switch (session.status) {
    case 'open':
      return payment ? whileSessionLives(paymentIntentOutcome(payment)) : { kind: 'pending' };
    case 'complete':
      return completedSessionOutcome(session, payment);
    case 'expired':
      return { kind: 'cancelled', reason: 'expired' };
    default:
      return { kind: 'processing' };
  }
}

function completedSessionOutcome(
  session: Stripe.Checkout.Session,
  payment: Stripe.PaymentIntent | undefined,
): ProviderOutcome {
  const paymentIntentId = payment?.id ?? session.payment_intent;
  if (session.payment_status === 'paid' && typeof paymentIntentId === 'string') {
    return paid(session.amount_total ?? NaN, session.currency ?? '', paymentIntentId);
  }
  if (payment?.status === 'canceled') return paymentIntentOutcome(payment);
  if (payment?.status === 'requires_payment_method' && payment.last_payment_error) {
    return { ...declined(payment.last_payment_error), kind: 'failed' };
  }
  return { kind: 'processing' };
}

function expandedPaymentIntent(session: Stripe.Checkout.Session): Stripe.PaymentIntent | undefined {
  return typeof session.payment_intent === 'object' ? (session.payment_intent ?? undefined) : undefined;
}

/** When Stripe lets go of it is only known when the charge is expanded, so not from a notification of today's version. */
function authorized(paymentIntent: Stripe.PaymentIntent): ProviderOutcome {
  const latest = latestChargeOf(paymentIntent);
  const charge = typeof latest === 'object' ? latest : undefined;
  const captureBefore = charge?.payment_method_details?.card?.capture_before ?? undefined;
  return {
    kind: 'authorized',
    ...fromStripeAmount(paymentIntent.amount_capturable, paymentIntent.currency),
    ...(captureBefore !== undefined && { expiresAt: fromStripeTime(captureBefore) }),
  };
}

export function paid(stripeAmount: number, stripeCurrency: string, paymentIntentId: string): ProviderOutcome {
  return {
    kind: 'paid',
    ...fromStripeAmount(stripeAmount, stripeCurrency),
    movementReference: paymentIntentId,
  };
}

function declined(error: Stripe.PaymentIntent.LastPaymentError) {
  return {
    kind: 'declined' as const,
    code: error.decline_code ?? error.code ?? error.type,
    // Stripe writes this message for the payer, and leaves out what a thief should not learn.
    message: error.message ?? 'The payment was declined.',
  };
}
