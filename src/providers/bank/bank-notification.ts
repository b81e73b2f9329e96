import { createHash } from 'node:crypto';
import { recogniseAttemptReference } from '../../references.js';
import type {
  MoneyClaim,
  NotificationHeaders,
  ParsedNotification,
  ProviderEvent,
  ProviderOutcome,
} from '../provider.js';
import { decodeText, isSameWord } from '../written-text.js';
import { comparableIdAt, identifierAt } from './bank-identifier.js';
import type { Bank } from './bank-options.js';
import { readOutcome } from './bank-outcome.js';
import { readRefundOutcome } from './bank-refund-outcome.js';
import { isPlainText, textAt, valueAt, wordAt } from '../json-document.js';
import { readBankHint } from './bank-hint.js';
import { BODY_IN_WORDS, readBody } from './notification-body.js';
import type { NotificationShape } from './notification-shape.js';
import { refusalOfSignature } from './notification-signature.js';
import { refusalOfToken } from './notification-token.js';
import { type Refusal, valuesOfHeader } from './signature-claim.js';
import { withoutUndefined } from './without-undefined.js';

/** First the proof, on the raw bytes; not a byte is interpreted before. */
export function parseBankNotification(
  bank: Bank,
  rawBody: Buffer,
  headers: NotificationHeaders,
  receivedAt: Date,
): ParsedNotification {
  return refusalOf(bank, rawBody, headers, receivedAt) ?? readBankNotification(bank, rawBody, headers);
}

function refusalOf(
  { notification: { signature: proof }, webhookKeys }: Bank,
  rawBody: Buffer,
  headers: NotificationHeaders,
  receivedAt: Date,
): Refusal | undefined {
  return proof.scheme === 'TOKEN'
    ? refusalOfToken(proof, webhookKeys, headers)
    : refusalOfSignature(proof, webhookKeys, rawBody, headers, receivedAt);
}

/** Says in our words what the body means. It must have been verified, now or when it came. */
export function readBankNotification(
  bank: Bank,
  rawBody: Buffer,
  headers: NotificationHeaders,
): ParsedNotification {
  if (rawBody.length === 0) return { verdict: 'malformed', detail: 'there is no body' };
  const { notification: shape } = bank;
  const [contentType] = valuesOfHeader(headers, 'content-type');
  const text = decodeText(rawBody, contentType);
  const json = readBody(text, shape.bodyFormat);
  const eventId = readEventId(shape, json, headers) ?? digestOf(rawBody);
  if (shape.signature.scheme === 'TOKEN') return readBankHint(shape, json, eventId);
  return readNotice(bank, { eventId, text, json });
}

/** A notification that is being read. */
interface Notice {
  readonly eventId: string;
  readonly text: string;
  /** Undefined when it is no JSON. */
  readonly json: unknown;
}

function readNotice(bank: Bank, notice: Notice): ParsedNotification {
  const { eventId, json } = notice;
  const shape = bank.notification;
  if (json === undefined)
    return unreadableNotice(shape, notice, `the body is not ${BODY_IN_WORDS[shape.bodyFormat]}`, 'PAYMENT');
  const type = wordAt(json, shape.typePath);
  const tellsOfRefund = type !== undefined && isAmong(type, shape.refundTypes);
  if (!tellsOfRefund && shape.paymentTypes !== 'ALL') {
    if (type === undefined) return unreadableNotice(shape, notice, 'no event type', 'PAYMENT');
    // A word that we don't know must not become a payment by its status alone: a returned transfer is BOOKED too.
    if (!isAmong(type, shape.paymentTypes)) {
      return ignored(eventId, type, 'it tells of no payment and of no refund');
    }
  }
  const about = subjectOf(shape, notice);
  if (about.attemptReference === undefined && about.providerReference === undefined) {
    // Others are paid on the same account, and by people who write what they like.
    if (ownReferenceIn(notice) === undefined) {
      return ignored(eventId, type ?? 'payment', 'not a payment of ours: it names none');
    }
    return unreadableNotice(shape, notice, 'no reference where it should be', 'PAYMENT');
  }
  const reading = tellsOfRefund ? readRefundReport(bank, json) : readPaymentReport(bank, json);
  if (typeof reading === 'string') {
    return unreadableNotice(shape, notice, reading, tellsOfRefund ? 'REFUND' : 'PAYMENT');
  }
  const markedAsOurs =
    about.attemptReference !== undefined && recogniseAttemptReference(about.attemptReference) !== undefined;
  const events = [{ ...about, outcome: reading }];
  return { verdict: 'accepted', proof: 'SIGNED', eventId, type: type ?? 'payment', events, markedAsOurs };
}

