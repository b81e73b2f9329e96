import { randomUUID } from 'node:crypto';
import { IsNull, type EntityManager } from 'typeorm';
import { writeAuditEntry } from '../audit/write-audit-entry.js';
import { ProviderFailure, type MissingThing, type Provider } from '../providers/provider.js';
import type { SavedMethodCalls } from '../providers/saved-methods.js';
import { Customer } from './customer.js';
import { CustomerError } from './customer-error.js';
import { CustomerProviderAccount } from './customer-provider-account.js';
import { SavedPaymentMethod } from './saved-payment-method.js';

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
  const { idempotencyKey } = account;
  const key = { customerId: customer.id, provider: provider.name, idempotencyKey };
  const { affected } = await manager.update(CustomerProviderAccount, key, { providerReference });
  // Meanwhile the provider has deleted them again, and they have begun anew.
  return affected === 1 ? providerReference : customerReferenceAt(manager, provider, customer);
}

/**
 * Makes a call that names a customer. Where the provider has deleted them, they begin anew there, once.
 * @throws {ProviderFailure} what the call throws @throws {CustomerError} PROVIDER_UNAVAILABLE, PROVIDER_REJECTED
 */
export async function callForCustomer<Answer>(
  manager: EntityManager,
  provider: KeepingProvider,
  customer: Customer,
  call: (customerReference: string) => Promise<Answer>,
): Promise<Answer> {
  const customerReference = await customerReferenceAt(manager, provider, customer);
  try {
    return await call(customerReference);
  } catch (error) {
    if (!isMissing(error, 'customer')) throw error;
    await forgetAccount(manager, provider.name, customerReference);
    return call(await customerReferenceAt(manager, provider, customer));
  }
}

export function isMissing(error: unknown, thing: MissingThing): boolean {
  return error instanceof ProviderFailure && error.missing === thing;
}

/**
 * A provider does not have a customer any more: what they had saved is gone with them, and the next call makes them
 * anew, with a key of its own. Of several who find that out, one writes it down.
 * @returns whose account it was; null when it is nobody's any more.
 */
export async function forgetAccount(
  manager: EntityManager,
  provider: string,
  customerReference: string,
): Promise<string | null> {
  const known = { provider, providerReference: customerReference };
  return manager.transaction(async (transaction) => {
    const account = await transaction.findOneBy(CustomerProviderAccount, known);
    if (!account) return null;
    const { customerId } = account;
    // It also holds the chain of the customer's audit entries.
    const { reference: subject } = await transaction.findOneOrFail(Customer, {
      where: { id: customerId },
      lock: { mode: 'pessimistic_write' },
    });
    const { affected } = await transaction.update(
      CustomerProviderAccount,
      { ...known, customerId },
      {
        providerReference: null,
        idempotencyKey: randomUUID(),
        // A list of what they had, that is on its way, is old.
        listVersion: () => 'list_version + 1',
      },
    );
    if (affected !== 1) return null;
    const gone = { customerId, provider, detachedAt: IsNull() };
    await transaction.update(SavedPaymentMethod, gone, { detachedAt: () => 'now()' });
    await writeAuditEntry(transaction, {
      ...{ subject, actor: `provider:${provider}`, action: 'customer.deleted_at_provider' },
      ...{
        before: { provider, customerReference },
        after: { provider, customerReference: null },
        reason: null,
      },
    });
    return customerId;
  });
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
    if (error.missing === 'savedMethod') throw savedMethodGone(error);
    if (error.kind === 'rejected' || error.kind === 'declined') {
      throw new CustomerError('PROVIDER_REJECTED', error.message, { cause: error });
    }
    const message = `${error.provider} can't be reached at the moment. Repeat the same request in a moment.`;
    throw new CustomerError('PROVIDER_UNAVAILABLE', message, { cause: error });
  }
}

/** The provider says so; its notification was lost, or is on its way. */
export function savedMethodGone(cause: ProviderFailure): CustomerError {
  const message =
    'This saved payment method is not at its provider any more. Let the customer save another one.';
  return new CustomerError('SAVED_METHOD_NOT_FOUND', message, { field: 'savedMethodId', cause });
}
