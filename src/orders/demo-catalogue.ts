import { v7 as uuidv7 } from 'uuid';
import type { EntityManager } from 'typeorm';
import { Product } from './product.js';

const DEMO_PRODUCTS: readonly (Pick<Product, 'sku' | 'name' | 'unitAmount' | 'currency' | 'stock'> &
  Partial<Pick<Product, 'dailyCapacity' | 'recurringInterval' | 'recurringIntervalCount'>>)[] = [
  { sku: 'MUG', name: 'Enamel mug', unitAmount: 1_450, currency: 'EUR', stock: 500 },
  { sku: 'TSHIRT', name: 'T-shirt', unitAmount: 2_500, currency: 'EUR', stock: 200 },
  { sku: 'EBOOK', name: 'E-book, delivered at once', unitAmount: 990, currency: 'EUR', stock: null },
  { sku: 'WAX-PRINT', name: 'Wax print, six yards', unitAmount: 15_000, currency: 'XOF', stock: 80 },
  {
    sku: 'PARKING',
    name: 'Car park, one stay',
    unitAmount: 4_900,
    currency: 'EUR',
    stock: null,
    dailyCapacity: 40,
  },
  {
    sku: 'MAGAZINE',
    name: 'Magazine, each month',
    unitAmount: 690,
    currency: 'EUR',
    stock: null,
    recurringInterval: 'MONTH',
    recurringIntervalCount: 1,
  },
];

/** Something to buy on the first day. A catalogue that has anything in it is left alone. */
export async function seedDemoCatalogue(manager: EntityManager): Promise<void> {
  if (await manager.existsBy(Product, {})) return;
  await manager
    .createQueryBuilder()
    .insert()
    .into(Product)
    .values(DEMO_PRODUCTS.map((product) => ({ ...product, id: uuidv7() })))
    .orIgnore()
    .execute();
}
