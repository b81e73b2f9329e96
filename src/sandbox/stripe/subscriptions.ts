import type Stripe from 'stripe';
import { newId, type InvoiceRecord, type StripeAccount, type SubscriptionRecord } from './account.js';
import { customerParameter, deleteCustomer, livingCustomer } from './customers.js';
import type { FormValues } from './form-body.js';
import { changeStatus } from './invoice-progress.js';
import { collectInvoice, defaultMethodOf, openInvoice, voidInvoice } from './invoices.js';
import { group, mergedMetadata, requiredText, text } from './parameters.js';
import { findMethod, requireSaved } from './payment-methods.js';
import { invalidRequest, resourceMissing } from './stripe-error.js';
import { newSubscriptionObject } from './subscription-objects.js';

export function createSubscription(account: StripeAccount, form: FormValues): Stripe.Subscription {
  requiredText(form, 'customer');
  const customerId = customerParameter(account, form)?.id ?? '';
  const waitsForPayer = paymentBehavior(form) === 'default_incomplete';
  const methodId = defaultMethodParameter(account, form, customerId);
  const object = newSubscriptionObject(account, form, customerId, methodId);
  if (!waitsForPayer && !defaultMethodOf(account, object)) throw nothingToPayWith();
  account.subscriptions.set(object.id, { object, periods: 1, percentOff: 0 });
  object.latest_invoice = newId('in');
  account.emit('customer.subscription.created', object, object.id);
  const bill = {
    id: object.latest_invoice,
    reason: 'subscription_create',
    usedSince: account.now(),
    percentOff: 0,
  } as const;
  const invoice = openInvoice(account, object, bill);
  if (waitsForPayer) return waitForPayer(account, object, invoice);
  const offSession = text(form, 'off_session') === 'true';
  collectInvoice(account, invoice, { offSession, whenAsked: offSession ? 'FAIL' : 'ASK' });
  return object;
}

function waitForPayer(
  account: StripeAccount,
  subscription: Stripe.Subscription,
  { paymentIntentId }: InvoiceRecord,
): Stripe.Subscription {
  if (paymentIntentId === null) return subscription;
  const payment = account.payment(paymentIntentId);
  const method = defaultMethodOf(account, subscription);
  if (method) {
    payment.method = method;
    payment.object.payment_method = method.object.id;
    payment.object.status = 'requires_confirmation';
  }
  account.onPaymentCreated(payment);
  return subscription;
}

const CHANGEABLE_AFTER_THE_END = ['metadata', 'expand'];

export function updateSubscription(
  account: StripeAccount,
  id: string,
  form: FormValues,
): Stripe.Subscription {
  const { object } = account.subscription(id);
  const changesMore = Object.keys(form).some((name) => !CHANGEABLE_AFTER_THE_END.includes(name));
  if (changesMore && hasEnded(object)) {
    throw invalidRequest('A canceled subscription can only update its cancellation_details and metadata.', {
      code: 'invalid_canceled_subscription_fields',
    });
  }
  if (changesMore && object.status === 'incomplete') {
    throw invalidRequest('You cannot update a subscription that is incomplete, except its metadata.');
  }
  const methodId = defaultMethodParameter(account, form, object.customer as string);
  if (methodId !== null) object.default_payment_method = methodId;
  const atPeriodEnd = text(form, 'cancel_at_period_end');
  if (atPeriodEnd !== undefined) cancelAtPeriodEnd(account, object, atPeriodEnd === 'true');
  noteWhy(object, form);
  object.description = text(form, 'description') ?? object.description;
  object.metadata = mergedMetadata(object.metadata, form);
  account.emit('customer.subscription.updated', object, id);
  return object;
}

/** `DELETE /v1/subscriptions/:id`. What was never paid for expires instead, and its invoice is void. */
export function cancelSubscription(
  account: StripeAccount,
  id: string,
  form: FormValues,
): Stripe.Subscription {
  const { object } = account.subscription(id);
  if (hasEnded(object)) throw resourceMissing('subscription', id);
  noteWhy(object, form);
  if (object.status === 'incomplete') expireSubscription(account, object);
  else endSubscription(account, object, 'cancellation_requested');
  return object;
}

