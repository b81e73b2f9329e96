import type Stripe from 'stripe';
import type { TestCard } from './test-cards.js';

/** A PaymentIntent, and what Stripe knows about it but doesn't show. */
export interface PaymentRecord {
  readonly object: Stripe.PaymentIntent;
  /** The Checkout Session that made it, and that alone may end it. */
  readonly sessionId?: string;
  /** The invoice that it pays, and that alone may end it. */
  invoiceId?: string;
  /** What it was tried with last; also after a decline, when Stripe no longer shows it. */
  method?: MethodRecord;
  /** Where the payer goes after 3-D Secure. */
  returnUrl?: string;
}

/** A PaymentMethod, and the test card behind it. */
export interface MethodRecord {
  readonly object: Stripe.PaymentMethod;
  readonly card: TestCard;
  /** Detached, or used once without being saved: it may never be used again. */
  spent: boolean;
  /** The payer agreed with their bank, once, to payments without them. */
  setUp: boolean;
}

/** A SetupIntent, and what Stripe doesn't show of it. */
export interface SetupRecord {
  readonly object: Stripe.SetupIntent;
  method?: MethodRecord;
  returnUrl?: string;
}

export interface SubscriptionRecord {
  readonly object: Stripe.Subscription;
  /** How many periods have begun. */
  periods: number;
  /** What its coupon takes off the next invoices, 0 to 100. */
  percentOff: number;
}

/** An invoice, and what is only shown of it when asked for. */
export interface InvoiceRecord {
  readonly object: Stripe.Invoice;
  readonly subscriptionId: string;
  /** Of the payment that Stripe made itself; null where there is nothing to pay. */
  readonly paymentIntentId: string | null;
}

export type CaptureMethod = 'automatic_async' | 'manual';

export interface SessionRecord {
  readonly object: Stripe.Checkout.Session;
  readonly paymentIntentData: {
    readonly metadata: Record<string, string>;
    readonly description: string | null;
    readonly captureMethod: CaptureMethod;
    readonly setupFutureUsage: 'on_session' | 'off_session' | null;
  };
}
