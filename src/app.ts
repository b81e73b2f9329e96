import type { AddressInfo } from 'node:net';
import cors from '@fastify/cors';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { DataSource } from 'typeorm';
import { DatabaseClock } from './database/database-clock.js';
import { databaseUrlOf } from './database/data-source.js';
import { CheckpointKey } from './audit/checkpoint-key.js';
import { CheckpointWriter } from './audit/write-checkpoints.js';
import { RefusedLogIns } from './audit/refused-log-ins.js';
import { ApiKeys } from './access/api-keys.js';
import { TOKEN_EXPIRED, type Authentication } from './access/authenticate.js';
import { clientAddresses } from './access/client-address.js';
import { clientDigests } from './access/client-digest.js';
import { allowedOrigins, mayReturnTo, type AllowedOrigins } from './access/origins.js';
import { operatorTokens, type OperatorTokenSettings } from './access/operator-token.js';
import { CustomerTokens } from './access/customer-token.js';
import { OrderTokens } from './access/order-token.js';
import { serveGraphQL } from './graphql/apollo.js';
import type { ContextOfServer } from './graphql/context.js';
import { createSchema } from './graphql/schema.js';
import { serveSubscriptions } from './graphql/websocket.js';
import { deleteExpiredKeys } from './idempotency/delete-expired-keys.js';
import { admitOperations } from './graphql/admit-operation.js';
import { Turnstile } from './limits/turnstile.js';
import { RateLimits } from './limits/rate-limits.js';
import { DEFAULT_LIMITS, type Limits } from './limits/limits.js';
import { repeatJob, type RepeatedJob } from './jobs/repeat.js';
import { startJobRunner, type JobRunner, type Task } from './jobs/job-runner.js';
import type { EmailSettings } from './notifications/email/email-dependencies.js';
import { prepareEmails } from './notifications/email/prepare-emails.js';
import { deleteOldDeliveries } from './notifications/merchant-webhooks/delete-old-deliveries.js';
import { deliverEvents } from './notifications/merchant-webhooks/deliver-events.js';
import {
  prepareMerchantWebhooks,
  type MerchantWebhookSettings,
} from './notifications/merchant-webhooks/start-merchant-webhooks.js';
import { serveHealth } from './observability/health.js';
import { startRelay, type Consequence, type Relay, type TellableEvent } from './outbox/relay.js';
import { deleteOldHolds } from './orders/hold-limits.js';
import type { OrderLimits } from './orders/order-limits.js';
import { alertOperators } from './payments/alert-operators.js';
import { askAboutEndedAttempts } from './payments/ask-about-ended-attempts.js';
import { checkPayments } from './payments/check-payments.js';
import { returnMisfits } from './payments/return-misfits.js';
import { settleRefunds } from './payments/settle-refunds.js';
import { findMissingProviders } from './payments/find-missing-providers.js';
import { expirePaymentIntents } from './payments/expire-payment-intents.js';
import type { PaymentDependencies } from './payments/payment-dependencies.js';
import { deleteOldPhonePrompts, PHONE_PROMPTS_PER_HOUR } from './payments/take-phone-prompt.js';
import { createPaymentPubSub, tellSubscribers } from './payments/payment-pub-sub.js';
import type { RefundLimits } from './payments/refund-limits.js';
import { NextActionSeal } from './payments/sealed-next-action.js';
import { deleteOldWebhookBodies } from './retention/delete-old-webhook-bodies.js';
import { deleteUnpaidOrders } from './retention/delete-unpaid-orders.js';
import { deleteOldProviderCalls } from './provider-log/delete-old-provider-calls.js';
import { ProviderLog } from './provider-log/provider-log.js';
import { ProvidersHealth } from './providers/health.js';
import type { ProviderCall } from './providers/provider-call.js';
import type { Provider } from './providers/provider.js';
import type { ResilienceOptions } from './providers/resilience-options.js';
import { resilient } from './providers/resilience.js';
import type { RoutingRule } from './providers/routing-rules.js';
import { watchAvailability } from './providers/watch-availability.js';
import { listsNotifications, readNotificationList } from './reconcile/read-notification-list.js';
import { checkSubscriptions } from './subscriptions/check-subscriptions.js';
import { retryWaitingEvents } from './webhooks/retry-waiting-events.js';
import type { WebhookDependencies } from './webhooks/receive-notification.js';
import { serveReturnPage } from './return-page.js';
import { countRefusals } from './webhooks/count-refusals.js';
import { serveWebhooks } from './webhooks/route.js';

