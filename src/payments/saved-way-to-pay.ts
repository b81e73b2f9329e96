import type { EntityManager } from 'typeorm';
import { findChargeableMethod, savedMethodNotFound } from '../customers/change-saved-methods.js';
import { Customer } from '../customers/customer.js';
import { customerReferenceAt, keepingProvider, keepsMethods } from '../customers/provider-account.js';
import { Order } from '../orders/order.js';
import type { PaymentAttempt } from './payment-attempt.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { PaymentError } from './payment-error.js';
import type { WantedWay } from './payment-options.js';

/** What the caller wants of a saved way to pay: to pay with one, or to save what is paid with. */
export interface WantedSavedMethod {
  /** Its public id. */
  readonly savedMethodId?: string | null;
  /** The payer is not there; only backends may say so. */
  readonly offSession?: boolean | null;
  readonly saveMethod?: boolean | null;
}

/** What an attempt has of it. */
export type SavedWay = Pick<PaymentAttempt, 'customerReference' | 'methodReference' | 'offSession'>;

const NOTHING_SAVED: SavedWay = { customerReference: null, methodReference: null, offSession: false };

/** The way to pay, and with what of the payer's. */
export interface ChosenSavedWay {
  readonly saved: SavedWay;
  readonly way: WantedWay;
}

/**
 * Resolves what the caller wants for this order: a saved way to pay belongs to the order's customer, and whoever holds
 * it is the provider. Null: nothing of the kind is wanted, or the order costs nothing.
 * @throws {CustomerError} SAVED_METHOD_NOT_FOUND, NO_WAY_TO_PAY, PROVIDER_… @throws {PaymentError} CUSTOMER_MISSING,
 * SAVED_METHOD_MISSING
 */
export async function chooseSavedWay(
  manager: EntityManager,
  { providers }: Pick<PaymentDependencies, 'providers'>,
  orderReference: string,
  { savedMethodId, offSession, saveMethod }: WantedSavedMethod,
): Promise<ChosenSavedWay | null> {
  if (offSession && !savedMethodId) {
    throw new PaymentError('SAVED_METHOD_MISSING', 'Without the payer, only a saved payment method can pay.');
  }
  if (!savedMethodId && !saveMethod) return null;
  const order = await orderWithCustomer(manager, orderReference);
  if (order?.amount === 0) return null;
  const customer = order?.customerAccount ?? null;
  if (savedMethodId) return withSaved(manager, customer, savedMethodId, offSession ?? false, providers);
  if (!customer) throw new PaymentError('CUSTOMER_MISSING', 'This order has no customer to save it for.');
  const provider = keepingProvider(providers);
  const customerReference = await customerReferenceAt(manager, provider, customer);
  return { saved: { ...NOTHING_SAVED, customerReference }, way: wayOf(provider.name) };
}

async function withSaved(
  manager: EntityManager,
  customer: Customer | null,
  savedMethodId: string,
  offSession: boolean,
  providers: PaymentDependencies['providers'],
): Promise<ChosenSavedWay> {
  const method = await findChargeableMethod(manager, savedMethodId, customer?.id);
  const provider = providers.get(method.provider);
  if (!customer || !keepsMethods(provider)) throw savedMethodNotFound('savedMethodId');
  const customerReference = await customerReferenceAt(manager, provider, customer);
  const saved = { customerReference, methodReference: method.providerReference, offSession };
  return { saved, way: wayOf(method.provider) };
}

function wayOf(provider: string): WantedWay {
  return { provider, method: 'CARD', presentation: 'EMBEDDED' };
}

function orderWithCustomer(manager: EntityManager, reference: string): Promise<Order | null> {
  return manager.findOne(Order, { where: { reference }, relations: { customerAccount: true } });
}
