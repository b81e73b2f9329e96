const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * When an attempt that ended without money is asked about, in seconds after its end: the money may come all the same, and
 * its notification be lost. Operators of mobile money correct themselves within a day, banks after a weekend.
 */
const ASKED_AFTER = [2 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, 3 * DAY] as const;

/** A provider that didn't answer is asked again so soon, for at most so long after the last planned question. */
const UNANSWERED_SECONDS = 5 * MINUTE;
const GIVEN_UP_SECONDS = 4 * DAY;

export function firstAskAfter(endedAt: Date): Date {
  return new Date(endedAt.getTime() + ASKED_AFTER[0] * 1_000);
}

/** SQL for `ask_again_at` after an answer; NULL after the last one. */
export const NEXT_ASK = `CASE ${ASKED_AFTER.map(
  (seconds) => `WHEN now() < ended_at + ${inSeconds(seconds)} THEN ended_at + ${inSeconds(seconds)}`,
).join(' ')} END`;

/** SQL for `ask_again_at` where there was no answer; NULL when it is given up. */
export const ASK_AFTER_FAILURE = `CASE WHEN now() < ended_at + ${inSeconds(GIVEN_UP_SECONDS)}
  THEN now() + ${inSeconds(UNANSWERED_SECONDS)} END`;

function inSeconds(seconds: number): string {
  return `interval '${seconds} seconds'`;
}
