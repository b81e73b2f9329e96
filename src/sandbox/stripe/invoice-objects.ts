import Stripe from 'stripe';
import { newId, now, type StripeAccount } from './account.js';
import { livingCustomer } from './customers.js';

export interface Bill {
  readonly id: string;
  readonly reason: 'subscription_create' | 'subscription_cycle';
  /** Seconds since 1970: when the period began that ends with this bill. */
  readonly usedSince: number;
  /** What of the price is taken off, 0 to 100. */
  readonly percentOff: number;
}

/** A draft of what a subscription costs for the period that its items are in. */
export function newInvoiceObject(
  account: StripeAccount,
  subscription: Stripe.Subscription,
  { id, reason, usedSince, percentOff }: Bill,
): Stripe.Invoice {
  const customer = livingCustomer(account, subscription.customer as string);
  const lines = subscription.items.data.map((item) => newLine(id, item));
  const subtotal = lines.reduce((sum, { amount }) => sum + amount, 0);
  const discount = Math.round((subtotal * percentOff) / 100);
  const total = subtotal - discount;
  // What the customer owes from before is asked for with it; what they have left with the merchant pays of it.
  const due = Math.max(0, total + customer.balance);
  return {
    id,
    object: 'invoice',
    account_country: 'FR',
    account_name: 'Quittance',
    account_tax_ids: null,
    amount_due: due,
    amount_overpaid: 0,
    amount_paid: 0,
    amount_paid_off_stripe: 0,
    amount_remaining: due,
    amount_shipping: 0,
    application: null,
    attempt_count: 0,
    attempted: false,
    auto_advance: true,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
    automatically_finalizes_at: null,
    billing_reason: reason,
    collection_method: 'charge_automatically',
    created: account.now(),
    currency: subscription.currency,
    custom_fields: null,
    customer: customer.id,
    customer_account: null,
    customer_address: null,
    customer_email: customer.email,
    customer_name: customer.name ?? null,
    customer_phone: customer.phone ?? null,
    customer_shipping: null,
    customer_tax_exempt: 'none',
    customer_tax_ids: [],
    default_payment_method: null,
    default_source: null,
    default_tax_rates: [],
    description: null,
    discounts: [],
    due_date: null,
    effective_at: null,
    ending_balance: null,
    footer: null,
    from_invoice: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    issuer: { type: 'self' },
    last_finalization_error: null,
    latest_revision: null,
    lines: { object: 'list', data: lines, has_more: false, url: `/v1/invoices/${id}/lines` },
    livemode: false,
    metadata: {},
    next_payment_attempt: null,
    number: null,
    on_behalf_of: null,
    parent: {
      quote_details: null,
      // A copy: Stripe takes the subscription's metadata along once, when it makes the invoice.
      subscription_details: { metadata: { ...subscription.metadata }, subscription: subscription.id },
      type: 'subscription_details',
    },
    payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
    // Of what was used before, and not of what is paid for ahead: that stands in the lines.
    period_end: account.now(),
    period_start: usedSince,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    starting_balance: customer.balance,
    statement_descriptor: null,
    status: 'draft',
    status_transitions: {
      finalized_at: null,
      marked_uncollectible_at: null,
      paid_at: null,
      voided_at: null,
    },
    subtotal,
    subtotal_excluding_tax: subtotal,
    test_clock: null,
    total,
    total_discount_amounts: discount === 0 ? [] : [{ amount: discount, discount: newId('di') }],
    total_excluding_tax: total,
    total_pretax_credit_amounts: [],
    total_taxes: [],
    webhooks_delivered_at: null,
  };
}

function newLine(invoiceId: string, item: Stripe.SubscriptionItem): Stripe.InvoiceLineItem {
  const { price, quantity = 1 } = item;
  const amount = (price.unit_amount ?? 0) * quantity;
  return {
    id: newId('il'),
    object: 'line_item',
    amount,
    currency: price.currency,
    description: `${quantity} × ${price.nickname ?? productOf(price)}`,
    discount_amounts: [],
    discountable: true,
    discounts: [],
    invoice: invoiceId,
    livemode: false,
    metadata: { ...item.metadata },
    parent: {
      invoice_item_details: null,
      subscription_item_details: {
        invoice_item: null,
        proration: false,
        proration_details: { credited_items: null },
        subscription: item.subscription,
        subscription_item: item.id,
      },
      type: 'subscription_item_details',
    },
    period: { start: item.current_period_start, end: item.current_period_end },
    pretax_credit_amounts: [],
    pricing: {
      price_details: { price: price.id, product: productOf(price) },
      type: 'price_details',
      unit_amount_decimal: price.unit_amount_decimal,
    },
    quantity,
    quantity_decimal: Stripe.Decimal.from(String(quantity)),
    subscription: item.subscription,
    subtotal: amount,
    taxes: [],
  };
}

/** The double never expands it in its own books. */
function productOf({ product }: Stripe.Price): string {
  if (typeof product !== 'string') throw new Error('a price of the double has its product as an id');
  return product;
}

interface NewInvoicePayment {
  readonly payment: Stripe.InvoicePayment.Payment;
  /** In Stripe's units. */
  readonly amount: number;
  /** Stripe made it itself, and keeps it at what remains to be paid. */
  readonly isDefault: boolean;
}

export function newInvoicePayment(
  invoice: Stripe.Invoice,
  { payment, amount, isDefault }: NewInvoicePayment,
): Stripe.InvoicePayment {
  return {
    id: newId('inpay'),
    object: 'invoice_payment',
    amount_paid: null,
    amount_requested: amount,
    created: now(),
    currency: invoice.currency,
    invoice: invoice.id,
    is_default: isDefault,
    livemode: false,
    payment,
    status: 'open',
    status_transitions: { canceled_at: null, paid_at: null },
  };
}
