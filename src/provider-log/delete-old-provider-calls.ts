import type { EntityManager } from 'typeorm';

/** In one statement, so that none holds its locks for long. */
const BATCH = 5_000;

/** Deletes calls that began longer ago than that. */
export async function deleteOldProviderCalls(
  manager: EntityManager,
  keepMilliseconds: number,
): Promise<void> {
  let deleted: number;
  do {
    [, deleted] = await manager.query<[unknown[], number]>(
      `DELETE FROM provider_call WHERE id IN (
         SELECT id FROM provider_call WHERE started_at < now() - make_interval(secs => $1) ORDER BY started_at, id LIMIT $2)`,
      [keepMilliseconds / 1_000, BATCH],
    );
  } while (deleted === BATCH);
}
