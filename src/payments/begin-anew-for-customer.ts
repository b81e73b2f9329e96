import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { Customer } from '../customers/customer.js';
import { customerReferenceAt, forgetAccount, keepsMethods } from '../customers/provider-account.js';
import { attemptOf, providerOf } from './initiate-attempt.js';
import type { LoadedPayment } from './loaded-payment.js';
import { isLive } from './payment-attempt.js';
import { changeAttempt } from './payment-change.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { writePayment } from './write-change.js';

/**
 * The provider has deleted the customer for whom an attempt was to be initiated. Where only what pays was to be saved,
 * the attempt goes on with a new customer of the provider's, and with a new key: the old one may stand for the refusal.
 * @returns null where something that they had saved was to be charged, which is gone with them.
 * @throws {CustomerError} PROVIDER_UNAVAILABLE, PROVIDER_REJECTED
 */
export async function beginAnewForCustomer(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  attemptId: string,
): Promise<LoadedPayment | null> {
  const { customerReference, methodReference, ...attempt } = attemptOf(payment, attemptId);
  const { customerId } = payment.order;
  const provider = providerOf(dependencies, attemptOf(payment, attemptId));
  if (customerReference === null || customerId === null || !keepsMethods(provider)) return null;
  await forgetAccount(manager, attempt.provider, customerReference);
  if (methodReference !== null) return null;
  const customer = await manager.findOneByOrFail(Customer, { id: customerId });
  const anew = await customerReferenceAt(manager, provider, customer);
  return writePayment(manager, dependencies, payment.intent.reference, (change) => {
    const draft = attemptOf(change, attemptId);
    if (!isLive(draft) || draft.customerReference !== customerReference) return;
    changeAttempt(change, draft, { customerReference: anew, idempotencyKey: randomUUID() });
  });
}
