import { readFile } from 'node:fs/promises';

/** What Linux counts CPU time in, on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;
const KIBIBYTE = 1_024;

/** CPU time that a process has used so far, in seconds; NaN where there is no /proc. */
export async function cpuSeconds(pid: number): Promise<number> {
  const { own } = await cpuTimes(pid);
  return own;
}

/** The same for a server that works with a process for each connection: with those, and with those that have ended. */
export async function cpuSecondsWithChildren(pid: number): Promise<number> {
  const children = (await readProc(`${pid}/task/${pid}/children`)).split(' ').filter(Boolean).map(Number);
  const [parent, ...times] = await Promise.all([pid, ...children].map(cpuTimes));
  // One that ends just now counts with its parent next time.
  const living = times.map(({ own }) => own).filter((seconds) => !Number.isNaN(seconds));
  return living.reduce((sum, seconds) => sum + seconds, parent!.own + parent!.ended);
}

async function cpuTimes(pid: number): Promise<{ own: number; ended: number }> {
  const stat = await readProc(`${pid}/stat`);
  // The second field is a name in brackets that may itself hold blanks; from the 14th on, the times are four in a row.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const seconds = (field: number) => Number(fields[field]) / TICKS_PER_SECOND;
  return { own: seconds(11) + seconds(12), ended: seconds(13) + seconds(14) };
}

/** Resident memory in bytes; NaN where there is no /proc. */
export async function residentBytes(pid: number): Promise<number> {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(await readProc(`${pid}/status`))?.[1];
  return kibibytes === undefined ? NaN : Number(kibibytes) * KIBIBYTE;
}

async function readProc(path: string): Promise<string> {
  return readFile(`/proc/${path}`, 'utf8').catch(() => '');
}
