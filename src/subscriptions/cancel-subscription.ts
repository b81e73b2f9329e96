import type { EntityManager } from 'typeorm';
import { writeAuditEntry } from '../audit/write-audit-entry.js';
import { isMissing, sayKindly } from '../customers/provider-account.js';
import { followSubscription } from './follow-subscription.js';
import { RecurringSubscription } from './recurring-subscription.js';
import {
  collectsByItself,
  type CollectingProvider,
  type SubscriptionDependencies,
} from './subscription-dependencies.js';
import { SubscriptionError } from './subscription-error.js';

/**
 * Ends a subscription at its provider, now or with what was paid for. What is believed is what the provider says then.
 * @throws {SubscriptionError} SUBSCRIPTION_NOT_BEGUN @throws {CustomerError} PROVIDER_UNAVAILABLE, PROVIDER_REJECTED
 */
export async function cancelSubscription(
  manager: EntityManager,
  dependencies: SubscriptionDependencies,
  subscription: RecurringSubscription,
  atPeriodEnd: boolean,
): Promise<RecurringSubscription> {
  const { id, providerReference } = subscription;
  const { providers, actor } = dependencies;
  const provider = providers.get(subscription.provider);
  if (subscription.endedAt !== null) return subscription;
  if (providerReference === null || !collectsByItself(provider)) {
    throw new SubscriptionError(
      'SUBSCRIPTION_NOT_BEGUN',
      'Its provider has not said yet that it began. Repeat the request that creates it, or wait a moment.',
      'id',
    );
  }
  const isThere = await sayKindly(() => cancelThere(provider, providerReference, atPeriodEnd));
  if (isThere) {
    const concern = { kind: 'subscription', providerReference } as const;
    await sayKindly(() => followSubscription(manager, dependencies, provider, concern));
  } else await endHere(manager, subscription);
  return manager.transaction(async (transaction) => {
    const after = await transaction.findOneOrFail(RecurringSubscription, {
      where: { id },
      lock: { mode: 'pessimistic_write' },
    });
    const summary = ({ status, cancelAtPeriodEnd }: RecurringSubscription) => ({ status, cancelAtPeriodEnd });
    await writeAuditEntry(transaction, {
      ...{ subject: subscription.reference, actor, action: 'subscription.cancelled', reason: null },
      ...{ before: summary(subscription), after: summary(after) },
    });
    return after;
  });
}

/** @returns false where the provider has no such subscription: it collects nothing, and there is nothing to end. */
async function cancelThere(
  provider: CollectingProvider,
  providerReference: string,
  atPeriodEnd: boolean,
): Promise<boolean> {
  try {
    await provider.cancelSubscription(providerReference, atPeriodEnd);
    return true;
  } catch (error) {
    if (isMissing(error, 'object')) return false;
    throw error;
  }
}

async function endHere(manager: EntityManager, { id }: RecurringSubscription): Promise<void> {
  await manager.query(
    `UPDATE recurring_subscription SET status = 'CANCELLED', ended_at = now(), next_check_at = NULL, version = version + 1
     WHERE id = $1 AND ended_at IS NULL`,
    [id],
  );
}
