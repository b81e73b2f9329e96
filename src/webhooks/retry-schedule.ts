const FIRST_PAUSE_MILLISECONDS = 1_000;
const LONGEST_PAUSE_MILLISECONDS = 60 * 60 * 1_000;

/** Pauses of 1 s, 2 s, 4 s … 1 h: the last try comes about a day after the first. */
export const MAX_TRIES = 34;

/** When to try again, after so many tries. */
export function nextTryAfter(tries: number, now: Date): Date {
  const pause = Math.min(FIRST_PAUSE_MILLISECONDS * 2 ** (tries - 1), LONGEST_PAUSE_MILLISECONDS);
  return new Date(now.getTime() + pause);
}
