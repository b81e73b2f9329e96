import type Stripe from 'stripe';
import type { MethodRecord, PaymentRecord, SetupRecord, StripeAccount } from './account.js';
import { latestInvoice, ownPaymentOf } from './invoices.js';
import { paymentOfSession } from './checkout-sessions.js';
import { addPaymentMethod } from './payment-methods.js';
import { confirmPayment } from './payments.js';
import { confirmSetup, finishSetupAuthentication } from './setup-intents.js';
import { invalidRequest, resourceMissing } from './stripe-error.js';
import { findTestCard } from './test-cards.js';

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
 * @param card a test card's number or payment method, or a saved method of theirs, `pm_…`.
 */
export function pay(
  account: StripeAccount,
  reference: string,
  card: string,
  returnUrl?: string,
): PaymentResult {
  const method = methodOfPayer(account, card);
  const payment = reference.startsWith('cs_')
    ? paymentOfSession(account, account.session(reference))
    : findPayment(account, reference);
  confirmPayment(account, payment, method, { returnUrl });
  return paymentResult(payment);
}

/** The payer pays what they were sent a bill for. @param reference `in_…`, or `sub_…` for its latest invoice. */
export function payInvoice(account: StripeAccount, reference: string, card: string): PaymentResult {
  return pay(account, ownPaymentOf(account, latestInvoice(account, reference)).object.id, card);
}

export function paymentResult({ object }: PaymentRecord): PaymentResult {
  const error = object.last_payment_error;
  return {
    paymentIntentId: object.id,
    status: object.status,
    ...(error && { declineCode: error.decline_code ?? error.code, message: error.message }),
  };
}

/** What a payer sees after they gave a card to be saved. */
export interface SetupResult {
  readonly setupIntentId: string;
  readonly status: Stripe.SetupIntent.Status;
  /** What was saved. */
  readonly paymentMethodId?: string;
  readonly declineCode?: string;
  readonly message?: string;
}

/**
 * The payer gives a card to be saved, and answers their bank if it asks.
 * @param reference `seti_…`, or its client secret.
 * @param card as for `pay`; not needed when the bank is asking already.
 * @param passed false: they cannot prove to their bank who they are.
 */
export function setUp(
  account: StripeAccount,
  reference: string,
  card: string | undefined,
  passed: boolean,
  returnUrl?: string,
): SetupResult {
  const setup = findSetup(account, reference);
  if (card !== undefined) confirmSetup(account, setup, methodOfPayer(account, card), { returnUrl });
  if (setup.object.status === 'requires_action') finishSetupAuthentication(account, setup, passed);
  return setupResult(setup);
}

function setupResult({ object }: SetupRecord): SetupResult {
  const error = object.last_setup_error;
  return {
    setupIntentId: object.id,
    status: object.status,
    ...(typeof object.payment_method === 'string' && { paymentMethodId: object.payment_method }),
    ...(error && { declineCode: error.decline_code ?? error.code, message: error.message }),
  };
}

/** By id, or by client secret, which must then be the right one. */
export function findSetup(account: StripeAccount, reference: string): SetupRecord {
  const [id = ''] = reference.split('_secret_');
  const setup = account.setup(id);
  if (reference !== id && reference !== setup.object.client_secret) throw resourceMissing('setupintent', id);
  return setup;
}

function methodOfPayer(account: StripeAccount, reference: string): MethodRecord {
  const known = account.methods.get(reference);
  if (known) return known;
  const card = findTestCard(reference);
  if (card) return addPaymentMethod(account, card);
  throw invalidRequest(`No such test card: '${reference}'`, { code: 'incorrect_number' });
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
