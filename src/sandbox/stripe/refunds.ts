import { paymentIntentIdOf } from './charges.js';
import type Stripe from 'stripe';
import { newId, now, type StripeAccount } from './account.js';
import { checkStep } from './amounts.js';
import type { FormValues } from './form-body.js';
import { integer, mergedMetadata, text } from './parameters.js';
import { invalidRequest, StripeDoubleError } from './stripe-error.js';

/** How long a test card's refund takes to change its mind. */
const REFUND_CHANGES_AFTER_MILLISECONDS = 1000;

export function createRefund(account: StripeAccount, form: FormValues): Stripe.Refund {
  const charge = chargeToRefund(account, form);
  const amount = integer(form, 'amount');
  return refundCharge(account, charge, amount, mergedMetadata({}, form), text(form, 'reason') ?? null);
}

function chargeToRefund(account: StripeAccount, form: FormValues): Stripe.Charge {
  const chargeId = text(form, 'charge');
  if (chargeId !== undefined) return account.charge(chargeId);
  const paymentIntentId = text(form, 'payment_intent');
  if (paymentIntentId !== undefined) return chargeOfPayment(account, paymentIntentId);
  throw invalidRequest('One of the following params should be provided: payment_intent or charge.');
}

export function chargeOfPayment(account: StripeAccount, paymentIntentId: string): Stripe.Charge {
  const { object } = account.payment(paymentIntentId);
  if (object.status !== 'succeeded' || typeof object.latest_charge !== 'string') {
    throw invalidRequest(`This PaymentIntent (${object.id}) does not have a successful charge to refund.`);
  }
  return account.charge(object.latest_charge);
}

/** The double never expands it in its own books. */
export function chargeOf(account: StripeAccount, { charge }: Pick<Stripe.Refund, 'charge'>): Stripe.Charge {
  if (typeof charge !== 'string')
    throw new Error('a refund and a dispute of the double have their charge as an id');
  return account.charge(charge);
}

/** @param amount in Stripe's units; undefined is all that is left. */
export function refundCharge(
  account: StripeAccount,
  charge: Stripe.Charge,
  amount: number | undefined,
  metadata: Record<string, string>,
  reason: string | null,
): Stripe.Refund {
  const left = charge.amount - charge.amount_refunded - lostOf(account, charge);
  if (charge.amount_refunded === charge.amount) throw alreadyRefunded(charge);
  if (left <= 0 || isDisputed(account, charge)) throw chargeDisputed(charge);
  const refunded = amount ?? left;
  if (refunded < 1 || refunded > left) {
    throw invalidRequest(`Refund amount (${refunded}) is not between 1 and the unrefunded ${left}.`, {
      param: 'amount',
    });
  }
  checkStep(refunded, charge.currency, 'amount');
  const refund = newRefund(charge, refunded, metadata, reason);
  account.refunds.set(refund.id, refund);
  addToCharge(charge, refunded);
  const subject = paymentIntentIdOf(charge);
  const behaviour = account.payments.get(subject)?.method?.card.refund;
  if (behaviour === 'PENDING_AT_FIRST') refund.status = 'pending';
  account.emit('charge.refunded', charge, subject);
  account.emit('refund.created', refund, subject);
  if (behaviour !== undefined) {
    account.work.later(REFUND_CHANGES_AFTER_MILLISECONDS, () => changeRefund(account, charge, refund));
  }
  return refund;
}

function changeRefund(account: StripeAccount, charge: Stripe.Charge, refund: Stripe.Refund): void {
  if (refund.status === 'failed') return;
  if (refund.status === 'succeeded') return failRefund(account, refund.id);
  refund.status = 'succeeded';
  account.emit('refund.updated', refund, paymentIntentIdOf(charge));
}

/** The payer's bank doesn't take the money back, also after the refund succeeded. */
export function failRefund(account: StripeAccount, id: string): void {
  const refund = account.refund(id);
  if (refund.status === 'failed' || isHoldLetGo(refund)) {
    throw invalidRequest(`Refund ${id} cannot fail: it is ${refund.status}, or gave nothing back.`);
  }
  const charge = chargeOf(account, refund);
  refund.status = 'failed';
  refund.failure_reason = 'expired_or_canceled_card';
  addToCharge(charge, -refund.amount);
  account.emit('refund.updated', refund, paymentIntentIdOf(charge));
  account.emit('refund.failed', refund, paymentIntentIdOf(charge));
}

/** What was held and is not captured: Stripe tells it as a refund, which has no effect on the balance. */
export function letGoOfHold(
  account: StripeAccount,
  charge: Stripe.Charge,
  reason: 'expired_uncaptured_charge' | null,
): void {
  const refund = newRefund(charge, charge.amount - charge.amount_captured, {}, reason);
  refund.balance_transaction = null;
  account.refunds.set(refund.id, refund);
  addToCharge(charge, refund.amount);
  account.emit('charge.refunded', charge, paymentIntentIdOf(charge));
  account.emit('refund.created', refund, paymentIntentIdOf(charge));
}

export function isHoldLetGo(refund: Stripe.Refund): boolean {
  return refund.balance_transaction === null;
}

function addToCharge(charge: Stripe.Charge, amount: number): void {
  charge.amount_refunded += amount;
  charge.refunded = charge.amount_refunded === charge.amount;
}

function newRefund(
  charge: Stripe.Charge,
  amount: number,
  metadata: Record<string, string>,
  reason: string | null,
): Stripe.Refund {
  return {
    id: newId('re'),
    object: 'refund',
    amount,
    balance_transaction: newId('txn'),
    charge: charge.id,
    created: now(),
    currency: charge.currency,
    customer: null,
    customer_account: null,
    metadata,
    payment_intent: charge.payment_intent,
    payment_method: charge.payment_method,
    reason,
    receipt_number: null,
    source_transfer_reversal: null,
    status: 'succeeded',
    transfer_reversal: null,
  };
}

/** Whoever decides about a charge's money, refunds of it are refused; an inquiry is answered by one. */
function isDisputed(account: StripeAccount, charge: Stripe.Charge): boolean {
  return disputesOfCharge(account, charge).some(
    ({ status, is_charge_refundable: isRefundable }) =>
      !isRefundable && !['won', 'lost', 'warning_closed', 'prevented'].includes(status),
  );
}

function lostOf(account: StripeAccount, charge: Stripe.Charge): number {
  const lost = disputesOfCharge(account, charge).filter(({ status }) => status === 'lost');
  const moved = lost.flatMap((dispute) => dispute.balance_transactions);
  return -moved.reduce((sum, { amount, exchange_rate: rate }) => sum + Math.round(amount / (rate ?? 1)), 0);
}

function disputesOfCharge(account: StripeAccount, { id }: Stripe.Charge): Stripe.Dispute[] {
  return [...account.disputes.values()].filter(({ charge }) => charge === id);
}

function chargeDisputed(charge: Stripe.Charge): StripeDoubleError {
  const body = {
    type: 'invalid_request_error',
    code: 'charge_disputed',
    message: `Charge ${charge.id} has been charged back; cannot issue a refund.`,
  } as const;
  return new StripeDoubleError(400, body, true);
}

function alreadyRefunded(charge: Stripe.Charge): StripeDoubleError {
  const body = {
    type: 'invalid_request_error',
    code: 'charge_already_refunded',
    message: `Charge ${charge.id} has already been refunded.`,
  } as const;
  return new StripeDoubleError(400, body, true);
}
