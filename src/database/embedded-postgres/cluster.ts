import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, chown, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Binaries } from './binaries.js';
import { EmbeddedPostgresError, errorCode, reasonIn } from './embedded-postgres-error.js';
import { runProgram, type ServerAccount } from './server-account.js';

/** The files of one server. The folder is ours; only `data` and the password belong to the server's account. */
export interface Cluster {
  readonly directory: string;
  readonly dataDirectory: string;
  readonly passwordFile: string;
  readonly logFile: string;
}

export const SUPERUSER = 'postgres';

export function clusterIn(directory: string): Cluster {
  return {
    directory,
    dataDirectory: join(directory, 'data'),
    passwordFile: join(directory, 'password'),
    logFile: join(directory, 'postgres.log'),
  };
}

/** Undefined when there is no cluster yet. */
export async function readPassword(cluster: Cluster): Promise<string | undefined> {
  try {
    return await readFile(cluster.passwordFile, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Makes the cluster beside its place and moves it there when it is whole, so that an initdb that was killed half-way
 * leaves only rubbish, which the next one clears away.
 */
export async function createCluster(
  cluster: Cluster,
  binaries: Binaries,
  account: ServerAccount,
  syncToDisk: boolean,
): Promise<void> {
  await clearUnfinished(cluster);
  await refuseStrangeFolder(cluster);
  const unfinished = clusterIn(`${cluster.directory}${UNFINISHED}${randomUUID()}`);
  try {
    await prepareFiles(unfinished, account);
    await runInitdb(unfinished, binaries, account, syncToDisk);
    await rename(unfinished.directory, cluster.directory);
  } catch (error) {
    await rm(unfinished.directory, { recursive: true, force: true });
    throw error;
  }
  // Without this, a power cut could undo the renaming and with it every payment committed since.
  if (syncToDisk && process.platform !== 'win32') await syncDirectory(dirname(cluster.directory));
}

/** @throws {EmbeddedPostgresError} when another major version of PostgreSQL made the data. */
export async function refuseOtherMajorVersion(cluster: Cluster, binaries: Binaries): Promise<void> {
  const made = (await readFile(join(cluster.dataDirectory, 'PG_VERSION'), 'utf8')).trim();
  if (made === binaries.majorVersion) return;
  throw new EmbeddedPostgresError(
    `The data in ${cluster.dataDirectory} was made by PostgreSQL ${made}, and the installed one is ` +
      `${binaries.majorVersion}: install the version that fits, or move that folder away to start with an empty database.`,
  );
}

const UNFINISHED = '.unfinished-';

async function clearUnfinished(cluster: Cluster): Promise<void> {
  const parent = dirname(cluster.directory);
  const prefix = basename(cluster.directory) + UNFINISHED;
  for (const name of await readdir(parent)) {
    if (name.startsWith(prefix))
      await rm(join(parent, name), { recursive: true, force: true, maxRetries: 5 });
  }
}

async function refuseStrangeFolder({ directory, passwordFile }: Cluster): Promise<void> {
  const contents = await readdir(directory).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  if (contents.length === 0) return;
  throw new EmbeddedPostgresError(
    `The database in ${directory} has lost its file ${passwordFile}: put it back, or move that folder away to start with an empty one.`,
  );
}

async function prepareFiles(cluster: Cluster, account: ServerAccount): Promise<void> {
  await mkdir(cluster.directory);
  await chmod(cluster.directory, account === undefined ? 0o700 : 0o755);
  await mkdir(cluster.dataDirectory, { mode: 0o700 });
  await writeFile(cluster.passwordFile, randomBytes(24).toString('base64url'), { flag: 'wx', mode: 0o600 });
  if (account === undefined) return;
  await chown(cluster.dataDirectory, account.uid, account.gid);
  await chown(cluster.passwordFile, account.uid, account.gid);
}

async function runInitdb(
  cluster: Cluster,
  binaries: Binaries,
  account: ServerAccount,
  syncToDisk: boolean,
): Promise<void> {
  const parameters = [
    `--pgdata=${cluster.dataDirectory}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${cluster.passwordFile}`,
    // A loopback port is open to every user of the machine, so even local connections need the password.
    '--auth=scram-sha-256',
    // The same sorting and case rules on every machine, whatever locales it has.
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    ...(syncToDisk ? [] : ['--no-sync']),
  ];
  const { exitCode, output } = await runProgram(binaries.initdb, parameters, account, binaries.directory);
  if (exitCode === 0) return;
  throw new EmbeddedPostgresError(
    `PostgreSQL could not make its data folder ${cluster.dataDirectory}; initdb said:\n${reasonIn(output)}`,
  );
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
