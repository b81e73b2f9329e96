import type Stripe from 'stripe';
import type { SubscriptionInvoiceState } from '../recurring.js';
import type { StripeClient } from './client.js';
import { idOf } from './concerns.js';
import { fromStripeAmount } from './currency.js';
import { paid } from './outcomes.js';

/**
 * What came of one invoice of a subscription. Its money has the name of its PaymentIntent, as all money of Stripe's here,
 * so that it is the same money wherever we hear of it; what was paid outside of Stripe has the invoice's.
 */
export async function readInvoice(
  client: StripeClient,
  id: string,
): Promise<SubscriptionInvoiceState | null> {
  const invoice = await client.call((stripe) => stripe.invoices.retrieve(id, { expand: ['payments'] }));
  const subscriptionReference = idOf(invoice.parent?.subscription_details?.subscription);
  if (subscriptionReference === undefined) return null;
  const paymentIntentId = paymentIntentOf(invoice);
  const isPaid = invoice.status === 'paid';
  const { amount, currency } = fromStripeAmount(
    isPaid ? invoice.amount_paid : invoice.amount_due,
    invoice.currency,
  );
  const paymentReference = paymentIntentId ?? id;
  return {
    invoiceReference: id,
    subscriptionReference,
    amount,
    currency,
    paymentReference,
    outcome: await outcomeOf(client, invoice, paymentReference, paymentIntentId),
  };
}

/** That of the invoice's own payment; a paid one before any that was tried in vain. */
function paymentIntentOf({ payments }: Stripe.Invoice): string | undefined {
  const all = payments?.data ?? [];
  const payment = all.find(({ status }) => status === 'paid') ?? all.find((one) => one.is_default) ?? all[0];
  return idOf(payment?.payment.payment_intent);
}

async function outcomeOf(
  client: StripeClient,
  invoice: Stripe.Invoice,
  paymentReference: string,
  paymentIntentId: string | undefined,
): Promise<SubscriptionInvoiceState['outcome']> {
  if (invoice.status === 'paid') return outcomeOfPaid(invoice, paymentReference);
  // The first one is between the payer and their bank: until it is paid, nothing has begun.
  const isRenewal = invoice.billing_reason !== 'subscription_create';
  const wasTried = invoice.status === 'open' && invoice.attempted && invoice.amount_due > 0;
  if (!isRenewal || !wasTried || paymentIntentId === undefined) return null;
  return outcomeOfTried(await client.call((stripe) => stripe.paymentIntents.retrieve(paymentIntentId)));
}

/** Stripe may try it again, and the payer may still answer their bank; but this try brought nothing. */
function outcomeOfTried({
  status,
  last_payment_error: error,
}: Stripe.PaymentIntent): SubscriptionInvoiceState['outcome'] {
  const message = error?.message ?? 'The payment was not completed.';
  switch (status) {
    case 'requires_action':
      return { kind: 'failed', code: 'authentication_required', message };
    case 'requires_payment_method':
      return {
        kind: 'failed',
        code: error?.decline_code ?? error?.code ?? 'payment_method_missing',
        message,
      };
    default:
      return null;
  }
}

function outcomeOfPaid(
  { amount_paid: amount, currency }: Stripe.Invoice,
  movementReference: string,
): SubscriptionInvoiceState['outcome'] {
  const outcome = paid(amount, currency, movementReference);
  return amount > 0 && outcome.kind === 'paid' ? outcome : null;
}
