import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { errorCode } from './embedded-postgres-error.js';
import { processExists } from './process-state.js';

/** Longer than the slowest start: a lock of this age was left by a process whose id another one got meanwhile. */
const ABANDONED_AFTER_MILLISECONDS = 180_000;

/**
 * One process at a time starts the server of a folder. Undefined when another one is at it: try again in a moment. A
 * lock whose process was killed is cleared away. (PostgreSQL's own lock still stands behind this one.)
 * @returns what gives the lock back.
 */
export async function tryStartLock(path: string): Promise<(() => Promise<void>) | undefined> {
  const token = `${process.pid} ${randomUUID()}`;
  try {
    await writeFile(path, token, { flag: 'wx' });
    return () => rm(path, { force: true });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
  await clearIfAbandoned(path);
  return undefined;
}

async function clearIfAbandoned(path: string): Promise<void> {
  const aside = `${path}-${randomUUID()}`;
  try {
    const holder = await readFile(path, 'utf8');
    if (!(await isAbandoned(path, holder))) return;
    await rename(path, aside);
    // Another process may have cleared and taken the lock since we looked: then this is a fresh one, and goes back.
    if ((await readFile(aside, 'utf8')) !== holder) await link(aside, path);
  } catch (error) {
    const somebodyWasFaster = errorCode(error) === 'ENOENT' || errorCode(error) === 'EEXIST';
    if (!somebodyWasFaster) throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

async function isAbandoned(path: string, holder: string): Promise<boolean> {
  const { mtimeMs } = await stat(path);
  if (Date.now() - mtimeMs > ABANDONED_AFTER_MILLISECONDS) return true;
  // Empty for a moment while it is being written.
  const pid = Number.parseInt(holder, 10);
  return Number.isNaN(pid) ? false : !processExists(pid);
}