export interface AppSettings {
  /** Connected, with its migrations applied. It stays the caller's to close. */
  readonly dataSource: DataSource;
  /** In the order in which they are offered to payers. */
  readonly providers: readonly Provider[];
  /** Which provider takes which payments, and who comes first. None: in the order of `providers`. */
  readonly routingRules?: readonly RoutingRule[];
  /** How long and how often providers are called, and when they are left alone. */
  readonly resilience?: ResilienceOptions;
  /** Signs order tokens and seals what payers do next. */
  readonly secret: string;
  readonly operators?: OperatorTokenSettings;
  /** None: support gives nothing back, and one operator as much as there is. */
  readonly refundLimits?: RefundLimits;
  /** What orders of payers may come to. None: any total. */
  readonly orderLimits?: OrderLimits;
  /** How often payers can make one phone number ring within an hour; 0: no limit. Default: the product's. */
  readonly phonePromptsPerHour?: number;
  readonly allowedOrigins: readonly string[] | 'LOCALHOST';
  /** Whose `X-Forwarded-For` is believed. None: the address of a client is its connection's. */
  readonly trustedProxies?: readonly string[];
  readonly introspection: boolean;
  /** Default: the product's. */
  readonly limits?: Limits;
  /** How long a client may take to send a request. */
  readonly requestMilliseconds?: number;
  /** HTML for payers who come back. Only of a local run: a shop has a page of its own. */
  readonly returnPage?: string;
  readonly reservationMilliseconds: number;
  readonly orderTokenMilliseconds: number;
  /** IANA; in which the days of bookings begin. Default: UTC. */
  readonly shopTimeZone?: string;
  /** Without it, nobody is written to. */
  readonly emails?: EmailSettings;
  /** This machine's clock, in milliseconds since 1970; what counts is the database's. */
  readonly machineClock?: () => number;
  /** How often jobs look for work. */
  readonly jobPauseMilliseconds?: number;
  /** How often providers' own lists of notifications are read. Younger notifications are left for their webhook to bring. */
  readonly notificationListPauseMilliseconds?: number;
  /** How long calls of providers are kept. */
  readonly providerLogMilliseconds?: number;
  /** How often the audit log is signed. */
  readonly auditCheckpointPauseMilliseconds?: number;
  readonly merchantWebhooks?: MerchantWebhookSettings;
  /** How long webhooks to the merchant are kept. */
  readonly webhookDeliveryMilliseconds?: number;
  /** How long the bodies of providers’ webhooks are kept once they were handled. */
  readonly webhookBodyMilliseconds?: number;
  /** How long orders of payers are kept that nobody began to pay. */
  readonly unpaidOrderMilliseconds?: number;
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

/** Whatever works beside requests. */
interface Stoppable {
  stop(): Promise<void>;
}

const JOB_PAUSE_MILLISECONDS = 1_000;
const NOTIFICATION_LIST_PAUSE_MILLISECONDS = 15_000;
const AVAILABILITY_PAUSE_MILLISECONDS = 60_000;
/** A watcher whose key was revoked hears no more after so long, at most; whatever they ask is refused at once. */
const CONNECTION_PAUSE_MILLISECONDS = 1_000;
const CLOCK_PAUSE_MILLISECONDS = 60_000;
/** What was written since is not proven yet. */
const AUDIT_CHECKPOINT_PAUSE_MILLISECONDS = 60_000;
const CLEANING_PAUSE_MILLISECONDS = 10 * 60 * 1_000;
/** Long enough for a merchant to notice in the books what they were not told. */
const WEBHOOK_DELIVERY_MILLISECONDS = 90 * 24 * 60 * 60 * 1_000;
/** Longer than payers have to dispute most payments. */
const PROVIDER_LOG_MILLISECONDS = 90 * 24 * 60 * 60 * 1_000;
const WEBHOOK_BODY_MILLISECONDS = 90 * 24 * 60 * 60 * 1_000;
/** Their tokens ended long before. */
const UNPAID_ORDER_MILLISECONDS = 90 * 24 * 60 * 60 * 1_000;

/** Tasks of the job runner that run side by side. */
const TASK_CONCURRENCY = 4;

/** A request that isn't whole by then is cut off: 1 MiB at 1 Mbit/s takes 8 s. */
const REQUEST_MILLISECONDS = 10_000;
const CONNECTION_CHECK_MILLISECONDS = 1_000;

/** As much as Linux lets wait by default (`somaxconn`). A connection beyond it tries again after one second, then three. */
const CONNECTION_BACKLOG = 4_096;

/** Requests that never end (half sent, never read) are cut off after so long while closing. */
const DRAIN_MILLISECONDS = 10_000;

/** Wires everything by hand and starts to listen. @throws when the port is taken. */
export async function startApp(settings: AppSettings): Promise<App> {
  const { dataSource, log, limits = DEFAULT_LIMITS } = settings;
  const { manager } = dataSource;
  const clock = new DatabaseClock(manager, settings.machineClock);
  await clock.compare();
  const now = () => clock.now();
  const origins = allowedOrigins(settings.allowedOrigins);
  const health = new ProvidersHealth();
  const providerLog = new ProviderLog(manager, log);
  const providers = resilientProviders(settings, health, providerLog);

  const pubSub = createPaymentPubSub();
  const tell = (event: TellableEvent): void => {
    tellSubscribers(pubSub, event);
    alertOperators(log, event);
  };
  const { shopTimeZone = 'UTC', orderLimits = new Map() } = settings;
  const orderTokens = new OrderTokens(settings.secret, settings.orderTokenMilliseconds);
  const emails =
    settings.emails && prepareEmails(manager, settings.emails, { orderTokens, timeZone: shopTimeZone }, log);
  const consequences: Consequence[] = [deliverEvents, ...(emails ? [emails.consequence] : [])];
  const relay = startRelay(dataSource, tell, consequences, log);
  const wakeRelay = () => relay.wake();

  const payments: PaymentDependencies = {
    providers,
    routing: { rules: settings.routingRules ?? [], health },
    seal: new NextActionSeal(settings.secret),
    digestClient: clientDigests(settings.secret),
    declinesPerHour: limits.declinesPerHour,
    reservationMilliseconds: settings.reservationMilliseconds,
    mayReturnTo: (url) => mayReturnTo(origins, url),
    refundLimits: settings.refundLimits ?? { support: new Map(), oneOperator: new Map() },
    orderLimits,
    holdLimits: limits.holds,
    phonePromptsPerHour: settings.phonePromptsPerHour ?? PHONE_PROMPTS_PER_HOUR,
    wakeRelay,
    log,
    actor: 'quittance',
  };
  const merchantWebhooks = prepareMerchantWebhooks(
    manager,
    settings.secret,
    settings.merchantWebhooks ?? {},
    async (transaction, endpoint) => emails?.announceDisabledEndpoint(transaction, endpoint),
    now,
    log,
  );
  const authentication: Authentication = {
    orderTokens,
    customerTokens: new CustomerTokens(settings.secret, settings.orderTokenMilliseconds),
    apiKeys: new ApiKeys(manager),
    verifyOperatorToken: settings.operators && operatorTokens(settings.operators),
  };
  const context: ContextOfServer = {
    manager,
    payments,
    pubSub,
    authentication,
    shopTimeZone,
    orderLimits,
    health,
    merchantWebhooks,
    log,
  };

  const clientAddress = clientAddresses(settings.trustedProxies ?? []);
  const schema = await createSchema(pubSub);
  const server = await createServer(origins, settings.requestMilliseconds ?? REQUEST_MILLISECONDS);
  serveHealth(server, databaseUrlOf(dataSource));
  if (settings.returnPage !== undefined) serveReturnPage(server, settings.returnPage);
  let wakeInbox: () => void = () => undefined;
  const { seal } = payments;
  const webhooks: WebhookDependencies = {
    declinesPerHour: limits.declinesPerHour,
    wakeRelay,
    wakeInbox: () => wakeInbox(),
    now,
    seal,
    log,
  };
  const rateLimits = new RateLimits(limits.perMinute, log);
  const refusedLogIns = new RefusedLogIns(manager, log, new Set([TOKEN_EXPIRED]));
  serveWebhooks(server, manager, providers, webhooks, countRefusals(rateLimits, clientAddress));
  const turnstile = new Turnstile(limits.operationsAtOnce);
  const admit = admitOperations(schema, rateLimits, turnstile);
  const stopGraphQL = await serveGraphQL(server, {
    schema,
    admit,
    rateLimits,
    refusedLogIns,
    turnstile,
    introspection: settings.introspection,
    context,
    clientAddress,
    log,
  });
  const stopSubscriptions = serveSubscriptions(server.server, {
    schema,
    introspection: settings.introspection,
    context,
    clientAddress,
    isAllowedOrigin: (origin) => origins.isAllowed(origin),
    limits: limits.sockets,
    admit,
    rateLimits,
    refusedLogIns,
    turnstile,
    log,
  });
  closeInOrder(server, stopSubscriptions, stopGraphQL);

  const tasks: Task[] = [...merchantWebhooks.tasks, ...(emails?.tasks ?? [])];
  let runner: JobRunner;
  try {
    await server.listen({ host: settings.host, port: settings.port, backlog: CONNECTION_BACKLOG });
    runner = await startTaskRunner(settings, tasks);
  } catch (error) {
    await Promise.all([server.close(), relay.stop(), providerLog.close()]);
    throw error;
  }
  const inbox = startInboxJob(settings, webhooks, providers);
  wakeInbox = () => inbox.wake();
  const availability = startAvailabilityJob(health, providers, log);
  merchantWebhooks.start(settings.jobPauseMilliseconds ?? JOB_PAUSE_MILLISECONDS);
  emails?.start();
  const endConnections = () => authentication.apiKeys.endConnections();
  const jobs: Stoppable[] = [
    inbox,
    availability,
    repeatJob('end connections of bad API keys', CONNECTION_PAUSE_MILLISECONDS, endConnections, log),
    repeatJob('compare clocks', CLOCK_PAUSE_MILLISECONDS, () => clock.compare(), log),
    startMissingProvidersJob(health, settings, providers),
    startCheckpointJob(settings),
    runner,
    merchantWebhooks,
    ...(emails ? [emails] : []),
    ...startJobs(settings, payments, webhooks, providers),
  ];
  return {
    port: (server.server.address() as AddressInfo).port,
    close: () => closeAll(server, jobs, providerLog, relay, refusedLogIns),
  };
}

/** The same providers, guarded; what comes of their calls goes into `health`, and what changes there into the log. */
function resilientProviders(
  { providers, resilience, log }: AppSettings,
  health: ProvidersHealth,
  providerLog: ProviderLog,
): ReadonlyMap<string, Provider> {
  health.onChange(({ provider, status, operations }) => {
    const notClosed = operations.filter(({ circuit }) => circuit !== 'CLOSED');
    const level = status === 'HEALTHY' ? 'info' : 'warn';
    log[level]({ provider, status, notClosed }, 'how a provider is doing has changed');
  });
  const onCall = (call: ProviderCall) => providerLog.add(call);
  return new Map(
    providers.map((provider) => [provider.name, resilient(provider, { ...resilience, health, onCall, log })]),
  );
}

async function createServer(origins: AllowedOrigins, requestMilliseconds: number): Promise<FastifyInstance> {
  const server = Fastify({
    routerOptions: { ignoreTrailingSlash: true },
    requestTimeout: requestMilliseconds,
    http: {
      headersTimeout: requestMilliseconds,
      connectionsCheckingInterval: Math.min(requestMilliseconds, CONNECTION_CHECK_MILLISECONDS),
    },
  });
  await server.register(cors, {
    origin: (origin, allow) => allow(null, origin !== undefined && origins.isAllowed(origin)),
    // Any header that a page on the list asks for: clients have their own (Apollo's name and version, tracing), and
    // none of them means anything here but authorization and content-type.
    methods: ['GET', 'POST'],
    exposedHeaders: ['retry-after', 'ratelimit', 'ratelimit-policy'],
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

/** At once, too: until it was asked, nobody knows which operators take nothing. */
function startAvailabilityJob(
  health: ProvidersHealth,
  providers: ReadonlyMap<string, Provider>,
  log: Logger,
): RepeatedJob {
  const work = () => watchAvailability(providers.values(), health, log);
  const job = repeatJob('read the operators’ availability', AVAILABILITY_PAUSE_MILLISECONDS, work, log);
  job.wake();
  return job;
}

/** Says each once: nobody can be asked about what is not finished there, or told of it. */
function startMissingProvidersJob(
  health: ProvidersHealth,
  { dataSource: { manager }, log }: AppSettings,
  providers: ReadonlyMap<string, Provider>,
): RepeatedJob {
  const work = async () => {
    for (const missing of await findMissingProviders(manager, [...providers.keys()])) {
      if (!health.addMissing(missing.provider)) continue;
      log.error(missing, 'a provider is not configured any more, and something of it is not finished');
    }
  };
  const job = repeatJob('find missing providers', CLEANING_PAUSE_MILLISECONDS, work, log);
  job.wake();
  return job;
}

/** At once, too: what was written before the last stop. */
function startCheckpointJob({
  dataSource: { manager },
  secret,
  auditCheckpointPauseMilliseconds: pause = AUDIT_CHECKPOINT_PAUSE_MILLISECONDS,
  log,
}: AppSettings): RepeatedJob {
  const writer = new CheckpointWriter(manager, new CheckpointKey(secret), log);
  const job = repeatJob('sign the audit log', pause, () => writer.write(), log);
  job.wake();
  return job;
}

function startTaskRunner({ dataSource, log }: AppSettings, tasks: readonly Task[]): Promise<JobRunner> {
  const databaseUrl = databaseUrlOf(dataSource);
  return startJobRunner({ databaseUrl, tasks, concurrency: TASK_CONCURRENCY, log });
}

function startInboxJob(
  { dataSource: { manager }, jobPauseMilliseconds = JOB_PAUSE_MILLISECONDS, log }: AppSettings,
  webhooks: WebhookDependencies,
  providers: ReadonlyMap<string, Provider>,
): RepeatedJob {
  const work = () => retryWaitingEvents(manager, webhooks, providers);
  return repeatJob('retry waiting notifications', jobPauseMilliseconds, work, log);
}

function startJobs(
  {
    dataSource: { manager },
    jobPauseMilliseconds = JOB_PAUSE_MILLISECONDS,
    notificationListPauseMilliseconds: listPause = NOTIFICATION_LIST_PAUSE_MILLISECONDS,
    providerLogMilliseconds = PROVIDER_LOG_MILLISECONDS,
    webhookDeliveryMilliseconds = WEBHOOK_DELIVERY_MILLISECONDS,
    webhookBodyMilliseconds = WEBHOOK_BODY_MILLISECONDS,
    unpaidOrderMilliseconds = UNPAID_ORDER_MILLISECONDS,
    log,
  }: AppSettings,
  payments: PaymentDependencies,
  webhooks: WebhookDependencies,
  providers: ReadonlyMap<string, Provider>,
): RepeatedJob[] {
  const job = (name: string, work: () => Promise<unknown>, pause = jobPauseMilliseconds) =>
    repeatJob(name, pause, work, log);
  const as = (actor: string): PaymentDependencies => ({ ...payments, actor });
  return [
    job('expire payment intents', () => expirePaymentIntents(manager, as('job:expiry'))),
    job('check payments', () => checkPayments(manager, as('job:check'))),
    job('ask about ended attempts', () => askAboutEndedAttempts(manager, as('job:check'))),
    job('check subscriptions', () => checkSubscriptions(manager, as('job:subscriptions'))),
    job('return misfits', () => returnMisfits(manager, as('job:misfits'))),
    job('settle refunds', () => settleRefunds(manager, as('job:refunds'))),
    ...[...providers.values()]
      .filter(listsNotifications)
      .map((provider) =>
        job(
          `read the notifications of ${provider.name}`,
          () => readNotificationList(manager, webhooks, provider, listPause),
          listPause,
        ),
      ),
    job('delete old holds', () => deleteOldHolds(manager), CLEANING_PAUSE_MILLISECONDS),
    job('delete old phone prompts', () => deleteOldPhonePrompts(manager), CLEANING_PAUSE_MILLISECONDS),
    job('delete expired idempotency keys', () => deleteExpiredKeys(manager), CLEANING_PAUSE_MILLISECONDS),
    job(
      'delete old calls of providers',
      () => deleteOldProviderCalls(manager, providerLogMilliseconds),
      CLEANING_PAUSE_MILLISECONDS,
    ),
    job(
      'delete old webhooks to the merchant',
      () => deleteOldDeliveries(manager, webhookDeliveryMilliseconds),
      CLEANING_PAUSE_MILLISECONDS,
    ),
    job(
      'delete old bodies of webhooks',
      () => deleteOldWebhookBodies(manager, webhookBodyMilliseconds, webhooks.now()),
      CLEANING_PAUSE_MILLISECONDS,
    ),
    job(
      'delete unpaid orders',
      () => deleteUnpaidOrders(manager, unpaidOrderMilliseconds, webhooks.now()),
      CLEANING_PAUSE_MILLISECONDS,
    ),
  ];
}

async function closeAll(
  server: FastifyInstance,
  jobs: readonly Stoppable[],
  providerLog: ProviderLog,
  relay: Relay,
  refusedLogIns: RefusedLogIns,
): Promise<void> {
  await Promise.all(jobs.map((job) => job.stop()));
  await server.close();
  await Promise.all([providerLog.close(), refusedLogIns.close()]);
  await relay.stop();
}
