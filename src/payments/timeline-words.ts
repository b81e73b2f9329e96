import type { AuditEntry } from '../audit/audit-entry.js';
import { formatMoney, isCurrency } from '../money.js';

export const TimelineKind = {
  INTENT: 'INTENT',
  ATTEMPT: 'ATTEMPT',
  PROVIDER_CALL: 'PROVIDER_CALL',
  NOTIFICATION: 'NOTIFICATION',
  TRANSITION: 'TRANSITION',
  ACT: 'ACT',
  MOVEMENT: 'MOVEMENT',
  REFUND: 'REFUND',
  DISPUTE: 'DISPUTE',
  EMAIL: 'EMAIL',
} as const;
export type TimelineKind = keyof typeof TimelineKind;

/** Entries that another source of the timeline tells better: the intent itself, and the books. */
const TOLD_ELSEWHERE = new Set(['payment.opened', 'payment.told', 'money.moved']);

/** Null: nothing to show for it. */
export function kindOf(action: string): TimelineKind | null {
  if (TOLD_ELSEWHERE.has(action)) return null;
  if (action === 'payment.status') return 'TRANSITION';
  if (action.startsWith('refund.')) return 'REFUND';
  if (action.startsWith('dispute.')) return 'DISPUTE';
  if (action.startsWith('email.')) return 'EMAIL';
  return 'ACT';
}

/** What is known of an entry's before and after: whatever was written at its time. */
type Said = Readonly<Record<string, unknown>>;

type Words = (after: Said, before: Said) => string;

const WORDS: Readonly<Record<string, Words>> = {
  'payment.status': (after, before) =>
    `The payment went from ${text(before.status)} to ${text(after.status)}.`,
  'payment.found': (after) => `The audit log began when the payment was ${text(after.status)}.`,
  'payment.noted': () => 'Something to look at was noted.',
  'refund.asked': (after) => `Giving back ${money(after)} was asked for (${text(after.request)}).`,
  'refund.approved': (after) => `Giving back ${money(after)} was approved (${text(after.request)}).`,
  'refund.declined': (after) => `Giving back ${money(after)} was declined (${text(after.request)}).`,
  'refund.queued': (after) => `Refund ${text(after.refund)} of ${money(after)} was written down.`,
  'refund.submitted': (after) => `Refund ${text(after.refund)} of ${money(after)} was taken by the provider.`,
  'refund.succeeded': (after) => `Refund ${text(after.refund)} of ${money(after)} succeeded.`,
  'refund.failed': (after) =>
    `Refund ${text(after.refund)} of ${money(after)} failed: ${text(after.failureCode)}.`,
  'dispute.opened': (after) => `The payer’s bank disputes ${money(after)}: ${text(after.reason)}.`,
  'dispute.decided': (after) => `The dispute about ${money(after)} was decided: ${text(after.status)}.`,
  'capture.asked': () => 'Taking the money that is held was asked for.',
  'capture.refused': () => 'The provider refused to take the money that is held.',
  'review.accept': () => 'The review was settled: the payment is good as it is.',
  'review.refund': () => 'The review was settled: the money goes back.',
  'review.close': () => 'The review was settled: nothing more is done here.',
  'review.returned': () => 'The money under review goes back: another payment has paid the order.',
  'webhook.replayed': (after) =>
    `The notification ${text(after.eventId)} was replayed: ${text(after.outcome)}.`,
  'order.updated': (after, before) => `The order was changed from ${money(before)} to ${money(after)}.`,
  'booking.confirmed': (after) =>
    `The booking ${text(after.booking)} was made, from ${text(after.startsAt)} to ${text(after.endsAt)}.`,
  'booking.cancelled': (after) => `The booking ${text(after.booking)} was cancelled.`,
  'order.cancelled': () => 'The order was cancelled.',
  'email.resent': (after) => `The e-mail ${text(after.template)} was sent again by hand.`,
  'order.token_created': () => 'A new order token was made.',
};

/** An entry as a sentence; one that has no sentence here by its bare name. */
export function inWords({ action, before, after, reason }: AuditEntry): string {
  const sentence = WORDS[action]?.((after ?? {}) as Said, (before ?? {}) as Said) ?? `${action}.`;
  return reason === null ? sentence : `${sentence} Reason: ${reason}`;
}

const BECAME: Readonly<Record<string, string>> = {
  QUEUED: 'is to be sent',
  SENT: 'was sent',
  FAILED: 'could not be sent',
  DROPPED: 'was not sent, for the order had been paid or cancelled meanwhile',
  WITHHELD: 'was withheld, for its address or order has had as many as one is sent without a payment',
};

/** “The e-mail ORDER_CONFIRMED was sent.” */
export function emailInWords({ template, status }: { template: string; status: string }): string {
  return `The e-mail ${template} ${BECAME[status] ?? status}.`;
}

/** How a call of a provider went. */
interface CallWords {
  readonly provider: string;
  readonly operation: string;
  readonly milliseconds: number;
  readonly tries: number;
  readonly outcome: string;
  readonly failureCode: string | null;
}

/** “pawapay: initiate, 230 ms, 2 tries: UNAVAILABLE (TIMEOUT).” */
export function callInWords(call: CallWords): string {
  const { provider, operation, milliseconds, tries, outcome, failureCode } = call;
  const tried = tries === 0 ? 'not tried' : `${milliseconds} ms, ${tries === 1 ? '1 try' : `${tries} tries`}`;
  return `${provider}: ${operation}, ${tried}: ${outcome}${failureCode === null ? '' : ` (${failureCode})`}.`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : 'unknown';
}

function money({ amount, currency }: Said): string {
  const isMoney = typeof amount === 'number' && typeof currency === 'string' && isCurrency(currency);
  return isMoney ? formatMoney(amount, currency, 'en') : 'an unknown amount';
}
