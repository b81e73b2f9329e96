import { toRow } from '../database/rows.js';
import { movePlaces, PLACE_STEPS } from '../orders/capacity.js';
import { countedProducts } from '../orders/hold-limits.js';
import { moveStock, NO_STOCK_MOVE, STOCK_STEPS, type StockStep } from '../orders/stock.js';
import type { PaymentChange } from './payment-change.js';

/** Something that a change may write beside its order. */
export interface ChangePart {
  /** What there is to write; null: nothing, and the statement goes without this part. */
  readonly valuesOf: (change: PaymentChange) => readonly unknown[] | null;
  /** Common table expressions that hang on `guarded`. @param parameters `$10` and so on, one for each value. */
  readonly sql: (...parameters: string[]) => string;
}

const GUARDED_ORDER = '(SELECT id FROM guarded)';

/** Also where only places move: their days are locked after the products. */
const STOCK: ChangePart = {
  valuesOf: (change) => {
    if (!change.stockStep && !placeStepOf(change)) return null;
    const move = change.stockStep ? STOCK_STEPS[change.stockStep] : NO_STOCK_MOVE;
    return [move.stock, move.reserved, move.takesFree, move.givesBack];
  },
  sql: (stock, reserved, takesFree, givesBack) =>
    moveStock(GUARDED_ORDER, {
      stock: `${stock}::bigint`,
      reserved: `${reserved}::bigint`,
      takesFree: `${takesFree}::boolean`,
      givesBack: `${givesBack}::boolean`,
    }),
};

const PLACES: ChangePart = {
  valuesOf: (change) => {
    const step = placeStepOf(change);
    if (!step) return null;
    const { held, booked, takesFree } = PLACE_STEPS[step];
    return [held, booked, takesFree];
  },
  sql: (held, booked, takesFree) =>
    movePlaces(
      GUARDED_ORDER,
      { held: `${held}::integer`, booked: `${booked}::integer`, takesFree: `${takesFree}::boolean` },
      // Counting them locks the products, before any day.
      '(SELECT count(*) FROM moved_product) >= 0',
    ),
};

const NEW_HOLD: ChangePart = {
  valuesOf: ({ newHold }) => newHold && [JSON.stringify(toRow(newHold))],
  sql: (hold) => `new_hold AS (
    INSERT INTO stock_hold
      (id, order_id, client_digest, customer_id, products, at_once, share_percent, per_day, began_at)
    SELECT row.id, row.order_id, row.client_digest, row.customer_id, ${countedProducts('row.order_id')},
      row.at_once, row.share_percent, row.per_day, row.began_at
    FROM guarded, jsonb_populate_record(NULL::stock_hold, ${hold}) AS row
  )`,
};

const RELEASED_HOLD: ChangePart = {
  valuesOf: ({ stockStep, now }) => (stockStep === 'RELEASE' ? [now] : null),
  sql: (now) => `released_hold AS (
    UPDATE stock_hold h SET released_at = ${now}::timestamptz FROM guarded
    WHERE h.order_id = guarded.id AND h.released_at IS NULL
  )`,
};

/** Also those that were released before the money came. */
const PAID_HOLD: ChangePart = {
  valuesOf: ({ stockStep }) => (stockStep === 'TAKE_HELD' || stockStep === 'TAKE_FREE' ? [] : null),
  sql: () => 'paid_hold AS (DELETE FROM stock_hold h USING guarded WHERE h.order_id = guarded.id)',
};

const AUDIT: ChangePart = {
  valuesOf: ({ auditEntries }) => jsonOf(auditEntries),
  sql: (entries) => `audited AS (
    INSERT INTO audit_log (subject, actor, action, before, after, reason)
    SELECT row.subject, row.actor, row.action, row.before, row.after, row.reason
    FROM guarded, jsonb_to_recordset(${entries})
      AS row(subject text, actor text, action text, before jsonb, after jsonb, reason text)
  )`,
};

const OUTBOX: ChangePart = {
  valuesOf: ({ outboxEvents }) => jsonOf(outboxEvents),
  sql: (events) => `outbox AS (
    INSERT INTO outbox_event (topic, key, version, payload)
    SELECT row.topic, row.key, row.version, row.payload
    FROM guarded, jsonb_to_recordset(${events}) AS row(topic text, key uuid, version integer, payload jsonb)
    ORDER BY row.version
  )`,
};

