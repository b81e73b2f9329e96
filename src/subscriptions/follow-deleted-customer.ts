import type { EntityManager } from 'typeorm';
import { forgetAccount } from '../customers/provider-account.js';
import type { Concern } from '../providers/concern.js';
import type { Provider } from '../providers/provider.js';
import { followSubscription } from './follow-subscription.js';
import { beginAnewWhatHasNotBegun, subscriptionsThatGoOn } from './subscriptions-of-customer.js';
import type { FollowingDependencies } from './subscription-dependencies.js';

/**
 * A provider has deleted a customer: what they had saved is gone with them, and their subscriptions have ended, of which
 * it is asked. The next thing that they do there is done by a new customer of the provider's.
 * @returns what came of it, or null when they are no customer of ours any more. @throws {ProviderFailure}
 */
export async function followDeletedCustomer(
  manager: EntityManager,
  dependencies: FollowingDependencies,
  provider: Provider,
  { customerReference }: Extract<Concern, { kind: 'deletedCustomer' }>,
): Promise<string | null> {
  const customerId = await forgetAccount(manager, provider.name, customerReference);
  if (customerId === null) return null;
  await beginAnewWhatHasNotBegun(manager, customerId, provider.name);
  for (const providerReference of await subscriptionsThatGoOn(manager, customerId, provider.name)) {
    await followSubscription(manager, dependencies, provider, { kind: 'subscription', providerReference });
  }
  return 'the provider has deleted the customer: what they had saved is gone';
}
