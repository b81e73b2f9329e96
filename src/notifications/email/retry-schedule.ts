import { doublingPause } from '../../doubling-pause.js';

const LONGEST_PAUSE_MILLISECONDS = 60 * 60 * 1_000;

/** Pauses of 5 s, 10 s, 20 s … 1 h: the last try comes three days after the first. */
export const FIRST_PAUSE_MILLISECONDS = 5_000;
export const MAX_TRIES = 82;

/** How long to wait before trying again, after so many tries. */
export function pauseMillisecondsAfter(tries: number, first = FIRST_PAUSE_MILLISECONDS): number {
  return doublingPause(tries, first, LONGEST_PAUSE_MILLISECONDS);
}
