/** Every e-mail there is. Its files are called `<language>/<name in small letters>.<part>.liquid`. */
export const EmailTemplate = {
  ORDER_CONFIRMED: 'ORDER_CONFIRMED',
  PAYMENT_FAILED: 'PAYMENT_FAILED',
  REFUND_MADE: 'REFUND_MADE',
  PAID_LATE: 'PAID_LATE',
  PAYMENT_GIVEN_BACK: 'PAYMENT_GIVEN_BACK',
  PAYMENT_UNDER_REVIEW: 'PAYMENT_UNDER_REVIEW',
  PAYMENT_REMINDER: 'PAYMENT_REMINDER',
  DISPUTE_OPENED: 'DISPUTE_OPENED',
  REVIEW_NEEDED: 'REVIEW_NEEDED',
  UNEXPECTED_MONEY: 'UNEXPECTED_MONEY',
  PAYER_NEEDED: 'PAYER_NEEDED',
  REFUND_FAILED: 'REFUND_FAILED',
  REFUND_ACTION_NEEDED: 'REFUND_ACTION_NEEDED',
  ENDPOINT_DISABLED: 'ENDPOINT_DISABLED',
  NOTIFICATION_UNREADABLE: 'NOTIFICATION_UNREADABLE',
} as const;
export type EmailTemplate = keyof typeof EmailTemplate;

export const EMAIL_TEMPLATES = Object.keys(EmailTemplate) as EmailTemplate[];

/** They ask for a payment: once the order is paid or cancelled, they are not sent any more. */
const ASKING: readonly EmailTemplate[] = ['PAYMENT_FAILED', 'PAYMENT_REMINDER', 'PAYER_NEEDED'];

export function asksForPayment(template: EmailTemplate): boolean {
  return ASKING.includes(template);
}
