import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { WITHOUT_LIMITS } from '../src/limits-config.js';
import { createDatabaseIfMissing, startEmbeddedPostgres } from '../src/database/embedded-postgres.js';
import { startScript, startServer, type RunningProcess } from './child-process.js';
import type { DoubleSettings } from './double-process.js';
import type { FloorSettings } from './floor/main.js';
import { addProducts } from './supply.js';

/** As Quittance has it when nobody sets it. */
const POOL_SIZE = 16;
const PRODUCTS = 1_000;

const randomKey = (): string => randomBytes(32).toString('hex');

/** Made for this run. */
export const KEYS = {
  secret: randomKey(),
  operatorJwtSecret: randomKey(),
  stripeSecretKey: `sk_test_${randomKey()}`,
  webhookSecret: `whsec_${randomKey()}`,
};

/** A database with its catalogue, and the product that serves it, as a user would run it. */
export interface Shop {
  readonly databaseUrl: string;
  readonly client: pg.Client;
  readonly server: RunningProcess;
  readonly productIds: readonly string[];
  /** Everybody wants the same. */
  readonly hotProductIds: readonly string[];
}

/** All the processes of a run. Whatever was started is stopped by `stop`, also when the start failed half-way. */
export class Stage {
  private readonly stops: (() => Promise<unknown>)[] = [];
  private stopping: Promise<void> | undefined;
  private postgresUrl = '';
  postgresPid = 0;
  postgresVersion = '';
  double: RunningProcess;

  async start(): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), 'quittance-bench-'));
    this.stops.push(() => rm(directory, { recursive: true, force: true }));
    const postgres = await startEmbeddedPostgres({ directory });
    this.stops.push(() => rm(postgres.clusterDirectory, { recursive: true, force: true }));
    this.stops.push(() => postgres.stop());
    this.postgresUrl = postgres.url;
    this.postgresPid = postgres.pid;
    const settings: DoubleSettings = {
      secretKey: KEYS.stripeSecretKey,
      webhookSecret: KEYS.webhookSecret,
    };
    this.double = await this.started(startScript(new URL('double-process.js', import.meta.url), settings));
  }

  async openShop(name: string): Promise<Shop> {
    const databaseUrl = await createDatabaseIfMissing(this.postgresUrl, name);
    // It applies the migrations, too.
    const server = await this.startServer(databaseUrl);
    const client = new pg.Client({ connectionString: databaseUrl });
    // Cut off in the end, at the latest when PostgreSQL stops.
    client.on('error', () => {});
    await client.connect();
    this.stops.push(() => client.end());
    this.postgresVersion = (await client.query('SHOW server_version')).rows[0].server_version;
    const productIds = await addProducts(client, PRODUCTS);
    const hotProductIds = await addProducts(client, 1);
    return { databaseUrl, client, server, productIds, hotProductIds };
  }

  startServer(databaseUrl: string): Promise<RunningProcess> {
    return this.started(
      startServer({
        ...WITHOUT_LIMITS,
        NODE_ENV: 'production',
        LOG_LEVEL: 'warn',
        DATABASE_URL: databaseUrl,
        QUITTANCE_SECRET: KEYS.secret,
        OPERATOR_JWT_SECRET: KEYS.operatorJwtSecret,
        PUBLIC_URL: 'https://pay.shop.example',
        ALLOWED_ORIGINS: 'https://shop.example',
        STRIPE_SECRET_KEY: KEYS.stripeSecretKey,
        STRIPE_PUBLISHABLE_KEY: 'pk_test_bench',
        STRIPE_WEBHOOK_SECRETS: KEYS.webhookSecret,
        STRIPE_API_URL: `http://127.0.0.1:${this.double.port}`,
      }),
    );
  }

  startFloor({ databaseUrl }: Shop): Promise<RunningProcess> {
    const settings: FloorSettings = {
      databaseUrl,
      poolSize: POOL_SIZE,
      providerPort: this.double.port,
      providerKey: KEYS.stripeSecretKey,
      webhookSecret: KEYS.webhookSecret,
    };
    return this.started(startScript(new URL('floor/main.js', import.meta.url), settings));
  }

  /** Also while it is still starting: what comes later is stopped as it comes. */
  stop(): Promise<void> {
    this.stopping ??= this.stopAll();
    return this.stopping;
  }

  private async started(starting: Promise<RunningProcess>): Promise<RunningProcess> {
    const process = await starting;
    this.stops.push(() => process.stop());
    if (this.stopping) await this.stopAll();
    return process;
  }

  private async stopAll(): Promise<void> {
    for (const stop of this.stops.splice(0).reverse()) await stop().catch(() => {});
  }
}
