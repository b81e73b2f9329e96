import type { EntityManager } from 'typeorm';
import { endAtProviders } from './cancel-payment-intent.js';
import type { PaymentDependencies } from './payment-dependencies.js';

/** How many are taken at once: the rest waits for the next round, a moment later. */
const BATCH = 50;

/** Claimed for this long, so that other nodes leave it alone; also the pause after a provider that did not answer. */
const CLAIM_SECONDS = 60;

/**
 * Ends payments whose time is up: the provider is told, and only what it confirms is believed. Until then the stock stays
 * held, because the money may be on its way.
 * @returns how many were due.
 */
export async function expirePaymentIntents(
  manager: EntityManager,
  dependencies: PaymentDependencies,
): Promise<number> {
  const due = await claimDue(manager);
  for (const reference of due) {
    try {
      await endAtProviders(manager, dependencies, reference);
    } catch (error) {
      dependencies.log.warn(
        { err: error, paymentIntent: reference },
        `could not expire; next try in ${CLAIM_SECONDS} s`,
      );
    }
  }
  return due.length;
}

async function claimDue(manager: EntityManager): Promise<string[]> {
  const [rows] = await manager.query<[{ reference: string }[], number]>(
    `UPDATE payment_intent SET end_again_at = now() + make_interval(secs => $1)
     WHERE id IN (
       SELECT id FROM payment_intent
       WHERE status IN ('PENDING', 'UNKNOWN') AND expires_at <= now()
         AND (end_again_at IS NULL OR end_again_at <= now())
       ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
     RETURNING reference`,
    [CLAIM_SECONDS, BATCH],
  );
  return rows.map(({ reference }) => reference);
}