/** `DELETE /v1/customers/:id`: what they had saved and what they subscribed to end with them. */
export function deleteCustomerAndSubscriptions(
  account: StripeAccount,
  customerId: string,
): Stripe.DeletedCustomer {
  livingCustomer(account, customerId);
  cancelSubscriptionsOf(account, customerId);
  return deleteCustomer(account, customerId);
}

function cancelSubscriptionsOf(account: StripeAccount, customerId: string): void {
  for (const { object } of account.subscriptions.values()) {
    if (object.customer === customerId && !hasEnded(object)) cancelSubscription(account, object.id, {});
  }
}

/** It is over now. What is owed stays owed, but nobody collects it any more. */
export function endSubscription(
  account: StripeAccount,
  subscription: Stripe.Subscription,
  reason: 'cancellation_requested' | 'payment_failed',
): void {
  subscription.status = 'canceled';
  subscription.canceled_at ??= account.now();
  subscription.ended_at = account.now();
  if (subscription.cancellation_details) subscription.cancellation_details.reason = reason;
  for (const { object, subscriptionId } of account.invoices.values()) {
    if (subscriptionId !== subscription.id || object.status !== 'open') continue;
    object.auto_advance = false;
    object.next_payment_attempt = null;
  }
  account.emit('customer.subscription.deleted', subscription, subscription.id);
}

/** Its first invoice was not paid in time. */
export function expireSubscription(account: StripeAccount, subscription: Stripe.Subscription): void {
  subscription.canceled_at = account.now();
  subscription.ended_at = account.now();
  const invoice = account.invoice(subscription.latest_invoice as string);
  if (invoice.object.status === 'open') voidInvoice(account, invoice);
  changeStatus(account, subscription, 'incomplete_expired');
}

export function hasEnded({ status }: Stripe.Subscription): boolean {
  return status === 'canceled' || status === 'incomplete_expired';
}

export function periodEndOf({ object }: SubscriptionRecord): number {
  return Math.min(...object.items.data.map((item) => item.current_period_end));
}

function cancelAtPeriodEnd(account: StripeAccount, object: Stripe.Subscription, wanted: boolean): void {
  object.cancel_at_period_end = wanted;
  object.cancel_at = wanted ? periodEndOf(account.subscription(object.id)) : null;
  object.canceled_at = wanted ? account.now() : null;
  if (object.cancellation_details) {
    object.cancellation_details.reason = wanted ? 'cancellation_requested' : null;
  }
}

function noteWhy({ cancellation_details: details }: Stripe.Subscription, form: FormValues): void {
  const given = group(form, 'cancellation_details');
  if (!given || !details) return;
  details.comment = text(given, 'comment') ?? details.comment;
  details.feedback = text(given, 'feedback') ?? details.feedback;
}

function defaultMethodParameter(account: StripeAccount, form: FormValues, customerId: string): string | null {
  const id = text(form, 'default_payment_method');
  if (id === undefined) return null;
  requireSaved(findMethod(account, id, 'default_payment_method'), customerId, 'default_payment_method');
  return id;
}

function paymentBehavior(form: FormValues): 'allow_incomplete' | 'default_incomplete' {
  const behavior = text(form, 'payment_behavior') ?? 'allow_incomplete';
  if (behavior === 'allow_incomplete' || behavior === 'default_incomplete') return behavior;
  const message = `This double knows only allow_incomplete and default_incomplete, not ${behavior}.`;
  throw invalidRequest(message, { param: 'payment_behavior' });
}

function nothingToPayWith() {
  return invalidRequest(
    'This customer has no attached payment source or default payment method. Please consider adding a default payment method.',
    { code: 'resource_missing' },
  );
}
