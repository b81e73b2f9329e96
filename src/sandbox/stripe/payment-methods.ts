import { createHash } from 'node:crypto';
import type Stripe from 'stripe';
import { newId, now, type MethodRecord, type StripeAccount } from './account.js';
import type { FormValues } from './form-body.js';
import { text } from './parameters.js';
import { invalidRequest, StripeDoubleError } from './stripe-error.js';
import { findTestCard, type TestCard } from './test-cards.js';

/** A card that was just typed in; it belongs to nobody yet. */
export function addPaymentMethod(account: StripeAccount, card: TestCard): MethodRecord {
  const method = { object: newPaymentMethodObject(card), card, spent: false, setUp: false };
  account.methods.set(method.object.id, method);
  return method;
}

/** What exists, or for a name such as `pm_card_visa` a new one, as at Stripe. */
export function methodParameter(
  account: StripeAccount,
  form: FormValues,
  name = 'payment_method',
): MethodRecord | undefined {
  const id = text(form, name);
  return id === undefined ? undefined : findMethod(account, id, name);
}

/** @param reference a PaymentMethod's id, a test card's number, or its name. */
export function findMethod(
  account: StripeAccount,
  reference: string,
  param = 'payment_method',
): MethodRecord {
  const known = account.methods.get(reference);
  if (known) return known;
  const card = findTestCard(reference);
  if (card) return addPaymentMethod(account, card);
  throw invalidRequest(`No such PaymentMethod: '${reference}'`, { code: 'resource_missing', param });
}

/** @throws {StripeDoubleError} 400 for one that is used up, or that is saved for somebody else. */
export function requireUsable(
  { object, spent }: MethodRecord,
  customerId: string | null,
  param = 'payment_method',
): void {
  if (spent) throw usedUp();
  if (object.customer === null || object.customer === customerId) return;
  if (customerId === null) {
    const message = `The PaymentMethod ${object.id} belongs to the Customer ${customerOf(object)}. Please include the Customer in the customer parameter.`;
    throw invalidRequest(message, { param });
  }
  throw notTheirs(object.id, param);
}

/** @param allowed null: whatever the account takes. @throws {StripeDoubleError} 400 */
export function requireAllowedType(
  { object: { type } }: MethodRecord,
  allowed: readonly string[] | null | undefined,
): void {
  if (!allowed || allowed.includes(type)) return;
  const message = `The PaymentMethod provided (${type}) is not allowed for this Intent. Please attach a PaymentMethod of one of the following types: ${allowed.join(', ')}.`;
  throw invalidRequest(message, { param: 'payment_method_type' });
}

/** For what only a saved method can do: to be somebody's default. */
export function requireSaved(method: MethodRecord, customerId: string, param: string): void {
  if (method.object.customer !== customerId) throw notTheirs(method.object.id, param);
}

/** @throws {StripeDoubleError} 402 when the card's bank doesn't want it, 400 when it is used up or another's. */
export function attachMethod(account: StripeAccount, method: MethodRecord, customerId: string): void {
  const { object, card } = method;
  if (object.customer === customerId) return;
  if (method.spent) throw usedUp();
  if (object.customer !== null) {
    throw invalidRequest('The payment method you provided has already been attached to a customer.');
  }
  if (!canBeSaved(card)) throw refusedBySaving(method);
  object.customer = customerId;
  account.emit('payment_method.attached', object, customerId);
}

export function detachMethod(account: StripeAccount, method: MethodRecord): void {
  const { object } = method;
  if (object.customer === null) {
    throw invalidRequest(
      'The payment method you provided is not attached to a customer so detachment is impossible.',
    );
  }
  const customerId = customerOf(object);
  object.customer = null;
  method.spent = true;
  const customer = account.customers.get(customerId);
  if (customer && !customer.deleted && customer.invoice_settings.default_payment_method === object.id) {
    customer.invoice_settings.default_payment_method = null;
  }
  for (const { object: subscription } of account.subscriptions.values()) {
    if (subscription.default_payment_method === object.id) subscription.default_payment_method = null;
  }
  account.emit('payment_method.detached', object, customerId, { customer: customerId });
}

