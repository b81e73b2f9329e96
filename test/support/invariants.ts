import type { DataSource } from 'typeorm';
import { PAYMENT_STATUS_CHANGED } from '../../src/outbox/topics.js';
import type { Product } from '../../src/orders/product.js';

const OPEN = `('PENDING', 'PROCESSING', 'UNKNOWN', 'AUTHORIZED', 'REVIEW')`;

/** What must always hold (section 8 of the design), each as a question for the rows that break it. */
const WHO_BREAKS: Readonly<Record<string, string>> = {
  'captured, refunded and disputed amounts are the sums of the movements': `
    SELECT i.reference, i.captured_amount, i.refunded_amount, i.disputed_amount, sums.* FROM payment_intent i, LATERAL (
      SELECT coalesce(sum(amount) FILTER (WHERE kind = 'CAPTURE'), 0) AS captures,
             coalesce(sum(amount) FILTER (WHERE kind = 'REFUND'), 0)
               - coalesce(sum(amount) FILTER (WHERE kind = 'REFUND_REVERSAL'), 0) AS refunds,
             coalesce(sum(amount) FILTER (WHERE kind = 'CHARGEBACK'), 0)
               - coalesce(sum(amount) FILTER (WHERE kind = 'CHARGEBACK_REVERSAL'), 0) AS chargebacks
      FROM movement m WHERE m.intent_id = i.id) sums
    WHERE i.captured_amount <> sums.captures OR i.refunded_amount <> sums.refunds
       OR i.disputed_amount <> sums.chargebacks`,
  'what was given back is the sum of the refunds that succeeded': `
    SELECT i.reference, i.refunded_amount, given.total FROM payment_intent i, LATERAL (
      SELECT coalesce(sum(amount), 0) AS total FROM refund r WHERE r.intent_id = i.id AND r.status = 'SUCCEEDED') given
    WHERE i.refunded_amount <> given.total`,
  'each entry of the audit log carries its own hash and that of the one before': `
    SELECT subject, position FROM (
      SELECT a.*, lag(hash) OVER subject_chain AS hash_before, row_number() OVER subject_chain AS place
      FROM audit_log a WINDOW subject_chain AS (PARTITION BY subject ORDER BY position)) chained
    WHERE place <> position OR previous_hash IS DISTINCT FROM hash_before
      OR hash <> (SELECT audit_hash(a) FROM audit_log a WHERE a.id = chained.id)`,
  'an order is CONFIRMED if and only if it has one payment that is or was PAID': `
    SELECT o.reference, o.status, count(i.id) AS payments
    FROM orders o LEFT JOIN payment_intent i ON i.order_id = o.id AND i.paid_at IS NOT NULL
    GROUP BY o.id HAVING count(i.id) <> CASE WHEN o.status = 'CONFIRMED' THEN 1 ELSE 0 END`,
  'what a product has reserved is what is held for orders': `
    SELECT p.sku, p.stock, p.reserved, held.quantity FROM product p, LATERAL (
      SELECT coalesce(sum(s.quantity), 0) AS quantity FROM order_stock s JOIN orders o ON o.id = s.order_id
      WHERE s.product_id = p.id AND o.status = 'OPEN') held
    WHERE p.reserved <> held.quantity`,
  'pieces are held for orders that are being paid, and taken for orders that are CONFIRMED, and for no others': `
    SELECT o.reference, o.status, o.reserved_until, o.restocked_at, s.product_id, s.quantity
    FROM order_stock s JOIN orders o ON o.id = s.order_id
    WHERE o.restocked_at IS NOT NULL OR (o.status <> 'CONFIRMED' AND o.reserved_until IS NULL)`,
  'stock is held for an order exactly while a payment of it is open': `
    SELECT o.reference, o.status, o.reserved_until, count(i.id) AS open FROM orders o
      LEFT JOIN payment_intent i ON i.order_id = o.id AND i.status IN ${OPEN}
    WHERE o.status = 'OPEN'
      -- A payment under review that came too late has no stock any more.
      AND NOT EXISTS (SELECT FROM payment_intent r WHERE r.order_id = o.id AND r.status = 'REVIEW')
    GROUP BY o.id HAVING (o.reserved_until IS NOT NULL) <> (count(i.id) > 0)`,
  'versions are 1, 2, 3 … without holes, up to the payment’s own': `
    SELECT i.reference, i.version, told.versions FROM payment_intent i, LATERAL (
      SELECT array_agg(version ORDER BY id) AS versions FROM outbox_event e
      WHERE e.key = i.id AND e.topic = '${PAYMENT_STATUS_CHANGED}') told
    WHERE told.versions IS DISTINCT FROM (SELECT array_agg(v) FROM generate_series(1, i.version) v)`,
  'each change begins where the one before it ended, and the last one ends where the payment stands': `
    SELECT i.reference, i.status, e.version, e.was, e.said, e.now_is FROM payment_intent i, LATERAL (
      SELECT version, payload->>'status' AS now_is, payload->>'previousStatus' AS said,
             lag(payload->>'status') OVER (ORDER BY version) AS was
      FROM outbox_event WHERE key = i.id) e
    WHERE e.said IS DISTINCT FROM e.was OR (e.version = i.version AND e.now_is <> i.status)`,
  // One under review took money when it was over, and a newer one may have been open by then.
  'an order has at most one open payment, beside those under review': `
    SELECT order_id, count(*) FROM payment_intent WHERE status IN ${OPEN} AND status <> 'REVIEW'
    GROUP BY order_id HAVING count(*) > 1`,
  'an order has a booking if and only if it asked for one and is CONFIRMED': `
    SELECT o.reference, o.status, b.reference AS booking FROM orders o LEFT JOIN booking b ON b.order_id = o.id
    WHERE (b.id IS NOT NULL) <> (o.booking_starts_at IS NOT NULL AND o.status = 'CONFIRMED')
      OR (b.starts_at, b.ends_at, b.details) <> (o.booking_starts_at, o.booking_ends_at, o.booking_details)`,
  'a booking is CONFIRMED until all of the money was given back': `
    SELECT b.reference, b.status, o.refunded_at FROM booking b JOIN orders o ON o.id = b.order_id
      JOIN payment_intent i ON i.order_id = o.id AND i.paid_at IS NOT NULL
    WHERE (b.status = 'CONFIRMED') <> (o.refunded_at IS NULL OR i.refunded_amount = 0)
      -- What is cancelled stays so, also when the money comes back.
      AND NOT (b.status = 'CANCELLED' AND EXISTS (
        SELECT FROM movement m WHERE m.intent_id = i.id AND m.kind IN ('REFUND_REVERSAL', 'CHARGEBACK_REVERSAL')))`,
  'places are held for orders that are being paid, and booked for bookings that are CONFIRMED, and for no others': `
    SELECT o.reference, o.status, o.reserved_until, p.day, p.quantity FROM order_place p
      JOIN orders o ON o.id = p.order_id LEFT JOIN booking b ON b.order_id = o.id
    WHERE o.reserved_until IS NULL AND b.status IS DISTINCT FROM 'CONFIRMED'`,
  'each day’s held and booked places are the sums of its orders’, and not more than there are': `
    SELECT d.product_id, d.day, d.held, d.booked, d.capacity, sums.* FROM product_day d, LATERAL (
      SELECT coalesce(sum(p.quantity) FILTER (WHERE o.status = 'OPEN'), 0) AS held_sum,
             coalesce(sum(p.quantity) FILTER (WHERE o.status = 'CONFIRMED'), 0) AS booked_sum
      FROM order_place p JOIN orders o ON o.id = p.order_id WHERE p.product_id = d.product_id AND p.day = d.day) sums
    WHERE d.held <> sums.held_sum OR d.booked <> sums.booked_sum OR d.held + d.booked > d.capacity`,
  'an order has its places on each day of its booking': `
    SELECT o.reference, p.product_id, min(p.day), max(p.day), count(*) FROM order_place p JOIN orders o ON o.id = p.order_id
    GROUP BY o.id, p.product_id
    HAVING min(p.day) <> o.booking_first_day OR max(p.day) <> o.booking_last_day
      OR count(*) <> o.booking_last_day - o.booking_first_day + 1
      OR count(DISTINCT p.quantity) > 1
      OR max(p.quantity) <> (SELECT sum(l.quantity) FROM order_line l WHERE l.order_id = o.id AND l.product_id = p.product_id)`,
  'each notification is kept once': `
    SELECT provider, event_id, count(*) FROM webhook_event
    GROUP BY provider, event_id, content_digest HAVING count(*) > 1`,
};

/**
 * Checks the whole database.
 * @param products as they were before anything was sold: pieces are never made nor lost.
 */
export async function expectInvariants(
  dataSource: DataSource,
  products: readonly Product[] = [],
): Promise<void> {
  const broken: Record<string, unknown> = {};
  for (const [rule, question] of Object.entries(WHO_BREAKS)) {
    const rows: unknown[] = await dataSource.query(question);
    if (rows.length > 0) broken[rule] = rows;
  }
  expect(broken).toEqual({});
  for (const product of products) await expectAllPieces(dataSource, product);
}

async function expectAllPieces(dataSource: DataSource, { id, sku, stock }: Product): Promise<void> {
  const [now] = await dataSource.query<{ stock: number; sold: number }[]>(
    `SELECT stock, (SELECT coalesce(sum(l.quantity), 0)::integer FROM order_line l JOIN orders o ON o.id = l.order_id
       WHERE l.product_id = p.id AND o.status = 'CONFIRMED' AND o.restocked_at IS NULL) AS sold
     FROM product p WHERE id = $1`,
    [id],
  );
  expect({ sku, pieces: now!.stock + now!.sold }).toEqual({ sku, pieces: stock });
}
