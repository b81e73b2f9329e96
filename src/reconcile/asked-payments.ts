import { setTimeout as sleep } from 'node:timers/promises';
import type { EntityManager } from 'typeorm';
import { doublingPause } from '../doubling-pause.js';
import { run, statement } from '../database/statement.js';
import { asInitiated, attemptOf } from '../payments/initiate-attempt.js';
import { loadPayment, type LoadedPayment } from '../payments/loaded-payment.js';
import {
  ProviderFailure,
  type ListedPayment,
  type Provider,
  type ProviderEvent,
} from '../providers/provider.js';
import type { ComparableProvider } from './compare-books.js';

const PAGE = 100;
const SIDE_BY_SIDE = 4;

/** A provider that doesn't answer is asked about one attempt so often, with pauses of one second, two, four … */
const MAX_TRIES = 3;
const FIRST_PAUSE_MILLISECONDS = 1_000;

interface OurAttemptToAsk {
  readonly id: string;
  readonly intentReference: string;
  readonly attemptReference: string;
}

const ATTEMPTS = statement<OurAttemptToAsk>(
  'attempts_to_ask_about',
  `SELECT a.id, i.reference AS "intentReference", i.reference || '-' || a.number AS "attemptReference"
   FROM payment_attempt a JOIN payment_intent i ON i.id = a.intent_id
   WHERE a.provider = $1 AND a.provider_reference IS NOT NULL AND a.created_at >= $2 AND a.created_at < $3 AND a.id > $4
     AND ($5::text[] IS NULL OR i.reference || '-' || a.number = ANY($5))
   ORDER BY a.id LIMIT ${PAGE}`,
);

const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

/**
 * A provider that keeps no list of payments, with one that is made by asking about each of our attempts, ended ones too.
 * Money that carries no reference of ours is not found so.
 */
export function askingAboutEach(manager: EntityManager, provider: Provider): ComparableProvider {
  return {
    ...provider,
    listPayments: (since, until, only) => askedPayments(manager, provider, since, until, only),
  };
}

async function* askedPayments(
  manager: EntityManager,
  provider: Provider,
  since: Date,
  until: Date,
  only?: ReadonlySet<string>,
): AsyncGenerator<ListedPayment, void, undefined> {
  let last: OurAttemptToAsk | undefined;
  do {
    const after = last?.id ?? BEFORE_ALL;
    const page = await run(manager, ATTEMPTS, [provider.name, since, until, after, only ? [...only] : null]);
    for (let first = 0; first < page.length; first += SIDE_BY_SIDE) {
      const some = page.slice(first, first + SIDE_BY_SIDE);
      const listed = await Promise.all(some.map((attempt) => askAbout(manager, provider, attempt)));
      yield* listed.flat();
    }
    last = page.length < PAGE ? undefined : page.at(-1);
  } while (last);
}

async function askAbout(
  manager: EntityManager,
  provider: Provider,
  { id, intentReference, attemptReference }: OurAttemptToAsk,
): Promise<readonly ListedPayment[]> {
  const payment = await loadPayment(manager, intentReference);
  if (!payment) return [];
  const attempt = attemptOf(payment, id);
  const { providerReference, createdAt } = attempt;
  if (providerReference === null) return [];
  const initiated = asInitiated(payment, attempt, providerReference);
  // Also those that have succeeded: here it is compared what the provider has of them.
  const openRefunds = payment.refunds.filter(({ attemptId }) => attemptId === id);
  const events = await patiently(() => provider.verify({ ...initiated, openRefunds }));
  return events.flatMap(({ outcome }): ListedPayment[] =>
    outcome.kind === 'paid'
      ? [
          {
            providerReference,
            attemptReference,
            captureReference: outcome.movementReference,
            currency: outcome.currency,
            capturedAmount: outcome.amount,
            refundedAmount: refundedThere(events) ?? refundedHere(payment, id),
            createdAt,
          },
        ]
      : [],
  );
}

/** Null where the provider says nothing of refunds. */
function refundedThere(events: readonly ProviderEvent[]): number | null {
  const outcomes = events.map(({ outcome }) => outcome);
  const total = outcomes.find((outcome) => outcome.kind === 'refundsChanged');
  if (total) return total.totalAmount;
  const refunds = outcomes.filter((outcome) => outcome.kind === 'refund');
  if (refunds.length === 0) return null;
  return refunds.filter(({ status }) => status === 'succeeded').reduce((sum, { amount }) => sum + amount, 0);
}

function refundedHere({ movements }: LoadedPayment, attemptId: string): number {
  return movements
    .filter((movement) => movement.attemptId === attemptId)
    .reduce((sum, { kind, amount }) => {
      if (kind === 'REFUND') return sum + amount;
      return kind === 'REFUND_REVERSAL' ? sum - amount : sum;
    }, 0);
}

/** What the provider doesn't know has moved no money there. @throws {ProviderFailure} when it doesn't say. */
async function patiently(
  ask: () => Promise<readonly ProviderEvent[]>,
  tries = 1,
): Promise<readonly ProviderEvent[]> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    if (error.kind === 'rejected') return [];
    if (tries >= MAX_TRIES) throw error;
  }
  await sleep(doublingPause(tries, FIRST_PAUSE_MILLISECONDS, FIRST_PAUSE_MILLISECONDS * 2 ** MAX_TRIES));
  return patiently(ask, tries + 1);
}
