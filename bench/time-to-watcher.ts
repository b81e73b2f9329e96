import { setTimeout as sleep } from 'node:timers/promises';
import { HttpConnection } from './http-connection.js';
import type { Progress } from './progress.js';
import type { Notifications } from './requests.js';
import type { Shop } from './stage.js';
import { percentile } from './statistics.js';
import { addPendingPayments } from './supply.js';
import { watchAll, watchPayment, type Watcher } from './watchers.js';

export interface TimeToWatcher {
  readonly watchers: number;
  readonly p50: number;
  readonly p99: number;
  readonly slowest: number;
}

/** A busy shop, and far from what the server can take: what is measured is the way, not a queue. */
const WEBHOOKS_PER_SECOND = 100;
/** A hiccup of the machine is a late answer, which is measured; a server that doesn't keep up is a fault. */
const SENDERS = 100;
const WARM_UP_WATCHERS = 50;

/**
 * From the moment a provider sends its notification to the moment a watcher has heard PAID, by the clock of this one
 * process. One watcher at a time first, then a crowd in which everybody watches a payment of their own.
 */
export async function measureTimeToWatcher(
  shop: Shop,
  notifications: Notifications,
  sizes: { readonly single: number; readonly crowd: number },
  progress: Progress,
): Promise<TimeToWatcher[]> {
  progress('watchers: warming up');
  await settleOneByOne(shop, notifications, WARM_UP_WATCHERS);
  progress(`watchers: one at a time, ${sizes.single} times`);
  const single = await settleOneByOne(shop, notifications, sizes.single);
  progress(`watchers: ${sizes.crowd} come`);
  const payments = await addPendingPayments(shop.client, shop.productIds, sizes.crowd);
  const crowd = await watchAll(shop.server.port, payments);
  progress(`watchers: each of ${sizes.crowd} is paid, ${WEBHOOKS_PER_SECOND} in a second`);
  const times = await settleAtRate(shop, notifications, crowd);
  for (const watcher of crowd) watcher.close();
  return [summary(1, single), summary(sizes.crowd, times)];
}

async function settleOneByOne(shop: Shop, notifications: Notifications, count: number): Promise<number[]> {
  const connection = await HttpConnection.open(shop.server.port);
  const times: number[] = [];
  for (const payment of await addPendingPayments(shop.client, shop.productIds, count)) {
    const watcher = await watchPayment(shop.server.port, payment);
    times.push(await settle(connection, notifications, watcher));
    watcher.close();
  }
  connection.close();
  return times;
}

async function settleAtRate(
  shop: Shop,
  notifications: Notifications,
  watchers: readonly Watcher[],
): Promise<number[]> {
  const free = await Promise.all(
    Array.from({ length: SENDERS }, () => HttpConnection.open(shop.server.port)),
  );
  const all = [...free];
  const started = performance.now();
  const times = watchers.map(async (watcher, index) => {
    const due = started + (index * 1_000) / WEBHOOKS_PER_SECOND;
    await sleep(due - performance.now());
    const connection = free.pop();
    if (!connection) throw new Error(`${SENDERS} notifications are under way: the server does not keep up`);
    const time = await settle(connection, notifications, watcher);
    free.push(connection);
    return time;
  });
  return Promise.all(times).finally(() => all.forEach((connection) => connection.close()));
}

async function settle(
  connection: HttpConnection,
  notifications: Notifications,
  { payment, paid }: Watcher,
): Promise<number> {
  const request = notifications.request('/webhooks/stripe', payment);
  const sent = performance.now();
  const { status, body } = await connection.send(request);
  if (status !== 200) throw new Error(`a notification was answered ${status}: ${body}`);
  return (await paid) - sent;
}

function summary(watchers: number, times: readonly number[]): TimeToWatcher {
  return {
    watchers,
    p50: percentile(times, 50),
    p99: percentile(times, 99),
    slowest: percentile(times, 100),
  };
}
