import { parseArgs } from 'node:util';
import { CommandError } from '../command-line.js';
import type { TimeRange } from './time-range.js';

export const USAGE = `Compares our books with the providers', and says in what they differ.

  npm run reconcile -- --days 7 --repair             each night: the last seven days, and what is safe is repaired
  npm run reconcile -- --since 2026-11-20            all that was opened since then
  npm run reconcile -- --since 2026-11-20T08:00:00Z --until 2026-11-21
  npm run reconcile -- --since 2026-11-20 --provider stripe
  npm run reconcile -- --since 2026-11-20 --repair   asks the provider about what differs, and applies what it says

Times are in UTC unless they say otherwise. A provider that keeps no list of its payments is asked about each of our
attempts. To repair is to apply what the provider says, as if its notification had come: late money confirms its order,
goes back or waits for a decision. Money that the provider doesn't know, and money that came twice, is never repaired: a
person has to look. It ends with 0 when nothing differs any more, 1 when differences are left, 2 when it could not compare. It works on DATABASE_URL, or else on the embedded database in DATA_FOLDER, with the providers' keys in the
environment. Without this repository's sources: node dist/src/reconcile/main.js --since 2026-11-20`;

export interface Command {
  readonly range: TimeRange;
  /** Undefined: all of them. */
  readonly provider?: string;
  readonly repair: boolean;
}

/** @throws {CommandError} which says how to say it. */
export function readCommand(given: string[], now: Date): Command | 'help' {
  const { since, days, until, provider, repair = false, help } = readOptions(given);
  if (help) return 'help';
  const range = { since: readSince(since, days, now), until: until ? readTime('--until', until) : now };
  if (range.since >= range.until) {
    const end = until === undefined ? 'now' : '--until';
    throw new CommandError(`--since must be before ${end}, and ${range.since.toISOString()} is not.`);
  }
  return { range, provider, repair };
}

function readOptions(given: string[]) {
  try {
    return parseArgs({
      args: given,
      options: {
        since: { type: 'string' },
        days: { type: 'string' },
        until: { type: 'string' },
        provider: { type: 'string' },
        repair: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new CommandError(`${(error as Error).message}\n\n${USAGE}`, { cause: error });
  }
}

const DAY_MILLISECONDS = 24 * 60 * 60 * 1_000;

function readSince(since: string | undefined, days: string | undefined, now: Date): Date {
  if (since !== undefined && days !== undefined) {
    throw new CommandError('Give either --since or --days, not both.');
  }
  if (since !== undefined) return readTime('--since', since);
  if (days === undefined) {
    throw new CommandError(`Give --since or --days: from when on is to be compared.\n\n${USAGE}`);
  }
  if (!/^[1-9]\d{0,3}$/.test(days)) {
    throw new CommandError('--days must be a number of days, such as 7.');
  }
  return new Date(now.getTime() - Number(days) * DAY_MILLISECONDS);
}

const TIME = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/;

function readTime(option: string, given: string): Date {
  const [, day, timeOfDay, , , zone] = TIME.exec(given) ?? [];
  const time = new Date(timeOfDay === undefined || zone !== undefined ? given : `${given}Z`);
  if (day !== undefined && isDay(day) && !Number.isNaN(time.getTime())) return time;
  throw new CommandError(`${option} must be a day or a time, such as 2026-11-20 or 2026-11-20T08:00:00Z.`);
}

/** JavaScript makes the 2nd of March of the 30th of February. */
function isDay(day: string): boolean {
  const time = new Date(day);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(day);
}
