/** A status of a payment intent changed. Key: the intent's id; version: the intent's. */
export const PAYMENT_STATUS_CHANGED = 'payment.status_changed';

/** A provider sent what could not be read and names no payment of ours. Key: the webhook event's id; version: 1. */
export const NOTIFICATION_UNREADABLE = 'notification.unreadable';

export interface NewOutboxEvent {
  readonly topic: string;
  readonly key: string;
  readonly version: number;
  readonly payload: object;
}
