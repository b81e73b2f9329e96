import { IsNull, Not, type EntityManager } from 'typeorm';
import { RecurringSubscription } from './recurring-subscription.js';

/** The provider's ids of a customer's subscriptions that have not ended, as far as we know. */
export async function subscriptionsThatGoOn(
  manager: EntityManager,
  customerId: string,
  provider: string,
): Promise<string[]> {
  const rows = await manager.findBy(RecurringSubscription, {
    ...{ customerId, provider, endedAt: IsNull(), providerReference: Not(IsNull()) },
  });
  return rows.map(({ providerReference }) => providerReference!);
}

/**
 * The provider has deleted the customer. What was begun for them there and not answered has ended with them, so who
 * repeats that request begins anew, and must not be given the answer of the first call.
 */
export async function beginAnewWhatHasNotBegun(
  manager: EntityManager,
  customerId: string,
  provider: string,
): Promise<void> {
  await manager.update(
    RecurringSubscription,
    { customerId, provider, status: 'INCOMPLETE', providerReference: IsNull() },
    { idempotencyKey: () => 'gen_random_uuid()::text' },
  );
}
