import { spawnSync } from 'node:child_process';

/** An account that owns nothing. */
export const NOBODY = { uid: 65534, gid: 65534 };

const isRoot = process.getuid?.() === 0;

type TestBody = () => Promise<void>;

/** Only root can be two users. */
export function itAsRoot(name: string, test: TestBody): void {
  if (isRoot) it(name, test);
  else it.skip(`${name} (skipped: needs root, to be two users)`, test);
}

/** Runs the checkout's own code as another user, who must be able to read it. */
export function itWithNobody(name: string, test: TestBody): void {
  if (!isRoot) return itAsRoot(name, test);
  if (nobodyReadsTheCheckout()) it(name, test);
  else it.skip(`${name} (skipped: the checkout is in a folder that other users can't enter)`, test);
}

function nobodyReadsTheCheckout(): boolean {
  const look = `require('node:fs').accessSync(${JSON.stringify(import.meta.filename)})`;
  return spawnSync(process.execPath, ['-e', look], { ...NOBODY, cwd: '/' }).status === 0;
}
