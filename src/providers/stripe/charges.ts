import type Stripe from 'stripe';
import type { ListedPayment, ProviderEvent, ProviderOutcome } from '../provider.js';
import { isInsideCheckout, markOf } from './attempt-mark.js';
import { fromStripeAmount } from './currency.js';
import { attemptOf, paid } from './outcomes.js';
import { fromStripeTime } from './time.js';

/**
 * A refunded charge says first that it was paid: this may be the first we hear of the money. Only the total is sure.
 * None for a charge that has no PaymentIntent: it is not ours. None for one that was never captured either: Stripe lets
 * go of a hold by "refunding" it, and nothing is given back.
 */
export function refundedChargeEvents(charge: Stripe.Charge): readonly ProviderEvent[] {
  const paymentIntentId = paymentIntentIdOf(charge);
  if (!paymentIntentId || charge.amount_captured === 0) return [];
  const attempt = attemptOf(paymentIntentId, charge.metadata);
  const refunded = fromStripeAmount(amountGivenBack(charge), charge.currency);
  return [
    ...(saysWhatWasCaptured(charge)
      ? [{ ...attempt, outcome: paid(charge.amount_captured, charge.currency, paymentIntentId) }]
      : []),
    {
      ...attempt,
      outcome: { kind: 'refundsChanged', totalAmount: refunded.amount, currency: refunded.currency },
    },
  ];
}

/** By its id: of an invoice that was paid by Stripe's older API, the money has no PaymentIntent, and is named by its charge. */
export function isCharge(reference: string): boolean {
  return reference.startsWith('ch_') || reference.startsWith('py_');
}

export function chargeEvent({ id, status, amount_captured: amount, currency }: Stripe.Charge): ProviderEvent {
  const outcome: ProviderOutcome =
    status === 'succeeded' ? paid(amount, currency, id) : { kind: 'processing' };
  return { providerReference: id, outcome };
}

/** Undefined for a charge that moved no money, and for a currency that we don't count in: it can't be ours. */
export function listedPayment(charge: Stripe.Charge): ListedPayment | undefined {
  if (charge.status !== 'succeeded' || charge.amount_captured === 0) return undefined;
  const captured = inOurUnits(charge.amount_captured, charge.currency);
  const refunded = inOurUnits(amountGivenBack(charge), charge.currency);
  if (!captured || !refunded) return undefined;
  const paymentIntentId = paymentIntentIdOf(charge);
  const attemptReference = markOf(charge.metadata);
  return {
    ...(paymentIntentId && !isInsideCheckout(charge.metadata) && { providerReference: paymentIntentId }),
    ...(attemptReference !== undefined && { attemptReference }),
    captureReference: paymentIntentId ?? charge.id,
    currency: captured.currency,
    capturedAmount: captured.amount,
    refundedAmount: refunded.amount,
    createdAt: fromStripeTime(charge.created),
  };
}

/** The oldest versions don't: then what was given back is asked for, and with it what was taken. */
function saysWhatWasCaptured({ amount_captured: captured }: Stripe.Charge): boolean {
  return typeof captured === 'number';
}

/** What was held and not captured: Stripe counts it as refunded, though nobody ever had it. */
export function amountLetGo(charge: Stripe.Charge): number {
  return charge.amount > charge.amount_captured ? charge.amount - charge.amount_captured : 0;
}

function amountGivenBack(charge: Stripe.Charge): number {
  return Math.max(0, charge.amount_refunded - amountLetGo(charge));
}

function paymentIntentIdOf({ payment_intent: paymentIntent }: Stripe.Charge): string | undefined {
  return (typeof paymentIntent === 'string' ? paymentIntent : paymentIntent?.id) || undefined;
}

function inOurUnits(amount: number, currency: string): ReturnType<typeof fromStripeAmount> | undefined {
  try {
    return fromStripeAmount(amount, currency);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
}
