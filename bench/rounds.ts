import { HttpConnection, type Answer } from './http-connection.js';
import { cpuSeconds, cpuSecondsWithChildren } from './process-usage.js';
import type { Progress } from './progress.js';
import { percentile } from './statistics.js';

/** Somebody who answers requests, and how to make as many new requests as one likes. */
export interface Contestant {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  readonly prepare: (count: number) => Promise<Buffer[]>;
  readonly isGood: (answer: Answer) => boolean;
}

export interface Round {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** CPU time that one request took, in milliseconds: of its server, and of PostgreSQL. */
  readonly serverCpu: number;
  readonly postgresCpu: number;
  /** How much of one core the load itself took. */
  readonly loadShare: number;
}

export interface RoundSettings {
  readonly rounds: number;
  readonly secondsPerRound: number;
  readonly connections: number;
  readonly postgresPid: number;
  readonly progress: Progress;
}

/** PostgreSQL plans a statement anew for its first five executions on each connection, and V8 compiles. */
const WARM_UP_REQUESTS = 1_500;
/** However fast somebody is, no round prepares more requests than this. */
const MOST_REQUESTS = 30_000;

/**
 * Short rounds that visit every contestant in turn, forwards and backwards, so that a busy machine, a checkpoint or a
 * growing table slows all of them alike. Each sends as many requests as its warm-up says fit into the time.
 */
export async function playRounds(
  contestants: readonly Contestant[],
  settings: RoundSettings,
): Promise<ReadonlyMap<Contestant, readonly Round[]>> {
  const counts = new Map<Contestant, number>();
  const results = new Map<Contestant, Round[]>(contestants.map((contestant) => [contestant, []]));
  for (const contestant of contestants) {
    settings.progress(`warming up: ${contestant.name}`);
    const { perSecond } = await playRound(contestant, WARM_UP_REQUESTS, settings);
    counts.set(contestant, Math.min(MOST_REQUESTS, Math.ceil(perSecond * settings.secondsPerRound)));
  }
  for (let round = 1; round <= settings.rounds; round += 1) {
    for (const contestant of round % 2 === 1 ? contestants : contestants.toReversed()) {
      settings.progress(`round ${round} of ${settings.rounds}: ${contestant.name}`);
      results.get(contestant)!.push(await playRound(contestant, counts.get(contestant)!, settings));
    }
  }
  return results;
}

async function playRound(
  { name, port, pid, prepare, isGood }: Contestant,
  count: number,
  { connections, postgresPid }: RoundSettings,
): Promise<Round> {
  const requests = await prepare(count);
  const serverBefore = await cpuSeconds(pid);
  const postgresBefore = await cpuSecondsWithChildren(postgresPid);
  const loadBefore = process.cpuUsage();
  const started = performance.now();
  const latencies = await sendAll(port, requests, connections, (answer) => {
    if (!isGood(answer)) throw new Error(`${name} answered ${answer.status}: ${answer.body.slice(0, 500)}`);
  });
  const seconds = (performance.now() - started) / 1_000;
  const load = process.cpuUsage(loadBefore);
  const perRequest = (after: number, before: number) => ((after - before) * 1_000) / count;
  return {
    perSecond: count / seconds,
    p50: percentile(latencies, 50),
    p99: percentile(latencies, 99),
    serverCpu: perRequest(await cpuSeconds(pid), serverBefore),
    postgresCpu: perRequest(await cpuSecondsWithChildren(postgresPid), postgresBefore),
    loadShare: (load.user + load.system) / 1e6 / seconds,
  };
}

/** Every connection sends its next request when its last one was answered. @returns how long each took, in milliseconds. */
async function sendAll(
  port: number,
  requests: readonly Buffer[],
  connections: number,
  check: (answer: Answer) => void,
): Promise<number[]> {
  const opened = await Promise.all(Array.from({ length: connections }, () => HttpConnection.open(port)));
  const latencies: number[] = [];
  let next = 0;
  const sendNext = async (connection: HttpConnection): Promise<void> => {
    for (let request = requests[next++]; request; request = requests[next++]) {
      const sent = performance.now();
      check(await connection.send(request));
      latencies.push(performance.now() - sent);
    }
  };
  try {
    await Promise.all(opened.map(sendNext));
    return latencies;
  } finally {
    for (const connection of opened) connection.close();
  }
}
