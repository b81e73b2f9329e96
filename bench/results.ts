import { cpus, loadavg, totalmem } from 'node:os';
import type { IdleWatchers } from './idle-watchers.js';
import type { Contestant, Round } from './rounds.js';
import { median } from './statistics.js';
import type { TimeToWatcher } from './time-to-watcher.js';

export type Rounds = ReadonlyMap<Contestant, readonly Round[]>;

const GIBIBYTE = 2 ** 30;
const KIBIBYTE = 2 ** 10;

export function machine(postgresVersion: string, connections: number): string {
  const [cpu] = cpus();
  return (
    `${cpus().length} × ${cpu?.model ?? 'unknown CPU'}, ${(totalmem() / GIBIBYTE).toFixed(0)} GiB, ` +
    `Node ${process.versions.node}, PostgreSQL ${postgresVersion}, ${connections} connections; ` +
    `load of the machine before: ${loadavg()[0]!.toFixed(1)}`
  );
}

/** One line for each contestant: medians over its rounds. */
export function ratesTable(results: Rounds): string {
  const rows = [...results].map(([{ name }, rounds]) => {
    const of = (pick: (round: Round) => number, digits: number) => median(rounds.map(pick)).toFixed(digits);
    return [
      name,
      of(({ perSecond }) => perSecond, 0),
      of(({ p50 }) => p50, 1),
      of(({ p99 }) => p99, 1),
      of(({ serverCpu }) => serverCpu, 2),
      of(({ postgresCpu }) => postgresCpu, 2),
      of(({ loadShare }) => loadShare * 100, 0),
    ];
  });
  const head = [
    '',
    'a second',
    'p50 ms',
    'p99 ms',
    'server CPU ms',
    'PostgreSQL CPU ms',
    'load CPU % of a core',
  ];
  return table([head, ...rows]);
}

/** Taken within each round, where both met the same machine; then the median, and the least and the most. */
export function ratio(results: Rounds, name: string, reference: string): Ratio {
  const [ours, theirs] = [roundsOf(results, name), roundsOf(results, reference)];
  const ratios = ours.map(({ perSecond }, round) => perSecond / theirs[round]!.perSecond);
  const cpu = median(ours.map((round, index) => cpuOf(round) / cpuOf(theirs[index]!)));
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios), cpu };
}

function cpuOf({ serverCpu, postgresCpu }: Round): number {
  return serverCpu + postgresCpu;
}

export interface Ratio {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** How many times the CPU time, of server and PostgreSQL together: it depends less on what else the machine does. */
  readonly cpu: number;
}

function roundsOf(results: Rounds, name: string): readonly Round[] {
  for (const [contestant, rounds] of results) if (contestant.name === name) return rounds;
  throw new Error(`nobody is called ${name}`);
}

export interface Aim {
  readonly what: string;
  readonly value: string;
  readonly cpu?: string;
  readonly aim?: string;
  readonly isReached?: boolean;
}

export function aimOfRatio(what: string, { median, least, most, cpu: times }: Ratio, aim?: number): Aim {
  const value = `${median.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`;
  const cpu = `× ${times.toFixed(2)}`;
  return aim === undefined
    ? { what, value, cpu }
    : { what, value, cpu, aim: `≥ ${aim}`, isReached: median >= aim };
}

export function aimsTable(aims: readonly Aim[]): string {
  const rows = aims.map(({ what, value, cpu = '', aim = '', isReached }) => [
    what,
    value,
    cpu,
    aim,
    isReached === undefined ? '' : isReached ? 'yes' : 'NO',
  ]);
  return table([['', 'measured', 'CPU time', 'aim', 'reached'], ...rows]);
}

export function watchersTable(times: readonly TimeToWatcher[]): string {
  const rows = times.map(({ watchers, p50, p99, slowest }) => [
    `${watchers}`,
    p50.toFixed(1),
    p99.toFixed(1),
    slowest.toFixed(1),
  ]);
  return table([['watchers', 'p50 ms', 'p99 ms', 'slowest ms'], ...rows]);
}

export function memoryLine({ count, bytesBefore, bytesWith, bytesEach }: IdleWatchers): string {
  const kib = (bytes: number) => (bytes / KIBIBYTE).toFixed(0);
  const mib = (bytes: number) => (bytes / KIBIBYTE ** 2).toFixed(0);
  return (
    `Each of ${count} idle watchers, with a socket of their own, takes ${kib(bytesEach)} KiB of the server's memory ` +
    `(${mib(bytesBefore)} MiB without them, ${mib(bytesWith)} MiB with).`
  );
}

/** Markdown, with columns that also line up on a terminal. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const [head, ...body] = rows.map((row) => line(row.map((cell, column) => cell.padEnd(widths[column]!))));
  return [head, line(widths.map((width) => '-'.repeat(width))), ...body].join('\n');
}
