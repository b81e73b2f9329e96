import type { EntityManager } from 'typeorm';

const BATCH = 10_000;

/** A key that has expired may be used again. */
export async function deleteExpiredKeys(manager: EntityManager): Promise<void> {
  await manager.query(
    `DELETE FROM idempotency_key WHERE (caller, key) IN (
       SELECT caller, key FROM idempotency_key WHERE expires_at < now() ORDER BY expires_at LIMIT $1)`,
    [BATCH],
  );
}
