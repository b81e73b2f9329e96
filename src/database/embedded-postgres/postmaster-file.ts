import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from './embedded-postgres-error.js';
import { postgresProcessExists, processExists } from './process-state.js';

/** What a running server says of itself in `postmaster.pid`. It may be left over from one that was killed. */
export interface PostmasterFile {
  readonly pid: number;
  readonly port: number;
  readonly ready: boolean;
}

/** Undefined when no server runs or none has written the file's beginning yet. */
export async function readPostmasterFile(dataDirectory: string): Promise<PostmasterFile | undefined> {
  try {
    const lines = (await readFile(pathIn(dataDirectory), 'utf8')).split('\n');
    const pid = Number(lines[0]);
    // One that PostgreSQL wrote for a single-user session has a negative id.
    if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
    return { pid, port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' };
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/**
 * PostgreSQL clears away the file of a server that is gone, but refuses to start forever when its process id lives on
 * as something else. Only that case is ours: `postgresProcessExists` says how we can know.
 */
export async function removeMisleadingPostmasterFile(dataDirectory: string): Promise<void> {
  const pid = (await readPostmasterFile(dataDirectory))?.pid;
  if (pid === undefined || !processExists(pid) || (await postgresProcessExists(pid))) return;
  await rm(pathIn(dataDirectory), { force: true });
}

function pathIn(dataDirectory: string): string {
  return join(dataDirectory, 'postmaster.pid');
}
