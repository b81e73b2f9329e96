import type Stripe from 'stripe';
import type { InvoiceRecord, MethodRecord, PaymentRecord, StripeAccount } from './account.js';
import { livingCustomer } from './customers.js';
import type { FormValues } from './form-body.js';
import { newInvoiceObject, newInvoicePayment, type Bill } from './invoice-objects.js';
import {
  cancelInvoicePayment,
  invoicePaymentsOf,
  leavePastDue,
  markPaid,
  markRefused,
} from './invoice-progress.js';
import { payInvoiceOutside } from './invoice-settlement.js';
import { text } from './parameters.js';
import { addPaymentIntent } from './payment-intents.js';
import { findMethod } from './payment-methods.js';
import { confirmPayment, type Confirmation } from './payments.js';
import { cardError, invalidRequest, StripeDoubleError } from './stripe-error.js';

/** Made and finalized at once; Stripe leaves a renewal's invoice a draft for about an hour. */
export function openInvoice(
  account: StripeAccount,
  subscription: Stripe.Subscription,
  bill: Bill,
): InvoiceRecord {
  const object = newInvoiceObject(account, subscription, bill);
  account.emit('invoice.created', object, subscription.id);
  const payment = object.amount_due === 0 ? null : addPayment(account, object, subscription).object;
  const invoice = { object, subscriptionId: subscription.id, paymentIntentId: payment?.id ?? null };
  account.invoices.set(object.id, invoice);
  useUpBalance(account, object);
  object.status = 'open';
  object.number = nextNumber(account, subscription);
  object.effective_at = account.now();
  object.status_transitions.finalized_at = account.now();
  if (payment) {
    const ownPayment = { type: 'payment_intent' as const, payment_intent: payment.id };
    const asked = { payment: ownPayment, amount: object.amount_due, isDefault: true };
    const invoicePayment = newInvoicePayment(object, asked);
    account.invoicePayments.set(invoicePayment.id, invoicePayment);
    object.hosted_invoice_url = `${account.baseUrl()}/pay/${payment.client_secret}`;
    account.emit('payment_intent.created', payment, payment.id);
  }
  account.emit('invoice.finalized', object, subscription.id);
  // Of what costs nothing, Stripe says at once that it is paid.
  if (!payment) markPaid(account, invoice);
  return invoice;
}

function useUpBalance(account: StripeAccount, invoice: Stripe.Invoice): void {
  const customer = livingCustomer(account, invoice.customer as string);
  customer.balance += invoice.total - invoice.amount_due;
  invoice.ending_balance = customer.balance;
}

function addPayment(
  account: StripeAccount,
  invoice: Stripe.Invoice,
  subscription: Stripe.Subscription,
): PaymentRecord {
  const isFirst = invoice.billing_reason === 'subscription_create';
  const keepsMethod = subscription.payment_settings?.save_default_payment_method === 'on_subscription';
  return addPaymentIntent(account, {
    amount: invoice.amount_due,
    currency: invoice.currency,
    description: isFirst ? 'Subscription creation' : 'Subscription update',
    metadata: {},
    captureMethod: 'automatic_async',
    automaticMethods: null,
    customerId: subscription.customer as string,
    setupFutureUsage: isFirst || keepsMethod ? 'off_session' : null,
    invoiceId: invoice.id,
  });
}

function nextNumber(account: StripeAccount, subscription: Stripe.Subscription): string {
  const customer = livingCustomer(account, subscription.customer as string);
  const sequence = customer.next_invoice_sequence ?? 1;
  customer.next_invoice_sequence = sequence + 1;
  return `${customer.invoice_prefix}-${String(sequence).padStart(4, '0')}`;
}

/** With what the subscription, or else its customer, said; without anything it is refused. */
export function collectInvoice(account: StripeAccount, invoice: InvoiceRecord, how: Confirmation): void {
  if (invoice.object.status !== 'open' || invoice.paymentIntentId === null) return;
  const method = defaultMethodOf(account, account.subscription(invoice.subscriptionId).object);
  if (!method) return markRefused(account, invoice);
  confirmPayment(account, account.payment(invoice.paymentIntentId), method, how);
}

