import type { EntityManager } from 'typeorm';
import { toRow } from '../database/rows.js';
import { run, statement } from '../database/statement.js';
import { movePlaces, PLACE_STEPS } from '../orders/capacity.js';
import { lockProducts, STOCK_STEPS, type StockStep } from '../orders/stock.js';
import type { PaymentChange } from './payment-change.js';

/**
 * Everything that a payment can change, in one statement: one round trip, all or nothing, and no lock that waits for our
 * event loop. It matters most for the row of a product that everybody wants: it is locked for the length of this
 * statement, and not longer.
 *
 * `guarded` comes first and everything else hangs on it: it locks the order and compares its version, so of two changes
 * prepared on the same version one is written and the other writes nothing. Locks keep the one order of all of Quittance:
 * the order first, whose row stands for its intents and attempts too, for nobody changes them without it; then its
 * products, by SKU; then the days of their capacity, by SKU and day.
 */
const CHANGES = `guarded AS (
    UPDATE orders SET
      version = version + 1,
      status = coalesce($3::text, status),
      confirmed_at = CASE WHEN $3::text = 'CONFIRMED' THEN $4::timestamptz ELSE confirmed_at END,
      reserved_until = CASE WHEN $5::boolean THEN $6::timestamptz ELSE reserved_until END,
      refunded_at = CASE WHEN $15::boolean THEN $16::timestamptz ELSE refunded_at END,
      restocked_at = CASE WHEN $15::boolean THEN $17::timestamptz ELSE restocked_at END
    WHERE id = $1::uuid AND version = $2::integer
    RETURNING id
  ),
  ${lockProducts('(SELECT id FROM guarded)', '($7::bigint <> 0 OR $8::bigint <> 0)')},
  stocked AS (
    UPDATE product p SET stock = p.stock + $7::bigint * h.quantity, reserved = p.reserved + $8::bigint * h.quantity
    FROM held_product h WHERE p.id = h.id
  ),
  intent AS (
    INSERT INTO payment_intent SELECT row.* FROM guarded, jsonb_populate_recordset(NULL::payment_intent, $9) AS row
    ON CONFLICT (id) DO UPDATE SET
      amount = excluded.amount,
      captured_amount = excluded.captured_amount,
      refunded_amount = excluded.refunded_amount,
      disputed_amount = excluded.disputed_amount,
      status = excluded.status,
      version = excluded.version,
      failure_code = excluded.failure_code,
      failure_message = excluded.failure_message,
      noted_problems = excluded.noted_problems,
      expires_at = excluded.expires_at,
      next_check_at = excluded.next_check_at,
      paid_at = excluded.paid_at
  ),
  attempt AS (
    INSERT INTO payment_attempt SELECT row.* FROM guarded, jsonb_populate_recordset(NULL::payment_attempt, $10) AS row
    ON CONFLICT (id) DO UPDATE SET
      amount = excluded.amount,
      capture_amount = excluded.capture_amount,
      provider_reference = excluded.provider_reference,
      status = excluded.status,
      sealed_next_action = excluded.sealed_next_action,
      failure_code = excluded.failure_code,
      failure_message = excluded.failure_message
  ),
  movement AS (
    INSERT INTO movement SELECT row.* FROM guarded, jsonb_populate_recordset(NULL::movement, $11) AS row
  ),
  refunded AS (
    INSERT INTO refund SELECT row.* FROM guarded, jsonb_populate_recordset(NULL::refund, $18) AS row
    ON CONFLICT (id) DO UPDATE SET
      status = excluded.status,
      provider_reference = excluded.provider_reference,
      failure_code = excluded.failure_code,
      failure_message = excluded.failure_message,
      next_check_at = excluded.next_check_at,
      settled_at = excluded.settled_at
  ),
  disputed AS (
    INSERT INTO dispute SELECT row.* FROM guarded, jsonb_populate_recordset(NULL::dispute, $19) AS row
    ON CONFLICT (id) DO UPDATE SET
      status = excluded.status, respond_by_at = excluded.respond_by_at, settled_at = excluded.settled_at
  ),
  audited AS (
    INSERT INTO audit_log (subject, actor, action, before, after, reason)
    SELECT row.subject, row.actor, row.action, row.before, row.after, row.reason
    FROM guarded, jsonb_to_recordset($20)
      AS row(subject text, actor text, action text, before jsonb, after jsonb, reason text)
  ),
  outbox AS (
    INSERT INTO outbox_event (topic, key, version, payload)
    SELECT row.topic, row.key, row.version, row.payload
    FROM guarded, jsonb_to_recordset($12) AS row(topic text, key uuid, version integer, payload jsonb)
    ORDER BY row.version
  ),
  webhook AS (
    INSERT INTO webhook_event SELECT row.* FROM guarded, jsonb_populate_recordset(NULL::webhook_event, $13) AS row
    ON CONFLICT (id) DO UPDATE SET
      status = excluded.status, outcome = excluded.outcome, tries = excluded.tries,
      next_try_at = excluded.next_try_at, intent_id = excluded.intent_id, processed_at = excluded.processed_at
  ),
  used_key AS (
    INSERT INTO idempotency_key SELECT row.* FROM guarded, jsonb_populate_recordset(NULL::idempotency_key, $14) AS row
  )`;

