import type { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { run, statement } from '../database/statement.js';
import { parseAttemptReference } from '../payments/payment-attempt.js';
import type { ProviderCall } from '../providers/provider-call.js';
import { maskText } from './mask-text.js';
import type { CallOutcome, LoggedExchange } from './provider-call-entry.js';
import { redactExchange, storable } from './redact-exchange.js';

/** A call as it is kept, with all that is secret or personal taken out. */
export interface ProviderCallRow {
  readonly id: string;
  readonly provider: string;
  readonly operation: string;
  readonly intent_reference?: string;
  readonly attempt_number?: number;
  readonly refund_reference?: string;
  readonly outcome: CallOutcome;
  readonly failure_code?: string;
  readonly tries: number;
  readonly milliseconds: number;
  readonly exchanges: readonly LoggedExchange[];
  readonly started_at: Date;
}

export function toRow(call: ProviderCall): ProviderCallRow {
  const attempt = parseAttemptReference(call.attemptReference ?? '');
  return {
    id: uuidv7(),
    provider: call.provider,
    operation: call.operation,
    intent_reference: attempt?.intentReference,
    attempt_number: attempt?.number,
    refund_reference: call.refundReference,
    outcome: OUTCOMES[call.outcome],
    // The provider's own word, whatever that is.
    failure_code: call.failureCode === undefined ? undefined : storable(maskText(call.failureCode)),
    tries: call.tries,
    milliseconds: call.milliseconds,
    exchanges: call.exchanges.map(redactExchange),
    started_at: call.startedAt,
  };
}

const OUTCOMES: Readonly<Record<ProviderCall['outcome'], CallOutcome>> = {
  OK: 'OK',
  declined: 'DECLINED',
  rejected: 'REJECTED',
  unavailable: 'UNAVAILABLE',
  outcomeUnknown: 'OUTCOME_UNKNOWN',
  BUG: 'BUG',
};

/** A batch whose commit was not heard of comes again, with the same ids. */
const INSERT = statement(
  'insert_provider_calls',
  `INSERT INTO provider_call (
     id, provider, operation, attempt_id, refund_reference, outcome, failure_code, tries, milliseconds, exchanges, started_at
   )
   SELECT c.id, c.provider, c.operation, a.id, c.refund_reference, c.outcome, c.failure_code, c.tries, c.milliseconds,
     c.exchanges, c.started_at
   FROM jsonb_to_recordset($1) AS c (
     id uuid, provider text, operation text, intent_reference text, attempt_number integer, refund_reference text,
     outcome text, failure_code text, tries integer, milliseconds integer, exchanges jsonb, started_at timestamptz
   )
   LEFT JOIN payment_intent i ON i.reference = c.intent_reference
   LEFT JOIN payment_attempt a ON a.intent_id = i.id AND a.number = c.attempt_number
   ON CONFLICT (id) DO NOTHING`,
);

export async function insertProviderCalls(
  manager: EntityManager,
  rows: readonly ProviderCallRow[],
): Promise<void> {
  await run(manager, INSERT, [JSON.stringify(rows)]);
}
