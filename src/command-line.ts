/** What the commands that people type beside `npm start` have in common: their database, and how they fail. */
import { join } from 'node:path';
import { QueryFailedError, type DataSource, type EntityManager } from 'typeorm';
import { ConfigError, loadConfig } from './config.js';
import { createDataSource } from './database/data-source.js';
import {
  createDatabaseIfMissing,
  EmbeddedPostgresError,
  startEmbeddedPostgres,
} from './database/embedded-postgres.js';

/** Something that the person at the terminal can put right; its message says how. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** Ends with this exit code when it fails, and with a stack only when the fault is ours. */
export function runCommand(command: () => Promise<void>, exitCodeOfFailure = 1): void {
  command().catch((error: unknown) => {
    const isForPeople =
      error instanceof CommandError || error instanceof ConfigError || error instanceof EmbeddedPostgresError;
    console.error(isForPeople ? error.message : error);
    process.exitCode = exitCodeOfFailure;
  });
}

/**
 * Works on DATABASE_URL, or else on the embedded database in DATA_FOLDER.
 * @param name of the command, under which the database lists its connection.
 */
export async function withDatabase(
  name: string,
  work: (manager: EntityManager) => Promise<void>,
): Promise<void> {
  const config = loadConfig();
  if (config.databaseUrl) return withDataSource(config.databaseUrl, name, work);
  const postgres = await startEmbeddedPostgres({
    directory: join(config.dataFolder, 'postgres'),
    log: (message) => console.error(message),
  });
  try {
    await withDataSource(await createDatabaseIfMissing(postgres.url, 'quittance'), name, work);
  } finally {
    // One that was running already is the running product's.
    if (!postgres.adopted) await postgres.stop();
  }
}

async function withDataSource(
  url: string,
  name: string,
  work: (manager: EntityManager) => Promise<void>,
): Promise<void> {
  const dataSource = await connect(url, name);
  try {
    await work(dataSource.manager);
  } catch (error) {
    if (!isMigrationMissing(error)) throw error;
    throw new CommandError(
      'This database has not all tables yet, as this version needs them. Start Quittance once, which makes them.',
      {
        cause: error,
      },
    );
  } finally {
    await dataSource.destroy();
  }
}

async function connect(url: string, name: string): Promise<DataSource> {
  try {
    return await createDataSource({ url, poolSize: 1, applicationName: `quittance ${name}` }).initialize();
  } catch (error) {
    const { hostname, port, pathname } = new URL(url);
    throw new CommandError(
      `Can't open the database ${pathname.slice(1)} on ${hostname}:${port || '5432'}: ${messageOf(error)}. Check DATABASE_URL.`,
      { cause: error },
    );
  }
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}

/** SQLSTATE undefined_table and undefined_column: a migration has not been applied. */
const MISSING = new Set(['42P01', '42703']);

function isMigrationMissing(error: unknown): boolean {
  return (
    error instanceof QueryFailedError && MISSING.has((error.driverError as { code?: string }).code ?? '')
  );
}
