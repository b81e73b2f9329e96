import type Stripe from 'stripe';
import type { InvoicePayment } from '../recurring.js';
import { everyItem, type StripeClient } from './client.js';
import { fromStripeAmount } from './currency.js';
import { failure } from './failures.js';
import { paid } from './outcomes.js';

/** One payment of an invoice, with the PaymentIntent that it is, if it is one. */
export interface ReadInvoicePayment {
  readonly payment: InvoicePayment;
  readonly paymentIntent?: Stripe.PaymentIntent;
}

/**
 * The payments of an invoice that take money at Stripe, the oldest first: the one that Stripe made itself and keeps at
 * what remains to be paid, and of those that somebody attached the ones that have brought money. What was paid elsewhere
 * is a payment too, but no money of Stripe's.
 * @param invoice with `payments.data.payment.payment_intent` expanded.
 */
export async function readInvoicePayments(
  client: StripeClient,
  invoice: Stripe.Invoice,
  publishableKey: string,
): Promise<readonly ReadInvoicePayment[]> {
  const all = await everyPayment(client, invoice);
  const inOrder = all.toSorted((one, other) => one.created - other.created);
  return inOrder.flatMap((payment) => readPayment(invoice, payment, publishableKey) ?? []);
}

/** With an invoice come only its first payments. */
async function everyPayment(
  client: StripeClient,
  { id, payments }: Stripe.Invoice,
): Promise<readonly Stripe.InvoicePayment[]> {
  if (!payments?.has_more) return payments?.data ?? [];
  const expand = ['data.payment.payment_intent'];
  const pages = everyItem(client, (stripe, page) =>
    stripe.invoicePayments.list({ ...page, invoice: id, expand }),
  );
  const all: Stripe.InvoicePayment[] = [];
  for await (const payment of pages) all.push(payment);
  return all;
}

function readPayment(
  invoice: Stripe.Invoice,
  { status, payment, currency, amount_paid: amountPaid, is_default: isDefault }: Stripe.InvoicePayment,
  publishableKey: string,
): ReadInvoicePayment | null {
  const { payment_intent: paymentIntent, charge } = payment;
  if (typeof paymentIntent === 'object') {
    const outcome = outcomeOf(invoice, paymentIntent);
    if (!isDefault && outcome?.kind !== 'paid') return null;
    const nextAction = nextActionOf(invoice, paymentIntent, publishableKey);
    const asked = outcome?.kind === 'paid' ? paymentIntent.amount_received : paymentIntent.amount;
    const { amount } = fromStripeAmount(asked, paymentIntent.currency);
    return { paymentIntent, payment: { paymentReference: paymentIntent.id, amount, outcome, nextAction } };
  }
  const chargeId = typeof charge === 'string' ? charge : charge?.id;
  if (status !== 'paid' || !chargeId || !amountPaid) return null;
  const { amount } = fromStripeAmount(amountPaid, currency);
  const outcome = paidOutcome(amountPaid, currency, chargeId);
  return { payment: { paymentReference: chargeId, amount, outcome, nextAction: null } };
}

function outcomeOf(invoice: Stripe.Invoice, paymentIntent: Stripe.PaymentIntent): InvoicePayment['outcome'] {
  const { id, status, currency, amount_received: received } = paymentIntent;
  switch (status) {
    case 'succeeded':
      return paidOutcome(received, currency, id);
    case 'processing':
      return { kind: 'processing' };
    case 'canceled':
      return { kind: 'cancelled', reason: paymentIntent.cancellation_reason ?? 'canceled' };
    case 'requires_action':
    case 'requires_payment_method':
      return invoice.attempted ? { kind: 'declined', ...refusalOf(paymentIntent) } : null;
    default:
      return null;
  }
}

function paidOutcome(amount: number, currency: string, reference: string): InvoicePayment['outcome'] {
  const outcome = paid(amount, currency, reference);
  return outcome.kind === 'paid' ? outcome : null;
}

/** With another card, say, before Stripe tries again; once the invoice is over, nobody needs to pay it. */
function nextActionOf(
  invoice: Stripe.Invoice,
  { status, client_secret: clientSecret }: Stripe.PaymentIntent,
  publishableKey: string,
): InvoicePayment['nextAction'] {
  const isPayersTurn = status.startsWith('requires_') && status !== 'requires_capture';
  if (!isPayersTurn || invoice.status !== 'open') return null;
  if (clientSecret === null) throw failure('rejected', 'CLIENT_SECRET_MISSING');
  return { type: 'ConfirmWithStripe', clientSecret, publishableKey };
}

/** Why a payment was not made, for a payment of an invoice that Stripe has tried or given up. */
export function refusalOf(paymentIntent: Stripe.PaymentIntent | undefined): {
  readonly code: string;
  readonly message: string;
} {
  const error = paymentIntent?.last_payment_error;
  const message = error?.message ?? 'The payment was not completed.';
  if (paymentIntent?.status === 'requires_action') return { code: 'authentication_required', message };
  return { code: error?.decline_code ?? error?.code ?? 'payment_method_missing', message };
}
