import { registerEnumType } from 'type-graphql';
import type { StatusChangedPayload } from '../../payments/status-changed.js';
import type { PaymentStatus } from '../../payments/transitions.js';

/** What a merchant is told when a payment becomes this. Total: a status without a type does not compile. */
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
  CHARGED_BACK: 'payment.charged_back',
} as const satisfies Readonly<Record<PaymentStatus, string>>;

/** What a status does not say: it may be as it was, or lead back to where the payment had been. */
const TYPES_OF_CAUSES = {
  'payment.updated':
    'Money moved or something was noted, and the payment stays as it was: `data` says what it is now.',
  'refund.failed': 'A refund failed, at once or after it had succeeded: `refundId` says which.',
  'dispute.won': 'A dispute is over, and the shop has the money that it was about.',
  'dispute.lost': 'A dispute was decided for the payer, and its money has not been taken (yet).',
} as const;

/** What `sendTestWebhook` sends, whatever an endpoint has asked for. */
export const TEST_TYPE = 'webhook.test';

export type MessageType =
  (typeof TYPE_OF_STATUS)[PaymentStatus] | keyof typeof TYPES_OF_CAUSES | typeof TEST_TYPE;

export const MESSAGE_TYPES: readonly MessageType[] = [
  ...Object.values(TYPE_OF_STATUS),
  ...(Object.keys(TYPES_OF_CAUSES) as (keyof typeof TYPES_OF_CAUSES)[]),
  TEST_TYPE,
];

const WITH_THE_BANK: readonly (PaymentStatus | null)[] = ['DISPUTED', 'CHARGED_BACK'];

/** Once in one of these, a payment that stays there has not become it again. */
const REACHED_ONCE: readonly PaymentStatus[] = [
  'PAID',
  'PARTIALLY_REFUNDED',
  'REFUNDED',
  'DISPUTED',
  'CHARGED_BACK',
];

/** A step back is no new payment: `payment.paid` is sent when a payment was paid, and not when its money came back. */
export function typeOfChange({ previousStatus, status, cause }: StatusChangedPayload): MessageType {
  if (cause?.kind === 'REFUND_FAILED') return 'refund.failed';
  if (cause?.kind === 'DISPUTE_OPENED') return TYPE_OF_STATUS.DISPUTED;
  if (cause?.kind === 'REFUND_MADE' && status === 'PARTIALLY_REFUNDED') return TYPE_OF_STATUS[status];
  if (cause?.kind === 'DISPUTE_LOST' && status !== 'CHARGED_BACK') return 'dispute.lost';
  if (previousStatus === status && REACHED_ONCE.includes(status)) return 'payment.updated';
  const isOver = WITH_THE_BANK.includes(previousStatus) && !WITH_THE_BANK.includes(status);
  return isOver && cause?.kind !== 'REFUND_MADE' ? 'dispute.won' : TYPE_OF_STATUS[status];
}

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
  const cause = Object.entries(TYPES_OF_CAUSES).find(([name]) => name === type);
  return cause ? `\`${type}\`: ${cause[1]}` : `\`${type}\`: the payment became this.`;
}
