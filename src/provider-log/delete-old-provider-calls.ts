import type { EntityManager } from 'typeorm';

/** In one statement, so that none holds its locks for long. */
const BATCH = 5_000;

/** Deletes calls that began longer ago than that. */
export async function deleteOldProviderCalls(
  manager: EntityManager,
  keepMilliseconds: number,
): Promise<void> {
  const before = new Date(Date.now() - keepMilliseconds);
  let deleted: number;
  do {
    [, deleted] = await manager.query<[unknown[], number]>(
      `DELETE FROM provider_call WHERE id IN (
         SELECT id FROM provider_call WHERE started_at < $1 ORDER BY started_at, id LIMIT $2)`,
      [before, BATCH],
    );
  } while (deleted === BATCH);
}
