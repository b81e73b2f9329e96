import pg from 'pg';
import type { Progress } from './progress.js';
import type { Shop } from './stage.js';
import { AMOUNT } from './supply.js';

const BATCH = 20_000;
const WRITERS = 2;

/** The same of one number in every table, so that rows which belong together find each other. */
const id = (table: number): string =>
  `('0190000${table}-' || lpad(to_hex(n / 65536), 4, '0') || '-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid`;
const random26 = (table: number): string => `substr(upper(md5('${table}' || n)), 1, 26)`;

const ORDER = id(1);
const INTENT = id(2);
const ATTEMPT = id(3);
const PROVIDER_REFERENCE = `'pi_' || md5('pi' || n)`;
/** Spread over the last year, oldest first. */
const WHEN = `now() - (($3::integer - n) * interval '365 days' / $3::integer)`;
const NUMBERS = `FROM generate_series($1::integer, $2::integer) AS n`;

/** A payment that went well leaves one row in each of these. */
const INSERTS = [
  `INSERT INTO orders (id, reference, status, amount, currency, locale, version, created_at, confirmed_at)
   SELECT ${ORDER}, 'ORD-' || ${random26(1)}, 'CONFIRMED', ${AMOUNT}, 'EUR', 'en', 4, ${WHEN}, ${WHEN} ${NUMBERS}`,
  `INSERT INTO order_line (id, order_id, position, product_id, sku, name, quantity, unit_amount)
   SELECT ${id(4)}, ${ORDER}, 1, ($4::uuid[])[1 + n % cardinality($4::uuid[])], 'BENCH', 'Something', 1, ${AMOUNT}
   ${NUMBERS} WHERE $3::integer > 0`,
  `INSERT INTO payment_intent (id, reference, order_id, amount, currency, captured_amount, status, version,
     expires_at, paid_at, created_at)
   SELECT ${INTENT}, 'TXN-' || ${random26(2)}, ${ORDER}, ${AMOUNT}, 'EUR', ${AMOUNT}, 'PAID', 2, ${WHEN}, ${WHEN}, ${WHEN}
   ${NUMBERS}`,
  `INSERT INTO payment_attempt (id, intent_id, number, provider, method, presentation, amount, provider_reference,
     idempotency_key, status, sealed_next_action, created_at)
   SELECT ${ATTEMPT}, ${INTENT}, 1, 'stripe', 'CARD', 'EMBEDDED', ${AMOUNT}, ${PROVIDER_REFERENCE},
     'attempt_' || ${ATTEMPT}, 'SUCCEEDED', repeat('s', 240), ${WHEN} ${NUMBERS}`,
  `INSERT INTO movement (id, intent_id, attempt_id, kind, amount, currency, provider, provider_reference, created_at)
   SELECT ${id(5)}, ${INTENT}, ${ATTEMPT}, 'CAPTURE', ${AMOUNT}, 'EUR', 'stripe', ${PROVIDER_REFERENCE}, ${WHEN}
   ${NUMBERS}`,
  `INSERT INTO outbox_event (topic, key, version, payload, created_at, told_at)
   SELECT 'payment.status_changed', ${INTENT}, version, '{"status": "PAID"}', ${WHEN}, ${WHEN}
   ${NUMBERS}, generate_series(1, 2) AS version`,
  // A real notification is 2 KB: here it is shorter, for the sake of your disk. It is never read again.
  `INSERT INTO webhook_event (id, provider, event_id, proof, type, payload, headers, status, outcome, tries, received_at,
     processed_at)
   SELECT ${id(6)}, 'stripe', 'evt_' || md5('evt' || n), 'SIGNED', 'payment_intent.succeeded', '{}', '{}', 'APPLIED',
     'PENDING → PAID', 1, ${WHEN}, ${WHEN} ${NUMBERS}`,
];

/** Fills a shop with payments of the past, all paid, and leaves its tables as a night's rest would. */
export async function addPastPayments(shop: Shop, count: number, progress: Progress): Promise<void> {
  let next = 1;
  const write = async (): Promise<void> => {
    const client = await unguardedClient(shop.databaseUrl);
    try {
      while (next <= count) {
        const first = next;
        next += BATCH;
        progress(`${count} payments: ${Math.floor(((first - 1) / count) * 100)} % written`);
        for (const insert of INSERTS) await client.query(insert, valuesFor(insert, first, count, shop));
      }
    } finally {
      await client.end();
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
  progress(`${count} payments: VACUUM, ANALYZE, CHECKPOINT`);
  await shop.client.query('VACUUM ANALYZE');
  await shop.client.query('CHECKPOINT');
}

function valuesFor(insert: string, first: number, count: number, { productIds }: Shop): unknown[] {
  const values = [first, Math.min(first + BATCH - 1, count), count];
  return insert.includes('$4') ? [...values, productIds] : values;
}

/** Without foreign keys being checked row by row, and without waiting for the disk. */
async function unguardedClient(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query('SET session_replication_role = replica');
  await client.query('SET synchronous_commit = off');
  return client;
}
