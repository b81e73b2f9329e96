/**
 * How fast Quittance is, and how far from the floor: a bare handler that writes the same rows (`bench/floor`). Everything
 * is as in production: the built server, PostgreSQL with fsync, a provider in a process of its own. `docs/measurements.md`
 * says how to read what it prints.
 */
import { parseArgs } from 'node:util';
import { floorCreate, floorWebhook, ourCreate, ourWebhook } from './contestants.js';
import { measureIdleWatchers } from './idle-watchers.js';
import { addPastPayments } from './many-payments.js';
import { endProgress, showProgress } from './progress.js';
import { Notifications } from './requests.js';
import * as results from './results.js';
import { playRounds, type RoundSettings } from './rounds.js';
import { Stage, type Shop } from './stage.js';
import { measureTimeToWatcher } from './time-to-watcher.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    'skip-million': { type: 'boolean', default: false },
    rounds: { type: 'string' },
    connections: { type: 'string', default: '32' },
  },
});

/** A shop that has just opened: PostgreSQL plans otherwise for tables that it has never seen anything in. */
const FEW = 10_000;
const MILLION = 1_000_000;
const IDLE_WATCHERS = 5_000;
const WATCHERS = { single: 300, crowd: 1_000 };

/** Nothing takes longer than this: a run that hangs ends by itself. */
const LONGEST_RUN_MILLISECONDS = 30 * 60 * 1_000;

const CREATE = 'create: Quittance';
const CREATE_HOT = 'create, one product: Quittance';
const CREATE_FLOOR = 'create: floor, plain';
const CREATE_BEST = 'create: floor, best';
const CREATE_HOT_FLOOR = 'create, one product: floor, plain';
const WEBHOOK = 'webhook: Quittance';
const WEBHOOK_HOT = 'webhook, one product: Quittance';
const WEBHOOK_FLOOR = 'webhook: floor, plain';
const WEBHOOK_BEST = 'webhook: floor, best';
const WEBHOOK_HOT_FLOOR = 'webhook, one product: floor, plain';
const WITHOUT_CALL = ', without the provider call';

const progress = showProgress();
const stage = new Stage();

async function run(): Promise<void> {
  progress('starting PostgreSQL, the provider double, the floor and Quittance');
  await stage.start();
  const shop = await stage.openShop('shop');
  await addPastPayments(shop, FEW, progress);
  const notifications = await Notifications.like(stage.double.port);
  const settings: RoundSettings = {
    rounds: Number(options.rounds ?? (options.quick ? 2 : 5)),
    secondsPerRound: options.quick ? 1 : 2,
    connections: Number(options.connections),
    postgresPid: stage.postgresPid,
    progress,
  };
  say(results.machine(stage.postgresVersion, settings.connections));
  await compareWithFloor(shop, notifications, settings);
  await watch(shop, notifications);
  if (!options.quick && !options['skip-million']) await compareWithMillion(notifications, settings);
}

