import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Who holds stock and places without having paid, so that nobody holds most of them. Counted when the statement that holds
 * them has written everything else, behind a lock of the address and of the customer: the count is right in any crowd, and
 * these locks come last in the one order of all locks.
 */
export class StockHolds1798680230000 implements MigrationInterface {
  readonly name = 'StockHolds1798680230000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE stock_hold (
        id uuid NOT NULL CONSTRAINT stock_hold_pkey PRIMARY KEY,
        order_id uuid NOT NULL CONSTRAINT stock_hold_order_fkey REFERENCES orders,
        client_digest text NOT NULL,
        customer_id uuid,
        products uuid[] NOT NULL,
        at_once integer NOT NULL,
        share_percent integer NOT NULL,
        per_day integer NOT NULL,
        began_at timestamptz NOT NULL,
        released_at timestamptz
      )`);
    for (const sql of INDEXES) await runner.query(sql);
    await runner.query(REFUSE_EXCESS);
    await runner.query(`
      CREATE TRIGGER stock_hold_within_limits AFTER INSERT OR UPDATE ON stock_hold
      FOR EACH ROW WHEN (NEW.released_at IS NULL) EXECUTE FUNCTION refuse_excess_hold()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE stock_hold');
    await runner.query('DROP FUNCTION refuse_excess_hold');
  }
}

const INDEXES = [
  'CREATE UNIQUE INDEX stock_hold_once ON stock_hold (order_id) WHERE released_at IS NULL',
  'CREATE INDEX stock_hold_order ON stock_hold (order_id)',
  'CREATE INDEX stock_hold_client ON stock_hold (client_digest)',
  'CREATE INDEX stock_hold_customer ON stock_hold (customer_id) WHERE customer_id IS NOT NULL',
];

const OTHERS = `h.id <> NEW.id AND (h.client_digest = NEW.client_digest OR h.customer_id = NEW.customer_id)`;
const HELD_ELSEWHERE = `stock_hold h WHERE h.released_at IS NULL AND h.share_percent > 0 AND ${OTHERS}`;

/** Each query of it sees what others have committed before it had the lock. Its details are JSON, for the error's words. */
const REFUSE_EXCESS = `CREATE FUNCTION refuse_excess_hold() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE
    excess record;
    wait integer;
  BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('stock_hold client ' || NEW.client_digest, 0));
    IF NEW.customer_id IS NOT NULL THEN
      PERFORM pg_advisory_xact_lock(hashtextextended('stock_hold customer ' || NEW.customer_id, 0));
    END IF;

    SELECT ceil(extract(epoch FROM min(o.reserved_until) - now())) INTO wait
    FROM stock_hold h JOIN orders o ON o.id = h.order_id WHERE h.released_at IS NULL AND ${OTHERS};

    SELECT e.* INTO excess FROM (
      SELECT p.sku, NULL::date AS day, own.quantity AS wanted,
        greatest(1, ceil(p.stock * NEW.share_percent / 100.0))::bigint AS most,
        (SELECT coalesce(sum(s.quantity), 0) FROM order_stock s WHERE s.product_id = own.product_id
           AND s.order_id IN (SELECT h.order_id FROM ${HELD_ELSEWHERE})) AS others
      FROM order_stock own JOIN product p ON p.id = own.product_id
      WHERE own.order_id = NEW.order_id AND p.stock IS NOT NULL
      UNION ALL
      SELECT p.sku, own.day, own.quantity,
        greatest(1, ceil(d.capacity * NEW.share_percent / 100.0))::bigint,
        (SELECT coalesce(sum(s.quantity), 0) FROM order_place s WHERE s.product_id = own.product_id
           AND s.day = own.day AND s.order_id IN (SELECT h.order_id FROM ${HELD_ELSEWHERE}))
      FROM order_place own JOIN product p ON p.id = own.product_id
        JOIN product_day d ON d.product_id = own.product_id AND d.day = own.day
      WHERE own.order_id = NEW.order_id
    ) AS e
    WHERE NEW.share_percent > 0 AND e.wanted + e.others > e.most
    ORDER BY e.wanted > e.most DESC, e.sku, e.day LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'too much of a product is held without payment' USING ERRCODE = 'check_violation',
        CONSTRAINT = 'stock_hold_share', DETAIL = jsonb_build_object('sku', excess.sku, 'day', excess.day,
          'most', excess.most, 'alone', excess.wanted > excess.most, 'wait', wait)::text;
    END IF;

    SELECT count(*) AS held INTO excess FROM stock_hold h
    WHERE h.released_at IS NULL AND cardinality(h.products) > 0 AND ${OTHERS};
    IF NEW.at_once > 0 AND cardinality(NEW.products) > 0 AND excess.held >= NEW.at_once THEN
      RAISE EXCEPTION 'too many orders are held without payment' USING ERRCODE = 'check_violation',
        CONSTRAINT = 'stock_hold_at_once', DETAIL = jsonb_build_object('most', NEW.at_once, 'wait', wait)::text;
    END IF;

    SELECT p.sku, ceil(extract(epoch FROM min(h.began_at) + interval '24 hours' - now()))::integer AS wait INTO excess
    FROM stock_hold h CROSS JOIN unnest(h.products) AS held(id) JOIN product p ON p.id = held.id
    WHERE NEW.per_day > 0 AND h.began_at > now() - interval '24 hours' AND held.id = ANY (NEW.products) AND ${OTHERS}
    GROUP BY p.sku HAVING count(*) >= NEW.per_day ORDER BY p.sku LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'a product is held again and again without payment' USING ERRCODE = 'check_violation',
        CONSTRAINT = 'stock_hold_per_day',
        DETAIL = jsonb_build_object('sku', excess.sku, 'most', NEW.per_day, 'wait', excess.wait)::text;
    END IF;
    RETURN NULL;
  END $$`;
