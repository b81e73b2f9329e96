import type { ProviderOutcome } from '../provider.js';
import { readCurrency } from '../written-amount.js';
import { meaningOfWord } from '../written-text.js';
import { type AmountNotation, readAmount } from './bank-amount.js';
import type { RefundStatusMeaning, RefundStatusWords } from './bank-options.js';
import { type Reading, unreadable } from './bank-outcome.js';

export type RefundOutcome = Extract<ProviderOutcome, { kind: 'refund' }>;

/** What a bank says of a refund, in its API or in a notification, before any of it is understood. */
export interface RefundReport {
  readonly id: string | undefined;
  /** Ours; the refunds that the bank's own staff makes have none. */
  readonly reference: string | undefined;
  readonly status: string | undefined;
  readonly amount: unknown;
  readonly notation: AmountNotation;
  readonly currency: unknown;
}

export function readRefundOutcome(report: RefundReport, words: RefundStatusWords): Reading<RefundOutcome> {
  const { id, reference } = report;
  if (id === undefined) return unreadable('a refund without an id');
  if (report.status === undefined) return unreadable('a refund without a status');
  const currency = readCurrency(report.currency);
  if (currency === undefined) return unreadable('a refund in no currency that we can count in');
  const amount = readAmount(report.amount, report.notation, currency);
  if (amount === undefined) return unreadable(`a refund of no exact amount of ${currency}`);
  const status = meaningOf(report.status, words);
  return {
    readable: true,
    outcome: {
      kind: 'refund',
      ...(reference !== undefined && { refundReference: reference }),
      providerRefundReference: id,
      amount,
      currency,
      status,
      ...(status === 'failed' && { code: report.status, message: 'The bank did not give the money back.' }),
    },
  };
}

function meaningOf(status: string, words: RefundStatusWords): RefundStatusMeaning {
  return meaningOfWord(status, words) ?? 'pending';
}
