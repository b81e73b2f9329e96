import { moveTo, record, setFailure, summaryOf, type PaymentChange } from './payment-change.js';

/**
 * Money that can't be honoured is never dropped: a person decides. Where the table has no such step (the intent was
 * PAID already), the reason still stands on the intent, and in the audit log.
 */
export function review(change: PaymentChange, code: string, message: string): string {
  setFailure(change, code, message);
  if (!moveTo(change, 'REVIEW')) record(change, 'payment.noted', summaryOf(change.intent), { reason: code });
  return `${code}: ${message}`;
}
