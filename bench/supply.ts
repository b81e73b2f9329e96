import type pg from 'pg';

/** What the shop sells costs this much; amounts differ in nothing that matters to speed. */
export const AMOUNT = 1_500;

export interface OrderToPay {
  readonly id: string;
  readonly reference: string;
  readonly productId: string;
}

export interface PaymentToSettle {
  readonly orderReference: string;
  readonly intentReference: string;
  readonly providerReference: string;
}

const RANDOM_26 = `substr(upper(replace(gen_random_uuid()::text, '-', '')), 1, 26)`;

const FRESH_ORDERS = `fresh AS MATERIALIZED (
    SELECT uuidv7() AS id, 'ORD-' || ${RANDOM_26} AS reference,
      ($2::uuid[])[1 + number % cardinality($2::uuid[])] AS product_id,
      uuidv7() AS intent_id, 'TXN-' || ${RANDOM_26} AS intent_reference,
      'pi_' || replace(gen_random_uuid()::text, '-', '') AS provider_reference
    FROM generate_series(1, $1::integer) AS number
  ),
  line AS (
    INSERT INTO order_line (id, order_id, position, product_id, sku, name, quantity, unit_amount)
    SELECT uuidv7(), id, 1, product_id, 'BENCH', 'Something', 1, ${AMOUNT} FROM fresh
  )`;

/** Products with more stock than any run can sell. */
export async function addProducts(client: pg.Client, count: number): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO product (id, sku, name, unit_amount, currency, stock)
     SELECT id, 'BENCH-' || id, 'Something', ${AMOUNT}, 'EUR', 1000000000
     FROM (SELECT uuidv7() AS id FROM generate_series(1, $1::integer)) RETURNING id`,
    [count],
  );
  return rows.map(({ id }) => id);
}

/** Orders that nobody has begun to pay, spread over these products. */
export async function addOrders(
  client: pg.Client,
  productIds: readonly string[],
  count: number,
): Promise<OrderToPay[]> {
  const { rows } = await client.query<{ id: string; reference: string; product_id: string }>(
    `WITH ${FRESH_ORDERS}, added AS (
       INSERT INTO orders (id, reference, status, amount, currency, locale)
       SELECT id, reference, 'OPEN', ${AMOUNT}, 'EUR', 'en' FROM fresh)
     SELECT id, reference, product_id FROM fresh`,
    [count, productIds],
  );
  return rows.map(({ id, reference, product_id }) => ({ id, reference, productId: product_id }));
}

/** Payments as `createPaymentIntent` leaves them: the provider was asked, and the payer is about to pay. */
export async function addPendingPayments(
  client: pg.Client,
  productIds: readonly string[],
  count: number,
): Promise<PaymentToSettle[]> {
  const { rows } = await client.query<PaymentToSettle>(
    `WITH ${FRESH_ORDERS}, added AS (
       INSERT INTO orders (id, reference, status, amount, currency, locale, reserved_until, version)
       SELECT id, reference, 'OPEN', ${AMOUNT}, 'EUR', 'en', now() + interval '1 day', 3 FROM fresh),
     held AS (
       UPDATE product SET reserved = reserved + wanted.pieces
       FROM (SELECT product_id, count(*) AS pieces FROM fresh GROUP BY product_id) AS wanted
       WHERE id = wanted.product_id),
     recorded AS (INSERT INTO order_stock (order_id, product_id, quantity) SELECT id, product_id, 1 FROM fresh),
     intent AS (
       INSERT INTO payment_intent (id, reference, order_id, amount, currency, status, version, expires_at)
       SELECT intent_id, intent_reference, id, ${AMOUNT}, 'EUR', 'PENDING', 1, now() + interval '1 day' FROM fresh),
     attempt AS (
       INSERT INTO payment_attempt (id, intent_id, number, provider, method, presentation, amount,
         provider_reference, idempotency_key, status, sealed_next_action)
       SELECT uuidv7(), intent_id, 1, 'stripe', 'CARD', 'EMBEDDED', ${AMOUNT},
         provider_reference, 'attempt_' || intent_id, 'PENDING', repeat('s', 240) FROM fresh),
     told AS (
       INSERT INTO outbox_event (topic, key, version, payload, told_at)
       SELECT 'payment.status_changed', intent_id, 1, '{}', now() FROM fresh)
     SELECT reference AS "orderReference", intent_reference AS "intentReference",
       provider_reference AS "providerReference" FROM fresh`,
    [count, productIds],
  );
  return rows;
}
