/** A status of a payment intent changed. Key: the intent's id; version: the intent's. */
export const PAYMENT_STATUS_CHANGED = 'payment.status_changed';

/** A provider sent what could not be read and names no payment of ours. Key: the webhook event's id; version: 1. */
export const NOTIFICATION_UNREADABLE = 'notification.unreadable';

/** The payload of `NOTIFICATION_UNREADABLE`: one that names no payment of ours. */
export interface UnreadablePayload {
  readonly webhookEventId: string;
  readonly provider: string;
  readonly eventId: string;
  readonly type: string;
  readonly problem: string;
  readonly receivedAt: string;
}

export interface NewOutboxEvent {
  readonly topic: string;
  readonly key: string;
  readonly version: number;
  readonly payload: object;
}
