import type Stripe from 'stripe';
import type { PaymentRecord, StripeAccount } from './account.js';
import { paymentOfSession } from './checkout-sessions.js';
import { requireTestCard } from './operations.js';
import { confirmPayment } from './payments.js';
import { resourceMissing } from './stripe-error.js';

/** What a payer sees after they pressed "Pay". */
export interface PaymentResult {
  readonly paymentIntentId: string;
  /** Back to `requires_payment_method` after a decline, `requires_action` while the bank asks. */
  readonly status: Stripe.PaymentIntent.Status;
  readonly declineCode?: string;
  readonly message?: string;
}

/**
 * The payer pays in their browser: what Stripe.js, or Stripe's own page, would do.
 * @param reference `pi_…`, its client secret, or `cs_…`.
 * @param card a test card's number or payment method.
 */
export function pay(
  account: StripeAccount,
  reference: string,
  card: string,
  returnUrl?: string,
): PaymentResult {
  const testCard = requireTestCard(card);
  const payment = reference.startsWith('cs_')
    ? paymentOfSession(account, account.session(reference))
    : findPayment(account, reference);
  confirmPayment(account, payment, testCard, returnUrl);
  return paymentResult(payment);
}

export function paymentResult({ object }: PaymentRecord): PaymentResult {
  const error = object.last_payment_error;
  return {
    paymentIntentId: object.id,
    status: object.status,
    ...(error && { declineCode: error.decline_code ?? error.code, message: error.message }),
  };
}

/** By id, or by client secret, which must then be the right one. */
export function findPayment(account: StripeAccount, reference: string): PaymentRecord {
  const [id = ''] = reference.split('_secret_');
  const payment = account.payment(id);
  if (reference !== id && reference !== payment.object.client_secret) {
    throw resourceMissing('payment_intent', id);
  }
  return payment;
}
