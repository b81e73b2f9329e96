import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningProcess } from './child-process.js';
import { residentBytes } from './process-usage.js';
import type { Progress } from './progress.js';
import type { Shop } from './stage.js';
import { addPendingPayments } from './supply.js';
import { watchAll } from './watchers.js';

export interface IdleWatchers {
  readonly count: number;
  readonly bytesBefore: number;
  readonly bytesWith: number;
  readonly bytesEach: number;
}

/** The first ones also pay for code that is compiled and pools that are filled. */
const FIRST_WATCHERS = 500;
const COLLECTIONS = 3;
const COLLECTION_MILLISECONDS = 400;

/** Resident memory of a fresh server, after collecting garbage, without and with a crowd that watches and waits. */
export async function measureIdleWatchers(
  { client, productIds }: Shop,
  server: RunningProcess,
  count: number,
  progress: Progress,
): Promise<IdleWatchers> {
  const payments = await addPendingPayments(client, productIds, count + FIRST_WATCHERS);
  progress('memory: the first watchers come and go');
  const first = await watchAll(server.port, payments.slice(count));
  for (const watcher of first) watcher.close();
  await sleep(COLLECTION_MILLISECONDS);
  const bytesBefore = await residentAfterCollection(server.pid);
  const watchers = await watchAll(server.port, payments.slice(0, count), (came) => {
    if (came % 1_000 === 0) progress(`memory: ${came} of ${count} watchers are there`);
  });
  const bytesWith = await residentAfterCollection(server.pid);
  for (const watcher of watchers) watcher.close();
  return { count, bytesBefore, bytesWith, bytesEach: (bytesWith - bytesBefore) / count };
}

async function residentAfterCollection(pid: number): Promise<number> {
  for (let collection = 0; collection < COLLECTIONS; collection += 1) {
    process.kill(pid, 'SIGUSR2');
    await sleep(COLLECTION_MILLISECONDS);
  }
  return residentBytes(pid);
}
