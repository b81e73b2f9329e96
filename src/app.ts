import type { AddressInfo } from 'node:net';
import cors from '@fastify/cors';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { DataSource } from 'typeorm';
import { ApiKeys } from './access/api-keys.js';
import type { Authentication } from './access/authenticate.js';
import { allowedOrigins, mayReturnTo, type AllowedOrigins } from './access/origins.js';
import { operatorTokens, type OperatorTokenSettings } from './access/operator-token.js';
import { OrderTokens } from './access/order-token.js';
import { serveGraphQL } from './graphql/apollo.js';
import type { Context } from './graphql/context.js';
import { createSchema } from './graphql/schema.js';
import { serveSubscriptions } from './graphql/websocket.js';
import { deleteExpiredKeys } from './idempotency/delete-expired-keys.js';
import { repeatJob, type RepeatedJob } from './jobs/repeat.js';
import { serveHealth } from './observability/health.js';
import { startRelay, type Relay, type TellableEvent } from './outbox/relay.js';
import { alertOperators } from './payments/alert-operators.js';
import { checkPayments } from './payments/check-payments.js';
import { settleRefunds } from './payments/settle-refunds.js';
import { expirePaymentIntents } from './payments/expire-payment-intents.js';
import type { PaymentDependencies } from './payments/payment-dependencies.js';
import { createPaymentPubSub, tellSubscribers } from './payments/payment-pub-sub.js';
import { NextActionSeal } from './payments/sealed-next-action.js';
import type { Provider } from './providers/provider.js';
import { listsNotifications, readNotificationList } from './reconcile/read-notification-list.js';
import { retryWaitingEvents } from './webhooks/retry-waiting-events.js';
import { serveWebhooks } from './webhooks/route.js';

export interface AppSettings {
  /** Connected, with its migrations applied. It stays the caller's to close. */
  readonly dataSource: DataSource;
  /** In the order in which they are offered to payers. */
  readonly providers: readonly Provider[];
  /** Signs order tokens and seals what payers do next. */
  readonly secret: string;
  readonly operators?: OperatorTokenSettings;
  readonly allowedOrigins: readonly string[] | 'LOCALHOST';
  readonly introspection: boolean;
  readonly reservationMilliseconds: number;
  readonly orderTokenMilliseconds: number;
  /** How often jobs look for work. */
  readonly jobPauseMilliseconds?: number;
  /** How often providers' own lists of notifications are read. Younger notifications are left for their webhook to bring. */
  readonly notificationListPauseMilliseconds?: number;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly log: Logger;
}

export interface App {
  readonly port: number;
  /** Lets what is under way finish, tells what was committed, and stops. */
  close(): Promise<void>;
}

const JOB_PAUSE_MILLISECONDS = 1_000;
const NOTIFICATION_LIST_PAUSE_MILLISECONDS = 15_000;
const KEY_CLEANING_PAUSE_MILLISECONDS = 10 * 60 * 1_000;

/** Requests that never end (half sent, never read) are cut off after so long while closing. */
const DRAIN_MILLISECONDS = 10_000;

/** Wires everything by hand and starts to listen. @throws when the port is taken. */
export async function startApp(settings: AppSettings): Promise<App> {
  const { dataSource, log } = settings;
  const { manager } = dataSource;
  const origins = allowedOrigins(settings.allowedOrigins);
  const providers = new Map(settings.providers.map((provider) => [provider.name, provider]));

  const pubSub = createPaymentPubSub();
  const tell = (event: TellableEvent): void => {
    tellSubscribers(pubSub, event);
    alertOperators(log, event);
  };
  const relay = startRelay(dataSource, tell, log);
  const wakeRelay = () => relay.wake();

  const payments: PaymentDependencies = {
    providers,
    seal: new NextActionSeal(settings.secret),
    reservationMilliseconds: settings.reservationMilliseconds,
    mayReturnTo: (url) => mayReturnTo(origins, url),
    wakeRelay,
    log,
    actor: 'quittance',
  };
  const authentication: Authentication = {
    orderTokens: new OrderTokens(settings.secret, settings.orderTokenMilliseconds),
    apiKeys: new ApiKeys(manager),
    verifyOperatorToken: settings.operators && operatorTokens(settings.operators),
  };
  const context: Omit<Context, 'caller'> = { manager, payments, pubSub, authentication, log };

  const schema = await createSchema(pubSub);
  const server = await createServer(origins);
  serveHealth(server, dataSource);
  serveWebhooks(server, manager, providers, { wakeRelay, log });
  const stopGraphQL = await serveGraphQL(server, {
    schema,
    introspection: settings.introspection,
    context,
    log,
  });
  const stopSubscriptions = serveSubscriptions(server.server, {
    schema,
    introspection: settings.introspection,
    context,
    isAllowedOrigin: (origin) => origins.isAllowed(origin),
    log,
  });
  closeInOrder(server, stopSubscriptions, stopGraphQL);

  try {
    await server.listen({ host: settings.host, port: settings.port });
  } catch (error) {
    await Promise.all([server.close(), relay.stop()]);
    throw error;
  }
  const jobs = startJobs(settings, payments, providers);
  return {
    port: (server.server.address() as AddressInfo).port,
    close: () => closeAll(server, jobs, relay),
  };
}

