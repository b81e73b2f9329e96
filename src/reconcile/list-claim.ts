import type { EntityManager } from 'typeorm';
import { inQuotes } from '../database/in-quotes.js';
import { run, statement } from '../database/statement.js';
import { OPEN_STATUSES } from '../payments/transitions.js';

/**
 * A node that died gives the list free by this; one that reads renews it with each batch. Should a slow one lose its claim,
 * two read the same: what they store is stored once all the same.
 */
const CLAIM_SECONDS = 30;

const CLAIM = statement<{ readUntil: Date }>(
  'claim_notification_list',
  `UPDATE provider_cursor SET claimed_until = now() + interval '${CLAIM_SECONDS} seconds'
   WHERE provider = $1 AND (claimed_until IS NULL OR claimed_until <= now())
   RETURNING read_until_at AS "readUntil"`,
);

/** Nothing from before belongs to us, unless payments of this provider are open already. */
const BEGIN = statement(
  'begin_notification_list',
  `INSERT INTO provider_cursor (provider, read_until_at)
   SELECT $1, coalesce(min(i.created_at), now())
   FROM payment_intent i JOIN payment_attempt a ON a.intent_id = i.id
   WHERE a.provider = $1 AND i.status IN (${inQuotes(OPEN_STATUSES)})
   ON CONFLICT DO NOTHING`,
);

const CONTINUE = statement(
  'continue_notification_list',
  `UPDATE provider_cursor SET read_until_at = greatest(read_until_at, $2),
     claimed_until = now() + interval '${CLAIM_SECONDS} seconds'
   WHERE provider = $1`,
);

const RELEASE = statement(
  'release_notification_list',
  `UPDATE provider_cursor SET claimed_until = NULL WHERE provider = $1`,
);

/** @returns until when the list has been read, by the provider's clock; null when another node is reading. */
export async function claimList(manager: EntityManager, provider: string): Promise<Date | null> {
  const [claimed] = await run(manager, CLAIM, [provider]);
  if (claimed) return claimed.readUntil;
  await run(manager, BEGIN, [provider]);
  const [begun] = await run(manager, CLAIM, [provider]);
  return begun?.readUntil ?? null;
}

/**
 * Everything until then is stored. It is the time of a notification and not ours: two clocks that differ must not make
 * a gap.
 */
export async function continueFrom(manager: EntityManager, provider: string, readUntil: Date): Promise<void> {
  await run(manager, CONTINUE, [provider, readUntil]);
}

export async function releaseList(manager: EntityManager, provider: string): Promise<void> {
  await run(manager, RELEASE, [provider]);
}
