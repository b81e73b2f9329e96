import type Stripe from 'stripe';
import { found, newId, now, type StripeAccount } from './account.js';
import type { FormValues } from './form-body.js';
import { group, mergedMetadata, text, texts } from './parameters.js';
import { attachMethod, detachMethod, findMethod, methodParameter, requireSaved } from './payment-methods.js';
import { invalidRequest, resourceMissing } from './stripe-error.js';

export function createCustomer(account: StripeAccount, form: FormValues): Stripe.Customer {
  checkEmail(form);
  const method = methodParameter(account, form);
  const customer = newCustomerObject(form);
  account.customers.set(customer.id, customer);
  account.emit('customer.created', customer, customer.id);
  if (method) attachMethod(account, method, customer.id);
  setDefaultMethod(account, customer, form);
  return customer;
}

export function updateCustomer(account: StripeAccount, id: string, form: FormValues): Stripe.Customer {
  checkEmail(form);
  const customer = livingCustomer(account, id);
  setDefaultMethod(account, customer, form);
  for (const field of ['email', 'name', 'phone', 'description'] as const) {
    if (form[field] !== undefined) customer[field] = text(form, field) ?? null;
  }
  if (form['preferred_locales'] !== undefined) customer.preferred_locales = texts(form, 'preferred_locales');
  customer.metadata = mergedMetadata(customer.metadata, form);
  account.emit('customer.updated', customer, id);
  return customer;
}

/** Its saved methods go with it. */
export function deleteCustomer(account: StripeAccount, id: string): Stripe.DeletedCustomer {
  const customer = livingCustomer(account, id);
  const deleted = { id, object: 'customer', deleted: true } as const;
  account.customers.set(id, deleted);
  for (const method of account.methods.values()) {
    if (method.object.customer === id) detachMethod(account, method);
  }
  account.emit('customer.deleted', customer, id);
  return deleted;
}

/** Also one that is deleted: Stripe still says that it was. */
export function findCustomer(account: StripeAccount, id: string): Stripe.Customer | Stripe.DeletedCustomer {
  return found(account.customers, 'customer', id);
}

/** @throws {StripeDoubleError} 404. */
export function livingCustomer(account: StripeAccount, id: string): Stripe.Customer {
  const customer = findCustomer(account, id);
  if (customer.deleted) throw resourceMissing('customer', id);
  return customer;
}

/** The customer that a request names, null when it names none. @throws {StripeDoubleError} 400 for one that isn't there. */
export function customerParameter(account: StripeAccount, form: FormValues): Stripe.Customer | null {
  const id = text(form, 'customer');
  if (id === undefined) return null;
  const customer = account.customers.get(id);
  if (customer && !customer.deleted) return customer;
  throw invalidRequest(`No such customer: '${id}'`, { code: 'resource_missing', param: 'customer' });
}

function setDefaultMethod(account: StripeAccount, customer: Stripe.Customer, form: FormValues): void {
  const settings = group(form, 'invoice_settings');
  if (settings?.['default_payment_method'] === undefined) return;
  const id = text(settings, 'default_payment_method');
  const param = 'invoice_settings[default_payment_method]';
  if (id !== undefined) requireSaved(findMethod(account, id, param), customer.id, param);
  customer.invoice_settings.default_payment_method = id ?? null;
}

function checkEmail(form: FormValues): void {
  const email = text(form, 'email');
  if (email === undefined || (email.includes('@') && email.length <= 512)) return;
  throw invalidRequest(`Invalid email address: ${email}`, { code: 'email_invalid', param: 'email' });
}

function newCustomerObject(form: FormValues): Stripe.Customer {
  return {
    id: newId('cus'),
    object: 'customer',
    address: null,
    balance: 0,
    created: now(),
    currency: null,
    customer_account: null,
    default_source: null,
    delinquent: false,
    description: text(form, 'description') ?? null,
    discount: null,
    email: text(form, 'email') ?? null,
    invoice_prefix: newId('').slice(1, 9).toUpperCase(),
    invoice_settings: {
      custom_fields: null,
      default_payment_method: null,
      footer: null,
      rendering_options: null,
    },
    livemode: false,
    metadata: mergedMetadata({}, form),
    name: text(form, 'name') ?? null,
    next_invoice_sequence: 1,
    phone: text(form, 'phone') ?? null,
    preferred_locales: texts(form, 'preferred_locales'),
    shipping: null,
    tax_exempt: 'none',
    test_clock: null,
  };
}
