import type { LoadedPayment } from '../payments/loaded-payment.js';
import type { PaymentChange } from '../payments/payment-change.js';
import type { WebhookReplayChange } from './webhook-types.js';

/** What a person is shown of each; keys, sealed texts and schedules are nobody's to read. */
const SHOWN = {
  booking: ['status'],
  order: ['status', 'reservedUntil', 'refundedAt', 'restockedAt'],
  payment: ['status', 'capturedAmount', 'refundedAmount', 'disputedAmount', 'failureCode', 'failureMessage'],
  attempt: ['status', 'providerReference', 'failureCode', 'failureMessage'],
  refund: ['status', 'providerReference', 'failureCode', 'failureMessage'],
  dispute: ['status'],
} as const;

/** What a change makes different, for people: from what was read to what will be written. */
export function whatChanged(before: LoadedPayment, change: PaymentChange): WebhookReplayChange[] {
  const attemptsBefore = byId(before.attempts);
  const refundsBefore = byId(before.refunds);
  const disputesBefore = byId(before.disputes);
  return [
    ...differences('payment', before.intent, change.intent, SHOWN.payment),
    ...differences('order', before.order, change.order, SHOWN.order),
    ...(change.booking
      ? differences('booking', before.booking ?? undefined, change.booking, SHOWN.booking)
      : []),
    ...change.attempts.flatMap((attempt) =>
      differences(`attempt ${attempt.number}`, attemptsBefore.get(attempt.id), attempt, SHOWN.attempt),
    ),
    ...change.newMovements.map(({ kind, amount, currency, providerReference }) =>
      added('movement', `${kind} ${amount} ${currency} ${providerReference}`),
    ),
    ...change.refunds.flatMap((refund) => {
      const known = refundsBefore.get(refund.id);
      if (!known) return [added('refund', `${refund.status} ${refund.amount} ${refund.currency}`)];
      return differences(`refund ${refund.reference}`, known, refund, SHOWN.refund);
    }),
    ...change.disputes.flatMap((dispute) => {
      const known = disputesBefore.get(dispute.id);
      if (!known) return [added('dispute', `${dispute.status} ${dispute.amount} ${dispute.currency}`)];
      return differences(`dispute ${dispute.providerReference}`, known, dispute, SHOWN.dispute);
    }),
  ];
}

function byId<Row extends { readonly id: string }>(rows: readonly Row[]): Map<string, Row> {
  return new Map(rows.map((row) => [row.id, row]));
}

function differences<Row extends object>(
  subject: string,
  before: Row | undefined,
  after: Row,
  names: readonly (keyof Row & string)[],
): WebhookReplayChange[] {
  return names
    .map((name) => ({
      what: `${subject} ${name}`,
      before: inWords(before?.[name]),
      after: inWords(after[name]),
    }))
    .filter((change) => change.before !== change.after);
}

function added(what: string, after: string): WebhookReplayChange {
  return { what, before: null, after };
}

function inWords(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'string' ? value : JSON.stringify(value);
}
