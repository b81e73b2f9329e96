import type Stripe from 'stripe';
import type { PendingWork } from '../pending-work.js';
import type { WebhookCounts, WebhookSender } from '../webhook-sender.js';
import type { StripeAccount } from './account.js';
import type { StripeApi } from './api.js';
import { paymentIntentIdOf } from './charges.js';
import { movementsOf, type MovementSummary } from './movements.js';
import { isHoldLetGo } from './refunds.js';

/** What the double is made of. */
export interface DoubleParts {
  readonly account: StripeAccount;
  readonly api: StripeApi;
  readonly webhooks: WebhookSender;
  readonly work: PendingWork;
}

/** What a test sees of the double. */
export interface Observations {
  /** How many requests asked for an operation (`payment_intents.create`), the SDK's own repetitions included. */
  requests(operation: string): number;
  counts(): DoubleCounts;
  charges(): ChargeSummary[];
  /**
   * @param reference the id of a PaymentIntent, a customer, an invoice or a subscription, or a value in the metadata,
   * such as our attempt's reference.
   */
  chargesFor(reference: string): ChargeSummary[];
  /** @param reference as for charges; also a value in the refund's own metadata, such as our refund's reference. */
  refundsFor(reference: string): RefundSummary[];
  /** Its books: all money that moved, and did not come back as a refund that failed. */
  movements(): MovementSummary[];
  /** Everything that happened, oldest first. */
  events(): { readonly id: string; readonly type: string }[];
  /** Every delivery has arrived or was given up, and nothing is planned. */
  settled(): Promise<void>;
}

export function observations(parts: DoubleParts): Observations {
  return {
    requests: (operation) => parts.api.requestCount(operation),
    counts: () => countsOf(parts),
    charges: () => chargesFor(parts.account),
    chargesFor: (reference) => chargesFor(parts.account, reference),
    refundsFor: (reference) => refundsFor(parts.account, reference),
    movements: () => movementsOf(parts.account),
    events: () => [...parts.account.events.values()].map(({ id, type }) => ({ id, type })),
    settled: () => parts.work.settled(),
  };
}

export interface DoubleCounts {
  readonly requests: Readonly<Record<string, number>>;
  readonly charges: { readonly succeeded: number; readonly failed: number };
  /** By what they are now; without the holds that Stripe lets go of by a "refund". */
  readonly refunds: { readonly succeeded: number; readonly pending: number; readonly failed: number };
  /** What there is now, so no more than `maxObjects` of each. */
  readonly objects: {
    readonly paymentIntents: number;
    readonly sessions: number;
    readonly refunds: number;
    readonly disputes: number;
    readonly customers: number;
    /** Those that are saved. */
    readonly paymentMethods: number;
    readonly setupIntents: number;
  };
  /** How many of each status. */
  readonly subscriptions: Readonly<Record<string, number>>;
  readonly invoices: Readonly<Record<string, number>>;
  readonly webhooks: WebhookCounts;
  /** Deliveries and other things that the double has still to do. */
  readonly pending: number;
}

export function countsOf({ account, api, webhooks, work }: DoubleParts): DoubleCounts {
  const refunds = refundsFor(account);
  const refundsThatAre = (wanted: string) => refunds.filter(({ status }) => status === wanted).length;
  return {
    requests: api.requestCounts(),
    charges: { ...account.chargeCounts },
    refunds: {
      succeeded: refundsThatAre('succeeded'),
      pending: refundsThatAre('pending'),
      failed: refundsThatAre('failed'),
    },
    objects: {
      paymentIntents: account.payments.size,
      sessions: account.sessions.size,
      refunds: account.refunds.size,
      disputes: account.disputes.size,
      customers: [...account.customers.values()].filter((customer) => !customer.deleted).length,
      paymentMethods: [...account.methods.values()].filter(({ object }) => object.customer !== null).length,
      setupIntents: account.setups.size,
    },
    subscriptions: statusesOf(account.subscriptions),
    invoices: statusesOf(account.invoices),
    webhooks: webhooks.counts,
    pending: work.count,
  };
}

function statusesOf(
  records: ReadonlyMap<string, { readonly object: { readonly status: string | null } }>,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { object } of records.values()) {
    const status = object.status ?? 'none';
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

/** A try to take money, for tests that count. Amounts are in Stripe's units. */
export interface ChargeSummary {
  readonly id: string;
  readonly paymentIntentId: string;
  readonly amount: number;
  /** 0 while the money is only held. */
  readonly amountCaptured: number;
  /** With what was held and let go, as at Stripe. */
  readonly amountRefunded: number;
  readonly currency: string;
  readonly status: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** @param reference as for `Observations.chargesFor`; all when left out. */
export function chargesFor(account: StripeAccount, reference?: string): ChargeSummary[] {
  return [...account.charges.values()]
    .filter((charge) => isAbout(charge, reference) || isOfCustomer(account, charge, reference))
    .map((charge) => ({
      id: charge.id,
      paymentIntentId: paymentIntentIdOf(charge),
      amount: charge.amount,
      amountCaptured: charge.amount_captured,
      amountRefunded: charge.amount_refunded,
      currency: charge.currency,
      status: charge.status,
      metadata: charge.metadata,
    }));
}

/** Money that was given back, or should be. Amounts are in Stripe's units. */
export interface RefundSummary {
  readonly id: string;
  readonly amount: number;
  readonly status: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** @param reference as for charges; also a value in the refund's own metadata, such as our refund's reference. */
export function refundsFor(account: StripeAccount, reference?: string): RefundSummary[] {
  return [...account.refunds.values()]
    .filter((refund) => !isHoldLetGo(refund))
    .filter((refund) => isAbout(refund, reference) || isAboutChargeOf(account, refund, reference))
    .map(({ id, amount, status, metadata }) => ({
      id,
      amount,
      status: status ?? 'pending',
      metadata: metadata ?? {},
    }));
}

/** Of the customer themselves, or of an invoice or a subscription of theirs. */
function isOfCustomer(account: StripeAccount, charge: Stripe.Charge, reference?: string): boolean {
  const { invoiceId } = account.payments.get(paymentIntentIdOf(charge)) ?? {};
  const invoice = invoiceId === undefined ? undefined : account.invoices.get(invoiceId);
  return [charge.customer, invoiceId, invoice?.subscriptionId].some(
    (id) => id !== undefined && id === reference,
  );
}

function isAboutChargeOf(account: StripeAccount, { charge }: Stripe.Refund, reference?: string): boolean {
  const found = typeof charge === 'string' ? account.charges.get(charge) : undefined;
  return found !== undefined && isAbout(found, reference);
}

function isAbout(
  { payment_intent: paymentIntent, metadata }: Pick<Stripe.Refund, 'payment_intent' | 'metadata'>,
  reference: string | undefined,
): boolean {
  return (
    reference === undefined ||
    paymentIntent === reference ||
    Object.values(metadata ?? {}).includes(reference)
  );
}
