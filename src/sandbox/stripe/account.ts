import { randomUUID } from 'node:crypto';
import Stripe from 'stripe';
import { BoundedMap } from '../bounded-map.js';
import type { PendingWork } from '../pending-work.js';
import { resourceMissing } from './stripe-error.js';
import type { TestCard } from './test-cards.js';

/** A PaymentIntent, and what Stripe knows about it but doesn't show. */
export interface PaymentRecord {
  readonly object: Stripe.PaymentIntent;
  /** The Checkout Session that made it, and that alone may end it. */
  readonly sessionId?: string;
  card?: TestCard;
  /** Where the payer goes after 3-D Secure. */
  returnUrl?: string;
}

export type CaptureMethod = 'automatic_async' | 'manual';

export interface SessionRecord {
  readonly object: Stripe.Checkout.Session;
  readonly paymentIntentData: {
    readonly metadata: Record<string, string>;
    readonly description: string | null;
    readonly captureMethod: CaptureMethod;
  };
}

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
  readonly events: Map<string, EventRecord>;
  readonly chargeCounts = { succeeded: 0, failed: 0 };
  /** The API request that is being answered, while one is: events name it. */
  origin: RequestOrigin | null = null;
  /** False: nothing is told, and nothing listed. */
  keepsEvents = true;
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
    this.events = new BoundedMap(maxObjects);
  }

  payment(id: string): PaymentRecord {
    return this.payments.get(id) ?? fail('payment_intent', id);
  }

  session(id: string): SessionRecord {
    return this.sessions.get(id) ?? fail('checkout.session', id);
  }

  charge(id: string): Stripe.Charge {
    return this.charges.get(id) ?? fail('charge', id);
  }

  refund(id: string): Stripe.Refund {
    return this.refunds.get(id) ?? fail('refund', id);
  }

  dispute(id: string): Stripe.Dispute {
    return this.disputes.get(id) ?? fail('dispute', id);
  }

  event(id: string): EventRecord {
    return this.events.get(id) ?? fail('event', id);
  }

  emit(type: string, object: { readonly id: string }, subject: string): void {
    if (!this.keepsEvents) return;
    const id = newId('evt');
    const created = now();
    const body = JSON.stringify({
      id,
      object: 'event',
      api_version: Stripe.API_VERSION,
      created,
      data: { object },
      livemode: false,
      pending_webhooks: 1,
      request: this.origin,
      type,
    });
    const event = { id, type, subject, created, body };
    this.events.set(id, event);
    this.onEvent(event);
  }
}

function fail(kind: string, id: string): never {
  throw resourceMissing(kind, id);
}

/** Random, so that the ids of two runs never meet in one database. */
export function newId(prefix: string): string {
  return `${prefix}_${randomUUID().replaceAll('-', '')}`;
}

/** Seconds since 1970. */
export function now(): number {
  return Math.floor(Date.now() / 1000);
}
