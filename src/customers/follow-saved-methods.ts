import type { EntityManager } from 'typeorm';
import type { Concern } from '../providers/concern.js';
import type { Provider } from '../providers/provider.js';
import { CustomerProviderAccount } from './customer-provider-account.js';
import { keepsMethods } from './provider-account.js';
import { readSavedMethods } from './read-saved-methods.js';
import { SavedPaymentMethod } from './saved-payment-method.js';

/**
 * What a provider's notification of saved ways to pay leads to: they are read anew.
 * @returns what came of it, or null when it is about no customer of ours.
 */
export async function followSavedMethods(
  manager: EntityManager,
  provider: Provider,
  concern: Extract<Concern, { kind: 'savedMethods' }>,
): Promise<string | null> {
  const customerId = await customerOf(manager, provider.name, concern);
  if (customerId === null || !keepsMethods(provider)) return null;
  await readSavedMethods(manager, provider, customerId);
  return 'the saved ways to pay were read';
}

async function customerOf(
  manager: EntityManager,
  provider: string,
  { customerReference, methodReference }: Extract<Concern, { kind: 'savedMethods' }>,
): Promise<string | null> {
  if (customerReference !== undefined) {
    const where = { provider, providerReference: customerReference };
    return (await manager.findOneBy(CustomerProviderAccount, where))?.customerId ?? null;
  }
  if (methodReference === undefined) return null;
  const where = { provider, providerReference: methodReference };
  return (await manager.findOneBy(SavedPaymentMethod, where))?.customerId ?? null;
}
