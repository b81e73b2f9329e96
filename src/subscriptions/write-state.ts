import type { EntityManager } from 'typeorm';
import type { SubscriptionState } from '../providers/recurring.js';
import { RecurringSubscription } from './recurring-subscription.js';

/**
 * Writes what the provider said, if nobody has written since `read` was read; else the row is as somebody newer left it.
 * @returns the row as it is now.
 */
export async function writeState(
  manager: EntityManager,
  read: Pick<RecurringSubscription, 'id' | 'version'>,
  state: SubscriptionState,
): Promise<RecurringSubscription> {
  await tryToWriteState(manager, read, state);
  return manager.findOneByOrFail(RecurringSubscription, { id: read.id });
}

/** @returns whether it was written; else ask again, for what was said may be old. */
export async function tryToWriteState(
  manager: EntityManager,
  { id, version }: Pick<RecurringSubscription, 'id' | 'version'>,
  { providerReference, status, cancelAtPeriodEnd, currentPeriodEndsAt, endedAt }: SubscriptionState,
): Promise<boolean> {
  const values = { providerReference, status, cancelAtPeriodEnd, currentPeriodEndsAt, endedAt };
  const { affected } = await manager.update(
    RecurringSubscription,
    { id, version },
    { ...values, version: version + 1 },
  );
  return affected === 1;
}
