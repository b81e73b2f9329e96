import type Stripe from 'stripe';
import { newId, now, type InvoiceRecord, type StripeAccount } from './account.js';
import { recordOldCharge } from './charges.js';
import { livingCustomer } from './customers.js';
import type { FormValues } from './form-body.js';
import { newInvoicePayment } from './invoice-objects.js';
import { followInvoice, followSums, invoicePaymentsOf, notePaid } from './invoice-progress.js';
import { integer, requiredInteger, requiredText } from './parameters.js';
import { addPaymentIntent } from './payment-intents.js';
import { findMethod } from './payment-methods.js';
import { confirmPayment } from './payments.js';
import { chargeOfPayment, refundCharge } from './refunds.js';
import { invalidRequest } from './stripe-error.js';

/** The ways beside Stripe's own collecting by which an invoice becomes paid, or costs less. */

/** Somebody at the merchant's charges the customer for a part of it. @param amount in Stripe's units. */
export function payPartOfInvoice(
  account: StripeAccount,
  invoice: InvoiceRecord,
  amount: number,
  card: string,
): { id: string } {
  requireUnpaid(invoice);
  const { object } = invoice;
  const payment = addPaymentIntent(account, {
    ...{ amount, currency: object.currency, description: null, metadata: {} },
    ...{ captureMethod: 'automatic_async', automaticMethods: null, customerId: object.customer as string },
  });
  account.emit('payment_intent.created', payment.object, payment.object.id);
  attachPayment(account, invoice, payment.object.id);
  confirmPayment(account, payment, findMethod(account, card));
  return { id: payment.object.id };
}

/** `POST /v1/invoices/:id/attach_payment`: once it has succeeded, the PaymentIntent counts for the invoice. */
export function attachPayment(
  account: StripeAccount,
  invoice: InvoiceRecord,
  paymentIntentId: string,
): Stripe.Invoice {
  const payment = account.payment(paymentIntentId);
  if (payment.object.currency !== invoice.object.currency) {
    throw invalidRequest('The PaymentIntent and the invoice must have the same currency.');
  }
  payment.invoiceId = invoice.object.id;
  const attached = newInvoicePayment(invoice.object, {
    payment: { type: 'payment_intent', payment_intent: paymentIntentId },
    amount: payment.object.amount,
    isDefault: false,
  });
  account.invoicePayments.set(attached.id, attached);
  if (payment.object.status === 'succeeded') followInvoice(account, payment);
  return invoice.object;
}

/** With a source of the customer's, as before PaymentIntents. @returns the charge's id. */
export function payInvoiceByCharge(account: StripeAccount, invoice: InvoiceRecord): { id: string } {
  requireUnpaid(invoice);
  const { object } = invoice;
  const amount = object.amount_remaining;
  const { id } = recordOldCharge(account, object.customer as string, amount, object.currency);
  const payment = newInvoicePayment(object, {
    payment: { type: 'charge', charge: id },
    amount,
    isDefault: false,
  });
  account.invoicePayments.set(payment.id, payment);
  notePaid(account, invoice, payment, amount);
  followSums(account, invoice);
  return { id };
}

/** It was paid in cash, say, and no money comes through Stripe. @param amount all that remains when left out. */
export function payInvoiceOutside(account: StripeAccount, invoice: InvoiceRecord, amount?: number): void {
  requireUnpaid(invoice);
  const { object } = invoice;
  const paid = amount ?? object.amount_remaining;
  if (paid < 1 || paid > object.amount_remaining) throw invalidRequest('More than remains to be paid.');
  const payment = newInvoicePayment(object, {
    payment: { type: 'payment_record', payment_record: newId('pr') },
    amount: paid,
    isDefault: false,
  });
  account.invoicePayments.set(payment.id, payment);
  object.amount_paid_off_stripe = (object.amount_paid_off_stripe ?? 0) + paid;
  notePaid(account, invoice, payment, paid);
  followSums(account, invoice);
}

/** Where a credit note's amount goes once the invoice is paid; before, it lowers what is due. */
export type CreditBy = 'REFUND' | 'BALANCE' | 'OUTSIDE';

