import { createHash, randomUUID } from 'node:crypto';
import { chmod, cp, lstat, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binariesIn, whyNotRunnable, type Binaries } from './binaries.js';
import { EmbeddedPostgresError, errorCode } from './embedded-postgres-error.js';
import { canEnter, type ServerAccount } from './server-account.js';

/**
 * Root runs the server as another account, which often can't enter the checkout (/root has mode 700). We never loosen
 * folders that aren't ours: binaries and data go into one of these instead. /var/lib comes first, for what lies in
 * /var/tmp is deleted file by file when it gets old, on machines with systemd.
 */
const SHARED_PLACES = ['/var/lib', '/var/tmp', tmpdir()];
const SHARED_FOLDER_NAME = 'quittance';

/** Kept in the folder that the caller chose; holds the path of the cluster when that is elsewhere. */
const POINTER_FILE_NAME = 'cluster-is-in.txt';

/** Where the cluster of `directory` is, or shall be. */
export async function placeCluster(
  directory: string,
  account: ServerAccount,
  log: (message: string) => void,
): Promise<string> {
  const near = join(directory, 'cluster');
  const pointer = join(directory, POINTER_FILE_NAME);
  const recorded = (await readIfThere(pointer))?.trim();
  if (recorded !== undefined) {
    if (await exists(recorded)) return recorded;
    log(`The database that was in ${recorded} is gone; an empty one takes its place.`);
  }
  if (await canEnter(account, directory)) return near;
  if (await exists(near)) {
    throw new EmbeddedPostgresError(
      `The account that runs PostgreSQL (uid ${account?.uid}) can't enter ${near}: ` +
        `start as the owner of that folder instead of root, or move the checkout to where it was.`,
    );
  }
  const far = join(await sharedFolder(account), `cluster-${hashOf(directory)}`);
  await writeFile(pointer, `${far}\n`);
  log(`The account that runs PostgreSQL can't enter ${directory}: the data is in ${far}.`);
  return far;
}

/** Binaries that the account can run: those of the npm package, or else a copy that is made once per version. */
export async function placeBinaries(original: Binaries, account: ServerAccount): Promise<Binaries> {
  const reason = await whyNotRunnable(original, account);
  if (reason === undefined) return original;
  if (account === undefined) throw reason;
  const copy = join(await sharedFolder(account), `postgresql-${original.label}`);
  if (!(await exists(copy))) await copyReadable(original.directory, copy);
  const copied = binariesIn(copy, original);
  const reasonOfCopy = await whyNotRunnable(copied, account);
  if (reasonOfCopy !== undefined) throw reasonOfCopy;
  return copied;
}

/**
 * A folder of root's that everybody may enter and only root may change. Anyone can make a folder of this name in
 * /var/tmp before us, so that one which somebody else owns or can write to is left alone.
 */
async function sharedFolder(account: ServerAccount): Promise<string> {
  const refusals: unknown[] = [];
  for (const place of SHARED_PLACES) {
    const folder = join(place, SHARED_FOLDER_NAME);
    try {
      if (await makeFolder(folder)) await chmod(folder, 0o755);
      const found = await lstat(folder);
      const ours = found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o022) === 0;
      if (ours && (await canEnter(account, folder))) return folder;
      refusals.push(new Error(`${folder} belongs to somebody else, or can't be entered`));
    } catch (error) {
      refusals.push(error);
    }
  }
  throw new EmbeddedPostgresError(
    `Root can't run PostgreSQL here, and found no folder that uid ${account?.uid} can enter: ` +
      `start as an ordinary user, or make /var/lib/${SHARED_FOLDER_NAME} with mode 755.`,
    { cause: new AggregateError(refusals) },
  );
}

async function copyReadable(source: string, destination: string): Promise<void> {
  const unfinished = `${destination}.unfinished-${randomUUID()}`;
  await cp(source, unfinished, { recursive: true, verbatimSymlinks: true });
  await makeReadable(unfinished);
  try {
    await rename(unfinished, destination);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    // Somebody else finished the same copy first.
    if (!(await exists(destination))) throw error;
  }
}

async function makeReadable(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await makeReadable(path);
    else if (entry.isFile()) await chmod(path, (await stat(path)).mode & 0o100 ? 0o755 : 0o644);
  }
}

/** Whether it had to be made. */
async function makeFolder(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