async function createServer(origins: AllowedOrigins): Promise<FastifyInstance> {
  const server = Fastify({ routerOptions: { ignoreTrailingSlash: true } });
  await server.register(cors, {
    origin: (origin, allow) => allow(null, origin !== undefined && origins.isAllowed(origin)),
    methods: ['GET', 'POST'],
    allowedHeaders: ['authorization', 'content-type', 'apollo-require-preflight'],
    maxAge: 600,
  });
  server.addHook('onRequest', (_request, reply, done) => {
    // An API that answers JSON and nothing to keep: neither frames, nor sniffing, nor caches.
    reply.headers({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
      'strict-transport-security': 'max-age=31536000',
      'x-content-type-options': 'nosniff',
    });
    done();
  });
  return server;
}

/** Watchers first, for their sockets would hold the server open; then requests under way; then Apollo. */
function closeInOrder(
  server: FastifyInstance,
  stopSubscriptions: () => Promise<void>,
  stopGraphQL: () => Promise<void>,
): void {
  let closing = false;
  let cutOff: NodeJS.Timeout | undefined;
  server.addHook('preClose', async () => {
    closing = true;
    cutOff = setTimeout(() => server.server.closeAllConnections(), DRAIN_MILLISECONDS);
    await stopSubscriptions();
  });
  server.addHook('onSend', (_request, reply, payload, done) => {
    // A connection that is kept alive after its last answer would hold the server open too.
    if (closing) reply.header('connection', 'close');
    done(null, payload);
  });
  server.addHook('onClose', async () => {
    clearTimeout(cutOff);
    await stopGraphQL();
  });
}

function startJobs(
  {
    dataSource: { manager },
    jobPauseMilliseconds = JOB_PAUSE_MILLISECONDS,
    notificationListPauseMilliseconds: listPause = NOTIFICATION_LIST_PAUSE_MILLISECONDS,
    log,
  }: AppSettings,
  payments: PaymentDependencies,
  providers: ReadonlyMap<string, Provider>,
): RepeatedJob[] {
  const { wakeRelay } = payments;
  const job = (name: string, work: () => Promise<unknown>, pause = jobPauseMilliseconds) =>
    repeatJob(name, pause, work, log);
  const as = (actor: string): PaymentDependencies => ({ ...payments, actor });
  return [
    job('expire payment intents', () => expirePaymentIntents(manager, as('job:expiry'))),
    job('check payments', () => checkPayments(manager, as('job:check'))),
    job('settle refunds', () => settleRefunds(manager, as('job:refunds'))),
    job('retry waiting notifications', () => retryWaitingEvents(manager, { wakeRelay, log }, providers)),
    ...[...providers.values()]
      .filter(listsNotifications)
      .map((provider) =>
        job(
          `read the notifications of ${provider.name}`,
          () => readNotificationList(manager, { wakeRelay, log }, provider, listPause),
          listPause,
        ),
      ),
    job('delete expired idempotency keys', () => deleteExpiredKeys(manager), KEY_CLEANING_PAUSE_MILLISECONDS),
  ];
}

async function closeAll(server: FastifyInstance, jobs: readonly RepeatedJob[], relay: Relay): Promise<void> {
  await Promise.all(jobs.map((job) => job.stop()));
  await server.close();
  await relay.stop();
}
