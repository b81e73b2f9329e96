import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import type { DataSource } from 'typeorm';
import { createApiKey } from '../../src/access/api-keys.js';
import { ALL_SCOPES } from '../../src/access/scopes.js';
import { createDataSource } from '../../src/database/data-source.js';
import { Product } from '../../src/orders/product.js';
import { startKillableServer, type KillableServer } from '../support/killable-server.js';
import { startMailServer, type MailServer } from '../support/mail-server.js';
import { startMerchantReceiver, type MerchantReceiver } from '../support/merchant-receiver.js';
import { CRASH_POINTS_MODULE } from './crash-point.js';
import { ask } from './persistent-client.js';

/** In both currencies the same number of minor units. */
const PRICE = 1_500;
const PLENTY = 10_000;

/** Somebody who sells a few things, and who has a mail server and a backend, with a server that can be told where to die. */
export interface Shop {
  readonly server: KillableServer;
  /** The tests' own connections, to look into the tables. */
  readonly database: DataSource;
  readonly apiKey: string;
  readonly products: Readonly<Record<Ware, Product>>;
  /** Where its customers' e-mails arrive. */
  readonly mailServer: MailServer;
  /** Its backend. */
  readonly receiver: MerchantReceiver;
  /** With which its backend verifies what it receives. */
  readonly webhookSecret: string;
  close(): Promise<void>;
}

/** A parking place is for some days, of which each has so many; a magazine is paid each month. */
const WARES = {
  SOUVENIR: { currency: 'EUR', stock: PLENTY },
  PARKING: { currency: 'EUR', stock: PLENTY, dailyCapacity: PLENTY },
  CLOTH: { currency: 'XOF', stock: PLENTY },
  MAGAZINE: { currency: 'EUR', recurringInterval: 'MONTH', recurringIntervalCount: 1 },
} as const satisfies Readonly<Record<string, Partial<Product>>>;

export type Ware = keyof typeof WARES;

/** @param databaseUrl migrated; without it, a database of its own. */
export async function openShop(databaseUrl?: string): Promise<Shop> {
  const [mailServer, receiver] = await Promise.all([startMailServer(), startMerchantReceiver()]);
  const dataFolder = await mkdtemp(join(tmpdir(), 'quittance-shop-'));
  const environment = {
    // In production nothing is ever sent to this machine.
    NODE_ENV: 'development',
    WEBHOOKS_ALLOW_PRIVATE: 'yes',
    DATA_FOLDER: dataFolder,
    SMTP_URL: mailServer.url,
    EMAIL_FROM: 'A shop that is killed <orders@shop.example>',
    MERCHANT_EMAIL: 'merchant@shop.example',
  };
  const server = await startKillableServer({ preload: [CRASH_POINTS_MODULE], databaseUrl, environment });
  const database = createDataSource({ url: server.databaseUrl, poolSize: 2, applicationName: 'crash test' });
  await database.initialize();
  const apiKey = await createApiKey(database.manager, { name: 'crash test', scopes: ALL_SCOPES });
  return {
    ...{ server, database, apiKey, mailServer, receiver },
    products: await addProducts(database),
    webhookSecret: await register(server, receiver, apiKey),
    close: async () => {
      await database.destroy();
      await server.stop();
      await Promise.all([mailServer.stop(), receiver.stop(), rm(dataFolder, { recursive: true })]);
    },
  };
}

async function register(server: KillableServer, { url }: MerchantReceiver, apiKey: string): Promise<string> {
  const mutation =
    'mutation ($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) { secret } }';
  return (await ask(server, mutation, { input: { url } }, apiKey)).secret;
}

async function addProducts({ manager }: DataSource): Promise<Record<Ware, Product>> {
  const products = {} as Record<Ware, Product>;
  for (const ware of Object.keys(WARES) as Ware[]) {
    const id = uuidv7();
    const identity = { id, sku: `${ware}-${randomUUID()}`, name: ware, unitAmount: PRICE };
    await manager.insert(Product, { ...identity, ...WARES[ware] });
    products[ware] = await manager.findOneByOrFail(Product, { id });
  }
  return products;
}
