import { randomInt } from 'node:crypto';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The example of the Standard Webhooks specification: after the first try, nine more in the 75 hours that follow. */
export const PAUSES_MILLISECONDS = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
] as const;

/** By so many percent a pause may be longer, so that what failed together does not come again together. */
const JITTER_PERCENT = 10;

/** No endpoint can put us off for longer than the longest pause. */
const LONGEST_REST_MILLISECONDS = 24 * HOUR;

/** How long to wait after so many failed tries; null: no more. */
export function pauseMillisecondsAfter(tries: number): number | null {
  const pause = PAUSES_MILLISECONDS[tries - 1];
  return pause === undefined ? null : pause + randomInt((pause * JITTER_PERCENT) / 100);
}

/** What a Retry-After header says, in milliseconds from now: seconds, or a date. Null when it says nothing. */
export function restMilliseconds(retryAfter: string | undefined, now = Date.now()): number | null {
  if (retryAfter === undefined) return null;
  const given = /^\d+$/.test(retryAfter.trim()) ? Number(retryAfter) * SECOND : Date.parse(retryAfter) - now;
  return Number.isNaN(given) || given <= 0 ? null : Math.min(given, LONGEST_REST_MILLISECONDS);
}
