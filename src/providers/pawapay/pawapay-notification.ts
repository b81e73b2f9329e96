import { createHash } from 'node:crypto';
import { recogniseAttemptReference } from '../../references.js';
import { parseJson, textAt } from '../json-document.js';
import type { ParsedNotification, ProviderEvent, UnreadableNotification, WebhookProof } from '../provider.js';
import { decodeText } from '../written-text.js';
import { readDepositOutcome, statusAt, STATUS_WORDS } from './pawapay-deposit.js';
import { readRefundOutcome } from './pawapay-refund-outcome.js';

/** Says in our words what a callback's body means. @param proof how far it is proven. */
export function readPawaPayNotification(rawBody: Buffer, proof: WebhookProof): ParsedNotification {
  const text = decodeText(rawBody, undefined);
  const json = parseJson(text);
  // A refund names its deposit too.
  const refundId = textAt(json, 'refundId');
  if (refundId !== undefined) return readRefund(json, refundId, proof);
  const depositId = textAt(json, 'depositId');
  if (depositId !== undefined) return readDeposit(json, depositId, proof);
  const otherId = textAt(json, 'payoutId') ?? textAt(json, 'remittanceId');
  if (otherId === undefined) return readNameless(rawBody, text, proof);
  return ignored(otherId, json, proof, 'payout', 'it tells of no payment and of no refund');
}

function readDeposit(json: unknown, depositId: string, proof: WebhookProof): ParsedNotification {
  const outcome = readDepositOutcome(json);
  const attemptReference = ownReference(json, 'attempt', 'TXN-');
  const about = { providerReference: depositId, ...named(attemptReference) };
  const eventId = eventIdOf(depositId, json);
  if (typeof outcome === 'string') {
    return unreadable({ proof, eventId, type: typeOf('deposit', json), about, claims: 'PAYMENT' }, outcome);
  }
  return {
    verdict: 'accepted',
    proof,
    eventId,
    type: typeOf('deposit', json),
    events: [{ ...about, outcome }],
    markedAsOurs: attemptReference !== undefined,
  };
}

function readRefund(json: unknown, refundId: string, proof: WebhookProof): ParsedNotification {
  const refundReference = ownReference(json, 'refund', 'RFD-');
  const outcome = readRefundOutcome(json, refundReference);
  const attemptReference = ownReference(json, 'attempt', 'TXN-');
  const providerReference = textAt(json, 'depositId');
  if (attemptReference === undefined && providerReference === undefined) {
    return ignored(
      refundId,
      json,
      proof,
      'refund',
      'it names no payment; the refund is asked about by its own id',
    );
  }
  const about = { ...(providerReference !== undefined && { providerReference }), ...named(attemptReference) };
  const [eventId, type] = [eventIdOf(refundId, json), typeOf('refund', json)];
  if (typeof outcome === 'string')
    return unreadable({ proof, eventId, type, about, claims: 'REFUND' }, outcome);
  return {
    verdict: 'accepted',
    proof,
    eventId,
    type,
    events: [{ ...about, outcome }],
    markedAsOurs: attemptReference !== undefined || refundReference !== undefined,
  };
}

/** Our own reference, by our metadata or by the reference that we gave. Others on the same account give references too. */
function ownReference(json: unknown, name: string, prefix: string): string | undefined {
  const given = textAt(json, 'clientReferenceId');
  return textAt(json, `metadata.${name}`) ?? (given?.startsWith(prefix) ? given : undefined);
}

function named(attemptReference: string | undefined): Pick<ProviderEvent, 'attemptReference'> {
  return attemptReference === undefined ? {} : { attemptReference };
}

/** pawaPay gives none. The same operation in the same status is the same news, however often it comes. */
function eventIdOf(operationId: string, json: unknown): string {
  return createHash('sha256')
    .update(`${operationId} ${statusWord(json)}`)
    .digest('hex');
}

function typeOf(operation: string, json: unknown): string {
  return `${operation}.${statusWord(json).toLowerCase()}`;
}

function statusWord(json: unknown): string {
  const word = statusAt(json) ?? '';
  return STATUS_WORDS.has(word) ? word : 'UNKNOWN';
}

function ignored(
  operationId: string,
  json: unknown,
  proof: WebhookProof,
  operation: string,
  reason: string,
): ParsedNotification {
  return {
    verdict: 'ignored',
    proof,
    eventId: eventIdOf(operationId, json),
    type: typeOf(operation, json),
    reason,
  };
}

/** JSON that names nothing, or no JSON. What names a payment of ours somewhere is a reason to ask about it. */
function readNameless(rawBody: Buffer, text: string, proof: WebhookProof): ParsedNotification {
  const detail = 'it names no payment and no refund';
  const attemptReference = recogniseAttemptReference(text);
  if (proof === 'NONE' && attemptReference === undefined) return { verdict: 'malformed', detail };
  const eventId = createHash('sha256').update(rawBody).digest('hex');
  const about = named(attemptReference);
  const found = { proof, eventId, type: 'unknown', about, claims: 'PAYMENT' } as const;
  return unreadable(found, detail, true);
}

/**
 * What is signed is kept for a person. What is not is only a hint: nothing of it would be believed anyway, and the
 * provider is asked about what it names.
 */
function unreadable(
  { about, ...found }: Omit<UnreadableNotification, 'mayBeOurs'>,
  detail: string,
  mayBeOurs = about.attemptReference !== undefined,
): ParsedNotification {
  const { proof, eventId, type } = found;
  if (proof === 'SIGNED') return { verdict: 'malformed', detail, keep: { ...found, about, mayBeOurs } };
  const events = [{ ...about, outcome: { kind: 'processing' } as const }];
  return { verdict: 'accepted', proof, eventId, type, events, markedAsOurs: mayBeOurs };
}
