import { PAYMENT_STATUS_CHANGED, type NewOutboxEvent } from '../outbox/topics.js';
import type { PaymentChange } from './payment-change.js';
import type { PaymentIntent } from './payment-intent.js';
import type { PaymentStatus } from './transitions.js';

/** What moved a payment that was PAID: its status alone doesn't say it. */
export type ChangeCause =
  | { readonly kind: 'REFUND_MADE'; readonly refundReference: string }
  | {
      readonly kind: 'REFUND_FAILED';
      readonly refundReference: string;
      /** The customer was told that the money goes back to them. */
      readonly wasAnnounced: boolean;
    }
  | {
      /** DISPUTE_MONEY: money moved, and nothing was decided. */
      readonly kind: 'DISPUTE_OPENED' | 'DISPUTE_WON' | 'DISPUTE_LOST' | 'DISPUTE_MONEY';
      readonly provider: string;
      /** The provider's id of the dispute. */
      readonly disputeReference: string;
    };

/** What is told of a transition: the intent as it was right after it. Times are ISO 8601, for it travels as JSON. */
export interface StatusChangedPayload {
  readonly previousStatus: PaymentStatus | null;
  /** The code of what was found to be wrong, where the status stayed. */
  readonly noted?: string;
  /** Null: none but the step itself. Undefined in events that were written before there were causes. */
  readonly cause?: ChangeCause | null;
  readonly status: PaymentStatus;
  readonly version: number;
  readonly occurredAt: string;
  readonly orderReference: string;
  readonly paymentIntent: PaymentIntent;
}

export function statusChanged(
  change: PaymentChange,
  previousStatus: PaymentStatus | null,
  { noted, cause = null }: { readonly noted?: string; readonly cause?: ChangeCause | null } = {},
): NewOutboxEvent {
  const { intent } = change;
  const payload = {
    previousStatus,
    noted,
    cause,
    status: intent.status,
    version: intent.version,
    occurredAt: change.now.toISOString(),
    orderReference: change.order.reference,
    paymentIntent: { ...intent },
  };
  return { topic: PAYMENT_STATUS_CHANGED, key: intent.id, version: intent.version, payload };
}