/** Banks are asked when a card is saved, too, and refuse what they would not let pay. */
export function canBeSaved({ result, authentication, savedThoughDeclined }: TestCard): boolean {
  return result.kind !== 'declines' || authentication || savedThoughDeclined === true;
}

/** Whether the payer's bank wants to ask them first. */
export function asksFirst({ card, setUp }: MethodRecord, offSession: boolean): boolean {
  if (!card.authentication || !offSession || card.offSession === undefined) return card.authentication;
  return card.offSession === 'ASKS_UNLESS_SET_UP' && !setUp;
}

export function methodsOf(account: StripeAccount, customerId: string): Stripe.PaymentMethod[] {
  return [...account.methods.values()]
    .map(({ object }) => object)
    .filter(({ customer }) => customer === customerId);
}

/** The double never expands it in its own books. */
function customerOf({ id, customer }: Stripe.PaymentMethod): string {
  if (typeof customer !== 'string') throw new Error(`${id} should have its customer as an id`);
  return customer;
}

function usedUp(): StripeDoubleError {
  return invalidRequest(
    'The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.',
    { param: 'payment_method' },
  );
}

function notTheirs(id: string, param: string): StripeDoubleError {
  return invalidRequest(
    `The customer does not have a payment method with the ID ${id}. The payment method must be attached to the customer.`,
    { code: 'resource_missing', param },
  );
}

function refusedBySaving({ card: { result } }: MethodRecord): StripeDoubleError {
  if (result.kind !== 'declines') throw new Error('only a card that declines is refused');
  const { code, declineCode, message } = result;
  const body = { type: 'card_error', code, message } as const;
  return new StripeDoubleError(
    402,
    { ...body, ...(declineCode !== undefined && { decline_code: declineCode }) },
    true,
  );
}

function newPaymentMethodObject(card: TestCard): Stripe.PaymentMethod {
  return {
    id: newId('pm'),
    object: 'payment_method',
    allow_redisplay: 'unspecified',
    billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
    created: now(),
    customer: null,
    customer_account: null,
    livemode: false,
    metadata: {},
    ...(card.result.kind === 'processes' ? bankAccount(card) : plastic(card)),
  };
}

function bankAccount({
  number,
  brand,
}: TestCard): Pick<Stripe.PaymentMethod, 'type' | 'us_bank_account' | 'sepa_debit'> {
  if (brand === 'sepa_debit') {
    const debit = { bank_code: number.slice(4, 12), branch_code: '', country: number.slice(0, 2) };
    const sepaDebit = { ...debit, fingerprint: null, generated_from: null, last4: number.slice(-4) };
    return { type: 'sepa_debit', sepa_debit: sepaDebit };
  }
  const account = { bank_name: 'STRIPE TEST BANK', last4: number.slice(-4), account_type: 'checking' };
  return { type: 'us_bank_account', us_bank_account: account as Stripe.PaymentMethod.UsBankAccount };
}

function plastic({ number, brand, paymentMethod }: TestCard): Pick<Stripe.PaymentMethod, 'type' | 'card'> {
  return {
    type: 'card',
    card: {
      brand,
      checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
      country: 'US',
      display_brand: brand,
      exp_month: 12,
      exp_year: new Date().getFullYear() + 3,
      fingerprint: createHash('sha256').update(number).digest('hex').slice(0, 16),
      funding: paymentMethod.endsWith('_debit') ? 'debit' : 'credit',
      generated_from: null,
      last4: number.slice(-4),
      networks: { available: [brand], preferred: null },
      regulated_status: 'unregulated',
      three_d_secure_usage: { supported: true },
      wallet: null,
    },
  };
}
