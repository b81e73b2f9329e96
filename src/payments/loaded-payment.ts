import type { EntityManager } from 'typeorm';
import { inQuotes } from '../database/in-quotes.js';
import { fromRow } from '../database/rows.js';
import { run, statement } from '../database/statement.js';
import type { Booking } from '../orders/booking.js';
import type { Order } from '../orders/order.js';
import { isConsistent, type PaymentNames } from './attempt-of-event.js';
import type { Dispute } from './dispute.js';
import type { Movement } from './movement.js';
import { parseAttemptReference, type PaymentAttempt } from './payment-attempt.js';
import type { PaymentIntent } from './payment-intent.js';
import { recentDeclines } from './recent-declines.js';
import type { Refund } from './refund.js';
import { OPEN_STATUSES } from './transitions.js';

/**
 * An order and one of its payment intents, with everything that decides what may happen next, read in one round trip
 * and without a lock. A change prepared on it is refused if the order's version has moved on (`commit-change.ts`).
 */
export interface LoadedPayment {
  /** The database's clock at the time of reading. */
  readonly now: Date;
  readonly order: Order;
  readonly intent: PaymentIntent;
  readonly attempts: readonly PaymentAttempt[];
  readonly movements: readonly Movement[];
  readonly refunds: readonly Refund[];
  readonly disputes: readonly Dispute[];
  /** The order's, once it is made. */
  readonly booking: Booking | null;
  /** Beside a payment in REVIEW: whether a newer one of the same order is open, which then holds the stock. */
  readonly otherIsOpen: boolean;
}

interface PaymentRow {
  now: Date;
  order_row: Record<string, unknown>;
  intent_row: Record<string, unknown> | null;
  attempt_rows: Record<string, unknown>[];
  movement_rows: Record<string, unknown>[];
  refund_rows: Record<string, unknown>[] | null;
  dispute_rows: Record<string, unknown>[] | null;
  booking_row: Record<string, unknown> | null;
  other_is_open: boolean | null;
}

const OPEN = inQuotes(OPEN_STATUSES);

const COLUMNS = `now() AS now, to_jsonb(o) AS order_row, to_jsonb(i) AS intent_row,
  coalesce((SELECT jsonb_agg(to_jsonb(a) ORDER BY a.number) FROM payment_attempt a WHERE a.intent_id = i.id), '[]') AS attempt_rows,
  coalesce((SELECT jsonb_agg(to_jsonb(m)) FROM movement m WHERE m.intent_id = i.id), '[]') AS movement_rows,
  CASE WHEN i.captured_amount > 0 THEN
    (SELECT jsonb_agg(to_jsonb(r) ORDER BY r.created_at, r.id) FROM refund r WHERE r.intent_id = i.id) END AS refund_rows,
  CASE WHEN i.captured_amount > 0 THEN
    (SELECT jsonb_agg(to_jsonb(d) ORDER BY d.created_at) FROM dispute d WHERE d.intent_id = i.id) END AS dispute_rows,
  CASE WHEN i.captured_amount > 0 AND o.booking_starts_at IS NOT NULL THEN
    (SELECT to_jsonb(b) FROM booking b WHERE b.order_id = o.id) END AS booking_row,
  CASE WHEN i.status = 'REVIEW' THEN EXISTS (
    SELECT FROM payment_intent other WHERE other.order_id = o.id AND other.id <> i.id AND other.status IN (${OPEN})
  ) END AS other_is_open`;

const BY_INTENT = statement<PaymentRow>(
  'load_payment_by_intent',
  `SELECT ${COLUMNS} FROM payment_intent i JOIN orders o ON o.id = i.order_id WHERE i.reference = $1`,
);

const BY_PROVIDER_REFERENCE = statement<PaymentRow>(
  'load_payment_by_provider_reference',
  `SELECT ${COLUMNS} FROM payment_attempt t
     JOIN payment_intent i ON i.id = t.intent_id JOIN orders o ON o.id = i.order_id
   WHERE t.provider = $1 AND t.provider_reference = $2`,
);

const BY_CAPTURE = statement<PaymentRow>(
  'load_payment_by_capture',
  `SELECT ${COLUMNS} FROM movement c
     JOIN payment_intent i ON i.id = c.intent_id JOIN orders o ON o.id = i.order_id
   WHERE c.provider = $1 AND c.provider_reference = $2 AND c.kind = 'CAPTURE'`,
);

/** The caller's earlier use of an idempotency key: what it asked, and what it made. */
export interface UsedKey {
  readonly fingerprint: string;
  /** The attempt's id; that of the intent where there was nothing to pay. */
  readonly madeId: string;
}

/**
 * Statuses in which an order's intent stands in the way of a new one. REVIEW comes first: beside money that a person has
 * to decide about, nobody is led to pay again.
 */
const IN_THE_WAY = inQuotes([...OPEN_STATUSES, 'REVIEW']);

