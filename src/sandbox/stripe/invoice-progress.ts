import type Stripe from 'stripe';
import type { InvoiceRecord, PaymentRecord, StripeAccount } from './account.js';
import { livingCustomer } from './customers.js';
import { endPayment } from './payments.js';

/** An invoice follows its payments, and a subscription its invoices: paid, refused, or waiting for the payer. */
export function followInvoice(account: StripeAccount, payment: PaymentRecord): void {
  const invoice = payment.invoiceId === undefined ? undefined : account.invoices.get(payment.invoiceId);
  const invoicePayment = invoice && invoicePaymentOf(account, invoice, payment.object.id);
  if (!invoice || !invoicePayment) return;
  const { status } = payment.object;
  if (status === 'succeeded') return takePayment(account, invoice, invoicePayment, payment.object);
  if (invoice.object.status !== 'open' || !invoicePayment.is_default) return;
  if (status === 'requires_payment_method') markRefused(account, invoice);
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

/** Money came, here or elsewhere: what remains is less, and with nothing left the invoice is paid. */
export function notePaid(
  account: StripeAccount,
  { object, subscriptionId }: InvoiceRecord,
  payment: Stripe.InvoicePayment,
  amount: number,
): void {
  payment.status = 'paid';
  payment.amount_paid = amount;
  payment.status_transitions.paid_at = account.now();
  object.amount_paid += amount;
  object.amount_remaining = Math.max(0, object.amount_due - object.amount_paid);
  account.emit('invoice_payment.paid', payment, subscriptionId);
}

/** After its sums have changed: it is paid, or its own payment asks for what remains. */
export function followSums(
  account: StripeAccount,
  invoice: InvoiceRecord,
  payment?: Stripe.PaymentIntent,
): void {
  const { object, subscriptionId } = invoice;
  if (object.amount_remaining === 0) return markPaid(account, invoice, payment);
  for (const own of openDefaultPayments(account, invoice)) {
    own.amount_requested = object.amount_remaining;
    account.payment(own.payment.payment_intent as string).object.amount = object.amount_remaining;
  }
  account.emit('invoice.updated', object, subscriptionId);
}

/** With its own payment, which nobody needs any more. */
export function markPaid(
  account: StripeAccount,
  invoice: InvoiceRecord,
  payment?: Stripe.PaymentIntent,
): void {
  const { object, subscriptionId } = invoice;
  markAttempted(object);
  object.status = 'paid';
  object.amount_remaining = 0;
  object.auto_advance = false;
  object.next_payment_attempt = null;
  object.status_transitions.paid_at = account.now();
  for (const own of openDefaultPayments(account, invoice)) cancelInvoicePayment(account, own, 'automatic');
  account.emit('invoice.paid', object, subscriptionId);
  // Stripe tells both, always.
  account.emit('invoice.payment_succeeded', object, subscriptionId);
  const { object: subscription } = account.subscription(subscriptionId);
  if (payment) keepMethod(subscription, payment);
  if (subscription.status === 'incomplete') return changeStatus(account, subscription, 'active');
  leavePastDue(account, subscription);
}

/** What is in processing is left to its bank. */
export function cancelInvoicePayment(
  account: StripeAccount,
  payment: Stripe.InvoicePayment,
  reason: Stripe.PaymentIntent.CancellationReason,
): void {
  const id = payment.payment.payment_intent;
  const record = typeof id === 'string' ? account.payment(id) : undefined;
  if (record?.object.status === 'processing') return;
  payment.status = 'canceled';
  payment.status_transitions.canceled_at = account.now();
  if (record) endPayment(account, record, reason);
}

/** Nothing is owed any more: it was paid, or the merchant has let go of it. */
export function leavePastDue(account: StripeAccount, subscription: Stripe.Subscription): void {
  if (subscription.status === 'past_due' && !owes(account, subscription.id)) {
    changeStatus(account, subscription, 'active');
  }
}

function takePayment(
  account: StripeAccount,
  invoice: InvoiceRecord,
  invoicePayment: Stripe.InvoicePayment,
  payment: Stripe.PaymentIntent,
): void {
  const { object, subscriptionId } = invoice;
  if (invoicePayment.status === 'paid' || object.status === 'void' || object.status === 'draft') return;
  const applied = Math.min(payment.amount_received, object.amount_remaining);
  const wasOpen = object.status !== 'paid';
  notePaid(account, invoice, invoicePayment, applied);
  const overpaid = payment.amount_received - applied;
  if (overpaid > 0) {
    object.amount_overpaid += overpaid;
    livingCustomer(account, object.customer as string).balance -= overpaid;
    account.emit('invoice.overpaid', object, subscriptionId);
  }
  if (wasOpen) followSums(account, invoice, invoicePayment.is_default ? payment : undefined);
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

function openDefaultPayments(account: StripeAccount, { object }: InvoiceRecord): Stripe.InvoicePayment[] {
  return invoicePaymentsOf(account, object.id).filter(
    ({ is_default: isDefault, status }) => isDefault && status === 'open',
  );
}

function invoicePaymentOf(
  account: StripeAccount,
  { object }: InvoiceRecord,
  paymentIntentId: string,
): Stripe.InvoicePayment | undefined {
  return invoicePaymentsOf(account, object.id).find(
    ({ payment }) => payment.payment_intent === paymentIntentId,
  );
}
