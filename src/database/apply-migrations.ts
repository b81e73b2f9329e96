import { runMigrations } from 'graphile-worker';
import type { DataSource } from 'typeorm';
import { databaseUrlOf } from './data-source.js';

/** Any number will do, so long as nobody else takes it: "quittanc" in ASCII, as a signed 64-bit integer. */
const MIGRATION_LOCK = '8175556647450668643';

/** Brings the tables up to date. Several nodes may start at once: one migrates, and the others find it done. */
export async function applyMigrations(dataSource: DataSource): Promise<void> {
  const holder = dataSource.createQueryRunner();
  try {
    // A migration may take longer than any statement of ours may otherwise, and so may waiting for it.
    await holder.query('SET lock_timeout = 0; SET statement_timeout = 0');
    await holder.query('SELECT pg_advisory_lock($1::bigint)', [MIGRATION_LOCK]);
    await dataSource.runMigrations();
    // The job runner's own tables, in a schema of their own.
    await runMigrations({ connectionString: databaseUrlOf(dataSource) });
  } finally {
    await holder.query('SELECT pg_advisory_unlock_all(); RESET lock_timeout; RESET statement_timeout');
    await holder.release();
  }
}
