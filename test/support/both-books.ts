import type { RunningApp } from './running-app.js';

/** What one side says of one attempt, in minor units. */
interface Sums {
  readonly captured: number;
  readonly refunded: number;
}

type Books = ReadonlyMap<string, Sums>;

export interface Totals extends Sums {
  readonly payments: number;
}

/**
 * Compares our books with those of every double, attempt by attempt, to the last unit. For orders in EUR and XOF, which
 * Stripe counts as we do. @returns what each provider took and gave back in all.
 */
export async function expectBooksToAgree(app: RunningApp): Promise<Record<string, Totals>> {
  const attempts = await attemptsOf(app);
  const totals: Record<string, Totals> = {};
  for (const [provider, theirs] of [
    ['stripe', booksOfStripe(app)],
    ['bank-x', booksOfBank(app, attempts)],
    ['pawapay', booksOfPawaPay(app, attempts)],
    ['paydunya', booksOfPayDunya(app, attempts)],
  ] as const) {
    const ours = ourBooks(attempts, provider);
    expect(differences(ours, theirs)).toEqual([]);
    totals[provider] = totalOf(ours);
  }
  return totals;
}

interface Attempt extends Sums {
  readonly reference: string;
  readonly provider: string;
  readonly amount: number;
  /** By which PawaPay knows a payment that was begun on its page. */
  readonly key: string;
}

function attemptsOf({ dataSource }: RunningApp): Promise<Attempt[]> {
  return dataSource.query(
    `SELECT i.reference || '-' || a.number AS reference, a.provider, a.amount, a.idempotency_key AS key,
       coalesce(sum(m.amount) FILTER (WHERE m.kind = 'CAPTURE'), 0)::bigint AS captured,
       (coalesce(sum(m.amount) FILTER (WHERE m.kind = 'REFUND'), 0)
         - coalesce(sum(m.amount) FILTER (WHERE m.kind = 'REFUND_REVERSAL'), 0))::bigint AS refunded
     FROM payment_attempt a JOIN payment_intent i ON i.id = a.intent_id
       LEFT JOIN movement m ON m.attempt_id = a.id
     GROUP BY a.id, i.reference`,
  );
}

function ourBooks(attempts: readonly Attempt[], provider: string): Books {
  return new Map(
    attempts
      .filter((attempt) => attempt.provider === provider && attempt.captured > 0)
      .map(({ reference, captured, refunded }) => [reference, { captured, refunded }]),
  );
}

function booksOfStripe({ stripe }: RunningApp): Books {
  const books = new Map<string, Sums>();
  for (const { amount, amountCaptured, amountRefunded, status, metadata } of stripe.charges()) {
    if (status !== 'succeeded' || amountCaptured === 0) continue;
    const reference = metadata.quittance_attempt ?? 'not ours';
    const before = books.get(reference) ?? { captured: 0, refunded: 0 };
    // Stripe counts what was held and let go as given back.
    const letGo = amount - amountCaptured;
    books.set(reference, {
      captured: before.captured + amountCaptured,
      refunded: before.refunded + amountRefunded - letGo,
    });
  }
  return books;
}

function booksOfBank({ bank }: RunningApp, attempts: readonly Attempt[]): Books {
  const { chargesByReference, refundedByReference } = bank.counts();
  return booksOfCharges(chargesByReference, refundedByReference, attempts);
}

function booksOfPawaPay({ pawapay }: RunningApp, attempts: readonly Attempt[]): Books {
  const { chargesByReference, refundedByReference } = pawapay.counts();
  const references = new Map(attempts.map(({ key, reference }) => [key, reference]));
  const ours = (counts: Readonly<Record<string, number>>) =>
    Object.fromEntries(Object.entries(counts).map(([name, count]) => [references.get(name) ?? name, count]));
  return booksOfCharges(ours(chargesByReference), ours(refundedByReference), attempts);
}

/** It gives nothing back. */
function booksOfPayDunya({ paydunya }: RunningApp, attempts: readonly Attempt[]): Books {
  return booksOfCharges(paydunya.counts().completedByAttempt, {}, attempts);
}

/** Where each charge is of what the attempt was to bring. */
function booksOfCharges(
  charges: Readonly<Record<string, number>>,
  refunded: Readonly<Record<string, number>>,
  attempts: readonly Attempt[],
): Books {
  const amounts = new Map(attempts.map(({ reference, amount }) => [reference, amount]));
  const charged = Object.entries(charges).filter(([, times]) => times > 0);
  return new Map(
    charged.map(([reference, times]) => [
      reference,
      { captured: times * (amounts.get(reference) ?? NaN), refunded: refunded[reference] ?? 0 },
    ]),
  );
}

function differences(ours: Books, theirs: Books): object[] {
  const nothing = { captured: 0, refunded: 0 };
  return [...new Set([...ours.keys(), ...theirs.keys()])]
    .map((attempt) => ({
      attempt,
      ours: ours.get(attempt) ?? nothing,
      theirs: theirs.get(attempt) ?? nothing,
    }))
    .filter(
      (pair) => pair.ours.captured !== pair.theirs.captured || pair.ours.refunded !== pair.theirs.refunded,
    );
}

function totalOf(books: Books): Totals {
  let [captured, refunded] = [0, 0];
  for (const sums of books.values()) {
    captured += sums.captured;
    refunded += sums.refunded;
  }
  return { payments: books.size, captured, refunded };
}
