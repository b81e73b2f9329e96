import { randomUUID } from 'node:crypto';
import type { DisputedBalance } from './disputes.js';
import Stripe from 'stripe';
import { BoundedMap } from '../bounded-map.js';
import type { PendingWork } from '../pending-work.js';
import { asInOldVersion, OLD_API_VERSION } from './old-events.js';
import { resourceMissing } from './stripe-error.js';
import type {
  InvoiceRecord,
  MethodRecord,
  PaymentRecord,
  SessionRecord,
  SetupRecord,
  SubscriptionRecord,
} from './records.js';

export type * from './records.js';

export interface EventRecord {
  readonly id: string;
  readonly type: string;
  /** What the event is about: deliveries of one object keep their order. */
  readonly subject: string;
  /** Seconds since 1970. */
  readonly created: number;
  /** As it is sent, so as the object was when it happened. */
  readonly body: string;
}

/** Where an event happened, if not in this account and its mode. */
export interface EventOrigin {
  readonly account?: string;
  readonly context?: string;
  readonly livemode?: boolean;
}

export interface RequestOrigin {
  readonly id: string;
  readonly idempotency_key: string | null;
}

/** Everything one Stripe account holds, in memory, and the one way to say that something happened. */
export class StripeAccount {
  readonly payments: Map<string, PaymentRecord>;
  readonly sessions: Map<string, SessionRecord>;
  readonly charges: Map<string, Stripe.Charge>;
  readonly refunds: Map<string, Stripe.Refund>;
  readonly disputes: Map<string, Stripe.Dispute>;
  /** Of disputes whose account keeps its balance in another currency. */
  readonly balancesOfDisputes: Map<string, DisputedBalance>;
  readonly customers: Map<string, Stripe.Customer | Stripe.DeletedCustomer>;
  readonly methods: Map<string, MethodRecord>;
  readonly setups: Map<string, SetupRecord>;
  readonly products: Map<string, Stripe.Product>;
  readonly prices: Map<string, Stripe.Price>;
  readonly subscriptions: Map<string, SubscriptionRecord>;
  readonly invoices: Map<string, InvoiceRecord>;
  readonly invoicePayments: Map<string, Stripe.InvoicePayment>;
  readonly events: Map<string, EventRecord>;
  readonly chargeCounts = { succeeded: 0, failed: 0 };
  /** How far the account's clock, by which subscriptions live, was played forward. */
  playedForwardMilliseconds = 0;
  /** The API request that is being answered, while one is: events name it. */
  origin: RequestOrigin | null = null;
  /** The mode that events name: that of the secret key. */
  isLive = false;
  /** False: nothing is told, and nothing listed. */
  keepsEvents = true;
  /** True: events have the shapes of `OLD_API_VERSION`. */
  writesOldEvents = false;
  onEvent: (event: EventRecord) => void = () => {};
  onPaymentCreated: (payment: PaymentRecord) => void = () => {};
  onSessionCreated: (session: SessionRecord) => void = () => {};

  /** @param baseUrl of the double, for the pages that it sends payers to. */
  constructor(
    maxObjects: number,
    readonly work: PendingWork,
    readonly baseUrl: () => string,
  ) {
    this.payments = new BoundedMap(maxObjects);
    this.sessions = new BoundedMap(maxObjects);
    this.charges = new BoundedMap(maxObjects);
    this.refunds = new BoundedMap(maxObjects);
    this.disputes = new BoundedMap(maxObjects);
    this.balancesOfDisputes = new BoundedMap(maxObjects);
    this.customers = new BoundedMap(maxObjects);
    this.methods = new BoundedMap(maxObjects);
    this.setups = new BoundedMap(maxObjects);
    this.products = new BoundedMap(maxObjects);
    this.prices = new BoundedMap(maxObjects);
    this.subscriptions = new BoundedMap(maxObjects);
    this.invoices = new BoundedMap(maxObjects);
    this.invoicePayments = new BoundedMap(maxObjects);
    this.events = new BoundedMap(maxObjects);
  }

  payment(id: string): PaymentRecord {
    return found(this.payments, 'payment_intent', id);
  }

  session(id: string): SessionRecord {
    return found(this.sessions, 'checkout.session', id);
  }

  charge(id: string): Stripe.Charge {
    return found(this.charges, 'charge', id);
  }

  refund(id: string): Stripe.Refund {
    return found(this.refunds, 'refund', id);
  }

  dispute(id: string): Stripe.Dispute {
    return found(this.disputes, 'dispute', id);
  }

  method(id: string): MethodRecord {
    return found(this.methods, 'PaymentMethod', id);
  }

  setup(id: string): SetupRecord {
    return found(this.setups, 'setupintent', id);
  }

  subscription(id: string): SubscriptionRecord {
    return found(this.subscriptions, 'subscription', id);
  }

  invoice(id: string): InvoiceRecord {
    return found(this.invoices, 'invoice', id);
  }

  event(id: string): EventRecord {
    return found(this.events, 'event', id);
  }

  /** Seconds since 1970 by the account's own clock, which only subscriptions and their invoices go by. */
  now(): number {
    return Math.floor((Date.now() + this.playedForwardMilliseconds) / 1000);
  }

  /**
   * @param previous what the object's changed fields were before, for the types that tell it.
   * @param elsewhere for what happened in another account or mode, and is told to the same endpoint.
   */
  emit(
    type: string,
    object: { readonly id: string },
    subject: string,
    previous?: object,
    elsewhere: EventOrigin = {},
  ): string | undefined {
    if (!this.keepsEvents) return undefined;
    const id = newId('evt');
    const created = now();
    const body = JSON.stringify({
      id,
      object: 'event',
      api_version: this.writesOldEvents ? OLD_API_VERSION : Stripe.API_VERSION,
      created,
      data: {
        object: this.writesOldEvents ? asInOldVersion(this, object) : object,
        ...(previous && { previous_attributes: previous }),
      },
      livemode: this.isLive,
      pending_webhooks: 1,
      request: this.origin,
      type,
      ...elsewhere,
    });
    const event = { id, type, subject, created, body };
    this.events.set(id, event);
    this.onEvent(event);
    return id;
  }
}

/** @throws {StripeDoubleError} 404. */
export function found<Item>(items: ReadonlyMap<string, Item>, kind: string, id: string): Item {
  const item = items.get(id);
  if (item === undefined) throw resourceMissing(kind, id);
  return item;
}

/** Random, so that the ids of two runs never meet in one database. */
export function newId(prefix: string): string {
  return `${prefix}_${randomUUID().replaceAll('-', '')}`;
}

/** Seconds since 1970. */
export function now(): number {
  return Math.floor(Date.now() / 1000);
}
