import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MILLISECONDS = 10;

/**
 * Looks again and again until looking no longer throws and what it sees is what was waited for; then gives it. When the
 * time is up, it fails with the last error, or with what it saw last.
 */
export async function eventually<Seen>(
  look: () => Seen | Promise<Seen>,
  isThere: (seen: Seen) => boolean = () => true,
  milliseconds = 10_000,
): Promise<Seen> {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    try {
      const seen = await look();
      if (isThere(seen)) return seen;
      throw new Error(`waited ${milliseconds} ms, and saw at last ${JSON.stringify(seen)}`);
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await sleep(POLL_MILLISECONDS);
  }
}
