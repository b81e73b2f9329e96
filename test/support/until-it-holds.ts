import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MILLISECONDS = 10;

/** Looks again and again until it no longer throws; the last error, when the time is up. */
export async function untilItHolds<Result>(
  look: () => Result | Promise<Result>,
  milliseconds = 5_000,
): Promise<Result> {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(POLL_MILLISECONDS);
    }
  }
}
