import Stripe from 'stripe';
import { found, newId, now, type StripeAccount } from './account.js';
import type { FormValues } from './form-body.js';
import {
  group,
  integer,
  mergedMetadata,
  refuseUnknownParameters,
  requiredInteger,
  requiredText,
  text,
} from './parameters.js';
import { invalidRequest } from './stripe-error.js';

/** Products and their prices: what can be subscribed to. */

export function createProduct(account: StripeAccount, form: FormValues): Stripe.Product {
  const id = text(form, 'id') ?? newId('prod');
  if (account.products.has(id)) {
    throw invalidRequest('Product already exists.', { code: 'resource_already_exists', param: 'id' });
  }
  const product = newProductObject(id, form);
  account.products.set(id, product);
  account.emit('product.created', product, id);
  return product;
}

export function updateProduct(account: StripeAccount, id: string, form: FormValues): Stripe.Product {
  const product = found(account.products, 'product', id);
  product.name = text(form, 'name') ?? product.name;
  product.description = text(form, 'description') ?? product.description;
  product.active = text(form, 'active') === undefined ? product.active : isActive(form);
  product.metadata = mergedMetadata(product.metadata, form);
  product.updated = now();
  account.emit('product.updated', product, id);
  return product;
}

export function createPrice(account: StripeAccount, form: FormValues): Stripe.Price {
  const productForm = group(form, 'product_data');
  const product = productForm ? createProduct(account, productForm).id : productParameter(account, form);
  const price = newPriceObject(form, product, isActive(form));
  account.prices.set(price.id, price);
  account.emit('price.created', price, price.id);
  return price;
}

const INLINE = new Set(['currency', 'product', 'recurring', 'unit_amount', 'tax_behavior']);

/** The price of something that is sold once under it: Stripe makes it inactive. */
export function createInlinePrice(account: StripeAccount, form: FormValues): Stripe.Price {
  refuseUnknownParameters(form, INLINE);
  const price = newPriceObject(form, productParameter(account, form), false);
  account.prices.set(price.id, price);
  return price;
}

export function updatePrice(account: StripeAccount, id: string, form: FormValues): Stripe.Price {
  const price = found(account.prices, 'price', id);
  price.active = text(form, 'active') === undefined ? price.active : isActive(form);
  price.nickname = text(form, 'nickname') ?? price.nickname;
  price.metadata = mergedMetadata(price.metadata, form);
  account.emit('price.updated', price, id);
  return price;
}

/** @throws {StripeDoubleError} 400: it is named by a parameter. */
export function priceParameter(account: StripeAccount, id: string): Stripe.Price {
  const price = account.prices.get(id);
  if (!price) throw invalidRequest(`No such price: '${id}'`, { code: 'resource_missing', param: 'price' });
  if (!price.active) throw invalidRequest('The price specified is inactive.', { param: 'price' });
  return price;
}

function productParameter(account: StripeAccount, form: FormValues): string {
  const id = requiredText(form, 'product');
  if (account.products.has(id)) return id;
  throw invalidRequest(`No such product: '${id}'`, { code: 'resource_missing', param: 'product' });
}

function isActive(form: FormValues): boolean {
  return text(form, 'active') !== 'false';
}

const INTERVALS = ['day', 'week', 'month', 'year'] as const;

function recurringOf(form: FormValues): Stripe.Price.Recurring | null {
  const recurring = group(form, 'recurring');
  if (!recurring) return null;
  const wanted = requiredText(recurring, 'interval');
  const interval = INTERVALS.find((known) => known === wanted);
  if (!interval) throw invalidRequest(`Invalid interval: ${wanted}`, { param: 'recurring[interval]' });
  const count = integer(recurring, 'interval_count') ?? 1;
  if (count < 1) throw invalidRequest('Invalid interval_count', { param: 'recurring[interval_count]' });
  return { interval, interval_count: count, meter: null, trial_period_days: null, usage_type: 'licensed' };
}

function newPriceObject(form: FormValues, product: string, active: boolean): Stripe.Price {
  const amount = requiredInteger(form, 'unit_amount');
  const recurring = recurringOf(form);
  return {
    id: newId('price'),
    object: 'price',
    active,
    billing_scheme: 'per_unit',
    created: now(),
    currency: requiredText(form, 'currency').toLowerCase(),
    custom_unit_amount: null,
    livemode: false,
    lookup_key: text(form, 'lookup_key') ?? null,
    metadata: mergedMetadata({}, form),
    nickname: text(form, 'nickname') ?? null,
    product,
    recurring,
    tax_behavior: 'unspecified',
    tiers_mode: null,
    transform_quantity: null,
    type: recurring ? 'recurring' : 'one_time',
    unit_amount: amount,
    unit_amount_decimal: Stripe.Decimal.from(String(amount)),
  };
}

function newProductObject(id: string, form: FormValues): Stripe.Product {
  return {
    id,
    object: 'product',
    active: isActive(form),
    created: now(),
    default_price: null,
    description: text(form, 'description') ?? null,
    images: [],
    livemode: false,
    marketing_features: [],
    metadata: mergedMetadata({}, form),
    name: requiredText(form, 'name'),
    package_dimensions: null,
    shippable: null,
    statement_descriptor: null,
    tax_code: null,
    tax_details: null,
    type: 'service',
    unit_label: null,
    updated: now(),
    url: null,
  };
}
