import type { EntityManager } from 'typeorm';

/** In one statement, so that none holds its locks for long. */
const BATCH = 2_000;

/** Deletes deliveries, with their tries, of what happened longer ago than that and is not being sent any more. */
export async function deleteOldDeliveries(manager: EntityManager, keepMilliseconds: number): Promise<void> {
  let deleted: number;
  do {
    [, deleted] = await manager.query<[unknown[], number]>(
      `DELETE FROM webhook_delivery WHERE id IN (
         SELECT id FROM webhook_delivery WHERE created_at < now() - make_interval(secs => $1) AND status <> 'PENDING'
         ORDER BY created_at, id LIMIT $2)`,
      [keepMilliseconds / 1_000, BATCH],
    );
  } while (deleted === BATCH);
}
