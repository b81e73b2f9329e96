import { In } from 'typeorm';
import type { EntityManager } from 'typeorm';
import { isCurrency, MAX_AMOUNT } from '../money.js';
import { Product } from '../orders/product.js';
import type { RecurringLine } from '../providers/recurring.js';
import type { RecurringSubscription } from './recurring-subscription.js';
import { SubscriptionError } from './subscription-error.js';

export interface SubscriptionLineInput {
  readonly sku: string;
  readonly quantity: number;
}

export type PricedSubscription = Pick<
  RecurringSubscription,
  'lines' | 'amount' | 'currency' | 'interval' | 'intervalCount'
>;

/** Gives lines the catalogue's recurring prices, of one currency and one interval. @throws {SubscriptionError} */
export async function priceSubscription(
  manager: EntityManager,
  inputs: readonly SubscriptionLineInput[],
): Promise<PricedSubscription> {
  const products = await manager.find(Product, {
    where: { sku: In(inputs.map(({ sku }) => sku)), active: true },
  });
  const priced = inputs.map((input, index) => priceLine(input, index, products));
  const [first] = priced;
  if (!first) throw invalid('A subscription needs at least one line.', 'lines');
  const { currency, recurringInterval: interval, recurringIntervalCount: intervalCount } = first.product;
  if (!interval || !intervalCount || !isCurrency(currency))
    throw invalid('It has no recurring price.', 'lines');
  const isAlike = priced.every(
    ({ product }) =>
      product.currency === currency &&
      product.recurringInterval === interval &&
      product.recurringIntervalCount === intervalCount,
  );
  if (!isAlike) throw invalid('All lines of a subscription have one currency and one interval.', 'lines');
  const lines = priced.map(({ line }) => line);
  const amount = lines.reduce((sum, { quantity, unitAmount }) => sum + quantity * unitAmount, 0);
  if (amount > MAX_AMOUNT) throw invalid('The total is too large.', 'lines');
  return { lines, amount, currency, interval, intervalCount };
}

function priceLine(
  { sku, quantity }: SubscriptionLineInput,
  index: number,
  products: readonly Product[],
): { readonly product: Product; readonly line: RecurringLine } {
  const product = products.find((candidate) => candidate.sku === sku);
  if (!product?.recurringInterval) {
    throw invalid(
      `There is no product ${sku} with a recurring price in the catalogue.`,
      `lines.${index}.sku`,
    );
  }
  const { id: productId, name, unitAmount } = product;
  return { product, line: { productId, name, quantity, unitAmount } };
}

function invalid(message: string, field: string): SubscriptionError {
  return new SubscriptionError('INVALID_SUBSCRIPTION', message, field);
}
