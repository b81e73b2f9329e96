import { setTimeout as sleep } from 'node:timers/promises';
import type { Shop } from './shop.js';

const PAUSE_MILLISECONDS = 200;

/** What background jobs would look at in half a minute, or in some seconds. */
const DUE_AT_ONCE = [
  'UPDATE payment_intent SET next_check_at = now() WHERE next_check_at > now()',
  'UPDATE refund SET next_check_at = now() WHERE next_check_at > now()',
  'UPDATE recurring_subscription SET next_check_at = now() WHERE next_check_at > now()',
  'UPDATE webhook_event SET next_try_at = now() WHERE next_try_at > now()',
  'UPDATE webhook_delivery SET next_try_at = now() WHERE next_try_at > now()',
  // Whose job is lost is looked for once it is overdue.
  `UPDATE email_message SET next_try_at = next_try_at - interval '1 minute'
   WHERE next_try_at > now() - interval '30 seconds'`,
];

/** Makes due at once, again and again, what background jobs would look at later. */
export async function hasten({ database }: Shop, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    for (const statement of DUE_AT_ONCE) await database.query(statement);
    await sleep(PAUSE_MILLISECONDS, undefined, { signal: over }).catch(() => undefined);
  }
}

/** The same while something is done. */
export async function hastened<Result>(shop: Shop, work: () => Promise<Result>): Promise<Result> {
  const over = new AbortController();
  const [result] = await Promise.all([work().finally(() => over.abort()), hasten(shop, over.signal)]);
  return result;
}

/** What a process held that is dead now, as if a minute had passed: then each claim has ended by itself. */
export async function endClaims({ database }: Pick<Shop, 'database'>): Promise<void> {
  for (const table of ['email_message', 'webhook_delivery']) {
    await database.query(`UPDATE ${table} SET claimed_until = now() WHERE claimed_until > now()`);
  }
}
