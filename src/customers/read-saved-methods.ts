import { v7 as uuidv7 } from 'uuid';
import type { EntityManager } from 'typeorm';
import { IsNull } from 'typeorm';
import { run, statement } from '../database/statement.js';
import type { SavedCard } from '../providers/saved-methods.js';
import { newReference } from '../references.js';
import { CustomerError } from './customer-error.js';
import { CustomerProviderAccount } from './customer-provider-account.js';
import { forgetAccount, isMissing, sayKindly, type KeepingProvider } from './provider-account.js';
import { SavedPaymentMethod } from './saved-payment-method.js';

/**
 * A list that was asked for before another one was written is old, and writes nothing. What it doesn't name is detached;
 * what it names is attached, also where we had thought it gone.
 */
const WRITE_LIST = statement<{ written: number }>(
  'write_saved_payment_methods',
  `WITH guarded AS (
     UPDATE customer_provider_account SET list_version = list_version + 1
     WHERE customer_id = $1 AND provider = $2 AND list_version = $3 RETURNING customer_id
   ),
   gone AS (
     UPDATE saved_payment_method SET detached_at = now() FROM guarded
     WHERE saved_payment_method.customer_id = guarded.customer_id AND provider = $2 AND detached_at IS NULL
       AND provider_reference NOT IN (SELECT provider_reference FROM jsonb_populate_recordset(NULL::saved_payment_method, $4))
   ),
   listed AS (
     INSERT INTO saved_payment_method
     SELECT row.* FROM guarded, jsonb_populate_recordset(NULL::saved_payment_method, $4) AS row
     ON CONFLICT (provider, provider_reference) DO UPDATE SET
       brand = excluded.brand, last4 = excluded.last4, expiry_month = excluded.expiry_month,
       expiry_year = excluded.expiry_year, customer_id = excluded.customer_id, detached_at = NULL
   )
   SELECT count(*)::integer AS written FROM guarded`,
);

const MAX_TRIES = 5;

/** The customer's saved ways to pay as we know them, the newest first. */
export function savedMethodsOf(manager: EntityManager, customerId: string): Promise<SavedPaymentMethod[]> {
  return manager.find(SavedPaymentMethod, {
    where: { customerId, detachedAt: IsNull() },
    order: { createdAt: 'DESC', id: 'DESC' },
  });
}

/**
 * Asks the provider for all that a customer has left with it, and writes that down. Of several who do so at the same time
 * the last to ask is the one that is believed.
 * @throws {CustomerError} PROVIDER_UNAVAILABLE, PROVIDER_REJECTED
 */
export async function readSavedMethods(
  manager: EntityManager,
  provider: KeepingProvider,
  customerId: string,
): Promise<void> {
  const key = { customerId, provider: provider.name };
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const account = await manager.findOneBy(CustomerProviderAccount, key);
    const { providerReference } = account ?? {};
    if (!account || !providerReference) return;
    const cards = await sayKindly(() => listUnlessDeleted(manager, provider, providerReference));
    // With the customer, all that they had saved is gone.
    if (cards === null) return;
    const rows = cards.map((card) => asRow(card, key));
    const [result] = await run(manager, WRITE_LIST, [
      customerId,
      provider.name,
      account.listVersion,
      JSON.stringify(rows),
    ]);
    if (result?.written === 1) return;
  }
  throw new CustomerError('PROVIDER_UNAVAILABLE', 'The saved ways to pay are changing too often. Try again.');
}

async function listUnlessDeleted(
  manager: EntityManager,
  provider: KeepingProvider,
  customerReference: string,
): Promise<readonly SavedCard[] | null> {
  try {
    return await provider.listSavedMethods(customerReference);
  } catch (error) {
    if (!isMissing(error, 'customer')) throw error;
    await forgetAccount(manager, provider.name, customerReference);
    return null;
  }
}

function asRow(card: SavedCard, { customerId, provider }: { customerId: string; provider: string }): object {
  return {
    id: uuidv7(),
    reference: newReference('PMT'),
    customer_id: customerId,
    provider,
    provider_reference: card.methodReference,
    brand: card.brand,
    last4: card.last4,
    expiry_month: card.expiryMonth,
    expiry_year: card.expiryYear,
    // PostgreSQL's word for the time of its own clock.
    created_at: 'now',
    detached_at: null,
  };
}
