import { setTimeout as sleep } from 'node:timers/promises';
import type { Shop } from './shop.js';

const PAUSE_MILLISECONDS = 200;

/** Makes due at once, again and again, what background jobs would look at in half a minute. */
export async function hasten({ database }: Shop, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await database.query(`UPDATE payment_intent SET next_check_at = now() WHERE next_check_at > now()`);
    await database.query(`UPDATE refund SET next_check_at = now() WHERE next_check_at > now()`);
    await database.query(`UPDATE webhook_event SET next_try_at = now() WHERE next_try_at > now()`);
    await sleep(PAUSE_MILLISECONDS, undefined, { signal: over }).catch(() => undefined);
  }
}

/** The same while something is done. */
export async function hastened<Result>(shop: Shop, work: () => Promise<Result>): Promise<Result> {
  const over = new AbortController();
  const [result] = await Promise.all([work().finally(() => over.abort()), hasten(shop, over.signal)]);
  return result;
}
