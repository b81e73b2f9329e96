import { createHash } from 'node:crypto';
import type { NotificationHeaders, ParsedNotification, ProviderEvent } from '../provider.js';
import { identifierAt } from './bank-identifier.js';
import type { Bank } from './bank-options.js';
import { readOutcome } from './bank-outcome.js';
import { readRefundOutcome } from './bank-refund-outcome.js';
import { isPlainText, parseUtf8Json, textAt, valueAt } from '../json-document.js';
import type { NotificationShape } from './notification-shape.js';
import { refusalOfSignature } from './notification-signature.js';
import { valuesOfHeader } from './signature-claim.js';

/** First the proof, on the raw bytes; not a byte is interpreted before. */
export function parseBankNotification(
  bank: Bank,
  rawBody: Buffer,
  headers: NotificationHeaders,
  receivedAt: Date,
): ParsedNotification {
  const { notification: shape, webhookSecrets } = bank;
  const refused = refusalOfSignature(shape.signature, webhookSecrets, rawBody, headers, receivedAt);
  return refused ?? readBankNotification(bank, rawBody, headers);
}

/** Says in our words what the body means. It must have been verified, now or when it came. */
export function readBankNotification(
  bank: Bank,
  rawBody: Buffer,
  headers: NotificationHeaders,
): ParsedNotification {
  const { notification: shape } = bank;
  const json = parseUtf8Json(rawBody);
  if (json === undefined) return malformed('the body is not JSON in UTF-8');
  const eventId = readEventId(shape, json, rawBody, headers);
  if (eventId === undefined) return malformed('no event id');
  return readEvent(bank, json, eventId);
}

function readEvent(bank: Bank, json: unknown, eventId: string): ParsedNotification {
  const shape = bank.notification;
  const type = textAt(json, shape.typePath);
  const tellsOfRefund = type !== undefined && shape.refundTypes.includes(type);
  if (!tellsOfRefund && shape.paymentTypes !== 'ALL') {
    if (type === undefined) return malformed('no event type');
    // A word that we don't know must not become a payment by its status alone: a returned transfer is BOOKED too.
    if (!shape.paymentTypes.includes(type)) {
      return {
        verdict: 'ignored',
        proof: 'SIGNED',
        eventId,
        type,
        reason: 'it tells of no payment and of no refund',
      };
    }
  }
  const reading = tellsOfRefund ? readRefundEvent(bank, json) : readPaymentEvent(bank, json);
  if (typeof reading === 'string') return malformed(reading);
  // The bank brings a reference back only because we gave it: it is ours by contract.
  return {
    verdict: 'accepted',
    proof: 'SIGNED',
    eventId,
    type: type ?? 'payment',
    events: [reading],
    markedAsOurs: true,
  };
}

/** The event, or what is wrong with the notification. */
function readPaymentEvent(bank: Bank, json: unknown): ProviderEvent | string {
  const shape = bank.notification;
  const attemptReference = textAt(json, shape.referencePath);
  if (attemptReference === undefined) return 'no reference';
  const status = textAt(json, shape.statusPath);
  if (status === undefined) return 'no status';
  const reading = readOutcome(
    {
      status,
      amount: valueAt(json, shape.amountPath),
      amountFormat: shape.amountFormat,
      currency: currencyAt(shape, json),
      movementReference: identifierAt(json, shape.movementReferencePath),
    },
    bank.statusWords,
  );
  if (!reading.readable) return reading.detail;
  return { ...providerReferenceAt(shape, json), attemptReference, outcome: reading.outcome };
}

/** The event, or what is wrong with the notification. */
function readRefundEvent(
  { notification: shape, refundStatusWords }: Bank,
  json: unknown,
): ProviderEvent | string {
  const attemptReference = textAt(json, shape.referencePath);
  if (attemptReference === undefined) return 'no reference of the payment';
  const reading = readRefundOutcome(
    {
      id: identifierAt(json, shape.refundIdPath),
      reference: textAt(json, shape.refundReferencePath),
      status: textAt(json, shape.refundStatusPath),
      amount: valueAt(json, shape.refundAmountPath),
      amountFormat: shape.amountFormat,
      currency: currencyAt(shape, json),
    },
    refundStatusWords,
  );
  if (!reading.readable) return reading.detail;
  return { ...providerReferenceAt(shape, json), attemptReference, outcome: reading.outcome };
}

function currencyAt({ currency }: NotificationShape, json: unknown): unknown {
  return currency.from === 'ALWAYS' ? currency.currency : valueAt(json, currency.path);
}

function providerReferenceAt(
  shape: NotificationShape,
  json: unknown,
): Pick<ProviderEvent, 'providerReference'> {
  const providerReference = identifierAt(json, shape.providerReferencePath);
  return providerReference === undefined ? {} : { providerReference };
}

function readEventId(
  { eventId }: NotificationShape,
  json: unknown,
  rawBody: Buffer,
  headers: NotificationHeaders,
): string | undefined {
  switch (eventId.from) {
    case 'BODY':
      return identifierAt(json, eventId.path);
    case 'HEADER': {
      const [id, ...others] = valuesOfHeader(headers, eventId.header);
      return others.length === 0 && isPlainText(id) ? id : undefined;
    }
    case 'DIGEST':
      return createHash('sha256').update(rawBody).digest('hex');
  }
}

function malformed(detail: string): ParsedNotification {
  return { verdict: 'malformed', detail };
}
