import type { EntityManager } from 'typeorm';
import { asInitiated, attemptOf } from '../payments/initiate-attempt.js';
import { loadPayment } from '../payments/loaded-payment.js';
import { ProviderFailure, type ListedPayment, type Provider } from '../providers/provider.js';
import { comparePayment, isOurs, money } from './compare-payment.js';
import type { Difference } from './difference.js';
import { findOurAttempts } from './our-books.js';
import { isWithin, type TimeRange } from './time-range.js';
import { ListedCaptures, type UnlistedMoney } from './unlisted-money.js';

/** A provider whose payments can be listed. */
export interface ComparableProvider extends Provider {
  /** @param only attempts with one of these references are wanted; others may be listed all the same. */
  listPayments(since: Date, until: Date, only?: ReadonlySet<string>): AsyncIterable<ListedPayment>;
}

export function listsPayments(provider: Provider): provider is ComparableProvider {
  return provider.listPayments !== undefined;
}

export interface Comparison {
  readonly compared: number;
  readonly notOurs: number;
  readonly differences: readonly Difference[];
}

export interface ComparisonOptions {
  /** Only money with one of these ids of the provider's. */
  readonly only?: ReadonlySet<string>;
  /** Their attempts, for a provider that is asked about each. */
  readonly onlyAttempts?: ReadonlySet<string>;
  /** Told after each page, how many were compared in all. */
  readonly onProgress?: (compared: number) => void;
}

const PAGE = 100;

/**
 * Compares a provider's books with ours, page by page: only the differences are kept in memory.
 * @param manager of a query runner.
 * @throws {ProviderFailure}
 */
export async function compareBooks(
  manager: EntityManager,
  provider: ComparableProvider,
  range: TimeRange,
  { only, onlyAttempts, onProgress = () => {} }: ComparisonOptions = {},
): Promise<Comparison> {
  const listed = await ListedCaptures.begin(manager);
  const isConcerned = (reference: string) => only === undefined || only.has(reference);
  const differences: Difference[] = [];
  let compared = 0;
  let notOurs = 0;
  for await (const page of pagesOf(provider, range, isConcerned, onlyAttempts)) {
    const ours = await findOurAttempts(manager, provider.name, page);
    for (const [position, theirs] of page.entries()) {
      if (isOurs(theirs, ours[position])) {
        compared += 1;
        differences.push(...comparePayment(provider.name, theirs, ours[position]));
      } else notOurs += 1;
    }
    await listed.remember(page.map(({ captureReference }) => captureReference));
    onProgress(compared);
  }
  for await (const unlisted of listed.others(provider.name, range)) {
    if (!isConcerned(referenceOf(unlisted)) || (await isKnownThere(manager, provider, unlisted))) continue;
    differences.push(missingThere(provider, unlisted));
  }
  return { compared, notOurs, differences: eachDoubleOnce(differences) };
}

async function* pagesOf(
  provider: ComparableProvider,
  range: TimeRange,
  isConcerned: (reference: string) => boolean,
  onlyAttempts?: ReadonlySet<string>,
): AsyncGenerator<ListedPayment[], void, undefined> {
  let page: ListedPayment[] = [];
  for await (const theirs of provider.listPayments(range.since, range.until, onlyAttempts)) {
    if (!isWithin(range, theirs.createdAt) || !isConcerned(theirs.captureReference)) continue;
    page.push(theirs);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/**
 * What was begun before this time and paid in it, the provider may have listed elsewhere. So nothing is called missing
 * before the provider, asked about this very attempt, doesn't know it.
 */
async function isKnownThere(
  manager: EntityManager,
  provider: Provider,
  { intentReference, attemptId, captureReference }: UnlistedMoney,
): Promise<boolean> {
  const payment = await loadPayment(manager, intentReference);
  if (!payment) return false;
  const attempt = attemptOf(payment, attemptId);
  if (attempt.providerReference === null) return false;
  try {
    const events = await provider.verify(asInitiated(payment, attempt, attempt.providerReference));
    return events.some(
      ({ outcome }) =>
        outcome.kind === 'paid' &&
        (captureReference === null || outcome.movementReference === captureReference),
    );
  } catch (error) {
    if (error instanceof ProviderFailure && error.kind === 'rejected') return false;
    throw error;
  }
}

function missingThere({ name }: Provider, unlisted: UnlistedMoney): Difference {
  const { attemptReference, orderReference, status, currency, capturedAmount, at } = unlisted;
  const common = {
    provider: name,
    attemptReference,
    orderReference,
    providerReference: referenceOf(unlisted),
    at,
  };
  return capturedAmount === null
    ? { ...common, type: 'STATUS', description: `no money on either side; here the attempt is ${status}` }
    : {
        ...common,
        type: 'MISSING_THERE',
        description: `${money(capturedAmount, currency)} here; not known there`,
      };
}

function referenceOf({ captureReference, attemptReference }: UnlistedMoney): string {
  return captureReference ?? attemptReference;
}

/** Each of the captures of an order shows it. */
function eachDoubleOnce(differences: readonly Difference[]): Difference[] {
  const orders = new Set<string | null>();
  return differences.filter(({ type, orderReference }) => {
    if (type !== 'DOUBLE') return true;
    const isFirst = !orders.has(orderReference);
    orders.add(orderReference);
    return isFirst;
  });
}
