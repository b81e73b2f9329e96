import { setTimeout as sleep } from 'node:timers/promises';
import { settled } from '../settled.js';
import type { RunningApp } from '../running-app.js';

const ROUND_MILLISECONDS = 1_000;

/** Everything that is still to be done by somebody other than a person: money that is held waits for its shop. */
const UNFINISHED = `
  SELECT 'payment' AS what, reference, status FROM payment_intent i
  WHERE (status IN ('PENDING', 'PROCESSING', 'UNKNOWN', 'AUTHORIZED') OR next_check_at IS NOT NULL
      OR EXISTS (SELECT FROM payment_attempt a
        WHERE a.intent_id = i.id AND a.status IN ('PENDING', 'PROCESSING', 'UNKNOWN', 'AUTHORIZED')))
    AND NOT (status = 'AUTHORIZED' AND NOT EXISTS (
      SELECT FROM payment_attempt a WHERE a.intent_id = i.id AND a.capture_amount IS NOT NULL))
  UNION ALL
  SELECT 'refund', reference, status FROM refund WHERE status IN ('QUEUED', 'SUBMITTED')
  UNION ALL
  SELECT 'webhook event', event_id || ' ' || type, outcome FROM webhook_event WHERE status = 'WAITING'`;

interface Unfinished {
  readonly what: string;
  readonly reference: string;
  readonly status: string;
}

/** What would be done in a minute, an hour or a day is done now. */
const HURRY = [
  `UPDATE payment_intent SET expires_at = now(), end_again_at = NULL WHERE status IN ('PENDING', 'UNKNOWN')`,
  `UPDATE payment_intent SET next_check_at = now() WHERE next_check_at > now()`,
  `UPDATE refund SET next_check_at = now() WHERE next_check_at > now()`,
  `UPDATE webhook_event SET next_try_at = now() WHERE status = 'WAITING' AND next_try_at > now()`,
];

/**
 * Lets the jobs do what they do by themselves, only sooner, until nothing is left to do.
 * @throws when something is left all the same, saying what.
 */
export async function heal(
  app: RunningApp,
  milliseconds: number,
  onRound: (unfinished: number) => void,
): Promise<void> {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    await settled(app);
    const unfinished = await app.dataSource.query<Unfinished[]>(UNFINISHED);
    if (unfinished.length === 0) return;
    onRound(unfinished.length);
    if (Date.now() > deadline) {
      throw new Error(`${unfinished.length} are not healed: ${JSON.stringify(unfinished.slice(0, 20))}`);
    }
    for (const statement of HURRY) await app.dataSource.query(statement);
    await sleep(ROUND_MILLISECONDS);
  }
}
