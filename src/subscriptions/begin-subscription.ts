import { randomUUID } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { EntityManager } from 'typeorm';
import { databaseNow } from '../database/database-clock.js';
import { writeAuditEntry } from '../audit/write-audit-entry.js';
import {
  findChargeableMethod,
  noteSavedMethodGone,
  savedMethodNotFound,
} from '../customers/change-saved-methods.js';
import type { Customer } from '../customers/customer.js';
import { CustomerError } from '../customers/customer-error.js';
import {
  customerReferenceAt,
  forgetAccount,
  isMissing,
  keepsMethods,
  savedMethodGone,
  sayKindly,
  type KeepingProvider,
} from '../customers/provider-account.js';
import { violatedConstraint } from '../database/statement.js';
import { IdempotencyKey } from '../idempotency/idempotency-key.js';
import {
  IdempotencyKeyReused,
  KEY_CONSTRAINT,
  keyExpiry,
  keyUse,
  type KeyUse,
} from '../idempotency/key-use.js';
import { whyAmountNot, whyPartNot } from '../providers/amount-limits.js';
import { ProviderFailure, type NextAction } from '../providers/provider.js';
import type { BegunSubscription as ProvidersSubscription } from '../providers/recurring.js';
import { newReference } from '../references.js';
import {
  type PricedSubscription,
  priceSubscription,
  type SubscriptionLineInput,
} from './price-subscription.js';
import { RecurringSubscription } from './recurring-subscription.js';
import { SubscriptionError } from './subscription-error.js';
import {
  collectsByItself,
  type CollectingProvider,
  type SubscriptionDependencies,
} from './subscription-dependencies.js';
import { SOON_MILLISECONDS } from './subscription-schedule.js';
import { beginAnewWhatHasNotBegun } from './subscriptions-of-customer.js';
import { writeState } from './write-state.js';

export interface BeginSubscription {
  readonly customer: Customer;
  readonly lines: readonly SubscriptionLineInput[];
  /** The public id of a saved way to pay. */
  readonly savedMethodId?: string | null;
  readonly caller: string;
  readonly idempotencyKey: string;
}

export interface BegunSubscription {
  readonly subscription: RecurringSubscription;
  readonly nextAction: NextAction | null;
}

/**
 * Begins a subscription: the row with the key of the provider's call comes first, so that the same request, made again
 * after a crash or a lost answer, begins nothing twice.
 * @throws {SubscriptionError} INVALID_SUBSCRIPTION @throws {CustomerError} SAVED_METHOD_NOT_FOUND, NO_WAY_TO_PAY,
 * PROVIDER_REJECTED, PROVIDER_UNAVAILABLE (repeat the same request) @throws {IdempotencyKeyReused}
 */
export async function beginSubscription(
  manager: EntityManager,
  { providers, actor }: SubscriptionDependencies,
  { customer, ...asked }: BeginSubscription,
): Promise<BegunSubscription> {
  const request = { ...asked, customer: customer.reference };
  const key = keyUse('createRecurringSubscription', request);
  const provider = [...providers.values()].find(
    (candidate): candidate is CollectingProvider & KeepingProvider =>
      collectsByItself(candidate) && keepsMethods(candidate),
  );
  if (!provider)
    throw new CustomerError('NO_WAY_TO_PAY', 'No provider that is configured here collects by itself.');
  const subscription =
    (await subscriptionOfKey(manager, key)) ??
    (await writeRow(manager, await newRow(manager, provider, customer, asked), key, actor));
  // Once it has begun or ended there is nothing left to ask for, and a provider may have forgotten the key by then.
  if (subscription.status !== 'INCOMPLETE') return { subscription, nextAction: null };
  const begun = await sayKindly(() => begin(manager, provider, customer, subscription));
  const { nextAction, ...state } = begun;
  return { subscription: await writeState(manager, subscription, state), nextAction };
}