/** The outcome, or what is wrong with the notification. */
function readPaymentReport(bank: Bank, json: unknown): ProviderOutcome | string {
  const shape = bank.notification;
  const status = wordAt(json, shape.statusPath);
  if (status === undefined) return 'no status';
  const reading = readOutcome(
    {
      status,
      amount: valueAt(json, shape.amountPath),
      notation: bank.amounts.notification,
      currency: currencyAt(shape, json),
      movementReference: comparableIdAt(json, shape.movementReferencePath),
    },
    bank.statusWords,
  );
  return reading.readable ? reading.outcome : reading.detail;
}

/** The outcome, or what is wrong with the notification. */
function readRefundReport(
  { notification: shape, refundStatusWords, amounts }: Bank,
  json: unknown,
): ProviderOutcome | string {
  const reading = readRefundOutcome(
    {
      id: comparableIdAt(json, shape.refundIdPath),
      reference: textAt(json, shape.refundReferencePath)?.trim(),
      status: wordAt(json, shape.refundStatusPath),
      amount: valueAt(json, shape.refundAmountPath),
      notation: amounts.notification,
      currency: currencyAt(shape, json),
    },
    refundStatusWords,
  );
  return reading.readable ? reading.outcome : reading.detail;
}

/** Genuine, and kept for a person: by all that it names, so that it can stand next to its payment. */
function unreadableNotice(
  shape: NotificationShape,
  notice: Notice,
  detail: string,
  claims: MoneyClaim,
): ParsedNotification {
  const { attemptReference, providerReference } = subjectOf(shape, notice);
  const own = ownReferenceIn(notice);
  const isOthers = own === undefined && attemptReference !== undefined;
  return {
    verdict: 'malformed',
    detail,
    keep: {
      proof: 'SIGNED',
      eventId: notice.eventId,
      type: wordAt(notice.json, shape.typePath) ?? 'unknown',
      about: withoutUndefined({ attemptReference: own ?? attemptReference, providerReference }),
      claims,
      mayBeOurs: !isOthers,
    },
  };
}

/** The payment that it is about, where the bank's contract has it. */
function subjectOf(
  shape: NotificationShape,
  { json }: Notice,
): Pick<ProviderEvent, 'attemptReference' | 'providerReference'> {
  const written = identifierAt(json, shape.referencePath);
  return withoutUndefined({
    providerReference: identifierAt(json, shape.providerReferencePath),
    attemptReference: written && (recogniseAttemptReference(written) ?? written),
  });
}

/** A reference of ours, wherever in the notification it stands. */
function ownReferenceIn({ text }: Notice): string | undefined {
  return recogniseAttemptReference(text);
}

function isAmong(word: string, words: readonly string[]): boolean {
  return words.some((known) => isSameWord(word, known));
}

function currencyAt({ currency }: NotificationShape, json: unknown): unknown {
  return currency.from === 'ALWAYS' ? currency.currency : valueAt(json, currency.path);
}

/** Undefined where there is none, or none that could be stored. */
function readEventId(
  { eventId }: NotificationShape,
  json: unknown,
  headers: NotificationHeaders,
): string | undefined {
  switch (eventId.from) {
    case 'BODY':
      return comparableIdAt(json, eventId.path);
    case 'HEADER': {
      const [id, ...others] = valuesOfHeader(headers, eventId.header);
      return others.length === 0 && isPlainText(id) ? id : undefined;
    }
    case 'DIGEST':
      return undefined;
  }
}

function digestOf(rawBody: Buffer): string {
  return createHash('sha256').update(rawBody).digest('hex');
}

function ignored(eventId: string, type: string, reason: string): ParsedNotification {
  return { verdict: 'ignored', proof: 'SIGNED', eventId, type, reason };
}
