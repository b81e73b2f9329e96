import type { ProviderOutcome } from '../provider.js';
import { type InvoiceReport, outcomeOf, readInvoiceReport } from './invoice-report.js';
import {
  callPayDunya,
  type PayDunyaCall,
  rejection,
  isInvoiceToken,
  unreadableAnswer,
} from './paydunya-exchange.js';
import type { PayDunya } from './paydunya-options.js';

/** Which invoice is asked about, and for which attempt it was made. */
export interface InvoiceOfAttempt {
  readonly reference: string;
  readonly providerReference: string;
  /** What the invoice was made for, in francs. */
  readonly amount: number;
}

/** How an invoice stands: the only thing that is believed of PayDunya. @throws {ProviderFailure} */
export async function confirmInvoice(
  paydunya: PayDunya,
  invoice: InvoiceOfAttempt,
): Promise<ProviderOutcome> {
  const token = invoice.providerReference;
  if (!isInvoiceToken(token)) throw rejection(paydunya, 'INVOICE_TOKEN_INVALID', 'not a token of an invoice');
  const call: PayDunyaCall = { method: 'GET', path: `checkout-invoice/confirm/${token}`, isHarmless: true };
  const report = readInvoiceReport(await callPayDunya(paydunya, call));
  const difference = differenceOf(paydunya, report, invoice);
  if (difference !== undefined) throw unreadableAnswer(paydunya, call, difference);
  const outcome = outcomeOf(paydunya, report);
  if (typeof outcome === 'string') {
    const claims = report.status === 'completed' ? 'PAYMENT' : undefined;
    throw unreadableAnswer(paydunya, call, outcome, claims);
  }
  return outcome.kind === 'paid' ? withoutFees(paydunya, outcome, invoice) : outcome;
}

/** PayDunya publishes fees of a few per cent. A total beyond this is not explained by them, and a person looks at it. */
const LARGEST_FEE_SHARE = 0.1;

/**
 * The merchant's amount, where the payer bears the fees: PayDunya's total is what was asked for, and its fees. It names
 * them nowhere in this answer.
 */
function withoutFees(
  { fees }: PayDunya,
  outcome: Extract<ProviderOutcome, { kind: 'paid' }>,
  { amount }: InvoiceOfAttempt,
): ProviderOutcome {
  const added = outcome.amount - amount;
  const areFees = fees === 'payer' && added > 0 && added <= amount * LARGEST_FEE_SHARE;
  return areFees ? { ...outcome, amount } : outcome;
}

/** In what the answer is about something else than we asked for. Money has to say of itself what it is. */
function differenceOf(
  { mode }: PayDunya,
  report: InvoiceReport,
  { reference, providerReference }: InvoiceOfAttempt,
): string | undefined {
  const isPaid = report.status === 'completed';
  const differs = (said: string | undefined, expected: string) =>
    said === undefined ? isPaid : said !== expected;
  if (differs(report.token, providerReference)) return 'the token is not that of our invoice';
  if (differs(report.mode, mode)) {
    return report.mode === undefined ? 'it names no mode' : `the mode is not ${mode}`;
  }
  if (report.isOthers || (report.attempt !== undefined && report.attempt !== reference)) {
    return 'the invoice is of another attempt';
  }
  // Every invoice of ours has it. One without it, paid by somebody else, must not be passed off as this attempt's.
  if (isPaid && report.attempt === undefined) return 'the invoice does not say which attempt it is of';
  return undefined;
}
