import type Stripe from 'stripe';
import type {
  InvoicePayment,
  InvoiceStanding,
  ListedInvoice,
  SubscriptionInvoiceState,
} from '../recurring.js';
import { everyItem, type StripeClient } from './client.js';
import { idOf } from './concerns.js';
import { fromStripeAmount } from './currency.js';
import { readInvoicePayments, refusalOf, type ReadInvoicePayment } from './invoice-payments.js';
import { stripeRange } from './time.js';

/**
 * How one invoice of a subscription stands, by its own sums. Money has the name of its PaymentIntent, as all money of
 * Stripe's here, so that it is the same money wherever we hear of it.
 */
export async function readInvoice(
  client: StripeClient,
  id: string,
  publishableKey: string,
): Promise<SubscriptionInvoiceState | null> {
  const expand = ['payments.data.payment.payment_intent', 'parent.subscription_details.subscription'];
  const invoice = await client.call((stripe) => stripe.invoices.retrieve(id, { expand }));
  const subscriptionReference = subscriptionOf(invoice);
  if (subscriptionReference === null) return null;
  const all = await readInvoicePayments(client, invoice, publishableKey);
  const payments = all.map(({ payment }) => payment);
  const standing = standingOf(invoice, all);
  const ours = (amount: number) => fromStripeAmount(amount, invoice.currency).amount;
  return {
    invoiceReference: id,
    subscriptionReference,
    amount: ours(totalOf(invoice)),
    amountToCollect: amountToCollect(invoice, payments, ours),
    overpaidAmount: ours(invoice.amount_overpaid ?? 0),
    currency: fromStripeAmount(0, invoice.currency).currency,
    standing,
    isDecided: isDecided(invoice, standing, payments),
    payments,
  };
}

export async function subscriptionOfInvoice(client: StripeClient, id: string): Promise<string | null> {
  return subscriptionOf(await client.call((stripe) => stripe.invoices.retrieve(id)));
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

function subscriptionOf({ parent }: Stripe.Invoice): string | null {
  return idOf(parent?.subscription_details?.subscription) ?? null;
}

/**
 * `total` is after discounts and taxes. What the customer owed from before is asked for with it; what they had left
 * with the merchant only lowers what is collected. A total below nothing adds to their balance, and costs nothing.
 */
function totalOf({ total, starting_balance: before, ending_balance: after }: Stripe.Invoice): number {
  const owedBefore = Math.max(0, before - Math.max(0, after ?? 0));
  return Math.max(0, total) + owedBefore;
}

function amountToCollect(
  { status, amount_due: due, ...invoice }: Stripe.Invoice,
  payments: readonly InvoicePayment[],
  ours: (amount: number) => number,
): number {
  if (status !== 'paid') return Math.max(0, ours(due - paidElsewhere(invoice)));
  const brought = payments.reduce(
    (sum, { outcome }) => sum + (outcome?.kind === 'paid' ? outcome.amount : 0),
    0,
  );
  return Math.min(ours(Math.max(0, due)), brought);
}

/** What somebody noted as paid outside of Stripe, in Stripe's units. */
function paidElsewhere({
  amount_paid_off_stripe: amount,
  payments,
}: Pick<Stripe.Invoice, 'amount_paid_off_stripe' | 'payments'>): number {
  if (amount !== undefined) return amount;
  const records = (payments?.data ?? []).filter(
    ({ status, payment }) => status === 'paid' && payment.type === 'payment_record',
  );
  return records.reduce((sum, { amount_paid: paid }) => sum + (paid ?? 0), 0);
}

/** Once its subscription has ended, Stripe collects an open invoice no more; what is uncollectible it has given up. */
function standingOf(invoice: Stripe.Invoice, payments: readonly ReadInvoicePayment[]): InvoiceStanding {
  if (invoice.status === 'paid') return { kind: 'paid' };
  if (invoice.status === 'void') return { kind: 'cancelled', reason: 'void' };
  const unpaid = payments.filter(({ payment: { outcome } }) => outcome?.kind !== 'paid');
  // Its money is there, or may be.
  const isAllThere = payments.length > 0 && unpaid.length === 0;
  const isMoving = unpaid.some(({ payment: { outcome } }) => outcome?.kind === 'processing');
  if (isAllThere || isMoving) return { kind: 'open' };
  const failed = { kind: 'failed', ...refusalOf(unpaid.at(-1)?.paymentIntent) } as const;
  if (invoice.status === 'uncollectible') return failed;
  const subscription = invoice.parent?.subscription_details?.subscription;
  if (typeof subscription !== 'object' || subscription.ended_at === null) return { kind: 'open' };
  const wasAskedFor = subscription.cancellation_details?.reason === 'cancellation_requested';
  return wasAskedFor ? { kind: 'cancelled', reason: 'its subscription was cancelled' } : failed;
}

/** The first one is between the payer and their bank: until some of it is paid, nothing has begun. */
function isDecided(
  invoice: Stripe.Invoice,
  standing: InvoiceStanding,
  payments: readonly InvoicePayment[],
): boolean {
  if (invoice.status === 'draft' || invoice.status === null) return false;
  const isOf = (kind: string) => payments.some(({ outcome }) => outcome?.kind === kind);
  if (standing.kind === 'paid' || isOf('paid')) return true;
  if (invoice.billing_reason === 'subscription_create') return false;
  if (!invoice.attempted || payments.length === 0) return false;
  return standing.kind !== 'open' || isOf('declined');
}
