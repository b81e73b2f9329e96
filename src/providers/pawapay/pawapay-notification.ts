import { createHash } from 'node:crypto';
import { parseUtf8Json, textAt } from '../json-document.js';
import type { ParsedNotification, ProviderEvent, WebhookProof } from '../provider.js';
import { readDepositOutcome, STATUS_WORDS } from './pawapay-deposit.js';
import { readRefundOutcome } from './pawapay-refund-outcome.js';

/** Says in our words what a callback's body means. @param proof how far it is proven. */
export function readPawaPayNotification(rawBody: Buffer, proof: WebhookProof): ParsedNotification {
  const json = parseUtf8Json(rawBody);
  // A refund names its deposit too.
  const refundId = textAt(json, 'refundId');
  if (refundId !== undefined) return readRefund(json, refundId, proof);
  const depositId = textAt(json, 'depositId');
  if (depositId !== undefined) return readDeposit(json, depositId, proof);
  const otherId = textAt(json, 'payoutId') ?? textAt(json, 'remittanceId');
  if (otherId === undefined) return malformed('it names no payment and no refund');
  return ignored(otherId, json, proof, 'payout', 'it tells of no payment and of no refund');
}

function readDeposit(json: unknown, depositId: string, proof: WebhookProof): ParsedNotification {
  const outcome = readDepositOutcome(json);
  if (typeof outcome === 'string') return malformed(outcome);
  const attemptReference = ownReference(json, 'attempt', 'TXN-');
  return {
    verdict: 'accepted',
    proof,
    eventId: eventIdOf(depositId, json),
    type: typeOf('deposit', json),
    events: [{ providerReference: depositId, ...named(attemptReference), outcome }],
    markedAsOurs: attemptReference !== undefined,
  };
}

function readRefund(json: unknown, refundId: string, proof: WebhookProof): ParsedNotification {
  const refundReference = ownReference(json, 'refund', 'RFD-');
  const outcome = readRefundOutcome(json, refundReference);
  if (typeof outcome === 'string') return malformed(outcome);
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
  return {
    verdict: 'accepted',
    proof,
    eventId: eventIdOf(refundId, json),
    type: typeOf('refund', json),
    events: [
      { ...(providerReference !== undefined && { providerReference }), ...named(attemptReference), outcome },
    ],
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
  const word = textAt(json, 'status') ?? '';
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

function malformed(detail: string): ParsedNotification {
  return { verdict: 'malformed', detail };
}
