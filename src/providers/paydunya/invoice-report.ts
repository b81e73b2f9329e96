import { textAt, valueAt, wordAt } from '../json-document.js';
import { recogniseAttemptReference } from '../../references.js';
import type { ProviderOutcome } from '../provider.js';
import { readMajorUnits } from '../written-amount.js';
import { type PayDunya, withoutSecrets } from './paydunya-options.js';

/** What PayDunya says of an invoice, in an answer or in a notification: they have the same form. */
export interface InvoiceReport {
  readonly token: string | undefined;
  readonly mode: string | undefined;
  /** Normalised; undefined when there was none. */
  readonly status: string | undefined;
  /** Our reference of the attempt, if the invoice brings it back. */
  readonly attempt: string | undefined;
  /** Whether the invoice brings back something, and our reference is not in it: somebody else made it. */
  readonly isOthers: boolean;
  /** Francs; undefined when it is not exactly a positive amount of them. */
  readonly amount: number | undefined;
  readonly failReason: string | undefined;
}

/** PayDunya's documents and its libraries spell them in both ways. */
const SPELLINGS: ReadonlyMap<string, string> = new Map([
  ['canceled', 'cancelled'],
  ['fail', 'failed'],
]);

export function readInvoiceReport(document: unknown): InvoiceReport {
  const status = wordAt(document, 'status')?.toLowerCase();
  const written = textAt(document, 'custom_data.attempt');
  const attempt = written && (recogniseAttemptReference(written) ?? written);
  return {
    // Some notifications have been seen with it at the top.
    token: textAt(document, 'invoice.token') ?? textAt(document, 'token'),
    mode: textAt(document, 'mode'),
    status: status && (SPELLINGS.get(status) ?? status),
    attempt,
    isOthers: attempt === undefined && hasContents(valueAt(document, 'custom_data')),
    amount: readFrancs(valueAt(document, 'invoice.total_amount')),
    failReason:
      textAt(document, 'fail_reason') ??
      textAt(document, 'errors.description') ??
      textAt(document, 'errors.message'),
  };
}

/**
 * The outcome, or what is missing for one. A status that we don't know decides nothing. The amount is the one that
 * PayDunya says, with its fees where the payer bears them.
 */
export function outcomeOf(paydunya: PayDunya, report: InvoiceReport): ProviderOutcome | string {
  switch (report.status) {
    case undefined:
      return 'no status';
    case 'completed':
      return paidOutcome(report);
    case 'cancelled':
      return { kind: 'cancelled', reason: report.status };
    case 'failed': {
      const message = report.failReason ?? 'The payment did not succeed.';
      return { kind: 'failed', code: report.status, message: withoutSecrets(paydunya, message) };
    }
    default:
      return { kind: 'pending' };
  }
}

/** One invoice is paid once, so its token also names the money. PayDunya takes francs only, and names no currency. */
function paidOutcome({ amount, token }: InvoiceReport): ProviderOutcome | string {
  if (amount === undefined) return 'paid, and no exact amount of XOF';
  if (token === undefined) return 'paid, and no token';
  return { kind: 'paid', amount, currency: 'XOF', movementReference: token };
}

/** An answer may have it as a number, and as a text. */
function readFrancs(value: unknown): number | undefined {
  const francs = readMajorUnits(value, 'XOF');
  return francs !== undefined && francs > 0 ? francs : undefined;
}

/** An empty list is PHP's way to write an empty object. */
function hasContents(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}
