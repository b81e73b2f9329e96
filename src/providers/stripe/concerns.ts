import type Stripe from 'stripe';
import type { Concern } from '../concern.js';
import { isPlainText } from '../json-document.js';
import { customerMarkOf, subscriptionMarkOf } from './attempt-mark.js';

interface OurConcern {
  readonly concern: Concern;
  readonly markedAsOurs: boolean;
}

/** What changes something of ours that is no payment. Undefined: it is nobody's. */
export function concernOf(event: Stripe.Event): OurConcern | undefined {
  switch (event.type) {
    case 'setup_intent.succeeded':
      return ofSetup(event.data.object);
    case 'payment_method.attached':
    case 'payment_method.detached':
    case 'payment_method.updated':
    case 'payment_method.automatically_updated':
      return ofMethod(event.data.object, event.data.previous_attributes?.customer);
    case 'customer.subscription.created':
    case 'customer.subscription.updated':
    case 'customer.subscription.deleted':
    case 'customer.subscription.paused':
    case 'customer.subscription.resumed':
      return ofSubscription(event.data.object);
    case 'invoice.paid':
    case 'invoice.payment_failed':
    case 'invoice.payment_action_required':
    case 'invoice.marked_uncollectible':
    case 'invoice.voided':
    case 'invoice.overpaid':
      return ofInvoice(event.data.object);
    case 'invoice_payment.paid':
    case 'credit_note.created':
    case 'credit_note.voided':
      return ofPartOfInvoice(event.data.object);
    case 'customer.deleted':
      return ofDeletedCustomer(event.data.object);
    default:
      return undefined;
  }
}

export const CONCERN_TYPES: readonly string[] = [
  'setup_intent.succeeded',
  'payment_method.attached',
  'payment_method.detached',
  'payment_method.updated',
  'payment_method.automatically_updated',
  'customer.subscription.created',
  'customer.subscription.updated',
  'customer.subscription.deleted',
  'customer.subscription.paused',
  'customer.subscription.resumed',
  'invoice.paid',
  'invoice.payment_failed',
  'invoice.payment_action_required',
  'invoice.marked_uncollectible',
  'invoice.voided',
  'invoice.overpaid',
  'invoice_payment.paid',
  'credit_note.created',
  'credit_note.voided',
  'customer.deleted',
] satisfies Stripe.Event.Type[];

function ofSetup({ customer, payment_method: method, metadata }: Stripe.SetupIntent): OurConcern | undefined {
  const customerReference = idOf(customer);
  if (customerReference === undefined) return undefined;
  const methodReference = idOf(method);
  return {
    concern: { kind: 'savedMethods', customerReference, ...(methodReference && { methodReference }) },
    markedAsOurs: customerMarkOf(metadata) !== undefined,
  };
}

/** What was detached belongs to nobody any more: Stripe tells whose it was beside it. */
function ofMethod(
  method: Stripe.PaymentMethod,
  customerBefore: string | Stripe.Customer | null | undefined,
): OurConcern {
  const customerReference = idOf(method.customer) ?? idOf(customerBefore);
  return {
    concern: {
      kind: 'savedMethods',
      ...(customerReference && { customerReference }),
      methodReference: method.id,
    },
    markedAsOurs: false,
  };
}

function ofSubscription({ id, metadata }: Stripe.Subscription): OurConcern {
  return {
    concern: { kind: 'subscription', providerReference: id },
    markedAsOurs: subscriptionMarkOf(metadata) !== undefined,
  };
}

/** Events keep the API version of their endpoint, and those before 2025-03-31 name the subscription at the top. */
type InvoiceOfAnyVersion = Stripe.Invoice & {
  readonly subscription?: string | { readonly id: string } | null;
  readonly subscription_details?: { readonly metadata?: Stripe.Metadata | null } | null;
};

/** An invoice of anything else is none of ours. */
function ofInvoice({ id, parent, ...older }: InvoiceOfAnyVersion): OurConcern | undefined {
  const details = parent?.subscription_details;
  const providerReference = idOf(details?.subscription ?? older.subscription);
  if (providerReference === undefined || !id) return undefined;
  const metadata = details?.metadata ?? older.subscription_details?.metadata;
  return {
    concern: { kind: 'invoice', invoiceReference: id, providerReference },
    markedAsOurs: subscriptionMarkOf(metadata) !== undefined,
  };
}

/** It names the invoice, and not the subscription. */
function ofPartOfInvoice({ invoice }: Stripe.InvoicePayment | Stripe.CreditNote): OurConcern | undefined {
  const invoiceReference = idOf(invoice);
  if (invoiceReference === undefined) return undefined;
  return { concern: { kind: 'invoice', invoiceReference }, markedAsOurs: false };
}

/** The mark proves little here: a customer whom we have replaced since is none of ours any more. */
function ofDeletedCustomer({ id }: Stripe.Customer): OurConcern {
  return { concern: { kind: 'deletedCustomer', customerReference: id }, markedAsOurs: false };
}

export function idOf(object: string | { readonly id: string } | null | undefined): string | undefined {
  const id: unknown = typeof object === 'string' ? object : object?.id;
  return isPlainText(id) ? id : undefined;
}
