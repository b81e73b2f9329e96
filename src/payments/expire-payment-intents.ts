import type { EntityManager } from 'typeorm';
import { claimDue, type DueRows } from '../database/claim-due.js';
import { sideBySide } from '../jobs/side-by-side.js';
import { endAtProviders } from './cancel-payment-intent.js';
import type { PaymentDependencies } from './payment-dependencies.js';

/** How many are taken at once: the rest waits for the next round, a moment later. */
const BATCH = 50;
const SIDE_BY_SIDE = 8;

/** Claimed for this long, so that other nodes leave it alone; also the pause after a provider that did not answer. */
const CLAIM_SECONDS = 60;

const DUE: DueRows = {
  table: 'payment_intent',
  where: `status IN ('PENDING', 'UNKNOWN') AND expires_at <= now() AND (end_again_at IS NULL OR end_again_at <= now())`,
  longest: 'expires_at',
  claimedUntil: 'end_again_at',
  claim: `interval '${CLAIM_SECONDS} seconds'`,
  returning: 'reference',
};

/**
 * Ends payments whose time is up: the provider is told, and only what it confirms is believed. Until then the stock stays
 * held, because the money may be on its way.
 * @returns how many were due.
 */
export async function expirePaymentIntents(
  manager: EntityManager,
  dependencies: PaymentDependencies,
): Promise<number> {
  const due = await claimDue<{ reference: string }>(manager, DUE, BATCH);
  await sideBySide(SIDE_BY_SIDE, due, async ({ reference }) => {
    try {
      await endAtProviders(manager, dependencies, reference);
    } catch (error) {
      dependencies.log.warn(
        { err: error, paymentIntent: reference },
        `could not expire; next try in ${CLAIM_SECONDS} s`,
      );
    }
  });
  return due.length;
}
