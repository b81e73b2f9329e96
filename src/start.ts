import { join } from 'node:path';
import type { Logger } from 'pino';
import type { DataSource } from 'typeorm';
import { ApiKeys, createApiKey } from './access/api-keys.js';
import { ALL_SCOPES } from './access/scopes.js';
import { startApp, type App } from './app.js';
import { ConfigError, type Config } from './config.js';
import { createEmails } from './create-emails.js';
import { applyMigrations } from './database/apply-migrations.js';
import { createDataSource } from './database/data-source.js';
import {
  createDatabaseIfMissing,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from './database/embedded-postgres.js';
import { grantServerRole, ownsTables } from './database/server-role.js';
import { stopWhenUnused } from './database/stop-when-unused.js';
import { isDatabaseUnavailable } from './database/unavailable.js';
import { readLocalCredentials, writeLocalCredentials, type LocalCredentials } from './local-credentials.js';
import { seedDemoCatalogue } from './orders/demo-catalogue.js';
import { createProviders } from './create-providers.js';
import { warningsInProduction } from './production-faults.js';
import { amountsInWords } from './providers/bank/amounts-in-words.js';
import type { Provider } from './providers/provider.js';
import { faultsOfProviders } from './providers/routing-rules.js';
import { announceSandbox } from './running-sandbox.js';
import type { Sandbox } from './sandbox/start-sandbox.js';

/** Something that the person at the terminal can put right; its message says how. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

export interface RunningProduct {
  readonly url: string;
  /** Only outside production: a key and a secret that work with this run. */
  readonly local?: { readonly apiKey: string; readonly operatorJwtSecret: string };
  readonly sandboxPages: Sandbox['pages'];
  stop(): Promise<void>;
}

