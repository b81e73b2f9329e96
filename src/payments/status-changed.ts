import { PAYMENT_STATUS_CHANGED, type NewOutboxEvent } from '../outbox/topics.js';
import type { PaymentChange } from './payment-change.js';
import type { PaymentIntent } from './payment-intent.js';
import type { PaymentStatus } from './transitions.js';

/** What is told of a transition: the intent as it was right after it. Times are ISO 8601, for it travels as JSON. */
export interface StatusChangedPayload {
  readonly previousStatus: PaymentStatus | null;
  /** The code of what was found to be wrong, where the status stayed. */
  readonly noted?: string;
  readonly status: PaymentStatus;
  readonly version: number;
  readonly occurredAt: string;
  readonly orderReference: string;
  readonly paymentIntent: PaymentIntent;
}

export function statusChanged(
  change: PaymentChange,
  previousStatus: PaymentStatus | null,
  noted?: string,
): NewOutboxEvent {
  const { intent } = change;
  const payload = {
    previousStatus,
    noted,
    status: intent.status,
    version: intent.version,
    occurredAt: change.now.toISOString(),
    orderReference: change.order.reference,
    paymentIntent: { ...intent },
  };
  return { topic: PAYMENT_STATUS_CHANGED, key: intent.id, version: intent.version, payload };
}
