import { createHash, randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { IsNull } from 'typeorm';
import { writeAuditEntry } from '../audit/write-audit-entry.js';
import type { NextAction, Provider } from '../providers/provider.js';
import type { Customer } from './customer.js';
import { CustomerError } from './customer-error.js';
import { callForCustomer, keepingProvider, keepsMethods, sayKindly } from './provider-account.js';
import { readSavedMethods } from './read-saved-methods.js';
import { SavedPaymentMethod } from './saved-payment-method.js';

type Providers = ReadonlyMap<string, Provider>;

/**
 * What the customer does to save a way to pay without paying. It moves no money, and nothing of it is kept here: that it
 * was done is heard from the provider.
 * @param idempotencyKey the same one of the same caller gives the same next action.
 * @throws {CustomerError} NO_WAY_TO_PAY, PROVIDER_UNAVAILABLE, PROVIDER_REJECTED
 */
export async function setUpPaymentMethod(
  manager: EntityManager,
  providers: Providers,
  customer: Customer,
  { caller, idempotencyKey }: { readonly caller: string; readonly idempotencyKey?: string | null },
): Promise<NextAction> {
  const provider = keepingProvider(providers);
  const begin = (customerReference: string) =>
    provider.beginSetup({
      customerReference,
      customer: customer.reference,
      // Two callers may choose the same words, and a customer who begins anew there begins a new setup.
      idempotencyKey: idempotencyKey ? hashOf(customerReference, caller, idempotencyKey) : randomUUID(),
    });
  return sayKindly(() => callForCustomer(manager, provider, customer, begin));
}

/** As long as providers take a key, whatever its parts are. */
function hashOf(...parts: string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

/** All of a customer's saved ways to pay, asked for at every provider that keeps them. @throws {CustomerError} */
export async function refreshSavedMethods(
  manager: EntityManager,
  providers: Providers,
  customer: Customer,
): Promise<void> {
  for (const provider of [...providers.values()].filter(keepsMethods)) {
    await readSavedMethods(manager, provider, customer.id);
  }
}

/**
 * Takes a saved way to pay away, at its provider and for good. Doing it again is no failure.
 * @throws {CustomerError} PROVIDER_UNAVAILABLE (repeat the same request), PROVIDER_REJECTED
 */
export async function detachPaymentMethod(
  manager: EntityManager,
  providers: Providers,
  method: SavedPaymentMethod,
  actor: string,
): Promise<SavedPaymentMethod> {
  if (method.detachedAt !== null) return method;
  const provider = providers.get(method.provider);
  if (!keepsMethods(provider)) {
    throw new CustomerError(
      'PROVIDER_UNAVAILABLE',
      `The provider ${method.provider} is not configured any more.`,
    );
  }
  await sayKindly(() => provider.detachSavedMethod(method.providerReference));
  await manager.transaction(async (transaction) => {
    const open = { id: method.id, detachedAt: IsNull() };
    const { affected } = await transaction.update(SavedPaymentMethod, open, { detachedAt: () => 'now()' });
    if (affected === 0) return;
    const [before, after] = [{ detached: false }, { detached: true }];
    const subject = method.reference;
    await writeAuditEntry(transaction, {
      subject,
      actor,
      action: 'payment_method.detached',
      before,
      after,
      reason: null,
    });
  });
  return manager.findOneByOrFail(SavedPaymentMethod, { id: method.id });
}

/** The provider says that a saved way to pay is not there any more. @param methodReference the provider's id of it. */
export async function noteSavedMethodGone(
  manager: EntityManager,
  provider: string,
  methodReference: string,
): Promise<void> {
  const gone = { provider, providerReference: methodReference, detachedAt: IsNull() };
  await manager.update(SavedPaymentMethod, gone, { detachedAt: () => 'now()' });
}

/** Whatever was detached is found too. @throws {CustomerError} SAVED_METHOD_NOT_FOUND */
export async function findSavedMethod(
  manager: EntityManager,
  reference: string,
  field = 'id',
): Promise<SavedPaymentMethod & { readonly customer: Customer }> {
  const method = await manager.findOne(SavedPaymentMethod, {
    where: { reference },
    relations: { customer: true },
  });
  if (method?.customer) return method as SavedPaymentMethod & { readonly customer: Customer };
  throw savedMethodNotFound(field);
}

/**
 * For a charge: it must be this customer's, and not detached.
 * @throws {CustomerError} SAVED_METHOD_NOT_FOUND, which doesn't tell what others have.
 */
export async function findChargeableMethod(
  manager: EntityManager,
  reference: string,
  customerId: string | undefined,
): Promise<SavedPaymentMethod> {
  const method = await findSavedMethod(manager, reference, 'savedMethodId');
  if (method.customerId === customerId && method.detachedAt === null) return method;
  throw savedMethodNotFound('savedMethodId');
}

export function savedMethodNotFound(field: string): CustomerError {
  const message = 'There is no such saved payment method, or it is not this customer’s.';
  return new CustomerError('SAVED_METHOD_NOT_FOUND', message, { field });
}
