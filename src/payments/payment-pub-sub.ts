import { setMaxListeners } from 'node:events';
import { createPubSub, type PubSub } from '@graphql-yoga/subscription';
import { PAYMENT_STATUS_CHANGED } from '../outbox/topics.js';
import type { TellableEvent } from '../outbox/relay.js';
import type { StatusChangedPayload } from './status-changed.js';

/** What this node's subscribers hear: one payment, by its id, or all of them. */
export type PaymentPubSub = PubSub<{
  paymentStatusChanged: [paymentIntentId: string, payload: StatusChangedPayload];
  paymentIntentsChanged: [payload: StatusChangedPayload];
}>;

export function createPaymentPubSub(): PaymentPubSub {
  const eventTarget = new EventTarget();
  // Any number of people may watch one payment; Node would warn of a leak from the eleventh on.
  setMaxListeners(0, eventTarget);
  return createPubSub({ eventTarget });
}

/** Hands an outbox event to the subscribers it concerns. */
export function tellSubscribers(pubSub: PaymentPubSub, event: TellableEvent): void {
  if (event.topic !== PAYMENT_STATUS_CHANGED) return;
  const payload = event.payload as StatusChangedPayload;
  pubSub.publish('paymentStatusChanged', event.key, payload);
  pubSub.publish('paymentIntentsChanged', payload);
}
