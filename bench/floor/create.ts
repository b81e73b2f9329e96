import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { inTransaction, writeOne } from './in-transaction.js';
import type { CallProvider } from './provider.js';

/** What the floor is told, so that it need not read it. */
export interface CreateRequest {
  readonly orderId: string;
  readonly orderReference: string;
  readonly productId: string;
  readonly amount: number;
  readonly idempotencyKey: string;
}

export type Create = (pool: pg.Pool, request: CreateRequest, call: CallProvider) => Promise<object>;

/** What ours writes of a payment that is new. */
function newPayment({ orderId, orderReference, amount }: CreateRequest) {
  const now = new Date();
  const intentId = uuidv7();
  const reference = `TXN-${randomBytes(13).toString('hex').toUpperCase()}`;
  const expiresAt = new Date(now.getTime() + 1_800_000);
  const payload = {
    previousStatus: null,
    status: 'PENDING',
    version: 1,
    occurredAt: now,
    orderReference,
    paymentIntent: {
      ...{ id: intentId, reference, orderId, amount, currency: 'EUR', capturedAmount: 0, refundedAmount: 0 },
      ...{ status: 'PENDING', version: 1, failureCode: null, failureMessage: null, expiresAt },
      ...{ nextCheckAt: null, paidAt: null, createdAt: now },
    },
  };
  // Sealed by ours: about as long as this.
  const sealed = (secret: string) => Buffer.from(secret.padEnd(170)).toString('base64url');
  return { intentId, attemptId: uuidv7(), reference, expiresAt, payload: JSON.stringify(payload), sealed };
}

const HOLD_ORDER = `UPDATE orders SET version = version + 1, reserved_until = $2 WHERE id = $1 AND version = 1`;
const HOLD_PRODUCT = `UPDATE product SET reserved = reserved + 1 WHERE id = $1`;
/** Its next look is not due while the benchmark runs, or Quittance beside it would take it up. */
const INTENT = `INSERT INTO payment_intent
    (id, reference, order_id, amount, currency, status, version, expires_at, next_check_at)
  VALUES ($1, $2, $3, $4, 'EUR', 'PENDING', 1, $5, now() + interval '1 day')`;
const ATTEMPT = `INSERT INTO payment_attempt
    (id, intent_id, number, provider, method, presentation, amount, idempotency_key, status)
  VALUES ($1, $2, 1, 'stripe', 'CARD', 'EMBEDDED', $3, $4, 'PENDING')`;
/** Told already, or Quittance beside it would tell it. */
const OUTBOX = `INSERT INTO outbox_event (topic, key, version, payload, told_at)
  VALUES ('payment.status_changed', $1, 1, $2, now())`;
const KEY = `INSERT INTO idempotency_key (caller, key, fingerprint, resource_id, expires_at)
  VALUES ($1, $2, 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', $3, now() + interval '1 day')`;
const OPENED_ORDER = `UPDATE orders SET version = version + 1 WHERE id = $1 AND version = 2`;
const OPENED_ATTEMPT = `UPDATE payment_attempt SET provider_reference = $2, sealed_next_action = $3 WHERE id = $1`;
const CALL = `INSERT INTO provider_call
    (id, provider, operation, attempt_id, outcome, tries, milliseconds, exchanges, started_at)
  VALUES ($1, 'stripe', 'initiate', $2, 'OK', 1, 1, $3, now())`;

/** One prepared statement for each row; the product, which others may want too, last. */
export const plainCreate: Create = async (pool, request, call) => {
  const { orderId, orderReference, productId, amount, idempotencyKey } = request;
  const { intentId, attemptId, reference, expiresAt, payload, sealed } = newPayment(request);
  await inTransaction(pool, async (client) => {
    await writeOne(client, 'hold_order', HOLD_ORDER, [orderId, expiresAt]);
    await writeOne(client, 'new_intent', INTENT, [intentId, reference, orderId, amount, expiresAt]);
    await writeOne(client, 'new_attempt', ATTEMPT, [attemptId, intentId, amount, `attempt_${attemptId}`]);
    await writeOne(client, 'new_outbox', OUTBOX, [intentId, payload]);
    await writeOne(client, 'new_key', KEY, [`payer:${orderReference}`, idempotencyKey, attemptId]);
    await writeOne(client, 'hold_product', HOLD_PRODUCT, [productId]);
  });
  const { opened, exchanges } = await call(`${reference}-1`, amount, attemptId);
  await inTransaction(pool, async (client) => {
    await writeOne(client, 'opened_order', OPENED_ORDER, [orderId]);
    await writeOne(client, 'opened_attempt', OPENED_ATTEMPT, [
      attemptId,
      opened.id,
      sealed(opened.client_secret),
    ]);
    await writeOne(client, 'new_call', CALL, [uuidv7(), attemptId, exchanges]);
  });
  return { id: reference, status: 'PENDING', clientSecret: opened.client_secret };
};

const BEST_BEGIN = `WITH held AS (${HOLD_ORDER} RETURNING id),
  stock AS (UPDATE product SET reserved = reserved + 1 WHERE id = $3),
  intent AS (INSERT INTO payment_intent
      (id, reference, order_id, amount, currency, status, version, expires_at, next_check_at)
    SELECT $4::uuid, $5::text, id, $6::bigint, 'EUR', 'PENDING', 1, $2::timestamptz, now() + interval '1 day' FROM held),
  attempt AS (INSERT INTO payment_attempt
      (id, intent_id, number, provider, method, presentation, amount, idempotency_key, status)
    SELECT $7::uuid, $4::uuid, 1, 'stripe', 'CARD', 'EMBEDDED', $6::bigint, $8::text, 'PENDING' FROM held),
  outbox AS (INSERT INTO outbox_event (topic, key, version, payload, told_at)
    SELECT 'payment.status_changed', $4::uuid, 1, $9::jsonb, now() FROM held),
  key AS (INSERT INTO idempotency_key (caller, key, fingerprint, resource_id, expires_at)
    SELECT $10::text, $11::text, 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', $7::uuid, now() + interval '1 day' FROM held)
  SELECT id FROM held`;

const BEST_OPENED = `WITH opened AS (${OPENED_ORDER} RETURNING id),
  attempt AS (UPDATE payment_attempt SET provider_reference = $3, sealed_next_action = $4 WHERE id = $2),
  call AS (INSERT INTO provider_call
      (id, provider, operation, attempt_id, outcome, tries, milliseconds, exchanges, started_at)
    SELECT $5::uuid, 'stripe', 'initiate', $2::uuid, 'OK', 1, 1, $6::jsonb, now() FROM opened)
  SELECT id FROM opened`;

/** The same in one statement before the call and one after it. */
export const bestCreate: Create = async (pool, request, call) => {
  const { orderId, orderReference, productId, amount, idempotencyKey } = request;
  const { intentId, attemptId, reference, expiresAt, payload, sealed } = newPayment(request);
  await writeOne(pool, 'best_begin', BEST_BEGIN, [
    ...[orderId, expiresAt, productId, intentId, reference, amount, attemptId, `attempt_${attemptId}`],
    ...[payload, `payer:${orderReference}`, idempotencyKey],
  ]);
  const { opened, exchanges } = await call(`${reference}-1`, amount, attemptId);
  const values = [orderId, attemptId, opened.id, sealed(opened.client_secret), uuidv7(), exchanges];
  await writeOne(pool, 'best_opened', BEST_OPENED, values);
  return { id: reference, status: 'PENDING', clientSecret: opened.client_secret };
};
