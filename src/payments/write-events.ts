import type { EntityManager } from 'typeorm';
import { violatedConstraint } from '../database/statement.js';
import type { ProviderEvent } from '../providers/provider.js';
import { applyProviderEvent } from './apply-provider-event.js';
import type { LoadedPayment } from './loaded-payment.js';
import type { PaymentChange } from './payment-change.js';
import { noteRefusal } from './refused-by-books.js';
import { writeChange } from './write-change.js';

/** What a provider said of one payment, and how that payment is found. */
export interface EventsToWrite {
  readonly actor: string;
  readonly provider: string;
  /** Whether that provider can give money back by a call. */
  readonly canRefund: boolean;
  readonly events: readonly ProviderEvent[];
  readonly load: () => Promise<LoadedPayment | null>;
}

/** The event's place in the list, and the constraint that refuses it. */
type Refusals = ReadonlyMap<number, string>;

/**
 * Writes what a provider said, all in one change. News that the database refuses (the same money for a second payment,
 * an amount of nothing, sums that can't be) would be refused at every further try: it is noted for a person instead, and
 * the rest is written all the same.
 * @param prepare what else belongs into the change; it is given what came of the events, in words.
 * @returns null when there is no such payment.
 */
export async function writeEvents<Result>(
  manager: EntityManager,
  news: EventsToWrite,
  prepare: (change: PaymentChange, outcome: string) => Result,
): Promise<{ change: PaymentChange; result: Result } | null> {
  const write = (refusals: Refusals) =>
    writeNews(manager, news, (change) => {
      const outcomes = news.events.map((event, place) => {
        const constraint = refusals.get(place);
        return constraint === undefined
          ? applyProviderEvent(change, event, news.provider)
          : noteRefusal(change, event, news.provider, constraint);
      });
      return prepare(change, outcomes.join('; '));
    });
  try {
    return await write(new Map());
  } catch (error) {
    // In a transaction of the caller's, nothing can be written after a refusal.
    if (refusal(error) === undefined || manager.queryRunner?.isTransactionActive) throw error;
    const refusals = await findRefused(manager, news);
    if (refusals.size === 0) throw error;
    return write(refusals);
  }
}

function writeNews<Result>(
  manager: EntityManager,
  { actor, load, provider, canRefund }: EventsToWrite,
  prepare: (change: PaymentChange) => Result,
): Promise<{ change: PaymentChange; result: Result } | null> {
  return writeChange(manager, actor, load, (change) => {
    change.providerWithoutRefunds = canRefund ? null : provider;
    return prepare(change);
  });
}

/** Each by itself, in their order: what is not refused is written by that. */
async function findRefused(manager: EntityManager, news: EventsToWrite): Promise<Refusals> {
  const refusals = new Map<number, string>();
  for (const [place, event] of news.events.entries()) {
    try {
      await writeNews(manager, news, (change) => applyProviderEvent(change, event, news.provider));
    } catch (error) {
      const constraint = refusal(error);
      if (constraint === undefined) throw error;
      refusals.set(place, constraint);
    }
  }
  return refusals;
}

/** The tables of money. A constraint of another one (stock, the inbox) refuses for reasons that may pass. */
const OF_MONEY = /^(movement|refund|dispute|payment_intent|payment_attempt)_/;

function refusal(error: unknown): string | undefined {
  const constraint = violatedConstraint(error);
  return constraint !== undefined && OF_MONEY.test(constraint) ? constraint : undefined;
}