/** Only where the order has a booking: whoever books nothing pays for no part of it. */
const BOOKING = `booked AS (
    INSERT INTO booking SELECT row.* FROM guarded, jsonb_populate_recordset(NULL::booking, $21) AS row
    ON CONFLICT (id) DO UPDATE SET status = excluded.status, cancelled_at = excluded.cancelled_at
  ),
  ${movePlaces(
    '(SELECT id FROM guarded)',
    { held: '$22::integer', booked: '$23::integer', takesFree: '$24::boolean' },
    // Counting them locks the products, before any day.
    '(SELECT count(*) FROM held_product) >= 0',
  )}`;

const WRITTEN = 'SELECT count(*)::integer AS committed FROM guarded';

const COMMIT = statement<{ committed: number }>('commit_payment_change', `WITH ${CHANGES} ${WRITTEN}`);

const COMMIT_WITH_BOOKING = statement<{ committed: number }>(
  'commit_payment_change_with_booking',
  `WITH ${CHANGES}, ${BOOKING} ${WRITTEN}`,
);

/**
 * Writes the change. Answers false, with nothing written, when the order has changed since it was read: read again and
 * decide again. A constraint that the change would break is thrown as the database's error
 * (`violatedConstraint` names it), and then too nothing is written.
 */
export async function commitChange(manager: EntityManager, change: PaymentChange): Promise<boolean> {
  const values = valuesOf(change);
  const booking = bookingValuesOf(change);
  const [result] = booking
    ? await run(manager, COMMIT_WITH_BOOKING, [...values, ...booking])
    : await run(manager, COMMIT, values);
  return result?.committed === 1;
}

function valuesOf(change: PaymentChange): unknown[] {
  const step = change.stockStep ? STOCK_STEPS[change.stockStep] : { stock: 0, reserved: 0 };
  return [
    change.orderId,
    change.orderVersion,
    change.orderStatus,
    change.now,
    change.reservedUntil !== undefined,
    change.reservedUntil ?? null,
    step.stock,
    step.reserved,
    rows(change.intentChanged ? [change.intent] : []),
    rows(change.attempts.filter(({ id }) => change.changedAttempts.has(id))),
    rows(change.newMovements),
    JSON.stringify(change.outboxEvents),
    rows(change.newWebhookEvents),
    rows(change.newKeys),
    change.orderMarked,
    change.order.refundedAt,
    change.order.restockedAt,
    rows(change.refunds.filter(({ id }) => change.changedRefunds.has(id))),
    rows(change.disputes.filter(({ id }) => change.changedDisputes.has(id))),
    JSON.stringify(change.auditEntries),
  ];
}

/** Null: nothing of the order's booking or of its places changes. */
function bookingValuesOf(change: PaymentChange): unknown[] | null {
  if (change.order.bookingStartsAt === null) return null;
  const step = placeStepOf(change);
  if (!step && !change.bookingChanged) return null;
  const { held, booked, takesFree } = step ? PLACE_STEPS[step] : { held: 0, booked: 0, takesFree: false };
  return [rows(change.bookingChanged && change.booking ? [change.booking] : []), held, booked, takesFree];
}

/** Places go the way of the stock, and come back when the booking is cancelled, whether or not the pieces do. */
function placeStepOf({ stockStep, booking, bookingChanged }: PaymentChange): StockStep | null {
  const isCancelled = bookingChanged && booking?.status === 'CANCELLED';
  if (!isCancelled) return stockStep === 'RETURN' ? null : stockStep;
  // A provider that is asked may tell of the payment and of its full refund at once.
  if (stockStep === 'TAKE_HELD') return 'RELEASE';
  return stockStep === 'TAKE_FREE' ? null : 'RETURN';
}

function rows(objects: readonly object[]): string {
  return objects.length === 0 ? '[]' : JSON.stringify(objects.map(toRow));
}
