import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { databaseUrl } from '../../src/database/embedded-postgres.js';

/** Set by the global setup for every worker: the server's URL, database `postgres`. */
export const TEST_POSTGRES_URL_VARIABLE = 'QUITTANCE_TEST_POSTGRES_URL';
export const TEMPLATE_DATABASE = 'quittance_template';

/** A socket that was closed just now is still listed for a moment. */
const CLOSING_GRACE_MILLISECONDS = 1_000;
const POLL_MILLISECONDS = 20;

export interface TestDatabase {
  readonly url: string;
  /**
   * Call it last in `afterAll`. It fails when somebody is still connected: a test that leaks a connection should say
   * so itself, and not make a later one fail.
   */
  drop(): Promise<void>;
}

/** A database of one's own, migrated and empty, in about 50 ms. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await administer((client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE_DATABASE}`));
  return { url: databaseUrl(serverUrl(), name), drop: () => dropDatabase(name) };
}

function dropDatabase(name: string): Promise<void> {
  return administer(async (client) => {
    const leaked = await connectionsLeft(client, name);
    if (leaked.length > 0) {
      throw new Error(
        `This test file left ${leaked.length} connection(s) to its database open: close what it opened ` +
          `(dataSource.destroy(), client.end(), pool.end()) before drop().\n${leaked.join('\n')}`,
      );
    }
    await client.query(`DROP DATABASE ${name}`);
  });
}

async function connectionsLeft(client: pg.Client, database: string): Promise<string[]> {
  const deadline = Date.now() + CLOSING_GRACE_MILLISECONDS;
  for (;;) {
    const { rows } = await client.query<{ application_name: string; state: string | null; query: string }>(
      'SELECT application_name, state, query FROM pg_stat_activity WHERE datname = $1 ORDER BY backend_start',
      [database],
    );
    if (rows.length === 0 || Date.now() > deadline) {
      return rows.map((row) => `- ${row.application_name || 'unnamed'} (${row.state}): ${row.query}`);
    }
    await sleep(POLL_MILLISECONDS);
  }
}

async function administer<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: serverUrl(), application_name: 'test support' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function serverUrl(): string {
  const url = process.env[TEST_POSTGRES_URL_VARIABLE];
  if (url === undefined)
    throw new Error(`${TEST_POSTGRES_URL_VARIABLE} is not set: run the tests with "npm test".`);
  return url;
}