export function defaultMethodOf(
  account: StripeAccount,
  subscription: Stripe.Subscription,
): MethodRecord | undefined {
  const customer = livingCustomer(account, subscription.customer as string);
  const id = subscription.default_payment_method ?? customer.invoice_settings.default_payment_method;
  return typeof id === 'string' ? account.methods.get(id) : undefined;
}

/** `POST /v1/invoices/:id/pay`: somebody at the merchant's has it collected now. */
export function payInvoiceByApi(account: StripeAccount, invoice: InvoiceRecord, form: FormValues): object {
  const { object } = invoice;
  if (text(form, 'paid_out_of_band') === 'true') {
    payInvoiceOutside(account, invoice);
    return object;
  }
  if (object.status !== 'open') {
    throw invalidRequest(object.status === 'paid' ? 'Invoice is already paid' : 'Invoice is not open.');
  }
  const payment = ownPaymentOf(account, invoice);
  const id = text(form, 'payment_method');
  const { object: subscription } = account.subscription(invoice.subscriptionId);
  const method = id === undefined ? defaultMethodOf(account, subscription) : findMethod(account, id);
  if (!method) throw invalidRequest('There is no default payment method set on this Customer.');
  confirmPayment(account, payment, method, { offSession: text(form, 'off_session') !== 'false' });
  if (payment.object.last_payment_error) throw cardError(payment.object);
  if (payment.object.status === 'requires_action') throw wantsAnswer(payment.object);
  return object;
}

/** @param reference `in_…`, or `sub_…` for its latest one. */
export function latestInvoice(account: StripeAccount, reference: string): InvoiceRecord {
  if (!reference.startsWith('sub_')) return account.invoice(reference);
  return account.invoice(account.subscription(reference).object.latest_invoice as string);
}

/** The payment that Stripe made itself. @throws {StripeDoubleError} 400 where there is nothing to pay. */
export function ownPaymentOf(account: StripeAccount, { paymentIntentId }: InvoiceRecord): PaymentRecord {
  if (paymentIntentId === null) throw invalidRequest('There is nothing to pay on this invoice.');
  return account.payment(paymentIntentId);
}

/** It need not be paid any more. */
export function voidInvoice(account: StripeAccount, invoice: InvoiceRecord): void {
  const { object } = invoice;
  stopCollecting(invoice, 'void');
  object.status_transitions.voided_at = account.now();
  // What has been paid of it stays with the merchant, who sees to it.
  for (const payment of invoicePaymentsOf(account, object.id)) {
    if (payment.status === 'open') cancelInvoicePayment(account, payment, 'void_invoice');
  }
  account.emit('invoice.voided', object, invoice.subscriptionId);
  leavePastDue(account, account.subscription(invoice.subscriptionId).object);
}

/** It is still owed, and could be paid, but nobody counts on that. */
export function markUncollectible(account: StripeAccount, invoice: InvoiceRecord): void {
  const { object } = invoice;
  stopCollecting(invoice, 'uncollectible');
  object.status_transitions.marked_uncollectible_at = account.now();
  account.emit('invoice.marked_uncollectible', object, invoice.subscriptionId);
  leavePastDue(account, account.subscription(invoice.subscriptionId).object);
}

function stopCollecting({ object }: InvoiceRecord, status: 'void' | 'uncollectible'): void {
  if (object.status !== 'open') {
    throw invalidRequest(`Only an open invoice can become ${status}, not a ${object.status} one.`);
  }
  object.status = status;
  object.auto_advance = false;
  object.next_payment_attempt = null;
}

function wantsAnswer(paymentIntent: Stripe.PaymentIntent): StripeDoubleError {
  const body = {
    type: 'card_error',
    code: 'invoice_payment_intent_requires_action',
    message: 'Payment for this invoice requires additional user action before it can be completed.',
    payment_intent: paymentIntent,
  } as const;
  return new StripeDoubleError(402, body, true);
}
