import type { PaymentDependencies } from '../payments/payment-dependencies.js';
import type { Provider } from '../providers/provider.js';
import type { RecurringCalls } from '../providers/recurring.js';

/** What following what a provider collects needs. */
export type FollowingDependencies = Pick<PaymentDependencies, 'wakeRelay' | 'seal'>;

export type SubscriptionDependencies = FollowingDependencies &
  Pick<PaymentDependencies, 'providers' | 'actor'>;

export type CollectingProvider = Provider & Required<RecurringCalls>;

export function collectsByItself(provider: Provider | undefined): provider is CollectingProvider {
  return provider?.beginSubscription !== undefined;
}
