import { v7 as uuidv7 } from 'uuid';
import type { EntityManager } from 'typeorm';
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
export async function createCustomer(manager: EntityManager, request: CreateCustomer): Promise<Customer> {
  const { externalId, email = null, name = null, locale } = request;
  await manager
    .createQueryBuilder()
    .insert()
    .into(Customer)
    .values({
      id: uuidv7(),
      reference: newReference('CUS'),
      externalId,
      email,
      name,
      locale: locale ?? DEFAULT_LOCALE,
    })
    .orIgnore()
    .execute();
  return manager.findOneByOrFail(Customer, { externalId });
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