/** An order with its open intent, or with the intent that the idempotency key made. */
export interface OrderToPay {
  readonly now: Date;
  readonly order: Order;
  readonly payment: LoadedPayment | null;
  readonly usedKey: UsedKey | null;
  /** In the last hour, of cards for payments from the payer's address, and of the order's customer. */
  readonly recentDeclines: number;
}

const TO_PAY = statement<
  PaymentRow & { used_fingerprint: string | null; used_resource_id: string | null; recent_declines: number }
>(
  'load_order_to_pay',
  `SELECT ${COLUMNS}, k.fingerprint AS used_fingerprint, k.resource_id AS used_resource_id,
     ${recentDeclines('$4', 'o.customer_id')} AS recent_declines
   FROM orders o
     LEFT JOIN idempotency_key k ON k.caller = $2 AND k.key = $3
     -- One row by its key, and said so: joined plainly, a plan made on empty tables reads them whole for ever after.
     LEFT JOIN LATERAL (SELECT * FROM payment_intent WHERE id = coalesce(
       (SELECT t.intent_id FROM payment_attempt t WHERE t.id = k.resource_id),
       (SELECT free.id FROM payment_intent free WHERE free.id = k.resource_id),
       (SELECT p.id FROM payment_intent p WHERE p.order_id = o.id AND p.status IN (${IN_THE_WAY})
        ORDER BY p.status = 'REVIEW' DESC LIMIT 1))
       LIMIT 1) i ON true
   WHERE o.reference = $1`,
);

export async function loadPayment(
  manager: EntityManager,
  intentReference: string,
): Promise<LoadedPayment | null> {
  const [row] = await run(manager, BY_INTENT, [intentReference]);
  return row ? toPayment(row) : null;
}

/**
 * The payment that a provider speaks of. Our mark finds it in one round trip; where the provider calls it by another id
 * than the one that we have stored for the marked attempt, the payment that has this id counts, if there is one.
 */
export async function loadPaymentOfProvider(
  manager: EntityManager,
  provider: string,
  event: PaymentNames,
): Promise<LoadedPayment | null> {
  const marked = await loadMarkedPayment(manager, provider, event);
  if (marked && isConsistent(marked, event, provider)) return marked;
  return (await loadByProviderReferences(manager, provider, event)) ?? marked;
}

async function loadMarkedPayment(
  manager: EntityManager,
  provider: string,
  { attemptReference }: PaymentNames,
): Promise<LoadedPayment | null> {
  const ours = attemptReference ? parseAttemptReference(attemptReference) : undefined;
  if (!ours) return null;
  const payment = await loadPayment(manager, ours.intentReference);
  const attempt = payment?.attempts.find(({ number }) => number === ours.number);
  return attempt?.provider === provider ? payment : null;
}

/** By the provider's id of the attempt, or of the money that it brought. */
async function loadByProviderReferences(
  manager: EntityManager,
  provider: string,
  event: PaymentNames,
): Promise<LoadedPayment | null> {
  for (const reference of [event.providerReference, event.captureReference]) {
    if (!reference) continue;
    const [row] = await run(manager, BY_PROVIDER_REFERENCE, [provider, reference]);
    if (row) return toPayment(row);
  }
  if (!event.captureReference) return null;
  const [row] = await run(manager, BY_CAPTURE, [provider, event.captureReference]);
  return row ? toPayment(row) : null;
}

export async function loadOrderToPay(
  manager: EntityManager,
  orderReference: string,
  key: { readonly caller: string; readonly key: string } | null,
  clientDigest: string | null = null,
): Promise<OrderToPay | null> {
  const values = [orderReference, key?.caller ?? null, key?.key ?? null, clientDigest];
  const [row] = await run(manager, TO_PAY, values);
  if (!row) return null;
  return {
    now: row.now,
    order: fromRow<Order>(row.order_row),
    payment: toPayment(row),
    recentDeclines: row.recent_declines,
    usedKey: row.used_fingerprint
      ? { fingerprint: row.used_fingerprint, madeId: row.used_resource_id! }
      : null,
  };
}

function toPayment(row: PaymentRow): LoadedPayment | null {
  if (!row.intent_row) return null;
  return {
    now: row.now,
    order: fromRow<Order>(row.order_row),
    intent: fromRow<PaymentIntent>(row.intent_row),
    attempts: row.attempt_rows.map((attempt) => fromRow<PaymentAttempt>(attempt)),
    movements: row.movement_rows.map((movement) => fromRow<Movement>(movement)),
    refunds: (row.refund_rows ?? []).map((refund) => fromRow<Refund>(refund)),
    booking: row.booking_row && fromRow<Booking>(row.booking_row),
    otherIsOpen: row.other_is_open ?? false,
    disputes: (row.dispute_rows ?? []).map((dispute) => fromRow<Dispute>(dispute)),
  };
}
