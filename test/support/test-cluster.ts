import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDataSource } from '../../src/database/data-source.js';
import {
  createDatabaseIfMissing,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from '../../src/database/embedded-postgres.js';
import { clusterIn } from '../../src/database/embedded-postgres/cluster.js';
import { processExists } from '../../src/database/embedded-postgres/process-state.js';
import { findRunningServer } from '../../src/database/embedded-postgres/running-server.js';
import { TEMPLATE_DATABASE, TEST_POSTGRES_URL_VARIABLE } from './postgres.js';

const FOLDER_PREFIX = 'quittance-test-';

/** Thrown away after the run, so that nothing has to survive a power cut. */
const SETTINGS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '300',
  // Its visits to the template would make CREATE DATABASE wait for it.
  autovacuum: 'off',
};

let running: { readonly folder: string; readonly postgres: EmbeddedPostgres } | undefined;

/** One server for the whole run, with the template that every test file's database is copied from. */
export async function startTestCluster(): Promise<void> {
  await sweepUpAfterKilledRuns();
  const folder = await mkdtemp(join(tmpdir(), `${FOLDER_PREFIX}${process.pid}-`));
  // As root, the server runs as another account, which has to get in here.
  await chmod(folder, 0o755);
  const postgres = await startEmbeddedPostgres({ directory: join(folder, 'postgres'), settings: SETTINGS });
  running = { folder, postgres };
  await prepareTemplate(postgres.url);
  process.env[TEST_POSTGRES_URL_VARIABLE] = postgres.url;
}

export async function stopTestCluster(): Promise<void> {
  if (running === undefined) return;
  const { folder, postgres } = running;
  await postgres.stop();
  await rm(postgres.clusterDirectory, { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
}

async function prepareTemplate(url: string): Promise<void> {
  const dataSource = createDataSource({ url: await createDatabaseIfMissing(url, TEMPLATE_DATABASE) });
  await dataSource.initialize();
  try {
    await dataSource.runMigrations();
  } finally {
    await dataSource.destroy();
  }
}

/** A run that was ended by Ctrl-C has no teardown; its server goes on and its folder stays. */
async function sweepUpAfterKilledRuns(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(new RegExp(`^${FOLDER_PREFIX}(\\d+)-`).exec(name)?.[1]);
    if (Number.isNaN(pid) || processExists(pid)) continue;
    const folder = join(tmpdir(), name);
    if ((await stat(folder)).uid !== process.getuid?.()) continue;
    const server = await findRunningServer(clusterIn(join(folder, 'postgres', 'cluster')));
    if (server !== undefined) process.kill(server.pid, 'SIGQUIT');
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}
