import type { EntityManager } from 'typeorm';

/** In one statement, so that none holds its locks for long. */
const BATCH = 2_000;

/** What is kept for a time only. */
export interface KeptForATime {
  /** A row of `retention_cursor`. */
  readonly name: string;
  /** Its primary key is a UUID of version 7. */
  readonly table: string;
  /** CTEs with names of their own that end what `batch(id)`, the rows that are old enough, need not keep any more. */
  readonly end: string;
}

/**
 * Goes once through the rows of a table that are older than that, each batch in a statement of its own. Several nodes may:
 * one that finds another at it leaves it alone.
 * @param now by the database's clock.
 */
export async function goThrough(
  manager: EntityManager,
  { name, table, end }: KeptForATime,
  keepMilliseconds: number,
  now: Date,
): Promise<void> {
  const before = firstIdAt(new Date(now.getTime() - keepMilliseconds));
  let seen: number;
  do {
    const [row] = await manager.query<[{ seen: number }]>(
      `WITH reached AS (SELECT last_id FROM retention_cursor WHERE name = $1 FOR UPDATE SKIP LOCKED),
       batch AS MATERIALIZED (
         SELECT id FROM ${table} WHERE id > (SELECT last_id FROM reached) AND id < $2 ORDER BY id LIMIT ${BATCH}
       ),
       ${end},
       moved AS (
         UPDATE retention_cursor SET last_id = (SELECT id FROM batch ORDER BY id DESC LIMIT 1)
         WHERE name = $1 AND EXISTS (SELECT 1 FROM batch)
       )
       SELECT count(*)::integer AS seen FROM batch`,
      [name, before],
    );
    ({ seen } = row);
  } while (seen === BATCH);
}

/** The least UUID of version 7 that can have been made then. */
function firstIdAt(time: Date): string {
  const milliseconds = time.getTime().toString(16).padStart(12, '0');
  return `${milliseconds.slice(0, 8)}-${milliseconds.slice(8)}-7000-8000-000000000000`;
}
