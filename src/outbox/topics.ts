/** A status of a payment intent changed. Key: the intent's id; version: the intent's. */
export const PAYMENT_STATUS_CHANGED = 'payment.status_changed';

export interface NewOutboxEvent {
  readonly topic: string;
  readonly key: string;
  readonly version: number;
  readonly payload: object;
}
