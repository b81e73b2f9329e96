import type Stripe from 'stripe';
import { now, type PaymentRecord, type StripeAccount } from './account.js';
import { checkStep } from './amounts.js';
import { recordCharge } from './charges.js';
import type { FormValues } from './form-body.js';
import { integer } from './parameters.js';
import { followPayment } from './payment-progress.js';
import { letGoOfHold } from './refunds.js';
import { invalidRequest, unexpectedState } from './stripe-error.js';

/** How long a card lets money be held. */
const HOLD_SECONDS = 7 * 24 * 3600;

/** `capture_method=manual`: the card was taken, and the money waits to be captured. */
export function holdMoney(account: StripeAccount, payment: PaymentRecord): void {
  const { object } = payment;
  const charge = recordCharge(account, payment);
  charge.captured = false;
  charge.amount_captured = 0;
  const { card } = charge.payment_method_details ?? {};
  if (card) card.capture_before = now() + HOLD_SECONDS;
  object.status = 'requires_capture';
  object.amount_capturable = object.amount;
  object.latest_charge = charge.id;
  account.emit('charge.succeeded', charge, object.id);
  account.emit('payment_intent.amount_capturable_updated', object, object.id);
  followPayment(account, payment);
}

/** All of it or a part, once; the rest is let go. */
export function captureHold(account: StripeAccount, payment: PaymentRecord, form: FormValues): void {
  const { object } = payment;
  if (object.status !== 'requires_capture') {
    const message = `This PaymentIntent could not be captured because it has a status of ${object.status}.`;
    throw unexpectedState(message, object);
  }
  const amount = integer(form, 'amount_to_capture') ?? object.amount_capturable;
  if (amount < 1 || amount > object.amount_capturable) {
    const code = amount < 1 ? 'parameter_invalid_integer' : 'amount_too_large';
    throw invalidRequest(`Only ${object.amount_capturable} can be captured.`, {
      code,
      param: 'amount_to_capture',
    });
  }
  checkStep(amount, object.currency, 'amount_to_capture');
  const charge = heldCharge(account, object);
  charge.captured = true;
  charge.amount_captured = amount;
  object.status = 'succeeded';
  object.amount_capturable = 0;
  object.amount_received = amount;
  account.emit('charge.captured', charge, object.id);
  if (amount < charge.amount) letGoOfHold(account, charge, null);
  account.emit('payment_intent.succeeded', object, object.id);
  followPayment(account, payment);
}

/** Before a PaymentIntent ends: what it holds is let go. Nothing when it holds nothing. */
export function releaseHold(account: StripeAccount, { object }: PaymentRecord, lapsed: boolean): void {
  if (object.status !== 'requires_capture') return;
  object.amount_capturable = 0;
  letGoOfHold(account, heldCharge(account, object), lapsed ? 'expired_uncaptured_charge' : null);
}

function heldCharge(account: StripeAccount, object: Stripe.PaymentIntent): Stripe.Charge {
  if (typeof object.latest_charge !== 'string') throw new Error('money that is held has a charge, by its id');
  return account.charge(object.latest_charge);
}
