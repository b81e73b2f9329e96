import type { EntityManager } from 'typeorm';
import { writeAuditEntry } from '../audit/write-audit-entry.js';
import { CustomerProviderAccount } from '../customers/customer-provider-account.js';
import { forgetAccount, isMissing } from '../customers/provider-account.js';
import type { SubscriptionState } from '../providers/recurring.js';
import { RecurringSubscription } from './recurring-subscription.js';
import type { CollectingProvider, SubscriptionDependencies } from './subscription-dependencies.js';
import { LOST_MILLISECONDS } from './subscription-schedule.js';
import { beginAnewWhatHasNotBegun } from './subscriptions-of-customer.js';
import { tryToWriteState } from './write-state.js';

/**
 * Its first answer was lost, so the provider is asked whether it began. Nobody asks it anew to begin because of a job:
 * that could charge. Its invoices are looked at the next time, a minute later.
 */
export async function findOrExpire(
  manager: EntityManager,
  { actor }: Pick<SubscriptionDependencies, 'actor'>,
  provider: CollectingProvider,
  known: RecurringSubscription,
  now: Date,
): Promise<void> {
  const found = await findAtProvider(manager, provider, known);
  if (found) {
    await tryToWriteState(manager, known, found);
    return;
  }
  const lostAt = new Date(known.createdAt.getTime() + LOST_MILLISECONDS);
  if (lostAt <= now) return expire(manager, actor, known, now);
  const { id, version } = known;
  // Whoever wants it may still repeat the request that begins it.
  await manager.update(RecurringSubscription, { id, version }, { nextCheckAt: lostAt });
}

async function findAtProvider(
  manager: EntityManager,
  provider: CollectingProvider,
  { customerId, reference }: RecurringSubscription,
): Promise<SubscriptionState | null> {
  const account = await manager.findOneBy(CustomerProviderAccount, { customerId, provider: provider.name });
  // A customer whom the provider doesn't know has begun nothing there.
  const customerReference = account?.providerReference ?? null;
  if (customerReference === null) return null;
  try {
    return await provider.findSubscription(customerReference, reference);
  } catch (error) {
    if (!isMissing(error, 'customer')) throw error;
    // What was begun for them has ended with them.
    await forgetAccount(manager, provider.name, customerReference);
    await beginAnewWhatHasNotBegun(manager, customerId, provider.name);
    return null;
  }
}

async function expire(
  manager: EntityManager,
  actor: string,
  { id, version, reference, status }: RecurringSubscription,
  now: Date,
): Promise<void> {
  await manager.transaction(async (transaction) => {
    const expired = { status: 'EXPIRED', endedAt: now, nextCheckAt: null } as const;
    const { affected } = await transaction.update(
      RecurringSubscription,
      { id, version },
      { ...expired, version: version + 1 },
    );
    if (affected !== 1) return;
    const [before, after] = [{ status }, { status: expired.status }];
    const reason = 'its provider says that it never began';
    const action = 'subscription.expired';
    await writeAuditEntry(transaction, { subject: reference, actor, action, before, after, reason });
  });
}
