import { registerEnumType } from 'type-graphql';
import type { PaymentStatus } from '../../payments/transitions.js';

/** What a merchant is told of each step of a payment. Total: a status without a type does not compile. */
export const TYPE_OF_STATUS = {
  PENDING: 'payment.pending',
  PROCESSING: 'payment.processing',
  UNKNOWN: 'payment.unknown',
  AUTHORIZED: 'payment.authorized',
  PAID: 'payment.paid',
  FAILED: 'payment.failed',
  CANCELLED: 'payment.cancelled',
  EXPIRED: 'payment.expired',
  REVIEW: 'payment.review',
  PARTIALLY_REFUNDED: 'payment.partially_refunded',
  REFUNDED: 'payment.refunded',
  DISPUTED: 'payment.disputed',
} as const satisfies Readonly<Record<PaymentStatus, string>>;

/** What `sendTestWebhook` sends, whatever an endpoint has asked for. */
export const TEST_TYPE = 'webhook.test';

export type MessageType = (typeof TYPE_OF_STATUS)[PaymentStatus] | typeof TEST_TYPE;

export const MESSAGE_TYPES: readonly MessageType[] = [...Object.values(TYPE_OF_STATUS), TEST_TYPE];

/** Names of GraphQL have no dots: `payment.paid` is PAYMENT_PAID there. */
export function graphQLName(type: MessageType): string {
  return type.toUpperCase().replace('.', '_');
}

export const MessageTypeEnum = Object.fromEntries(MESSAGE_TYPES.map((type) => [graphQLName(type), type]));
registerEnumType(MessageTypeEnum, {
  name: 'WebhookMessageType',
  description: 'What a webhook to the merchant tells, as its `type` says it. There may be more in future.',
  valuesConfig: Object.fromEntries(
    MESSAGE_TYPES.map((type) => [graphQLName(type), { description: descriptionOf(type) }]),
  ),
});

function descriptionOf(type: MessageType): string {
  if (type === TEST_TYPE) return `\`${type}\`: sent by sendTestWebhook alone.`;
  return `\`${type}\`: the payment became this, or money moved while it was.`;
}
