import type Stripe from 'stripe';
import type { InvoiceOutcome, ListedInvoice, SubscriptionInvoiceState } from '../recurring.js';
import { everyItem, type StripeClient } from './client.js';
import { idOf } from './concerns.js';
import { fromStripeAmount } from './currency.js';
import { failure } from './failures.js';
import { paid } from './outcomes.js';
import { stripeRange } from './time.js';

/**
 * What came of one invoice of a subscription. Its money has the name of its PaymentIntent, as all money of Stripe's here,
 * so that it is the same money wherever we hear of it; what was paid outside of Stripe has the invoice's.
 */
export async function readInvoice(
  client: StripeClient,
  id: string,
  publishableKey: string,
): Promise<SubscriptionInvoiceState | null> {
  const expand = ['payments', 'parent.subscription_details.subscription'];
  const invoice = await client.call((stripe) => stripe.invoices.retrieve(id, { expand }));
  const subscriptionReference = idOf(invoice.parent?.subscription_details?.subscription);
  if (subscriptionReference === undefined) return null;
  const paymentIntentId = paymentIntentOf(invoice);
  const isPaid = invoice.status === 'paid';
  const { amount, currency } = fromStripeAmount(
    isPaid ? invoice.amount_paid : invoice.amount_due,
    invoice.currency,
  );
  const paymentReference = paymentIntentId ?? id;
  const outcome = isPaid
    ? outcomeOfPaid(invoice, paymentReference)
    : await outcomeOfUnpaid(client, invoice, paymentIntentId, publishableKey);
  return { invoiceReference: id, subscriptionReference, amount, currency, paymentReference, outcome };
}

export async function listInvoices(
  client: StripeClient,
  subscription: string,
  since: Date,
): Promise<readonly ListedInvoice[]> {
  const listed: ListedInvoice[] = [];
  const invoices = everyItem(client, (stripe, page) =>
    stripe.invoices.list({ ...page, subscription, created: stripeRange(since) }),
  );
  for await (const { id, status } of invoices) {
    listed.push({ invoiceReference: id, isOpen: status === 'draft' || status === 'open' });
  }
  return listed;
}

/** That of the invoice's own payment; a paid one before any that was tried in vain. */
function paymentIntentOf({ payments }: Stripe.Invoice): string | undefined {
  const all = payments?.data ?? [];
  const payment = all.find(({ status }) => status === 'paid') ?? all.find((one) => one.is_default) ?? all[0];
  return idOf(payment?.payment.payment_intent);
}

function outcomeOfPaid(
  { amount_paid: amount, currency }: Stripe.Invoice,
  movementReference: string,
): InvoiceOutcome | null {
  const outcome = paid(amount, currency, movementReference);
  return amount > 0 && outcome.kind === 'paid' ? outcome : null;
}

async function outcomeOfUnpaid(
  client: StripeClient,
  invoice: Stripe.Invoice,
  paymentIntentId: string | undefined,
  publishableKey: string,
): Promise<InvoiceOutcome | null> {
  // The first one is between the payer and their bank: until it is paid, nothing has begun.
  const isRenewal = invoice.billing_reason !== 'subscription_create';
  const wasTried = invoice.attempted && invoice.amount_due > 0;
  if (!isRenewal || !wasTried || paymentIntentId === undefined) return null;
  if (invoice.status === 'void') return { kind: 'cancelled', reason: 'void' };
  const payment = await client.call((stripe) => stripe.paymentIntents.retrieve(paymentIntentId));
  // Its money is there, or may be.
  if (payment.status === 'succeeded' || payment.status === 'processing') return null;
  return endOf(invoice, payment) ?? outcomeOfTried(payment, publishableKey);
}

/** Once its subscription has ended, Stripe collects an open invoice no more; what is uncollectible it has given up. */
function endOf(invoice: Stripe.Invoice, payment: Stripe.PaymentIntent): InvoiceOutcome | null {
  const failed = { kind: 'failed', ...refusalOf(payment) } as const;
  if (invoice.status === 'uncollectible') return failed;
  const subscription = invoice.parent?.subscription_details?.subscription;
  if (typeof subscription !== 'object' || subscription.ended_at === null) return null;
  const wasAskedFor = subscription.cancellation_details?.reason === 'cancellation_requested';
  return wasAskedFor ? { kind: 'cancelled', reason: 'its subscription was cancelled' } : failed;
}

/** Stripe tries it again, or the payer answers their bank or gives another card. */
function outcomeOfTried(payment: Stripe.PaymentIntent, publishableKey: string): InvoiceOutcome | null {
  const { status, client_secret: clientSecret } = payment;
  if (status !== 'requires_action' && status !== 'requires_payment_method') return null;
  if (clientSecret === null) throw failure('rejected', 'CLIENT_SECRET_MISSING');
  const nextAction = { type: 'ConfirmWithStripe', clientSecret, publishableKey } as const;
  return { kind: 'declined', ...refusalOf(payment), nextAction };
}

function refusalOf({ status, last_payment_error: error }: Stripe.PaymentIntent) {
  const message = error?.message ?? 'The payment was not completed.';
  if (status === 'requires_action') return { code: 'authentication_required', message };
  return { code: error?.decline_code ?? error?.code ?? 'payment_method_missing', message };
}
