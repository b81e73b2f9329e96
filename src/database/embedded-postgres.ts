import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findBinaries } from './embedded-postgres/binaries.js';
import {
  clusterIn,
  createCluster,
  readPassword,
  refuseOtherMajorVersion,
} from './embedded-postgres/cluster.js';
import { EmbeddedPostgresError, explainingFileErrors } from './embedded-postgres/embedded-postgres-error.js';
import { makeEnterableDirectory } from './embedded-postgres/enterable-directory.js';
import { removeMisleadingPostmasterFile } from './embedded-postgres/postmaster-file.js';
import { placeBinaries, placeCluster } from './embedded-postgres/reachable-place.js';
import { findRunningServer, type RunningServer } from './embedded-postgres/running-server.js';
import { chooseServerAccount } from './embedded-postgres/server-account.js';
import { launchServer, stopServer, type Launch } from './embedded-postgres/server-process.js';
import { tryStartLock } from './embedded-postgres/start-lock.js';

export { createDatabaseIfMissing, databaseUrl } from './embedded-postgres/create-database.js';
export { EmbeddedPostgresError } from './embedded-postgres/embedded-postgres-error.js';

export interface EmbeddedPostgresOptions {
  /** Where the data lives, and everything else of this server. Made when missing. */
  readonly directory: string;
  readonly log?: (message: string) => void;
  /** PostgreSQL's own settings, over ours. A server that is adopted keeps those it was started with. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface EmbeddedPostgres {
  /** Of the database `postgres`, with the superuser's password: not for the log. */
  readonly url: string;
  /** Whether it was running already. */
  readonly adopted: boolean;
  readonly pid: number;
  /** Holds the data and the server's log; elsewhere than in `directory` when root can't let the server in there. */
  readonly clusterDirectory: string;
  /** Cuts off every client, whoever started them, and returns when the server has ended. Repeating it does nothing. */
  stop(): Promise<void>;
}

/** A server that lives but doesn't let us in is given this long: it may be recovering from a crash, or stopping. */
const LET_IN_WITHIN_MILLISECONDS = 60_000;
const POLL_MILLISECONDS = 50;

/**
 * A real PostgreSQL from the npm package for this platform, on 127.0.0.1 and a free port. It outlives a killed Node
 * process; the next start on the same folder, from whatever process, adopts it.
 * @throws {EmbeddedPostgresError} which says what to do.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const log = options.log ?? (() => undefined);
  const { directory, launch } = await explainingFileErrors(resolve(options.directory), () =>
    prepare(options, log),
  );
  const deadline = Date.now() + LET_IN_WITHIN_MILLISECONDS;
  return explainingFileErrors(directory, async () => {
    for (;;) {
      const server = (await adopt(launch)) ?? (await startAlone(directory, launch, log));
      if (server !== undefined) return handleOf(server, launch);
      if (Date.now() > deadline) throw await notLetIn(directory, launch);
      await sleep(POLL_MILLISECONDS);
    }
  });
}

function handleOf(server: Started, launch: Launch): EmbeddedPostgres {
  const { directory: clusterDirectory } = launch.cluster;
  return { ...server, clusterDirectory, stop: () => stopServer(launch, server.pid) };
}

type Started = RunningServer & { readonly adopted: boolean };

async function prepare(
  options: EmbeddedPostgresOptions,
  log: (message: string) => void,
): Promise<{ directory: string; launch: Launch }> {
  const directory = await makeEnterableDirectory(resolve(options.directory));
  const found = await findBinaries();
  const account = await chooseServerAccount(clusterIn(join(directory, 'cluster')).dataDirectory);
  const binaries = await placeBinaries(found, account);
  const cluster = clusterIn(await placeCluster(directory, account, log));
  return { directory, launch: { binaries, cluster, account, settings: options.settings ?? {} } };
}

async function adopt({ cluster }: Launch): Promise<Started | undefined> {
  const server = await findRunningServer(cluster);
  return server === undefined || 'unreachable' in server ? undefined : { ...server, adopted: true };
}

/** Undefined when another process is starting it, or an old one still stands in the way. */
async function startAlone(
  directory: string,
  launch: Launch,
  log: (message: string) => void,
): Promise<Started | undefined> {
  const giveBack = await tryStartLock(join(directory, 'starting.lock'));
  if (giveBack === undefined) return undefined;
  try {
    // Another process may have finished starting it between our look and our lock.
    const running = await findRunningServer(launch.cluster);
    if (running !== undefined) return 'unreachable' in running ? undefined : { ...running, adopted: true };
    return await start(launch, log);
  } finally {
    await giveBack();
  }
}

async function start(launch: Launch, log: (message: string) => void): Promise<Started | undefined> {
  const { cluster, binaries, account, settings } = launch;
  if ((await readPassword(cluster)) === undefined) {
    log(`First start: PostgreSQL ${binaries.majorVersion} makes its data folder in ${cluster.directory}.`);
    await createCluster(cluster, binaries, account, settings['fsync'] !== 'off');
  }
  await refuseOtherMajorVersion(cluster, binaries);
  await removeMisleadingPostmasterFile(cluster.dataDirectory);
  if (!(await launchServer(launch))) return undefined;
  const server = await findRunningServer(cluster);
  return server === undefined || 'unreachable' in server ? undefined : { ...server, adopted: false };
}

async function notLetIn(directory: string, { cluster }: Launch): Promise<EmbeddedPostgresError> {
  const server = await findRunningServer(cluster);
  if (server !== undefined && 'unreachable' in server) {
    return new EmbeddedPostgresError(
      `A PostgreSQL (process ${server.pid}) holds ${cluster.dataDirectory} and does not let us in: ` +
        `end it with "kill -INT ${server.pid}" and start again.`,
      { cause: server.unreachable },
    );
  }
  return new EmbeddedPostgresError(
    `Another process keeps starting PostgreSQL in ${directory}: end it, or look into ${cluster.logFile}.`,
  );
}
