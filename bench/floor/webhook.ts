import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { inTransaction, writeOne } from './in-transaction.js';
import type { SignedNotification } from './signature.js';

export type Webhook = (
  pool: pg.Pool,
  notification: SignedNotification,
  signature: string,
  rawBody: string,
) => Promise<void>;

/** Not by its status: once PostgreSQL takes PENDING for rare, it would read all of a partial index to find this one. */
const INTENT = `UPDATE payment_intent
  SET status = 'PAID', version = version + 1, captured_amount = captured_amount + $2, paid_at = now()
  WHERE reference = $1 AND version = 1 RETURNING id, order_id, version`;
const ATTEMPT = `UPDATE payment_attempt SET status = 'SUCCEEDED'
  WHERE intent_id = $1 AND provider_reference = $2 RETURNING id`;
const ORDER = `UPDATE orders
  SET version = version + 1, status = 'CONFIRMED', confirmed_at = now(), reserved_until = NULL WHERE id = $1`;
const MOVEMENT = `INSERT INTO movement
    (id, intent_id, attempt_id, kind, amount, currency, provider, provider_reference)
  VALUES ($1, $2, $3, 'CAPTURE', $4, 'EUR', 'stripe', $5)`;
const OUTBOX = `INSERT INTO outbox_event (topic, key, version, payload, told_at)
  VALUES ('payment.status_changed', $1, $2, $3, now())`;
const EVENT = `INSERT INTO webhook_event
    (id, provider, event_id, proof, type, payload, headers, status, outcome, tries, processed_at)
  VALUES ($1, 'stripe', $2, 'SIGNED', $3, $4, $5, 'APPLIED', 'PENDING → PAID', 1, now())`;
const PRODUCT = `UPDATE product SET stock = stock - 1, reserved = reserved - 1
  WHERE id = (SELECT product_id FROM order_line WHERE order_id = $1)`;

/** About what ours tells the world. */
function told(reference: string, amount: number): string {
  const now = new Date();
  const paymentIntent = { reference, amount, currency: 'EUR', capturedAmount: amount, paidAt: now };
  const padding = 'x'.repeat(250);
  return JSON.stringify({
    previousStatus: 'PENDING',
    status: 'PAID',
    occurredAt: now,
    paymentIntent,
    padding,
  });
}

function understand({ data: { object } }: SignedNotification) {
  const reference = object.metadata.quittance_attempt.slice(0, -2);
  return { reference, providerReference: object.id, amount: object.amount_received };
}

/** One prepared statement for each row; the product, which others may want too, last. */
export const plainWebhook: Webhook = async (pool, notification, signature, rawBody) => {
  const { reference, providerReference, amount } = understand(notification);
  const headers = { 'stripe-signature': signature, 'content-type': 'application/json' };
  await inTransaction(pool, async (client) => {
    const intent = await writeOne<{ id: string; order_id: string; version: number }>(
      client,
      'paid_intent',
      INTENT,
      [reference, amount],
    );
    const attempt = await writeOne<{ id: string }>(client, 'paid_attempt', ATTEMPT, [
      intent.id,
      providerReference,
    ]);
    const movement = [uuidv7(), intent.id, attempt.id, amount, providerReference];
    await writeOne(client, 'paid_movement', MOVEMENT, movement);
    await writeOne(client, 'paid_outbox', OUTBOX, [intent.id, intent.version, told(reference, amount)]);
    const event = [uuidv7(), notification.id, notification.type, rawBody, headers];
    await writeOne(client, 'paid_event', EVENT, event);
    await writeOne(client, 'paid_order', ORDER, [intent.order_id]);
    await writeOne(client, 'paid_product', PRODUCT, [intent.order_id]);
  });
};

const BEST = `WITH intent AS (${INTENT}),
  attempt AS (UPDATE payment_attempt a SET status = 'SUCCEEDED'
    FROM intent WHERE a.intent_id = intent.id AND a.provider_reference = $3 RETURNING a.id, a.intent_id),
  movement AS (INSERT INTO movement (id, intent_id, attempt_id, kind, amount, currency, provider, provider_reference)
    SELECT $4::uuid, intent_id, id, 'CAPTURE', $2::bigint, 'EUR', 'stripe', $3::text FROM attempt),
  outbox AS (INSERT INTO outbox_event (topic, key, version, payload, told_at)
    SELECT 'payment.status_changed', id, version, $5::jsonb, now() FROM intent),
  event AS (INSERT INTO webhook_event
      (id, provider, event_id, proof, type, payload, headers, status, outcome, tries, processed_at)
    SELECT $6::uuid, 'stripe', $7::text, 'SIGNED', $8::text, $9::text, $10::jsonb, 'APPLIED', 'PENDING → PAID', 1, now()
    FROM intent),
  paid_order AS (UPDATE orders o
    SET version = o.version + 1, status = 'CONFIRMED', confirmed_at = now(), reserved_until = NULL
    FROM intent WHERE o.id = intent.order_id),
  taken AS (UPDATE product p SET stock = p.stock - 1, reserved = p.reserved - 1
    FROM intent JOIN order_line l ON l.order_id = intent.order_id WHERE p.id = l.product_id)
  SELECT id FROM attempt`;

/** The same in one statement. */
export const bestWebhook: Webhook = async (pool, notification, signature, rawBody) => {
  const { reference, providerReference, amount } = understand(notification);
  const headers = { 'stripe-signature': signature, 'content-type': 'application/json' };
  await writeOne(pool, 'best_webhook', BEST, [
    ...[reference, amount, providerReference, uuidv7(), told(reference, amount)],
    ...[uuidv7(), notification.id, notification.type, rawBody, headers],
  ]);
};