/** When they run does not follow from where they stand: the order of the locks is kept by what they read of each other. */
export const CHANGE_PARTS: readonly ChangePart[] = [
  STOCK,
  rowsOf('payment_intent', ({ intent, intentChanged }) => (intentChanged ? [intent] : []), [
    'amount',
    'captured_amount',
    'refunded_amount',
    'disputed_amount',
    'status',
    'version',
    'failure_code',
    'failure_message',
    'noted_problems',
    'declines',
    'declined_at',
    'expires_at',
    'next_check_at',
    'paid_at',
  ]),
  rowsOf('payment_attempt', ({ attempts, changedAttempts }) => changed(attempts, changedAttempts), [
    'amount',
    'capture_amount',
    'provider_reference',
    'status',
    'sealed_next_action',
    'customer_reference',
    'idempotency_key',
    'failure_code',
    'failure_message',
    'ended_at',
    'ask_again_at',
  ]),
  rowsOf('movement', ({ newMovements }) => newMovements),
  rowsOf('refund', ({ refunds, changedRefunds }) => changed(refunds, changedRefunds), [
    'status',
    'provider_reference',
    'failure_code',
    'failure_message',
    'next_check_at',
    'settled_at',
  ]),
  rowsOf('refund_request', ({ approvedRequests }) => approvedRequests, [
    'decision',
    'decided_by',
    'decided_at',
  ]),
  rowsOf('dispute', ({ disputes, changedDisputes }) => changed(disputes, changedDisputes), [
    'status',
    'said_at',
    'refundable',
    'respond_by_at',
    'settled_at',
  ]),
  AUDIT,
  OUTBOX,
  rowsOf('webhook_event', ({ newWebhookEvents }) => newWebhookEvents, [
    'status',
    'outcome',
    'tries',
    'next_try_at',
    'intent_id',
    'processed_at',
  ]),
  rowsOf('idempotency_key', ({ newKeys }) => newKeys),
  rowsOf('booking', ({ booking, bookingChanged }) => (bookingChanged && booking ? [booking] : []), [
    'status',
    'cancelled_at',
  ]),
  PLACES,
  NEW_HOLD,
  RELEASED_HOLD,
  PAID_HOLD,
];

/** Rows of a table. @param mayChange the columns that are written where the row is there already. */
function rowsOf(
  table: string,
  rowsIn: (change: PaymentChange) => readonly object[],
  mayChange: readonly string[] = [],
): ChangePart {
  const assignments = mayChange.map((column) => `${column} = excluded.${column}`).join(', ');
  const onConflict = assignments && `ON CONFLICT (id) DO UPDATE SET ${assignments}`;
  return {
    valuesOf: (change) => jsonOf(rowsIn(change).map(toRow)),
    sql: (rows) => `written_${table} AS (
    INSERT INTO ${table} SELECT row.* FROM guarded, jsonb_populate_recordset(NULL::${table}, ${rows}) AS row
    ${onConflict}
  )`,
  };
}

function changed<Row extends { readonly id: string }>(rows: readonly Row[], ids: ReadonlySet<string>): Row[] {
  return rows.filter(({ id }) => ids.has(id));
}

function jsonOf(rows: readonly object[]): readonly [string] | null {
  return rows.length === 0 ? null : [JSON.stringify(rows)];
}

/** Places go the way of the stock, and come back when the booking is cancelled, whether or not the pieces do. */
function placeStepOf({ order, stockStep, booking, bookingChanged }: PaymentChange): StockStep | null {
  if (order.bookingStartsAt === null) return null;
  const isCancelled = bookingChanged && booking?.status === 'CANCELLED';
  if (!isCancelled) return stockStep === 'RETURN' ? null : stockStep;
  // A provider that is asked may tell of the payment and of its full refund at once.
  if (stockStep === 'TAKE_HELD') return 'RELEASE';
  return stockStep === 'TAKE_FREE' ? null : 'RETURN';
}
