import { readFile } from 'node:fs/promises';
import { errorCode } from './embedded-postgres-error.js';

/** Whether a process has this id. One of another user's counts. */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false;
    if (errorCode(error) === 'EPERM') return true;
    throw error;
  }
}

/**
 * Whether this id belongs to a living PostgreSQL. Linux can tell it from a process that got the id later (after a
 * reboot or in a restarted container) and from a dead one that its parent hasn't collected (a container whose first
 * process doesn't); PostgreSQL can't, and would refuse to start forever. Elsewhere any process counts.
 */
export async function postgresProcessExists(pid: number): Promise<boolean> {
  if (!processExists(pid)) return false;
  if (process.platform !== 'linux') return true;
  try {
    const [, program, state] = /^\d+ \((.*)\) (\S)/s.exec(await readFile(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return program === 'postgres' && state !== 'Z' && state !== 'X';
  } catch (error) {
    // ESRCH: it ended between opening and reading. ENOENT: before that, or /proc hides other users' processes.
    if (errorCode(error) === 'ESRCH') return false;
    if (errorCode(error) === 'ENOENT') return processExists(pid);
    throw error;
  }
}
