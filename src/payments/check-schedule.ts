import { randomInt } from 'node:crypto';

/**
 * A payment whose notification was lost must be healed within a minute while its payer may be waiting, so in its first
 * hour the provider is asked every half minute or so; after that ever more rarely: a bank may take days to decide.
 */
const SHORTEST_MILLISECONDS = 20_000;
const LONGEST_IN_FIRST_HOUR_MILLISECONDS = 45_000;
const LONGEST_MILLISECONDS = 60 * 60_000;
const FIRST_HOUR_MILLISECONDS = 60 * 60_000;

/** So that what began together is not asked for together. */
const JITTER = 0.15;

/** The pause of `nextCheckOf` as SQL, for a column that says when it began. */
export function pauseSince(began: string): string {
  const seconds = (milliseconds: number) => `interval '${milliseconds / 1_000} seconds'`;
  const longest = `CASE WHEN now() - ${began} < ${seconds(FIRST_HOUR_MILLISECONDS)}
    THEN ${seconds(LONGEST_IN_FIRST_HOUR_MILLISECONDS)} ELSE ${seconds(LONGEST_MILLISECONDS)} END`;
  return `least(greatest((now() - ${began}) / 10, ${seconds(SHORTEST_MILLISECONDS)}), ${longest})
    * (${1 - JITTER} + random() * ${2 * JITTER})`;
}

/** When the provider is to be asked again about something that began then. */
export function nextCheckOf(now: Date, began: Date): Date {
  const age = now.getTime() - began.getTime();
  const longest = age < FIRST_HOUR_MILLISECONDS ? LONGEST_IN_FIRST_HOUR_MILLISECONDS : LONGEST_MILLISECONDS;
  const pause = Math.min(Math.max(age / 10, SHORTEST_MILLISECONDS), longest);
  const jitter = pause * JITTER;
  return new Date(now.getTime() + pause + randomInt(Math.ceil(-jitter), Math.ceil(jitter) + 1));
}
