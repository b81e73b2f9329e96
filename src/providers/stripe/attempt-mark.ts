import type Stripe from 'stripe';
import { isPlainText } from '../json-document.js';

/**
 * Our mark on everything that we create at Stripe. It holds the attempt's reference, and it is how a notification
 * finds its attempt, and how we tell our objects from those of others who use the same Stripe account.
 */
const MARK = 'quittance_attempt';

/** On the PaymentIntent that a Checkout Session makes: it is a part of the attempt, not the attempt itself. */
const INSIDE_CHECKOUT = 'quittance_inside_checkout';

/** On a refund of ours, beside the attempt's mark: our reference of the refund. */
const REFUND_MARK = 'quittance_refund';

/** On a customer of ours, and on what they leave with Stripe: our reference of the customer. */
const CUSTOMER_MARK = 'quittance_customer';

/** On a subscription of ours: our reference of it. Stripe gives it back with each of its invoices. */
const SUBSCRIPTION_MARK = 'quittance_subscription';

export function markWith(attemptReference: string): Record<string, string> {
  return { [MARK]: attemptReference };
}

export function markInsideCheckout(attemptReference: string): Record<string, string> {
  return { [MARK]: attemptReference, [INSIDE_CHECKOUT]: 'yes' };
}

export function markOf(metadata: Stripe.Metadata | null | undefined): string | undefined {
  return markAt(metadata, MARK);
}

export function isInsideCheckout(metadata: Stripe.Metadata | null | undefined): boolean {
  return metadata?.[INSIDE_CHECKOUT] !== undefined;
}

export function markRefund(refundReference: string, attemptReference: string): Record<string, string> {
  return { [MARK]: attemptReference, [REFUND_MARK]: refundReference };
}

export function refundMarkOf(metadata: Stripe.Metadata | null | undefined): string | undefined {
  return markAt(metadata, REFUND_MARK);
}

export function markCustomer(customerReference: string): Record<string, string> {
  return { [CUSTOMER_MARK]: customerReference };
}

export function customerMarkOf(metadata: Stripe.Metadata | null | undefined): string | undefined {
  return markAt(metadata, CUSTOMER_MARK);
}

export function markSubscription(subscriptionReference: string): Record<string, string> {
  return { [SUBSCRIPTION_MARK]: subscriptionReference };
}

export function subscriptionMarkOf(metadata: Stripe.Metadata | null | undefined): string | undefined {
  return markAt(metadata, SUBSCRIPTION_MARK);
}

/** Whoever uses the same account may write what they please there; what could be no reference is none of ours. */
function markAt(metadata: Stripe.Metadata | null | undefined, name: string): string | undefined {
  const mark: unknown = metadata?.[name];
  return isPlainText(mark) ? mark : undefined;
}
