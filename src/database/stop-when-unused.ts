import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { EmbeddedPostgres } from './embedded-postgres.js';

/** A connection that was closed just now is still listed for a moment. */
const CLOSING_GRACE_MILLISECONDS = 1_000;
const POLL_MILLISECONDS = 50;

/** Those who only look whether they may stop it don't count as users, or two who stop at once would wait for each other. */
const APPLICATION_NAME = 'quittance-stopping';

/**
 * Stops the server unless somebody else uses it: another `npm start` that adopted it, or that it was adopted from, must
 * not lose its database. The last to leave stops it.
 * @returns whether it was stopped.
 */
export async function stopWhenUnused(postgres: EmbeddedPostgres): Promise<boolean> {
  if (await isUsedByOthers(postgres.url)) return false;
  await postgres.stop();
  return true;
}

async function isUsedByOthers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, application_name: APPLICATION_NAME });
  // It may be stopped by another one while we look.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const deadline = Date.now() + CLOSING_GRACE_MILLISECONDS;
    for (;;) {
      const { rowCount } = await client.query(
        `SELECT 1 FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> $1`,
        [APPLICATION_NAME],
      );
      if (rowCount === 0) return false;
      if (Date.now() > deadline) return true;
      await sleep(POLL_MILLISECONDS);
    }
  } catch {
    // It does not let anybody in: stopping is all that is left to do.
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
