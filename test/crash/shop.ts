import { randomUUID } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { DataSource } from 'typeorm';
import { createApiKey } from '../../src/access/api-keys.js';
import { createDataSource } from '../../src/database/data-source.js';
import { Product } from '../../src/orders/product.js';
import { startKillableServer, type KillableServer } from '../support/killable-server.js';
import { CRASH_POINTS_MODULE } from './crash-point.js';

/** In both of them the same number of minor units. */
const PRICE = 1_500;

/** Somebody who sells one thing, to payers of two currencies, with a server that can be told where to die. */
export interface Shop {
  readonly server: KillableServer;
  /** The tests' own connections, to look into the tables. */
  readonly database: DataSource;
  readonly apiKey: string;
  readonly products: Readonly<Record<ShopCurrency, Product>>;
  close(): Promise<void>;
}

export type ShopCurrency = 'EUR' | 'XOF';

/** @param databaseUrl migrated; without it, a database of its own. */
export async function openShop(databaseUrl?: string): Promise<Shop> {
  const server = await startKillableServer({ preload: [CRASH_POINTS_MODULE], databaseUrl });
  const database = createDataSource({ url: server.databaseUrl, poolSize: 2, applicationName: 'crash test' });
  await database.initialize();
  return {
    server,
    database,
    apiKey: await createApiKey(database.manager, 'crash test'),
    products: { EUR: await addProduct(database, 'EUR'), XOF: await addProduct(database, 'XOF') },
    close: async () => {
      await database.destroy();
      await server.stop();
    },
  };
}

async function addProduct({ manager }: DataSource, currency: ShopCurrency): Promise<Product> {
  const id = uuidv7();
  const sku = `SKU-${randomUUID()}`;
  await manager.insert(Product, { id, sku, name: 'Something', unitAmount: PRICE, currency, stock: 10_000 });
  return manager.findOneByOrFail(Product, { id });
}
