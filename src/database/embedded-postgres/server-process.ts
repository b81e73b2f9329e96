import { spawn, type ChildProcess } from 'node:child_process';
import { open, readFile, rename } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Binaries } from './binaries.js';
import type { Cluster } from './cluster.js';
import { EmbeddedPostgresError, errorCode, reasonIn } from './embedded-postgres-error.js';
import { readPostmasterFile } from './postmaster-file.js';
import { postgresProcessExists } from './process-state.js';
import { runProgram, serverEnvironment, type ServerAccount } from './server-account.js';

export interface Launch {
  readonly binaries: Binaries;
  readonly cluster: Cluster;
  readonly account: ServerAccount;
  readonly settings: Readonly<Record<string, string>>;
}

/** Recovery after a crash comes first, and may take its time. */
const READY_WITHIN_MILLISECONDS = 60_000;
/** The last checkpoint writes everything that is in memory. */
const ENDED_WITHIN_MILLISECONDS = 60_000;
const POLL_MILLISECONDS = 20;

/** Nothing here may put a commit at risk that was acknowledged: fsync and synchronous_commit stay on. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  // Visible in `ps`, so that people know what the process is.
  cluster_name: 'quittance',
  max_connections: '200',
  shared_buffers: '128MB',
  fsync: 'on',
  synchronous_commit: 'on',
  // Compiling costs more than it saves for queries as short as ours.
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/**
 * Starts the server and waits until it is ready.
 * @returns false when it gave way to what was there before it (a lock, shared memory or a port): try again in a moment.
 */
export async function launchServer(launch: Launch): Promise<boolean> {
  const server = await spawnServer(launch);
  let failure: Error | undefined;
  server.on('error', (error) => (failure = error));
  const deadline = Date.now() + READY_WITHIN_MILLISECONDS;
  while (server.exitCode === null && server.signalCode === null && failure === undefined) {
    const postmaster = await readPostmasterFile(launch.cluster.dataDirectory);
    if (postmaster?.ready && postmaster.pid === server.pid) return true;
    if (Date.now() > deadline) throw await notReadyInTime(launch.cluster);
    await sleep(POLL_MILLISECONDS);
  }
  const output = await readLog(launch.cluster);
  if (gaveWay(output)) return false;
  throw new EmbeddedPostgresError(
    `PostgreSQL did not start; ${launch.cluster.logFile} says:\n${reasonIn(output)}`,
    { cause: failure },
  );
}

/** Fast shutdown: clients are cut off, everything committed is written, and the process has ended when this returns. */
export async function stopServer(launch: Launch, pid: number): Promise<void> {
  const holdsTheData = (await readPostmasterFile(launch.cluster.dataDirectory))?.pid === pid;
  const said = holdsTheData && (await postgresProcessExists(pid)) ? await sendStop(launch) : '';
  const deadline = Date.now() + ENDED_WITHIN_MILLISECONDS;
  while (await postgresProcessExists(pid)) {
    if (Date.now() > deadline) {
      throw new EmbeddedPostgresError(
        `PostgreSQL (process ${pid}) did not stop: end it with "kill -INT ${pid}".\n${reasonIn(said)}`,
      );
    }
    await sleep(POLL_MILLISECONDS);
  }
}

/**
 * pg_ctl sends SIGINT, and knows what to do on Windows. It runs as the server's account and not as root, so that a
 * pid file with a strange number in it can't make root end a stranger's process.
 */
async function sendStop({ binaries, cluster, account }: Launch): Promise<string> {
  const parameters = ['stop', `--pgdata=${cluster.dataDirectory}`, '--mode=fast', '--no-wait'];
  return (await runProgram(binaries.pgCtl, parameters, account, binaries.directory)).output;
}

async function spawnServer({ binaries, cluster, account, settings }: Launch): Promise<ChildProcess> {
  const port = await freePort();
  const parameters = Object.entries({ ...SETTINGS, ...settings, port: String(port) });
  const log = await openFreshLog(cluster);
  try {
    const server = spawn(
      binaries.postgres,
      ['-D', cluster.dataDirectory, ...parameters.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      {
        ...account,
        cwd: cluster.dataDirectory,
        env: serverEnvironment(),
        // A session of its own: Ctrl-C in the terminal reaches us, and not the server that our drain still needs.
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
        windowsHide: true,
      },
    );
    server.unref();
    return server;
  } finally {
    await log.close();
  }
}

async function openFreshLog({ logFile }: Cluster): Promise<Awaited<ReturnType<typeof open>>> {
  await rename(logFile, `${logFile}.previous`).catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT') throw error;
  });
  return open(logFile, 'a', 0o600);
}

async function readLog({ logFile }: Cluster): Promise<string> {
  return readFile(logFile, 'utf8');
}

function gaveWay(output: string): boolean {
  return /lock file ".*" already exists|shared memory block .* still in use|could not create any TCP\/IP sockets/.test(
    output,
  );
}

async function notReadyInTime(cluster: Cluster): Promise<EmbeddedPostgresError> {
  return new EmbeddedPostgresError(
    `PostgreSQL was not ready after ${READY_WITHIN_MILLISECONDS / 1000} s and goes on starting in the background: ` +
      `start again in a while; ${cluster.logFile} says:\n${reasonIn(await readLog(cluster))}`,
  );
}

/** Free now; where somebody else is faster, the server doesn't start, and is started again with another one. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
