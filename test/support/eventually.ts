import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MILLISECONDS = 20;

/** Looks again and again until what it sees is what was waited for; then gives it. Else it fails with what it saw last. */
export async function eventually<Seen>(
  look: () => Seen | Promise<Seen>,
  isThere: (seen: Seen) => boolean,
  milliseconds = 10_000,
): Promise<Seen> {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    const seen = await look();
    if (isThere(seen)) return seen;
    if (Date.now() > deadline)
      throw new Error(`waited ${milliseconds} ms, and saw at last ${JSON.stringify(seen)}`);
    await sleep(POLL_MILLISECONDS);
  }
}