export function creditInvoice(
  account: StripeAccount,
  invoice: InvoiceRecord,
  amount: number,
  by: CreditBy,
): Stripe.CreditNote {
  const { object, subscriptionId } = invoice;
  const isUnpaid = object.status === 'open' || object.status === 'uncollectible';
  if (!isUnpaid && object.status !== 'paid') throw invalidRequest('The invoice must be open or paid.');
  const credited = object.pre_payment_credit_notes_amount + object.post_payment_credit_notes_amount;
  if (amount < 1 || amount > object.total - credited) throw invalidRequest('More than the invoice is for.');
  const before = isUnpaid ? Math.min(amount, object.amount_remaining) : 0;
  const after = amount - before;
  object.amount_due -= before;
  object.amount_remaining -= before;
  object.pre_payment_credit_notes_amount += before;
  object.post_payment_credit_notes_amount += after;
  const refunds = after > 0 && by === 'REFUND' ? refundFrom(account, invoice, after) : [];
  if (after > 0 && by === 'BALANCE') livingCustomer(account, object.customer as string).balance -= after;
  const note = newCreditNote(invoice, { amount, before, after, refunds });
  account.emit('credit_note.created', note, subscriptionId);
  if (before > 0) followSums(account, invoice);
  return note;
}

/** `POST /v1/credit_notes`. */
export function createCreditNote(account: StripeAccount, form: FormValues): Stripe.CreditNote {
  const invoice = account.invoice(requiredText(form, 'invoice'));
  const by = integer(form, 'refund_amount')
    ? 'REFUND'
    : integer(form, 'credit_amount')
      ? 'BALANCE'
      : 'OUTSIDE';
  return creditInvoice(account, invoice, requiredInteger(form, 'amount'), by);
}

/**
 * `POST /v1/customers/:id/balance_transactions`.
 * @param amount negative: what the customer has left with the merchant, which the next invoice uses up.
 */
export function changeBalance(
  account: StripeAccount,
  customerId: string,
  amount: number,
): { balance: number } {
  const customer = livingCustomer(account, customerId);
  customer.balance += amount;
  account.emit('customer.updated', customer, customerId);
  return { balance: customer.balance };
}

function requireUnpaid({ object: { status } }: InvoiceRecord): void {
  if (status === 'open' || status === 'uncollectible') return;
  throw invalidRequest(status === 'paid' ? 'Invoice is already paid' : 'Invoice is not open.');
}

/** From its payments, the first ones first. */
function refundFrom(account: StripeAccount, { object }: InvoiceRecord, amount: number): Stripe.Refund[] {
  const refunds: Stripe.Refund[] = [];
  let left = amount;
  for (const { status, payment } of invoicePaymentsOf(account, object.id)) {
    if (left === 0 || status !== 'paid' || typeof payment.payment_intent !== 'string') continue;
    const charge = chargeOfPayment(account, payment.payment_intent);
    const part = Math.min(left, charge.amount - charge.amount_refunded);
    if (part === 0) continue;
    refunds.push(refundCharge(account, charge, part, {}, 'requested_by_customer'));
    left -= part;
  }
  if (left > 0) throw invalidRequest('The refund is more than was paid at Stripe.');
  return refunds;
}

interface CreditNoteSums {
  readonly amount: number;
  readonly before: number;
  readonly after: number;
  readonly refunds: readonly Stripe.Refund[];
}

function newCreditNote(
  { object }: InvoiceRecord,
  { amount, before, after, refunds }: CreditNoteSums,
): Stripe.CreditNote {
  const id = newId('cn');
  return {
    id,
    object: 'credit_note',
    amount,
    amount_shipping: 0,
    created: now(),
    currency: object.currency,
    customer: object.customer,
    customer_account: null,
    customer_balance_transaction: null,
    discount_amount: 0,
    discount_amounts: [],
    effective_at: now(),
    invoice: object.id,
    lines: { object: 'list', data: [], has_more: false, url: `/v1/credit_notes/${id}/lines` },
    livemode: false,
    memo: null,
    metadata: {},
    number: `${object.number}-CN-01`,
    out_of_band_amount: null,
    pdf: '',
    pre_payment_amount: before,
    post_payment_amount: after,
    pretax_credit_amounts: [],
    reason: null,
    refunds: refunds.map((refund) => ({ amount_refunded: refund.amount, refund: refund.id })),
    shipping_cost: null,
    status: 'issued',
    subtotal: amount,
    subtotal_excluding_tax: amount,
    total: amount,
    total_excluding_tax: amount,
    total_taxes: [],
    type: after === 0 ? 'pre_payment' : before === 0 ? 'post_payment' : 'mixed',
    voided_at: null,
  } as unknown as Stripe.CreditNote;
}
