import type { RunningApp } from './running-app.js';

/** What one side says of one attempt, in minor units. */
interface Sums {
  readonly captured: number;
  readonly refunded: number;
}

type Books = ReadonlyMap<string, Sums>;

export interface Totals extends Sums {
  readonly payments: number;
  readonly movements: number;
  readonly chargedBack: number;
  readonly returnedByBanks: number;
}

/**
 * Compares our books with those of every double, to the last unit: at Stripe and the bank movement by movement, each with
 * its kind, amount and reference, and elsewhere attempt by attempt. For orders in EUR and XOF, which Stripe counts as we
 * do. @returns what each provider took and gave back in all, and what disputes took.
 */
export async function expectBooksToAgree(app: RunningApp): Promise<Record<string, Totals>> {
  const ours = await movementsOf(app);
  const payments = new Map(
    ours.filter(({ kind }) => kind === 'CAPTURE').map(({ reference, payment }) => [reference, payment]),
  );
  // Stripe knows which PaymentIntent took the money, and our capture bears its id.
  const atStripe = app.stripe
    .movements()
    .map((movement) => ({ ...movement, payment: payments.get(movement.payment) ?? movement.payment }));
  // The bank knows our attempt.
  const atBank = app.bank
    .movements()
    .map((movement) => ({ ...movement, payment: movement.payment.replace(/-\d+$/, '') }));
  const totals: Record<string, Totals> = {};
  for (const [provider, theirs] of [
    ['stripe', atStripe],
    ['bank-x', atBank],
  ] as const) {
    const booked = ours.filter((movement) => movement.provider === provider);
    expect(missingFrom(theirs, booked)).toEqual({ onlyOurs: [], onlyTheirs: [] });
    totals[provider] = totalsOf(booked);
  }
  const attempts = await attemptsOf(app);
  for (const [provider, theirs] of [
    ['pawapay', booksOfPawaPay(app, attempts)],
    ['paydunya', booksOfPayDunya(app, attempts)],
  ] as const) {
    expect(differences(ourBooks(attempts, provider), theirs)).toEqual([]);
    totals[provider] = totalsOf(ours.filter((movement) => movement.provider === provider));
  }
  return totals;
}

interface Movement {
  /** Our payment's id. */
  readonly payment: string;
  readonly kind: string;
  readonly amount: number;
  readonly reference: string;
}

/** All of our movements, without refunds that came back: the provider calls them failed, and has no money of them. */
function movementsOf({ dataSource }: RunningApp): Promise<(Movement & { readonly provider: string })[]> {
  return dataSource.query(
    `SELECT i.reference AS payment, m.kind, m.amount::bigint AS amount, m.provider_reference AS reference, m.provider
     FROM movement m JOIN payment_intent i ON i.id = m.intent_id
     WHERE NOT (m.kind IN ('REFUND', 'REFUND_REVERSAL') AND EXISTS (
       SELECT FROM movement o WHERE o.intent_id = m.intent_id AND o.provider_reference = m.provider_reference
         AND o.amount = m.amount AND o.kind IN ('REFUND', 'REFUND_REVERSAL') AND o.kind <> m.kind))`,
  );
}

function missingFrom(theirs: readonly Movement[], ours: readonly Movement[]): object {
  const lines = (movements: readonly Movement[]) =>
    movements.map(({ payment, kind, amount, reference }) => [payment, kind, amount, reference].join(' '));
  const [their, our] = [lines(theirs), lines(ours)];
  const [theirSet, ourSet] = [new Set(their), new Set(our)];
  return {
    onlyOurs: our.filter((line) => !theirSet.has(line)),
    onlyTheirs: their.filter((line) => !ourSet.has(line)),
  };
}

function totalsOf(movements: readonly Movement[]): Totals {
  const sum = (kind: string) =>
    movements.filter((movement) => movement.kind === kind).reduce((total, { amount }) => total + amount, 0);
  return {
    payments: new Set(movements.map(({ payment }) => payment)).size,
    movements: movements.length,
    captured: sum('CAPTURE'),
    refunded: sum('REFUND') - sum('REFUND_REVERSAL'),
    chargedBack: sum('CHARGEBACK'),
    returnedByBanks: sum('CHARGEBACK_REVERSAL'),
  };
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
