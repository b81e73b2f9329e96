import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import type { KillableServer } from '../support/killable-server.js';

/** To be loaded into the server's process, which then can be told where to die. */
export const CRASH_POINTS_MODULE = pathToFileURL(resolve(import.meta.dirname, 'crash-points.js')).href;

/** Just before, or just after, a write to the database or a call of a provider; `crash-points.js` says what counts. */
export interface CrashPoint {
  readonly side: 'before' | 'after';
  readonly label: string;
  readonly occurrence: number;
}

export const nameOf = ({ side, label, occurrence }: CrashPoint): string => `${side} ${label} #${occurrence}`;

/** A job that looks for work again and again is killed at the first of those times when it finds some. */
const MOST_OF_A_JOB = 2;

type Orders = { readonly record: true } | { readonly killAt: CrashPoint } | Record<string, never>;

/** Returns when the server has heard it, or has died instead. */
export async function arm({ program }: KillableServer, orders: Orders): Promise<void> {
  const heard = once(program.process, 'message');
  // To a process that is dying, nothing can be sent any more.
  program.process.send(orders, () => undefined);
  await Promise.race([program.ended(), heard]);
}

/** What the server's process tells when it records. The occurrence is null when nothing was changed. */
interface Passed {
  readonly label?: string;
  readonly occurrence?: number | null;
}

/** Every point that the server passes while `story` is told, in the order in which it passes them. */
export async function pointsOf(server: KillableServer, story: () => Promise<unknown>): Promise<CrashPoint[]> {
  const passed: Passed[] = [];
  await arm(server, { record: true });
  const note = (message: unknown) => passed.push(message as Passed);
  server.program.process.on('message', note);
  await story();
  // Its answer comes after all that was told before.
  await arm(server, {});
  server.program.process.off('message', note);
  return passed.flatMap(({ label, occurrence }) =>
    !label || !occurrence || (occurrence > MOST_OF_A_JOB && isJob(passed, label))
      ? []
      : (['before', 'after'] as const).map((side) => ({ side, label, occurrence })),
  );
}

/** Whether this is looked for more often than it is found. */
function isJob(passed: readonly Passed[], label: string): boolean {
  const times = passed.filter((each) => each.label === label);
  return times.filter(({ occurrence }) => occurrence === null).length > times.length / 2;
}
