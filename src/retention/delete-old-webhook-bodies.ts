import type { EntityManager } from 'typeorm';
import { goThrough, type KeptForATime } from './go-through.js';

/**
 * A webhook's row stays, for by its id and digest a repeated one is known. Its body and headers go once it was applied or
 * ignored; what waits, was parked or could not be read keeps them, for a person may want to replay it.
 */
const HANDLED_BODIES: KeptForATime = {
  name: 'webhook bodies',
  table: 'webhook_event',
  end: `emptied AS (
      UPDATE webhook_event w SET payload = '', raw_body = NULL, headers = '{}'
      FROM batch WHERE w.id = batch.id AND w.status IN ('APPLIED', 'IGNORED')
    )`,
};

/** @param keepMilliseconds since they came. @param now by the database's clock. */
export function deleteOldWebhookBodies(
  manager: EntityManager,
  keepMilliseconds: number,
  now: Date,
): Promise<void> {
  return goThrough(manager, HANDLED_BODIES, keepMilliseconds, now);
}
