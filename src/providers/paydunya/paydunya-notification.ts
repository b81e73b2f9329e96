import { createHash, timingSafeEqual } from 'node:crypto';
import { parseJson } from '../exchange.js';
import { textAt, valueAt } from '../json-document.js';
import type { ParsedNotification, ProviderOutcome } from '../provider.js';
import { type InvoiceReport, outcomeOf, readInvoiceReport } from './invoice-report.js';
import { parseNestedForm } from './nested-form.js';
import type { PayDunya } from './paydunya-options.js';

type Refusal = Extract<ParsedNotification, { verdict: 'refused' }>;

/**
 * The proof is a field of the body, so the body has to be taken apart before it is proven. It proves only that somebody
 * knew what every notification carries: it covers no other byte, and whoever has seen one can send more.
 */
export function parsePayDunyaNotification(paydunya: PayDunya, rawBody: Buffer): ParsedNotification {
  const body = rawBody.toString('utf8');
  const document = documentOf(body);
  return refusalOf(paydunya, body, textAt(document, 'hash')) ?? readDocument(paydunya, document);
}

/** Of a body that was proven when it came, and has lost its hash since. */
export function readKeptPayDunyaNotification(paydunya: PayDunya, body: Buffer): ParsedNotification {
  return readDocument(paydunya, documentOf(body.toString('utf8')));
}

/** Whoever reads the hash can make notifications. In each form of the body it stands as it is. */
export function withoutHash({ notificationHash }: PayDunya, body: string): string {
  return body.replaceAll(notificationHash, 'removed');
}

function refusalOf(
  { notificationHash }: PayDunya,
  body: string,
  hash: string | undefined,
): Refusal | undefined {
  if (hash === undefined) return { verdict: 'refused', reason: 'SIGNATURE_MISSING', detail: 'no hash' };
  const [said, expected] = [Buffer.from(hash), Buffer.from(notificationHash)];
  const isSame = said.length === expected.length && timingSafeEqual(said, expected);
  // One that is escaped in a way that nobody needs would be kept with the body.
  if (isSame && body.includes(notificationHash)) return undefined;
  return { verdict: 'refused', reason: 'SIGNATURE_INVALID', detail: 'the hash is not that of our key' };
}

/**
 * What the notification says, in whichever form it came: nested fields below `data`, `data` as one text of JSON, a body
 * of JSON, or any of these without `data`. Only the first is documented; the others have been reported.
 */
function documentOf(body: string): unknown {
  const whole = body.trimStart().startsWith('{') ? parseJson(body) : parseNestedForm(body);
  const data = valueAt(whole, 'data');
  if (data === undefined) return whole;
  return typeof data === 'string' ? parseJson(data) : data;
}

function readDocument(paydunya: PayDunya, document: unknown): ParsedNotification {
  const report = readInvoiceReport(document);
  const { token, status, attempt, mode } = report;
  if (token === undefined) return { verdict: 'malformed', detail: 'no token of an invoice' };
  if (status === undefined) return { verdict: 'malformed', detail: 'no status' };
  const eventId = createHash('sha256').update(`${token}:${status}`).digest('hex');
  const type = `invoice.${status}`;
  // The master key, and so the hash, is the same in both modes.
  if (mode !== undefined && mode !== paydunya.mode) {
    return {
      verdict: 'ignored',
      proof: 'STATIC_SECRET',
      eventId,
      type,
      reason: `it is not of the mode ${paydunya.mode}`,
    };
  }
  const event = { providerReference: token, attemptReference: attempt, outcome: hintOf(paydunya, report) };
  const markedAsOurs = attempt !== undefined;
  return { verdict: 'accepted', proof: 'STATIC_SECRET', eventId, type, events: [event], markedAsOurs };
}

/** Something was decided, and what is said of it is asked for anyway: an amount in disorder is no reason not to ask. */
function hintOf(paydunya: PayDunya, report: InvoiceReport): ProviderOutcome {
  const outcome = outcomeOf(paydunya, report);
  return typeof outcome === 'string' ? { kind: 'processing' } : outcome;
}
