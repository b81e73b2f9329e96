import type { Currency } from '../money.js';
import type { NextAction, ProviderOutcome } from './provider.js';

/** What a provider can do that collects the same price again and again by itself. It has all of these, or none. */
export interface RecurringCalls {
  /** Repeating it with the same subscription gives the same one. @throws {ProviderFailure} */
  beginSubscription?(subscription: SubscriptionToBegin): Promise<BegunSubscription>;

  /** @throws {ProviderFailure} */
  readSubscription?(providerReference: string): Promise<SubscriptionState>;

  /**
   * One whose first answer was lost, by our own reference, also when it has ended. Null: it never began.
   * @throws {ProviderFailure}
   */
  findSubscription?(customerReference: string, reference: string): Promise<SubscriptionState | null>;

  /** Ends it now, or once what was paid for is over. One that has ended is no failure. @throws {ProviderFailure} */
  cancelSubscription?(providerReference: string, atPeriodEnd: boolean): Promise<SubscriptionState>;

  /** Null: it belongs to no subscription. @throws {ProviderFailure} */
  subscriptionOfInvoice?(invoiceReference: string): Promise<string | null>;

  /** What came of one collection. Null: it belongs to no subscription. @throws {ProviderFailure} */
  readInvoice?(invoiceReference: string): Promise<SubscriptionInvoiceState | null>;

  /** The collections of a subscription that were begun since, the newest first. @throws {ProviderFailure} */
  listInvoices?(subscriptionReference: string, since: Date): Promise<readonly ListedInvoice[]>;
}

export type RecurringInterval = 'DAY' | 'WEEK' | 'MONTH' | 'YEAR';

export interface SubscriptionToBegin {
  /** Ours and opaque, `SUB-…`. */
  readonly reference: string;
  /** It belongs to the subscription and never changes. */
  readonly idempotencyKey: string;
  readonly customerReference: string;
  /** What is charged. Without it, the payer gives it with the first payment. */
  readonly methodReference?: string;
  readonly currency: Currency;
  readonly interval: RecurringInterval;
  readonly intervalCount: number;
  readonly lines: readonly RecurringLine[];
}

export interface RecurringLine {
  /** Our own id of the product. */
  readonly productId: string;
  readonly name: string;
  readonly quantity: number;
  /** Minor units. */
  readonly unitAmount: number;
}

/** INCOMPLETE: the first payment is missing. PAST_DUE, UNPAID: a later one is. EXPIRED: the first one never came. */
export type SubscriptionStatus =
  'INCOMPLETE' | 'ACTIVE' | 'PAST_DUE' | 'UNPAID' | 'PAUSED' | 'CANCELLED' | 'EXPIRED';

export interface SubscriptionState {
  readonly providerReference: string;
  /** Ours, where the provider gives it back. */
  readonly reference?: string;
  readonly status: SubscriptionStatus;
  readonly cancelAtPeriodEnd: boolean;
  readonly currentPeriodEndsAt: Date | null;
  readonly endedAt: Date | null;
}

export interface BegunSubscription extends SubscriptionState {
  /** What the payer does for the first payment; null when there is nothing left to do. */
  readonly nextAction: NextAction | null;
}

export interface SubscriptionInvoiceState {
  readonly invoiceReference: string;
  readonly subscriptionReference: string;
  /** What was ordered costs, in minor units: before credit notes, and before anything was paid. It may be nothing. */
  readonly amount: number;
  /**
   * What of it is to come through the provider, in minor units: without credit notes, the customer's balance, and what
   * was paid elsewhere. Of a paid invoice, what of it has come.
   */
  readonly amountToCollect: number;
  /** What the provider has taken beyond that, and keeps for the customer, in minor units. */
  readonly overpaidAmount: number;
  readonly currency: string;
  readonly standing: InvoiceStanding;
  /** Whether it becomes an order. Else it is a draft, or nobody has tried to pay it yet. */
  readonly isDecided: boolean;
  /** Those that take money through the provider, the oldest first. */
  readonly payments: readonly InvoicePayment[];
}

export type InvoiceStanding =
  | { readonly kind: 'open' }
  /** By whatever: it may be that no money came. */
  | { readonly kind: 'paid' }
  | Extract<ProviderOutcome, { kind: 'failed' | 'cancelled' }>;

/** One payment of an invoice, which may have several. */
export interface InvoicePayment {
  /** By which the provider knows it: the same as an attempt's. */
  readonly paymentReference: string;
  /** What it asks for, or has brought, in minor units. */
  readonly amount: number;
  /** Null: the payer, or the provider, has not tried it yet. */
  readonly outcome: Extract<
    ProviderOutcome,
    { kind: 'paid' | 'processing' | 'declined' | 'cancelled' }
  > | null;
  /** How the payer pays it themselves; null where they can't. */
  readonly nextAction: NextAction | null;
}

export interface ListedInvoice {
  readonly invoiceReference: string;
  /** Money may still come of it. */
  readonly isOpen: boolean;
}
