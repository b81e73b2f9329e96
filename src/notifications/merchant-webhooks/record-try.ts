import type { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { run, statement } from '../../database/statement.js';
import type { ClaimedDelivery } from './claim-deliveries.js';
import type { Answer } from './post-message.js';

export interface FinishedTry {
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly answer: Answer;
  readonly startedAt: Date;
  readonly succeeded: boolean;
  /** Until the next one; null: there is none. */
  readonly pauseMilliseconds: number | null;
  /** How long the endpoint wants to be left alone; null: it has not said. */
  readonly restMilliseconds: number | null;
}

// A try that took longer than its claim is kept too, and says what became of the delivery if nobody has tried since.
const RECORD = statement<{ firstFailedAt: Date | null }>(
  'record_webhook_try',
  `WITH tried AS (
     INSERT INTO webhook_delivery_try
       (id, delivery_id, url, request_headers, answer_status, answer_body, error, milliseconds, started_at)
     SELECT $3::uuid, id, $4, $5::jsonb, $6::integer, $7, $8, $9::integer, $10::timestamptz FROM webhook_delivery WHERE id = $1
   ), told AS (
     UPDATE webhook_delivery SET
       claim = NULL, claimed_until = NULL, tries = tries + 1,
       status = CASE WHEN $11::boolean THEN 'SUCCEEDED' WHEN status = 'PENDING' AND $12::float8 IS NULL THEN 'FAILED' ELSE status END,
       next_try_at = CASE WHEN NOT $11::boolean AND status = 'PENDING' THEN now() + make_interval(secs => $12::float8) END
     WHERE id = $1 AND claim = $2
   ), marked AS (
     UPDATE webhook_endpoint SET
       first_failed_at = CASE WHEN NOT $11::boolean THEN coalesce(first_failed_at, $10) END,
       rest_until = CASE WHEN NOT $11::boolean THEN coalesce(now() + make_interval(secs => $13::float8), rest_until) END
     WHERE id = $14 AND ($11::boolean = (first_failed_at IS NOT NULL) OR $13::float8 IS NOT NULL)
   )
   SELECT first_failed_at AS "firstFailedAt" FROM webhook_endpoint WHERE id = $14`,
);

/**
 * Writes down one try and what it means for the delivery and its endpoint, at once.
 * @returns since when every try at the endpoint before this one had failed; null when the last one had not.
 */
export async function recordTry(
  manager: EntityManager,
  { id, claim, url, endpointId }: ClaimedDelivery,
  { requestHeaders, answer, startedAt, succeeded, pauseMilliseconds, restMilliseconds }: FinishedTry,
): Promise<Date | null> {
  const { status, body, error, milliseconds } = answer;
  const ofTry = [url, JSON.stringify(requestHeaders), status, body, error, milliseconds, startedAt];
  const inSeconds = (time: number | null) => (time === null ? null : time / 1_000);
  const outcome = [succeeded, inSeconds(pauseMilliseconds), inSeconds(restMilliseconds), endpointId];
  const [row] = await run(manager, RECORD, [id, claim, uuidv7(), ...ofTry, ...outcome]);
  return row?.firstFailedAt ?? null;
}
