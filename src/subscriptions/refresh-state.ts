import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EntityManager } from 'typeorm';
import type { SubscriptionState } from '../providers/recurring.js';
import { RecurringSubscription } from './recurring-subscription.js';
import type { CollectingProvider } from './subscription-dependencies.js';
import { tryToWriteState } from './write-state.js';

/** Several notifications of one subscription may be followed at once, and each asks the provider anew when it lost. */
const MAX_TRIES = 12;
const MAX_PAUSE_MILLISECONDS = 100;

/**
 * Asks a provider how a subscription stands, and writes that down.
 * @returns it as it is now, or null when it is none of ours. @throws {ProviderFailure}
 */
export async function refreshState(
  manager: EntityManager,
  provider: CollectingProvider,
  providerReference: string,
): Promise<RecurringSubscription | null> {
  // Of one whose first answer was lost only the provider knows whose it is.
  let reference: string | undefined;
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const row = await findRow(manager, provider.name, { providerReference, reference });
    const state = await provider.readSubscription(providerReference);
    if (row) {
      if (await tryToWriteState(manager, row, state)) {
        return manager.findOneByOrFail(RecurringSubscription, { id: row.id });
      }
      await sleep(randomInt(1, MAX_PAUSE_MILLISECONDS * (tries + 1)));
    } else {
      if (reference !== undefined || state.reference === undefined) return null;
      reference = state.reference;
    }
  }
  throw new Error(`subscription ${providerReference} is changing too often`);
}

/** By the provider's id, or by ours where the provider's is not stored yet. */
function findRow(
  manager: EntityManager,
  provider: string,
  { providerReference, reference }: Pick<SubscriptionState, 'providerReference' | 'reference'>,
): Promise<RecurringSubscription | null> {
  const byProvider = { provider, providerReference };
  return manager.findOneBy(
    RecurringSubscription,
    reference ? [byProvider, { provider, reference }] : byProvider,
  );
}
