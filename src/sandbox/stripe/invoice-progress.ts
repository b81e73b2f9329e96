import type Stripe from 'stripe';
import type { InvoiceRecord, PaymentRecord, StripeAccount } from './account.js';

/** An invoice follows its PaymentIntent, and a subscription its invoices: paid, refused, or waiting for the payer. */
export function followInvoice(account: StripeAccount, payment: PaymentRecord): void {
  const invoice = payment.invoiceId === undefined ? undefined : account.invoices.get(payment.invoiceId);
  const { status } = payment.object;
  if (invoice?.object.status === 'uncollectible' && status === 'succeeded') {
    return markPaid(account, invoice, payment.object);
  }
  if (invoice?.object.status !== 'open') return;
  if (status === 'succeeded') markPaid(account, invoice, payment.object);
  else if (status === 'requires_payment_method') markRefused(account, invoice);
  else if (status === 'requires_action') {
    markAttempted(invoice.object);
    account.emit('invoice.payment_action_required', invoice.object, invoice.subscriptionId);
  }
}

/** Nobody paid it: the card was declined, there is none, or its bank wants to ask the payer first. */
export function markRefused(account: StripeAccount, { object, subscriptionId }: InvoiceRecord): void {
  markAttempted(object);
  account.emit('invoice.payment_failed', object, subscriptionId);
  const { object: subscription } = account.subscription(subscriptionId);
  if (subscription.status === 'active') changeStatus(account, subscription, 'past_due');
}

export function invoicePaymentsOf(account: StripeAccount, invoiceId: string): Stripe.InvoicePayment[] {
  return [...account.invoicePayments.values()].filter(({ invoice }) => invoice === invoiceId);
}

export function changeStatus(
  account: StripeAccount,
  subscription: Stripe.Subscription,
  status: Stripe.Subscription.Status,
): void {
  const previous = { status: subscription.status };
  subscription.status = status;
  account.emit('customer.subscription.updated', subscription, subscription.id, previous);
}

function markPaid(account: StripeAccount, invoice: InvoiceRecord, payment: Stripe.PaymentIntent): void {
  const { object, subscriptionId } = invoice;
  markAttempted(object);
  object.status = 'paid';
  object.amount_paid = object.amount_due;
  object.amount_remaining = 0;
  object.auto_advance = false;
  object.next_payment_attempt = null;
  object.status_transitions.paid_at = account.now();
  for (const paid of invoicePaymentsOf(account, object.id)) {
    paid.status = 'paid';
    paid.amount_paid = object.amount_due;
    paid.status_transitions.paid_at = account.now();
    account.emit('invoice_payment.paid', paid, subscriptionId);
  }
  account.emit('invoice.paid', object, subscriptionId);
  // Stripe tells both, always.
  account.emit('invoice.payment_succeeded', object, subscriptionId);
  const { object: subscription } = account.subscription(subscriptionId);
  keepMethod(subscription, payment);
  if (subscription.status === 'incomplete') return changeStatus(account, subscription, 'active');
  leavePastDue(account, subscription);
}

/** Nothing is owed any more: it was paid, or the merchant has let go of it. */
export function leavePastDue(account: StripeAccount, subscription: Stripe.Subscription): void {
  if (subscription.status === 'past_due' && !owes(account, subscription.id)) {
    changeStatus(account, subscription, 'active');
  }
}

/** What paid becomes what will pay, when the subscription was told so. */
function keepMethod(subscription: Stripe.Subscription, payment: Stripe.PaymentIntent): void {
  if (subscription.payment_settings?.save_default_payment_method !== 'on_subscription') return;
  if (typeof payment.payment_method === 'string')
    subscription.default_payment_method = payment.payment_method;
}

function owes(account: StripeAccount, subscriptionId: string): boolean {
  return [...account.invoices.values()].some(
    (invoice) => invoice.subscriptionId === subscriptionId && invoice.object.status === 'open',
  );
}

/** Whoever tries first is counted; afterwards only Stripe's own tries are, and those count themselves. */
function markAttempted(invoice: Stripe.Invoice): void {
  invoice.attempted = true;
  if (invoice.attempt_count === 0) invoice.attempt_count = 1;
}
