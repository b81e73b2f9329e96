import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What an order holds, or has taken, is a row: it no longer follows from what its products are at that moment. */
export class StockOfOrders1798670000000 implements MigrationInterface {
  readonly name = 'StockOfOrders1798670000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE order_stock (
        order_id uuid NOT NULL CONSTRAINT order_stock_order_fkey REFERENCES orders,
        product_id uuid NOT NULL CONSTRAINT order_stock_product_fkey REFERENCES product,
        quantity bigint NOT NULL CONSTRAINT order_stock_quantity_positive CHECK (quantity > 0),
        CONSTRAINT order_stock_pkey PRIMARY KEY (order_id, product_id)
      )`);
    await runner.query('LOCK TABLE orders, order_line, product IN SHARE ROW EXCLUSIVE MODE');
    await this.#recordTaken(runner);
    await this.#recordHeld(runner);
    await this.#endLeaks(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE order_stock');
  }

  async #recordTaken(runner: QueryRunner): Promise<void> {
    await runner.query(`
      INSERT INTO order_stock (order_id, product_id, quantity)
      SELECT o.id, p.id, sum(l.quantity) FROM orders o
        JOIN order_line l ON l.order_id = o.id JOIN product p ON p.id = l.product_id
      WHERE o.status = 'CONFIRMED' AND o.restocked_at IS NULL AND p.stock IS NOT NULL
      GROUP BY o.id, p.id`);
  }

  /** Of a product whose kind has changed, the oldest orders hold as much as there is; the others held nothing of it. */
  async #recordHeld(runner: QueryRunner): Promise<void> {
    await runner.query(`
      INSERT INTO order_stock (order_id, product_id, quantity)
      SELECT order_id, product_id, quantity FROM (
        SELECT order_id, product_id, quantity, most,
          sum(quantity) OVER (PARTITION BY product_id ORDER BY created_at, order_id) AS so_far
        FROM (
          SELECT o.id AS order_id, o.created_at, p.id AS product_id, coalesce(p.stock, p.reserved) AS most,
            sum(l.quantity) AS quantity
          FROM orders o JOIN order_line l ON l.order_id = o.id JOIN product p ON p.id = l.product_id
          WHERE o.status = 'OPEN' AND o.reserved_until IS NOT NULL
          GROUP BY o.id, p.id
        ) AS line_of_product
      ) AS counted
      WHERE so_far <= most`);
  }

  /** Pieces that were reserved for nobody any more are free. */
  async #endLeaks(runner: QueryRunner): Promise<void> {
    await runner.query(`
      UPDATE product p SET reserved = held.quantity FROM (
        SELECT p.id, coalesce(sum(s.quantity) FILTER (WHERE o.status = 'OPEN'), 0) AS quantity
        FROM product p LEFT JOIN order_stock s ON s.product_id = p.id LEFT JOIN orders o ON o.id = s.order_id
        GROUP BY p.id
      ) AS held
      WHERE held.id = p.id AND held.quantity <> p.reserved`);
  }
}
