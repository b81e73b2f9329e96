import type { EntityManager } from 'typeorm';

/** In one statement, so that none holds its locks for long. */
const BATCH = 2_000;

/** Deletes deliveries, with their tries, of what happened longer ago than that and is not being sent any more. */
export async function deleteOldDeliveries(manager: EntityManager, keepMilliseconds: number): Promise<void> {
  const before = new Date(Date.now() - keepMilliseconds);
  let deleted: number;
  do {
    [, deleted] = await manager.query<[unknown[], number]>(
      `DELETE FROM webhook_delivery WHERE id IN (
         SELECT id FROM webhook_delivery WHERE created_at < $1 AND status <> 'PENDING'
         ORDER BY created_at, id LIMIT $2)`,
      [before, BATCH],
    );
  } while (deleted === BATCH);
}
