import type Stripe from 'stripe';
import type { StripeAccount } from './account.js';

/** An endpoint keeps the API version that it was made with, for years: its events have the shapes of that time. */
export const OLD_API_VERSION = '2020-08-27';

/** The object as events of `OLD_API_VERSION` have it. */
export function asInOldVersion(account: StripeAccount, object: { readonly id: string }): object {
  switch ((object as { object?: string }).object) {
    case 'payment_intent':
      return oldPaymentIntent(account, object as Stripe.PaymentIntent);
    case 'charge':
      return oldCharge(account, object as Stripe.Charge);
    case 'invoice':
      return oldInvoice(account, object as Stripe.Invoice);
    case 'subscription':
      return oldSubscription(object as Stripe.Subscription);
    default:
      return object;
  }
}

function oldPaymentIntent(
  account: StripeAccount,
  { latest_charge: latest, ...rest }: Stripe.PaymentIntent,
): object {
  const charges = [...account.charges.values()].filter(({ payment_intent: of }) => of === rest.id);
  const data = charges.toReversed().map((charge) => oldCharge(account, charge));
  return {
    ...rest,
    charges: {
      ...{ object: 'list', data: latest ? data : [], has_more: false, total_count: data.length },
      url: `/v1/charges?payment_intent=${rest.id}`,
    },
  };
}

function oldCharge(account: StripeAccount, charge: Stripe.Charge): object {
  const data = [...account.refunds.values()].filter(({ charge: of }) => of === charge.id).toReversed();
  const refunds = { object: 'list', data, has_more: false, url: `/v1/charges/${charge.id}/refunds` };
  return { ...charge, invoice: null, refunds };
}

/** An invoice had one PaymentIntent, and named its subscription at the top. */
function oldInvoice(account: StripeAccount, { parent, payments: _, ...rest }: Stripe.Invoice): object {
  const details = parent?.subscription_details;
  const payment = [...account.invoicePayments.values()].find(({ invoice }) => invoice === rest.id);
  const intent = payment?.payment.payment_intent ?? null;
  return {
    ...rest,
    paid: rest.status === 'paid',
    charge: null,
    payment_intent: typeof intent === 'string' ? intent : (intent?.id ?? null),
    subscription: details?.subscription ?? null,
    subscription_details: { metadata: details?.metadata ?? null },
  };
}

/** The period stood on the subscription, and not on its items. */
function oldSubscription(subscription: Stripe.Subscription): object {
  const [first] = subscription.items.data;
  const { current_period_start: start, current_period_end: end } = first ?? {};
  return { ...subscription, current_period_start: start, current_period_end: end };
}
