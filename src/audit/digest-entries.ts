import { createHash } from 'node:crypto';
import type { EntityManager } from 'typeorm';

export interface EntriesDigest {
  readonly count: number;
  readonly digest: string;
  /** Of the last entry that was read; null when there was none. */
  readonly lastId: number | null;
}

/** A page is held in memory, and digested without a pause. */
const PAGE = 1_000;

/** Columns alone: a function of our own in the database could be replaced by one that says what was to be heard. */
const ENTRIES = `
  SELECT id, subject, position, actor, action, before::text, after::text, reason,
    extract(epoch FROM created_at)::text AS created_at, previous_hash, hash
  FROM audit_log WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3`;

/**
 * Digests what entries say, in the order of their ids.
 * @param afterId of the entry before the first one. @param limit how many at most.
 */
export async function digestEntries(
  manager: EntityManager,
  afterId: number,
  lastId: number,
  limit = Number.MAX_SAFE_INTEGER,
): Promise<EntriesDigest> {
  const hash = createHash('sha256');
  let count = 0;
  let reached: number | null = null;
  while (count < limit) {
    const size = Math.min(PAGE, limit - count);
    const page: { id: number }[] = await manager.query<{ id: number }[]>(ENTRIES, [
      reached ?? afterId,
      lastId,
      size,
    ]);
    for (const entry of page) hash.update(`${JSON.stringify(Object.values(entry))}\n`);
    count += page.length;
    reached = page.at(-1)?.id ?? reached;
    if (page.length < size) break;
  }
  return { count, digest: hash.digest('hex'), lastId: reached };
}
