/**
 * The life of a payment intent, as data. The database, the API and the diagram in `docs/` are drawn from this table, and
 * `moveTo` in `payment-change.ts` is the one place that takes a step.
 */
export const PAYMENT_STATUSES = [
  'PENDING',
  'PROCESSING',
  'UNKNOWN',
  'AUTHORIZED',
  'PAID',
  'FAILED',
  'CANCELLED',
  'EXPIRED',
  'REVIEW',
  'PARTIALLY_REFUNDED',
  'REFUNDED',
  'DISPUTED',
  'CHARGED_BACK',
] as const;

export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

export const PaymentStatus = Object.fromEntries(PAYMENT_STATUSES.map((status) => [status, status])) as {
  readonly [Status in PaymentStatus]: Status;
};

/** From each status, where it may go. What is not here is refused, recorded and ignored. */
export const TRANSITIONS: Readonly<Record<PaymentStatus, readonly PaymentStatus[]>> = {
  PENDING: ['PROCESSING', 'UNKNOWN', 'AUTHORIZED', 'PAID', 'FAILED', 'CANCELLED', 'EXPIRED', 'REVIEW'],
  // Back to PENDING when the bank debit of a subscription bounced, and the provider will try again.
  PROCESSING: ['PENDING', 'UNKNOWN', 'AUTHORIZED', 'PAID', 'FAILED', 'REVIEW'],
  // Back to PENDING when the provider, asked again, says that the payer still has something to do.
  UNKNOWN: ['PENDING', 'PROCESSING', 'AUTHORIZED', 'PAID', 'FAILED', 'CANCELLED', 'EXPIRED', 'REVIEW'],
  AUTHORIZED: ['PAID', 'FAILED', 'CANCELLED', 'REVIEW'],
  PAID: ['PARTIALLY_REFUNDED', 'REFUNDED', 'DISPUTED', 'CHARGED_BACK'],
  // Late money: PAID if the order can still be honoured, REVIEW if it can't.
  FAILED: ['PAID', 'REVIEW'],
  // REFUNDED: a review was closed, and its money given back afterwards.
  CANCELLED: ['PAID', 'REVIEW', 'REFUNDED'],
  EXPIRED: ['PAID', 'REVIEW'],
  // A person decides: accept, refund, or close.
  REVIEW: ['PAID', 'REFUNDED', 'CANCELLED'],
  // Back when a refund that had succeeded fails after all, which a card's bank may cause days later.
  PARTIALLY_REFUNDED: ['PAID', 'REFUNDED', 'DISPUTED', 'CHARGED_BACK'],
  // REVIEW: it was never PAID, and its refund failed after all, so a person decides again.
  REFUNDED: ['PAID', 'PARTIALLY_REFUNDED', 'DISPUTED', 'CHARGED_BACK', 'REVIEW'],
  DISPUTED: ['PAID', 'PARTIALLY_REFUNDED', 'REFUNDED', 'CHARGED_BACK'],
  // Left when a lost dispute is appealed, or when the bank returns the money after all.
  CHARGED_BACK: ['PAID', 'PARTIALLY_REFUNDED', 'REFUNDED', 'DISPUTED'],
};

/** Money may come: an order has at most one intent in these. */
export const OPEN_STATUSES = ['PENDING', 'PROCESSING', 'UNKNOWN', 'AUTHORIZED'] as const;

export type OpenStatus = (typeof OPEN_STATUSES)[number];

export function mayMove(from: PaymentStatus, to: PaymentStatus): boolean {
  return TRANSITIONS[from].includes(to);
}

/** Nobody has acted on it, as far as is known: it may still be changed, and ended without money. */
export function awaitsPayer(status: PaymentStatus): boolean {
  return status === 'PENDING' || status === 'UNKNOWN';
}

export function isOverWithoutMoney(status: PaymentStatus): boolean {
  return status === 'CANCELLED' || status === 'EXPIRED' || status === 'FAILED';
}

export function isOpen(status: PaymentStatus): status is OpenStatus {
  return (OPEN_STATUSES as readonly PaymentStatus[]).includes(status);
}
