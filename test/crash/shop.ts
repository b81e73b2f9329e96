import { randomUUID } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { DataSource } from 'typeorm';
import { createApiKey } from '../../src/access/api-keys.js';
import { createDataSource } from '../../src/database/data-source.js';
import { Product } from '../../src/orders/product.js';
import { startKillableServer, type KillableServer } from '../support/killable-server.js';
import { CRASH_POINTS_MODULE } from './crash-point.js';

/** Somebody who sells one thing, with a server that can be told where to die. */
export interface Shop {
  readonly server: KillableServer;
  /** The tests' own connections, to look into the tables. */
  readonly database: DataSource;
  readonly apiKey: string;
  readonly product: Product;
  close(): Promise<void>;
}

/** @param databaseUrl migrated; without it, a database of its own. */
export async function openShop(databaseUrl?: string): Promise<Shop> {
  const server = await startKillableServer({ preload: [CRASH_POINTS_MODULE], databaseUrl });
  const database = createDataSource({ url: server.databaseUrl, poolSize: 2, applicationName: 'crash test' });
  await database.initialize();
  const id = uuidv7();
  await database.manager.insert(Product, {
    id,
    sku: `SKU-${randomUUID()}`,
    name: 'Something',
    unitAmount: 1_500,
    currency: 'EUR',
    stock: 10_000,
  });
  return {
    server,
    database,
    apiKey: await createApiKey(database.manager, 'crash test'),
    product: await database.manager.findOneByOrFail(Product, { id }),
    close: async () => {
      await database.destroy();
      await server.stop();
    },
  };
}