async function compareWithFloor(shop: Shop, notifications: Notifications, settings: RoundSettings) {
  const floor = await stage.startFloor(shop);
  const hot = shop.hotProductIds;
  const rounds = await playRounds(
    [
      ourCreate(CREATE, shop),
      floorCreate(CREATE_FLOOR, '/create/plain', floor, shop),
      floorCreate(CREATE_BEST, '/create/best', floor, shop),
      floorCreate(CREATE_FLOOR + WITHOUT_CALL, '/create/plain/no-call', floor, shop),
      floorCreate(CREATE_BEST + WITHOUT_CALL, '/create/best/no-call', floor, shop),
      ourCreate(CREATE_HOT, shop, hot),
      floorCreate(CREATE_HOT_FLOOR, '/create/plain', floor, shop, hot),
      ourWebhook(WEBHOOK, shop, notifications),
      floorWebhook(WEBHOOK_FLOOR, '/webhook/plain', floor, shop, notifications),
      floorWebhook(WEBHOOK_BEST, '/webhook/best', floor, shop, notifications),
      ourWebhook(WEBHOOK_HOT, shop, notifications, hot),
      floorWebhook(WEBHOOK_HOT_FLOOR, '/webhook/plain', floor, shop, notifications, hot),
    ],
    settings,
  );
  await floor.stop();
  const of = (name: string, reference: string) => results.ratio(rounds, name, reference);
  say(results.ratesTable(rounds));
  say(
    results.aimsTable([
      results.aimOfRatio('create, of the plain floor', of(CREATE, CREATE_FLOOR), 0.5),
      results.aimOfRatio('create, of the best floor', of(CREATE, CREATE_BEST)),
      results.aimOfRatio(
        'create, of the plain floor without the provider call',
        of(CREATE, CREATE_FLOOR + WITHOUT_CALL),
      ),
      results.aimOfRatio('create, one product, of its plain floor', of(CREATE_HOT, CREATE_HOT_FLOOR)),
      results.aimOfRatio('create, one product, of many products', of(CREATE_HOT, CREATE)),
      results.aimOfRatio('webhook, of the plain floor', of(WEBHOOK, WEBHOOK_FLOOR), 0.7),
      results.aimOfRatio('webhook, of the best floor', of(WEBHOOK, WEBHOOK_BEST)),
      results.aimOfRatio('webhook, one product, of its plain floor', of(WEBHOOK_HOT, WEBHOOK_HOT_FLOOR)),
      results.aimOfRatio('webhook, one product, of many products', of(WEBHOOK_HOT, WEBHOOK)),
    ]),
  );
}

async function watch(shop: Shop, notifications: Notifications): Promise<void> {
  const times = await measureTimeToWatcher(shop, notifications, WATCHERS, progress);
  const fresh = await stage.startServer(shop.databaseUrl);
  const memory = await measureIdleWatchers(shop, fresh, IDLE_WATCHERS, progress);
  await fresh.stop();
  const { p99, watchers } = times.at(-1)!;
  say(results.watchersTable(times));
  say(
    results.aimsTable([
      {
        what: `webhook → subscriber, ${watchers} of them, p99`,
        value: `${p99.toFixed(1)} ms`,
        aim: '< 50 ms',
        isReached: p99 < 50,
      },
    ]),
  );
  say(results.memoryLine(memory));
}

/** Two shops side by side, both just started, so that nothing but their size differs. */
async function compareWithMillion(notifications: Notifications, settings: RoundSettings): Promise<void> {
  const small = await stage.openShop('small_shop');
  await addPastPayments(small, FEW, progress);
  const large = await stage.openShop('large_shop');
  await addPastPayments(large, MILLION, progress);
  const rounds = await playRounds(
    [
      ourCreate('create, 10,000 payments', small),
      ourCreate('create, 1,000,000 payments', large),
      ourWebhook('webhook, 10,000 payments', small, notifications),
      ourWebhook('webhook, 1,000,000 payments', large, notifications),
    ],
    settings,
  );
  const cost = (action: string) =>
    results.aimOfRatio(
      `${action} with 1,000,000 payments, of one with 10,000`,
      results.ratio(rounds, `${action}, 1,000,000 payments`, `${action}, 10,000 payments`),
      0.9,
    );
  say(results.ratesTable(rounds));
  say(results.aimsTable([cost('create'), cost('webhook')]));
}

function say(text: string): void {
  endProgress();
  console.log(`${text}\n`);
}

async function stopWith(exitCode: number, reason?: string): Promise<void> {
  endProgress();
  if (reason) console.error(reason);
  // A second Ctrl-C is for those who can't wait.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(exitCode));
  await stage.stop();
  process.exit(exitCode);
}

let stopping = false;
const stopOn = (exitCode: number, reason: string) => () => {
  if (stopping) return;
  stopping = true;
  void stopWith(exitCode, reason);
};
process.once('SIGINT', stopOn(130, 'stopping'));
process.once('SIGTERM', stopOn(143, 'stopping'));
setTimeout(stopOn(1, 'this takes too long: stopping'), LONGEST_RUN_MILLISECONDS).unref();

try {
  await run();
  if (!stopping) await stopWith(0);
} catch (error) {
  // What fails because we are stopping is no news.
  if (!stopping) await stopWith(1, error instanceof Error ? error.stack : String(error));
}
