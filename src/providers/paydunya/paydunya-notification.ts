import { createHash, timingSafeEqual } from 'node:crypto';
import { parseJson, textAt, valueAt } from '../json-document.js';
import { recogniseAttemptReference } from '../../references.js';
import type { ParsedNotification, ProviderOutcome } from '../provider.js';
import { type InvoiceReport, outcomeOf, readInvoiceReport } from './invoice-report.js';
import { parseMultipart } from '../multipart-form.js';
import { nestFields, parseNestedForm } from '../nested-form.js';
import { withoutByteOrderMark } from '../written-text.js';
import type { PayDunya } from './paydunya-options.js';

type Refusal = Extract<ParsedNotification, { verdict: 'refused' }>;

/**
 * The proof is a field of the body. So it is looked for among the bytes first: nothing is taken apart for a stranger. It
 * proves only that somebody knew what every notification carries: it covers no other byte, and whoever has seen one can
 * send more.
 */
export function parsePayDunyaNotification(paydunya: PayDunya, rawBody: Buffer): ParsedNotification {
  const body = rawBody.toString('latin1');
  if (!carriesHash(paydunya, body)) {
    return /hash[^a-z]{1,12}\w/i.test(body)
      ? refused('SIGNATURE_INVALID', 'the hash is not that of our key')
      : refused('SIGNATURE_MISSING', 'no hash');
  }
  return parseProven(paydunya, rawBody.toString('utf8'));
}

/** A SHA-512 in hex. In front of it an escaped quotation mark (`%22`, `\u0022`) may look like a part of it. */
const HASH_AT_END = /[\da-f]{0,8}[\da-f]{128}(?![\da-f])/gi;

function carriesHash({ notificationHash }: PayDunya, body: string): boolean {
  const expected = Buffer.from(notificationHash);
  for (const [run] of body.matchAll(HASH_AT_END)) {
    if (timingSafeEqual(Buffer.from(run.slice(-expected.length).toLowerCase()), expected)) return true;
  }
  return false;
}

function parseProven(paydunya: PayDunya, body: string): ParsedNotification {
  const document = documentOf(body);
  return refusalOf(paydunya, body, textAt(document, 'hash')) ?? readDocument(paydunya, body, document);
}

/** Of a body that was proven when it came, and has lost its hash since. */
export function readKeptPayDunyaNotification(paydunya: PayDunya, body: Buffer): ParsedNotification {
  const text = body.toString('utf8');
  return readDocument(paydunya, text, documentOf(text));
}

/** Whoever reads the hash can make notifications. In each form of the body it stands as it is. */
export function withoutHash({ notificationHash }: PayDunya, body: string): string {
  return body.replace(new RegExp(notificationHash, 'gi'), 'removed');
}

function refusalOf(
  { notificationHash }: PayDunya,
  body: string,
  hash: string | undefined,
): Refusal | undefined {
  if (hash === undefined) return refused('SIGNATURE_MISSING', 'no hash');
  // Hex, which may be in capitals.
  const [said, expected] = [Buffer.from(hash.trim().toLowerCase()), Buffer.from(notificationHash)];
  const isSame = said.length === expected.length && timingSafeEqual(said, expected);
  // One that is escaped in a way that nobody needs would be kept with the body.
  if (isSame && body.toLowerCase().includes(notificationHash)) return undefined;
  return refused('SIGNATURE_INVALID', 'the hash is not that of our key');
}

function refused(reason: Refusal['reason'], detail: string): Refusal {
  return { verdict: 'refused', reason, detail };
}

/**
 * What the notification says, in whichever form it came: nested fields below `data`, `data` as one text of JSON, a body
 * of JSON, or any of these without `data`; a form as multipart, which PHP makes of an array. Only the first is documented;
 * the others have been reported. What its Content-Type says doesn't matter, nor a byte order mark.
 */
function documentOf(body: string): unknown {
  const whole = readWhole(withoutByteOrderMark(body).trimStart());
  const data = valueAt(whole, 'data');
  if (data === undefined) return whole;
  return typeof data === 'string' ? parseJson(data) : data;
}

function readWhole(body: string): unknown {
  if (body.startsWith('{')) return parseJson(body);
  return body.startsWith('--') ? nestFields(parseMultipart(body) ?? []) : parseNestedForm(body);
}

function readDocument(paydunya: PayDunya, body: string, document: unknown): ParsedNotification {
  const report = readInvoiceReport(document);
  const { token, mode, status = 'unknown' } = report;
  const attempt = report.attempt ?? (token === undefined ? recogniseAttemptReference(body) : undefined);
  const subject = token ?? attempt;
  if (subject === undefined) return unreadable(paydunya, body);
  const eventId = createHash('sha256').update(`${subject}:${status}`).digest('hex');
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
  const about = { ...(token !== undefined && { providerReference: token }), attemptReference: attempt };
  const event = { ...about, outcome: hintOf(paydunya, report) };
  const markedAsOurs = attempt !== undefined;
  return { verdict: 'accepted', proof: 'STATIC_SECRET', eventId, type, events: [event], markedAsOurs };
}

/** Its sender knows our key, and it names neither an invoice nor an attempt. */
function unreadable(paydunya: PayDunya, body: string): ParsedNotification {
  return {
    verdict: 'malformed',
    detail: 'no token of an invoice',
    keep: {
      proof: 'STATIC_SECRET',
      eventId: createHash('sha256').update(withoutHash(paydunya, body)).digest('hex'),
      type: 'unknown',
      about: {},
      claims: 'PAYMENT',
      mayBeOurs: true,
    },
  };
}

/** Something was decided, and what is said of it is asked for anyway: an amount in disorder is no reason not to ask. */
function hintOf(paydunya: PayDunya, report: InvoiceReport): ProviderOutcome {
  const outcome = outcomeOf(paydunya, report);
  return typeof outcome === 'string' ? { kind: 'processing' } : outcome;
}
