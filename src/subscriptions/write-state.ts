import type { EntityManager } from 'typeorm';
import type { SubscriptionState } from '../providers/recurring.js';
import { RecurringSubscription } from './recurring-subscription.js';
import { SOON_MILLISECONDS } from './subscription-schedule.js';

/**
 * Writes what the provider said, if nobody has written since `read` was read; else the row is as somebody newer left it.
 * @returns the row as it is now.
 */
export async function writeState(
  manager: EntityManager,
  read: RecurringSubscription,
  state: SubscriptionState,
): Promise<RecurringSubscription> {
  await tryToWriteState(manager, read, state);
  return manager.findOneByOrFail(RecurringSubscription, { id: read.id });
}

/**
 * What has changed is soon looked at again, for the notifications of its invoices may be lost.
 * @returns whether it was written; else ask again, for what was said may be old.
 */
export async function tryToWriteState(
  manager: EntityManager,
  read: RecurringSubscription,
  { providerReference, status, cancelAtPeriodEnd, currentPeriodEndsAt, endedAt }: SubscriptionState,
): Promise<boolean> {
  const { id, version } = read;
  const values = { providerReference, status, cancelAtPeriodEnd, currentPeriodEndsAt, endedAt };
  const { affected } = await manager.update(
    RecurringSubscription,
    { id, version },
    { ...values, version: version + 1, ...(isNew(read, values) && { nextCheckAt: () => SOON }) },
  );
  return affected === 1;
}

const SOON = `least(next_check_at, now() + interval '${SOON_MILLISECONDS} milliseconds')`;

type Standing = Pick<
  RecurringSubscription,
  'providerReference' | 'status' | 'currentPeriodEndsAt' | 'endedAt'
>;

function isNew(read: Standing, said: Standing): boolean {
  return (
    read.providerReference !== said.providerReference ||
    read.status !== said.status ||
    read.currentPeriodEndsAt?.getTime() !== said.currentPeriodEndsAt?.getTime() ||
    read.endedAt?.getTime() !== said.endedAt?.getTime()
  );
}
