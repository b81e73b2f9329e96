import type { EntityManager } from 'typeorm';
import type { Concern } from '../providers/concern.js';
import type { Provider } from '../providers/provider.js';
import { takeInvoice } from './follow-invoice.js';
import { openInvoicesOf } from './invoices-of-subscription.js';
import { refreshState } from './refresh-state.js';
import { collectsByItself, type FollowingDependencies } from './subscription-dependencies.js';

/**
 * What a provider's notification of a subscription leads to: it is asked how it stands, and, once it has ended, what
 * becomes of its payments that are still open.
 * @returns what came of it, or null when it is none of ours. @throws {ProviderFailure}
 */
export async function followSubscription(
  manager: EntityManager,
  dependencies: FollowingDependencies,
  provider: Provider,
  { providerReference }: Extract<Concern, { kind: 'subscription' }>,
): Promise<string | null> {
  if (!collectsByItself(provider)) return null;
  const subscription = await refreshState(manager, provider, providerReference);
  if (!subscription) return null;
  if (subscription.endedAt !== null) {
    for (const invoice of await openInvoicesOf(manager, subscription)) {
      await takeInvoice(manager, dependencies, provider, subscription, invoice);
    }
  }
  return `the subscription is ${subscription.status}`;
}
