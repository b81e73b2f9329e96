import type { EntityManager } from 'typeorm';
import { In } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { isCurrency, MAX_AMOUNT, type Currency } from '../money.js';
import { OrderError } from './order-error.js';
import type { OrderLine } from './order-line.js';
import { Product } from './product.js';

/** A line by SKU: its name and price come from the catalogue. */
export interface CatalogueLine {
  readonly sku: string;
  readonly quantity: number;
}

/** A line that a backend writes itself. */
export interface OwnLine {
  readonly name: string;
  readonly quantity: number;
  /** Minor units of the order's currency. */
  readonly unitAmount: number;
}

export type LineInput = CatalogueLine | OwnLine;

export interface PricedLines {
  readonly lines: Omit<OrderLine, 'orderId'>[];
  readonly amount: number;
  readonly currency: Currency;
  /** Of the products that have only so many places on a day. */
  readonly skusWithDays: readonly string[];
}

/**
 * Gives lines their prices. A total is computed here and nowhere else.
 * @param currency needed when no line is of the catalogue; else it must be the catalogue's.
 * @throws {OrderError} INVALID_ORDER, naming the field at fault.
 */
export async function priceLines(
  manager: EntityManager,
  inputs: readonly LineInput[],
  currency?: string | null,
): Promise<PricedLines> {
  const products = await findProducts(manager, inputs);
  const lines = inputs.map((input, index) => priceLine(input, index, products));
  const orderCurrency = oneCurrency(products, currency);
  const amount = totalOf(lines);
  const withDays = [...products.values()].filter(({ dailyCapacity }) => dailyCapacity !== null);
  return { lines, amount, currency: orderCurrency, skusWithDays: withDays.map(({ sku }) => sku) };
}

/** In minor units. What stands between, of large lines and vouchers, may be more than a JavaScript number counts. */
function totalOf(lines: readonly Pick<OrderLine, 'quantity' | 'unitAmount'>[]): number {
  const total = lines.reduce((sum, line) => sum + BigInt(line.quantity) * BigInt(line.unitAmount), 0n);
  if (total < 0n) {
    throw new OrderError(
      'INVALID_ORDER',
      'The total must not be less than 0: reduce the vouchers.',
      'ownLines',
    );
  }
  if (total > MAX_AMOUNT) throw new OrderError('INVALID_ORDER', 'The total is too large.', 'lines');
  return Number(total);
}

async function findProducts(
  manager: EntityManager,
  inputs: readonly LineInput[],
): Promise<Map<string, Product>> {
  const skus = inputs.flatMap((input) => ('sku' in input ? [input.sku] : []));
  if (skus.length === 0) return new Map();
  const products = await manager.find(Product, { where: { sku: In(skus), active: true } });
  return new Map(products.map((product) => [product.sku, product]));
}

function priceLine(
  input: LineInput,
  index: number,
  products: ReadonlyMap<string, Product>,
): Omit<OrderLine, 'orderId'> {
  const line = { id: uuidv7(), position: index + 1, quantity: input.quantity };
  if (!('sku' in input)) {
    return { ...line, productId: null, sku: null, name: input.name, unitAmount: input.unitAmount };
  }
  const product = products.get(input.sku);
  if (!product) {
    throw new OrderError(
      'INVALID_ORDER',
      `There is no product ${input.sku} in the catalogue.`,
      `lines.${index}.sku`,
    );
  }
  if (product.recurringInterval !== null) {
    const field = `lines.${index}.sku`;
    throw new OrderError(
      'INVALID_ORDER',
      `${input.sku} is sold by subscription: createRecurringSubscription.`,
      field,
    );
  }
  const { id: productId, sku, name, unitAmount } = product;
  return { ...line, productId, sku, name, unitAmount };
}

function oneCurrency(products: ReadonlyMap<string, Product>, wanted?: string | null): Currency {
  const currencies = new Set([...products.values()].map((product) => product.currency));
  if (wanted) currencies.add(wanted as Currency);
  const [currency, ...others] = currencies;
  if (!currency) {
    throw new OrderError('INVALID_ORDER', 'Say in which currency your own lines are.', 'currency');
  }
  if (others.length > 0) {
    throw new OrderError(
      'INVALID_ORDER',
      `One order has one currency, and these lines have ${[...currencies].sort().join(' and ')}.`,
      'currency',
    );
  }
  if (!isCurrency(currency)) {
    throw new OrderError('INVALID_ORDER', `${String(currency)} is not a currency we know.`, 'currency');
  }
  return currency;
}
