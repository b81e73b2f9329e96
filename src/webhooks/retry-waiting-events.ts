import type { EntityManager } from 'typeorm';
import { claimDue, dueBy, type DueRows } from '../database/claim-due.js';
import { fromRow } from '../database/rows.js';
import { sideBySide } from '../jobs/side-by-side.js';
import type { Provider } from '../providers/provider.js';
import { followConcern, writeFollowed } from './follow-concern.js';
import { readAgain } from './read-again.js';
import { applyToItsAttempt, mayBeOurMoney } from './money-of-whom.js';
import { NO_ATTEMPT_YET, NOT_OURS } from './new-webhook-event.js';
import { applyNotification, type WebhookDependencies } from './receive-notification.js';
import { MAX_TRIES, MAX_TRIES_WITHOUT_ATTEMPT, pauseMillisecondsAfter } from './retry-schedule.js';
import type { WebhookEvent } from './webhook-event.js';

const BATCH = 50;
const SIDE_BY_SIDE = 8;

/** Claimed for this long, so that other nodes leave it alone. */
const CLAIM_SECONDS = 60;

const DUE: DueRows = {
  ...dueBy('next_try_at', {
    table: 'webhook_event',
    claim: `interval '${CLAIM_SECONDS} seconds'`,
    returning: 'to_jsonb(due) AS row',
  }),
  where: `status = 'WAITING' AND next_try_at <= now()`,
};

/**
 * Tries again to apply what is waiting: for its attempt to appear, for a fault of ours to go away, or, where it
 * is but a hint, for the provider to be asked.
 * @returns how many were due.
 */
export async function retryWaitingEvents(
  manager: EntityManager,
  dependencies: WebhookDependencies,
  providers: ReadonlyMap<string, Provider>,
): Promise<number> {
  const due = await claimDue<{ row: Record<string, unknown> }>(manager, DUE, BATCH);
  // Hints wait for their provider's answer.
  await sideBySide(SIDE_BY_SIDE, due, async ({ row }) => {
    const event = fromRow<WebhookEvent>(row);
    const outcome = await tryAgain(manager, dependencies, providers, event);
    if (outcome !== null) await keepWaiting(manager, dependencies, event, outcome);
  });
  return due.length;
}

/** @returns null when it was applied, else why not. */
async function tryAgain(
  manager: EntityManager,
  dependencies: WebhookDependencies,
  providers: ReadonlyMap<string, Provider>,
  event: WebhookEvent,
): Promise<string | null> {
  try {
    const read = await readAgain(manager, dependencies, providers, event);
    if (typeof read === 'string') return read;
    if ('ignored' in read) {
      await writeFollowed(manager, event, { status: 'IGNORED', outcome: read.ignored });
      return null;
    }
    if ('concern' in read) {
      const followed = await followConcern(manager, dependencies, event, read);
      return typeof followed === 'string' ? followed : null;
    }
    const outcome = await applyNotification(manager, dependencies, read.provider, event, read.events);
    if (outcome !== null) return null;
    return mayBeOurMoney(read.provider, read.events)
      ? await applyToItsAttempt(manager, dependencies, read.provider, event, read.events)
      : NO_ATTEMPT_YET;
  } catch (error) {
    dependencies.log.error({ err: error, webhookEvent: event.id }, 'could not apply a waiting notification');
    return `failed: ${String(error)}`;
  }
}

async function keepWaiting(
  manager: EntityManager,
  { log }: WebhookDependencies,
  event: WebhookEvent,
  outcome: string,
): Promise<void> {
  const tries = event.tries + 1;
  if (outcome === NO_ATTEMPT_YET && tries >= MAX_TRIES_WITHOUT_ATTEMPT) return ignore(manager, event, tries);
  const parked = tries >= MAX_TRIES;
  await manager.query(
    `UPDATE webhook_event SET tries = $2, outcome = $3, status = $4,
       next_try_at = CASE WHEN $4 = 'WAITING' THEN now() + make_interval(secs => $5) END
     WHERE id = $1 AND status = 'WAITING'`,
    [event.id, tries, outcome, parked ? 'PARKED' : 'WAITING', pauseMillisecondsAfter(tries) / 1_000],
  );
  if (parked) {
    log.error(
      { webhookEvent: event.id, provider: event.provider, event: event.eventId, outcome },
      'a notification was parked: a person has to look at it',
    );
  }
}

/** Others use the same account, and may even have references like ours: nobody has to be woken for them. */
async function ignore(manager: EntityManager, { id }: WebhookEvent, tries: number): Promise<void> {
  await manager.query(
    `UPDATE webhook_event SET tries = $2, outcome = $3, status = 'IGNORED', next_try_at = NULL, processed_at = now()
     WHERE id = $1 AND status = 'WAITING'`,
    [id, tries, NOT_OURS],
  );
}
