import { v7 as uuidv7 } from 'uuid';
import type { EntityManager } from 'typeorm';
import { writeAuditEntry } from '../audit/write-audit-entry.js';
import { newReference } from '../references.js';
import { Customer } from './customer.js';
import { CustomerError } from './customer-error.js';

export interface CreateCustomer {
  readonly externalId: string;
  readonly email?: string | null;
  readonly name?: string | null;
  readonly locale?: string | null;
}

const DEFAULT_LOCALE = 'en';

/** Writes a customer down, or gives the one that has this external id already, as they are. */
export async function createCustomer(
  manager: EntityManager,
  request: CreateCustomer,
  actor: string,
): Promise<Customer> {
  const { externalId, email = null, name = null, locale } = request;
  const reference = newReference('CUS');
  return manager.transaction(async (transaction) => {
    await transaction
      .createQueryBuilder()
      .insert()
      .into(Customer)
      .values({ id: uuidv7(), reference, externalId, email, name, locale: locale ?? DEFAULT_LOCALE })
      .orIgnore()
      .execute();
    const customer = await transaction.findOneByOrFail(Customer, { externalId });
    // Without name and address: an entry can never be deleted.
    if (customer.reference === reference) {
      const entry = { subject: reference, actor, before: null, after: { externalId }, reason: null };
      await writeAuditEntry(transaction, { ...entry, action: 'customer.created' });
    }
    return customer;
  });
}

/** An act on a customer that changes no row of ours. */
export async function recordActOnCustomer(
  manager: EntityManager,
  { reference: subject }: Customer,
  actor: string,
  action: 'customer.token_created' | 'payment_method.setup_begun',
): Promise<void> {
  await manager.transaction(async (transaction) => {
    await transaction.query('SELECT 1 FROM customer WHERE reference = $1 FOR NO KEY UPDATE', [subject]);
    await writeAuditEntry(transaction, { subject, actor, action, before: null, after: null, reason: null });
  });
}

/** @throws {CustomerError} CUSTOMER_NOT_FOUND */
export async function findCustomer(
  manager: EntityManager,
  by: { readonly reference: string } | { readonly externalId: string },
  field = 'customerId',
): Promise<Customer> {
  const customer = await manager.findOneBy(Customer, by);
  if (customer) return customer;
  throw new CustomerError('CUSTOMER_NOT_FOUND', 'There is no such customer, or it is not yours.', { field });
}