/** The whole product: a database, its migrations, the providers or their doubles, and the server. */
export async function startProduct(config: Config, log: Logger): Promise<RunningProduct> {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const each of stops.splice(0).reverse()) await each();
  };
  try {
    return await startParts(config, log, stops, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startParts(
  config: Config,
  log: Logger,
  stops: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
): Promise<RunningProduct> {
  // First of all, so that a person can still stop it before any money moves.
  for (const line of config.banks.flatMap(amountsInWords)) log.info(line);
  if (config.production) for (const line of warningsInProduction(config)) log.warn(line);
  const credentials = config.production ? undefined : await readCredentials(config);
  const databaseUrl = config.databaseUrl ?? (await startOwnDatabase(config, log, stops));
  if (config.migrationDatabaseUrl) await prepareAsOwner(config.migrationDatabaseUrl, databaseUrl);
  const dataSource = await connect(config, databaseUrl);
  stops.push(() => dataSource.destroy());
  if (config.production && (await ownsTables(dataSource.manager))) {
    log.warn(
      'the server works as the owner of its tables, who can alter the audit log: set MIGRATION_DATABASE_URL to the owner’s URL, and DATABASE_URL to that of a role of its own',
    );
  }
  const local = credentials && (await prepareLocal(config, dataSource, credentials));

  let port = config.port;
  const serverUrl = () => `http://127.0.0.1:${port}`;
  const sandbox = config.production ? undefined : await startDoubles(config, serverUrl, log);
  if (sandbox) stops.push(() => sandbox.stop());
  const ours = createProviders(config, config, config.publicUrl);
  // With port 0 our own address is not known yet; the doubles ask for it when they notify.
  const doubled = sandbox ? createProviders(sandbox) : [];
  const providers = [...ours, ...doubled];
  refuseRulesWithoutProvider(config, providers);

  const emails = await createEmails(config, log);
  stops.push(() => Promise.resolve(emails.delivery.close()));
  const app = await listen(config, {
    dataSource,
    providers,
    routingRules: config.routingRules,
    providerLogMilliseconds: config.providerLogMilliseconds,
    secret: config.secret ?? credentials!.secret,
    refundLimits: config.refundLimits,
    orderLimits: config.orderLimits,
    phonePromptsPerHour: config.phonePromptsPerHour,
    operators: config.operators ?? (credentials && { secret: credentials.operatorJwtSecret }),
    allowedOrigins: config.allowedOrigins,
    trustedProxies: config.trustedProxies,
    limits: config.limits,
    introspection: config.introspection,
    returnPage: sandbox?.returnPage,
    reservationMilliseconds: config.reservationMilliseconds,
    orderTokenMilliseconds: config.orderTokenMilliseconds,
    shopTimeZone: config.shopTimeZone,
    merchantWebhooks: { allowPrivate: config.webhooksAllowPrivate },
    webhookDeliveryMilliseconds: config.webhookDeliveryMilliseconds,
    webhookBodyMilliseconds: config.webhookBodyMilliseconds,
    unpaidOrderMilliseconds: config.unpaidOrderMilliseconds,
    emails,
    host: config.host,
    port: config.port,
    log,
  });
  stops.push(() => app.close());
  port = app.port;
  const url = config.production ? config.publicUrl : `http://localhost:${port}`;
  if (sandbox) stops.push(await announce(config, url, sandbox));
  return { url, local, sandboxPages: sandbox?.pages ?? [], stop };
}

function refuseRulesWithoutProvider({ routingRules }: Config, providers: readonly Provider[]): void {
  const names = providers.map(({ name }) => name);
  const faults = faultsOfProviders(routingRules, names).map((fault) => `ROUTING_RULES_FILE: ${fault}`);
  if (faults.length > 0) throw new ConfigError(faults);
}

function readCredentials({ dataFolder }: Config): Promise<LocalCredentials> {
  return inDataFolder(dataFolder, () => readLocalCredentials(dataFolder));
}

function announce({ dataFolder }: Config, serverUrl: string, { stripe, pawapay, paydunya, banks }: Sandbox) {
  const urls = {
    serverUrl,
    stripeUrl: stripe?.apiBase?.href,
    pawapayUrl: pawapay?.baseUrl.href,
    paydunyaUrl: paydunya?.baseUrl.href,
    bankUrl: banks[0]?.baseUrl.href,
  };
  return inDataFolder(dataFolder, () => announceSandbox(dataFolder, urls));
}

async function inDataFolder<T>(dataFolder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOSPC'].includes(code)) throw error;
    throw new StartError(
      `The data folder ${dataFolder} can't be written (${code}). Make it writable, or set DATA_FOLDER to another one.`,
      { cause: error },
    );
  }
}

async function startOwnDatabase(
  config: Config,
  log: Logger,
  stops: (() => Promise<unknown>)[],
): Promise<string> {
  const postgres: EmbeddedPostgres = await startEmbeddedPostgres({
    directory: join(config.dataFolder, 'postgres'),
    log: (message) => log.info(message),
  });
  stops.push(async () => {
    if (!(await stopWhenUnused(postgres))) log.info('PostgreSQL goes on, for others are connected to it.');
  });
  return createDatabaseIfMissing(postgres.url, 'quittance');
}

/** @param serverUrl whose role is let in. */
async function prepareAsOwner(url: string, serverUrl: string): Promise<void> {
  const owner = await open(url, 2, 'MIGRATION_DATABASE_URL');
  const { username, password } = new URL(serverUrl);
  const role = decodeURIComponent(username);
  try {
    await applyMigrations(owner);
    await grantServerRole(owner, role, decodeURIComponent(password));
  } catch (error) {
    if (!isForbidden(error)) throw error;
    throw new StartError(
      `The role of MIGRATION_DATABASE_URL may not prepare the database (${messageOf(error)}). ` +
        `It must own the tables; if it can't make roles, make one yourself: CREATE ROLE "${role}" LOGIN PASSWORD …`,
      { cause: error },
    );
  } finally {
    await owner.destroy();
  }
}

async function connect(config: Config, url: string): Promise<DataSource> {
  const dataSource = await open(url, config.databasePoolSize, 'DATABASE_URL');
  try {
    await applyMigrations(dataSource);
    return dataSource;
  } catch (error) {
    await dataSource.destroy();
    if (!isForbidden(error)) throw error;
    throw new StartError(
      `The role of DATABASE_URL may not bring the tables up to date (${messageOf(error)}). ` +
        'Set MIGRATION_DATABASE_URL to the URL of their owner.',
      { cause: error },
    );
  }
}

async function open(url: string, poolSize: number, variable: string): Promise<DataSource> {
  const dataSource = createDataSource({ url, poolSize });
  try {
    return await dataSource.initialize();
  } catch (error) {
    const { hostname, port, pathname } = new URL(url);
    const where = `${pathname.slice(1)} on ${hostname}:${port || '5432'}`;
    const why = isDatabaseUnavailable(error) ? 'does not answer' : 'refuses us';
    throw new StartError(`The database ${where} ${why}: ${messageOf(error)}. Check ${variable}.`, {
      cause: error,
    });
  }
}

/** SQLSTATE insufficient_privilege. */
function isForbidden(error: unknown): boolean {
  return (error as { code?: string }).code === '42501';
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}

async function prepareLocal(
  config: Config,
  { manager }: DataSource,
  credentials: LocalCredentials,
): Promise<{ apiKey: string; operatorJwtSecret: string }> {
  await seedDemoCatalogue(manager);
  const { operatorJwtSecret } = credentials;
  if (credentials.apiKey && (await new ApiKeys(manager).find(credentials.apiKey))) {
    return { apiKey: credentials.apiKey, operatorJwtSecret };
  }
  const apiKey = await createApiKey(manager, { name: 'local', scopes: ALL_SCOPES });
  await inDataFolder(config.dataFolder, () =>
    writeLocalCredentials(config.dataFolder, { ...credentials, apiKey }),
  );
  return { apiKey, operatorJwtSecret };
}

async function startDoubles(config: Config, serverUrl: () => string, log: Logger): Promise<Sandbox> {
  // Loaded only here, so that no part of it is even read in production.
  const { startSandbox } = await import('./sandbox/start-sandbox.js');
  return startSandbox({
    hasStripe: config.stripe !== undefined,
    hasPawaPay: config.pawapay !== undefined,
    hasPayDunya: config.paydunya !== undefined,
    hasBank: config.banks.length > 0,
    serverUrl,
    log: (message) => log.debug(message),
  });
}

async function listen(config: Config, settings: Parameters<typeof startApp>[0]): Promise<App> {
  try {
    return await startApp(settings);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new StartError(
        `Port ${config.port} is taken. Stop what uses it, or choose another one: PORT=${config.port + 1} npm start`,
        { cause: error },
      );
    }
    if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
      throw new StartError(`Can't listen on ${config.host}:${config.port} (${code}). Set HOST and PORT.`, {
        cause: error,
      });
    }
    throw error;
  }
}
