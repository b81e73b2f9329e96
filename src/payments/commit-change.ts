import type { EntityManager } from 'typeorm';
import { run, statement, type Statement } from '../database/statement.js';
import { CHANGE_PARTS, type ChangePart } from './change-parts.js';
import type { PaymentChange } from './payment-change.js';

/**
 * Comes first, and everything else hangs on it: it locks the order and compares its version, so of two changes prepared
 * on the same version one is written and the other writes nothing. Locks keep the one order of all of Quittance: the
 * order first, whose row stands for its intents and attempts too, for nobody changes them without it; then its products,
 * by SKU; then the days of their capacity, by SKU and day.
 */
const GUARDED = `guarded AS (
    UPDATE orders SET
      version = version + 1,
      status = coalesce($3::text, status),
      confirmed_at = CASE WHEN $3::text = 'CONFIRMED' THEN $4::timestamptz ELSE confirmed_at END,
      reserved_until = CASE WHEN $5::boolean THEN $6::timestamptz ELSE reserved_until END,
      refunded_at = CASE WHEN $7::boolean THEN $8::timestamptz ELSE refunded_at END,
      restocked_at = CASE WHEN $7::boolean THEN $9::timestamptz ELSE restocked_at END
    WHERE id = $1::uuid AND version = $2::integer
    RETURNING id
  )`;

function guardValuesOf(change: PaymentChange): unknown[] {
  return [
    change.orderId,
    change.orderVersion,
    change.orderStatus,
    change.now,
    change.reservedUntil !== undefined,
    change.reservedUntil ?? null,
    change.orderMarked,
    change.order.refundedAt,
    change.order.restockedAt,
  ];
}

interface WrittenPart extends Pick<ChangePart, 'sql'> {
  /** Its place among all parts. */
  readonly index: number;
  readonly values: readonly unknown[];
}

/**
 * Writes the change: everything that a payment can change, in one statement. That is one round trip, all or nothing, and
 * no lock that waits for our event loop. It matters most for the row of a product that everybody wants: it is locked for
 * the length of this statement, and not longer.
 *
 * Answers false, with nothing written, when the order has changed since it was read: read again and decide again. A
 * constraint that the change would break is thrown as the database's error (`violatedConstraint` names it), and then too
 * nothing is written.
 */
export async function commitChange(manager: EntityManager, change: PaymentChange): Promise<boolean> {
  const guardValues = guardValuesOf(change);
  const parts = CHANGE_PARTS.flatMap(({ valuesOf, sql }, index): WrittenPart[] => {
    const values = valuesOf(change);
    return values ? [{ index, values, sql }] : [];
  });
  const values = [...guardValues, ...parts.flatMap((part) => part.values)];
  const [result] = await run(manager, commitOf(parts, guardValues.length), values);
  return result?.committed === 1;
}

/** With this the names of all its statements begin. */
export const COMMIT_PAYMENT_CHANGE = 'commit_payment_change';

type Commit = Statement<{ committed: number }>;

/** A payment changes in a dozen ways, and each has a statement of its own: what is not written costs nothing. */
const commits = new Map<string, Commit>();

function commitOf(parts: readonly WrittenPart[], guardValues: number): Commit {
  const name = `${COMMIT_PAYMENT_CHANGE}_${parts.map(({ index }) => index).join('_')}`;
  const known = commits.get(name);
  if (known) return known;
  let last = guardValues;
  const expressions = parts.map(({ sql, values }) => sql(...values.map(() => `$${(last += 1)}`)));
  const written = 'SELECT count(*)::integer AS committed FROM guarded';
  const commit: Commit = statement(name, `WITH ${[GUARDED, ...expressions].join(',\n  ')} ${written}`);
  commits.set(name, commit);
  return commit;
}
