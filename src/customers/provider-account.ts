import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { ProviderFailure, type Provider } from '../providers/provider.js';
import type { SavedMethodCalls } from '../providers/saved-methods.js';
import type { Customer } from './customer.js';
import { CustomerError } from './customer-error.js';
import { CustomerProviderAccount } from './customer-provider-account.js';

/** A provider that keeps ways to pay. */
export type KeepingProvider = Provider & Required<SavedMethodCalls>;

export function keepsMethods(provider: Provider | undefined): provider is KeepingProvider {
  return provider?.createCustomer !== undefined;
}

/** @throws {CustomerError} NO_WAY_TO_PAY */
export function keepingProvider(providers: ReadonlyMap<string, Provider>): KeepingProvider {
  const provider = [...providers.values()].find(keepsMethods);
  if (provider) return provider;
  throw new CustomerError('NO_WAY_TO_PAY', 'No provider that is configured here keeps ways to pay.');
}

/**
 * The provider's id of a customer; the first time, the provider is told of them. The row with the key of that call comes
 * first, so that a call whose answer was lost is repeated and makes nobody twice.
 * @throws {CustomerError} PROVIDER_UNAVAILABLE, PROVIDER_REJECTED
 */
export async function customerReferenceAt(
  manager: EntityManager,
  provider: KeepingProvider,
  customer: Customer,
): Promise<string> {
  const account = await ourRow(manager, provider.name, customer.id);
  if (account.providerReference !== null) return account.providerReference;
  const providerReference = await sayKindly(() =>
    provider.createCustomer({
      reference: customer.reference,
      idempotencyKey: account.idempotencyKey,
      email: customer.email ?? undefined,
      name: customer.name ?? undefined,
      locale: customer.locale,
    }),
  );
  const key = { customerId: customer.id, provider: provider.name };
  await manager.update(CustomerProviderAccount, key, { providerReference });
  return providerReference;
}

async function ourRow(
  manager: EntityManager,
  provider: string,
  customerId: string,
): Promise<CustomerProviderAccount> {
  const key = { customerId, provider };
  const known = await manager.findOneBy(CustomerProviderAccount, key);
  if (known) return known;
  await manager
    .createQueryBuilder()
    .insert()
    .into(CustomerProviderAccount)
    .values({ ...key, idempotencyKey: randomUUID() })
    .orIgnore()
    .execute();
  return manager.findOneByOrFail(CustomerProviderAccount, key);
}

/** Of calls that move no money: without an answer, the same request may be made again. @throws {CustomerError} */
export async function sayKindly<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    if (error.kind === 'rejected' || error.kind === 'declined') {
      throw new CustomerError('PROVIDER_REJECTED', error.message, { cause: error });
    }
    const message = `${error.provider} can't be reached at the moment. Repeat the same request in a moment.`;
    throw new CustomerError('PROVIDER_UNAVAILABLE', message, { cause: error });
  }
}
