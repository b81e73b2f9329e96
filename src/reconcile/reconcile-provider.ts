import { setTimeout as sleep } from 'node:timers/promises';
import type { EntityManager } from 'typeorm';
import { databaseNow } from '../database/database-clock.js';
import type { AskingDependencies } from '../payments/ask-provider.js';
import {
  compareBooks,
  type ComparableProvider,
  type Comparison,
  type ComparisonOptions,
} from './compare-books.js';
import type { Difference } from './difference.js';
import { repair } from './repair.js';
import { rangeOf, type TimeRange } from './time-range.js';

/** Of what is so young, the notification may be under way: a moment is waited before it is called a difference. */
const YOUNG_MILLISECONDS = 60_000;
const PATIENCE_MILLISECONDS = 3_000;

export interface Reconciliation {
  readonly provider: string;
  readonly range: TimeRange;
  readonly compared: number;
  readonly notOurs: number;
  readonly found: readonly Difference[];
  /** Of those, gone after the repair. */
  readonly repaired: readonly Difference[];
  /** What differs in the end. */
  readonly left: readonly Difference[];
}

export interface ReconciliationOptions extends Pick<ComparisonOptions, 'onProgress'> {
  readonly repair: boolean;
}

/**
 * Compares a provider's books with ours, looks twice at what differs, and repairs what is safe to repair when told to.
 * @throws {ProviderFailure} when the provider doesn't list its payments.
 */
export async function reconcileProvider(
  { connection }: EntityManager,
  dependencies: AskingDependencies,
  comparable: (manager: EntityManager) => ComparableProvider,
  range: TimeRange,
  options: ReconciliationOptions,
): Promise<Reconciliation> {
  // One connection, whose table holds what the provider has listed.
  const runner = connection.createQueryRunner();
  try {
    const { manager } = runner;
    const provider = comparable(manager);
    const first = await compareBooks(manager, provider, range, options);
    await waitForTheYoung(manager, first);
    const found = await lookAgain(manager, provider, first.differences);
    if (options.repair) {
      for (const difference of found) await repair(manager, dependencies, difference);
    }
    const left = options.repair ? await lookAgain(manager, provider, found) : found;
    const stillDiffers = new Set(left.map(({ providerReference }) => providerReference));
    const repaired = found.filter(({ providerReference }) => !stillDiffers.has(providerReference));
    const { compared, notOurs } = first;
    return { provider: provider.name, range, compared, notOurs, found, repaired, left };
  } finally {
    await runner.release();
  }
}

async function waitForTheYoung(manager: EntityManager, { differences }: Comparison): Promise<void> {
  if (differences.length === 0) return;
  const young = (await databaseNow(manager)).getTime() - YOUNG_MILLISECONDS;
  if (differences.some(({ at }) => at.getTime() > young)) await sleep(PATIENCE_MILLISECONDS);
}

/** Both books may have changed since they were read, and one of them was read first. */
async function lookAgain(
  manager: EntityManager,
  provider: ComparableProvider,
  differences: readonly Difference[],
): Promise<readonly Difference[]> {
  if (differences.length === 0) return [];
  const range = rangeOf(differences.map(({ at }) => at));
  const only = new Set(differences.map(({ providerReference }) => providerReference));
  const onlyAttempts = new Set(differences.map(({ attemptReference }) => attemptReference));
  return (await compareBooks(manager, provider, range, { only, onlyAttempts })).differences;
}
