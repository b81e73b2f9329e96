import type Stripe from 'stripe';

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
  return metadata?.[MARK] || undefined;
}

export function isInsideCheckout(metadata: Stripe.Metadata | null | undefined): boolean {
  return metadata?.[INSIDE_CHECKOUT] !== undefined;
}

export function markRefund(refundReference: string, attemptReference: string): Record<string, string> {
  return { [MARK]: attemptReference, [REFUND_MARK]: refundReference };
}

export function refundMarkOf(metadata: Stripe.Metadata | null | undefined): string | undefined {
  return metadata?.[REFUND_MARK] || undefined;
}

export function markCustomer(customerReference: string): Record<string, string> {
  return { [CUSTOMER_MARK]: customerReference };
}

export function customerMarkOf(metadata: Stripe.Metadata | null | undefined): string | undefined {
  return metadata?.[CUSTOMER_MARK] || undefined;
}

export function markSubscription(subscriptionReference: string): Record<string, string> {
  return { [SUBSCRIPTION_MARK]: subscriptionReference };
}

export function subscriptionMarkOf(metadata: Stripe.Metadata | null | undefined): string | undefined {
  return metadata?.[SUBSCRIPTION_MARK] || undefined;
}