/** What was to be charged is gone where the provider has deleted the customer: only without it they begin anew. */
async function begin(
  manager: EntityManager,
  provider: CollectingProvider & KeepingProvider,
  customer: Customer,
  subscription: RecurringSubscription,
): Promise<ProvidersSubscription> {
  const ask = (customerReference: string, { idempotencyKey }: RecurringSubscription) => {
    const { reference, methodReference, currency, interval, intervalCount, lines } = subscription;
    return provider.beginSubscription({
      ...{ reference, idempotencyKey, customerReference, currency, interval, intervalCount, lines },
      methodReference: methodReference ?? undefined,
    });
  };
  const customerReference = await customerReferenceAt(manager, provider, customer);
  try {
    return await ask(customerReference, subscription);
  } catch (error) {
    const { methodReference } = subscription;
    if (isMissing(error, 'savedMethod') && methodReference !== null) {
      await noteSavedMethodGone(manager, provider.name, methodReference);
    }
    if (!(error instanceof ProviderFailure && error.missing === 'customer')) throw error;
    await forgetAccount(manager, provider.name, customerReference);
    if (methodReference !== null) throw savedMethodGone(error);
    await beginAnewWhatHasNotBegun(manager, customer.id, provider.name);
    const { id } = subscription;
    const anew = await manager.findOneByOrFail(RecurringSubscription, { id });
    return ask(await customerReferenceAt(manager, provider, customer), anew);
  }
}

async function newRow(
  manager: EntityManager,
  provider: Pick<CollectingProvider, 'name' | 'capabilities'>,
  customer: Customer,
  { lines, savedMethodId }: Pick<BeginSubscription, 'lines' | 'savedMethodId'>,
): Promise<RecurringSubscription> {
  const priced = await priceSubscription(manager, lines);
  refuseWhatIsNotTaken(provider, priced);
  const methodReference = savedMethodId
    ? await savedMethod(manager, provider.name, customer, savedMethodId)
    : null;
  const now = await databaseNow(manager);
  return {
    ...priced,
    id: uuidv7(),
    reference: newReference('SUB'),
    customerId: customer.id,
    provider: provider.name,
    idempotencyKey: randomUUID(),
    providerReference: null,
    methodReference,
    status: 'INCOMPLETE',
    cancelAtPeriodEnd: false,
    currentPeriodEndsAt: null,
    version: 1,
    nextCheckAt: new Date(now.getTime() + SOON_MILLISECONDS),
    createdAt: now,
    endedAt: null,
  };
}

/** Of each price and of their sum, before anything is written. @throws {SubscriptionError} INVALID_SUBSCRIPTION */
function refuseWhatIsNotTaken(
  provider: Pick<CollectingProvider, 'name' | 'capabilities'>,
  { lines, amount, currency }: PricedSubscription,
): void {
  const { currencies } = provider.capabilities;
  if (currencies !== 'ANY' && !currencies.includes(currency)) {
    throw new SubscriptionError(
      'INVALID_SUBSCRIPTION',
      `${provider.name} doesn’t take ${currency}.`,
      'lines',
    );
  }
  for (const [index, { unitAmount }] of lines.entries()) {
    const obstacle = whyPartNot(provider, unitAmount, currency);
    if (obstacle) throw new SubscriptionError('INVALID_SUBSCRIPTION', obstacle.message, `lines.${index}.sku`);
  }
  const obstacle = whyAmountNot(provider, amount, currency);
  if (obstacle) throw new SubscriptionError('INVALID_SUBSCRIPTION', obstacle.message, 'lines');
}

async function savedMethod(
  manager: EntityManager,
  provider: string,
  customer: Customer,
  savedMethodId: string,
): Promise<string> {
  const method = await findChargeableMethod(manager, savedMethodId, customer.id);
  if (method.provider !== provider) throw savedMethodNotFound('savedMethodId');
  return method.providerReference;
}

async function writeRow(
  manager: EntityManager,
  row: RecurringSubscription,
  key: KeyUse,
  actor: string,
): Promise<RecurringSubscription> {
  const { reference: subject, status, amount, currency } = row;
  try {
    await manager.transaction(async (transaction) => {
      await transaction.insert(RecurringSubscription, row);
      const use = { ...key, resourceId: row.id, expiresAt: keyExpiry(row.createdAt) };
      await transaction.insert(IdempotencyKey, use);
      const after = { status, amount, currency };
      await writeAuditEntry(transaction, {
        ...{ subject, actor, action: 'subscription.created', before: null, after, reason: null },
      });
    });
    return row;
  } catch (error) {
    const same = violatedConstraint(error) === KEY_CONSTRAINT ? await subscriptionOfKey(manager, key) : null;
    if (same) return same;
    throw error;
  }
}

async function subscriptionOfKey(manager: EntityManager, key: KeyUse): Promise<RecurringSubscription | null> {
  const used = await manager.findOneBy(IdempotencyKey, { caller: key.caller, key: key.key });
  if (!used) return null;
  if (used.fingerprint !== key.fingerprint) throw new IdempotencyKeyReused();
  return manager.findOneByOrFail(RecurringSubscription, { id: used.resourceId });
}
