import { doublingPause } from '../doubling-pause.js';

const FIRST_PAUSE_MILLISECONDS = 1_000;
const LONGEST_PAUSE_MILLISECONDS = 60 * 60 * 1_000;

/** Pauses of 1 s, 2 s, 4 s … 1 h: the last try comes about a day after the first. */
export const MAX_TRIES = 34;

/**
 * An attempt is written before its provider hears of it, so one that isn't there after about an hour (1 + 2 + 4 … seconds)
 * is not on its way: the notification is about somebody else's payment.
 */
export const MAX_TRIES_WITHOUT_ATTEMPT = 13;

/** How long to wait before trying again, after so many tries. */
export function pauseMillisecondsAfter(tries: number): number {
  return doublingPause(tries, FIRST_PAUSE_MILLISECONDS, LONGEST_PAUSE_MILLISECONDS);
}
