import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Bookings, and how many places a product has on each day. */
export class Bookings1798000000000 implements MigrationInterface {
  readonly name = 'Bookings1798000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE orders
        ADD booking_starts_at timestamptz,
        ADD booking_ends_at timestamptz,
        ADD booking_first_day date,
        ADD booking_last_day date,
        ADD booking_details jsonb,
        ADD CONSTRAINT orders_booking_whole CHECK (
          num_nonnulls(booking_starts_at, booking_ends_at, booking_first_day, booking_last_day, booking_details) IN (0, 5)
          AND booking_starts_at < booking_ends_at AND booking_first_day <= booking_last_day)`);
    await runner.query(`
      CREATE TABLE booking (
        id uuid CONSTRAINT booking_pkey PRIMARY KEY,
        reference text NOT NULL CONSTRAINT booking_reference_once UNIQUE,
        order_id uuid NOT NULL
          CONSTRAINT booking_order_once UNIQUE CONSTRAINT booking_order_fkey REFERENCES orders,
        status text NOT NULL CONSTRAINT booking_status_known CHECK (status IN ('CONFIRMED', 'CANCELLED')),
        starts_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL,
        details jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        cancelled_at timestamptz,
        CONSTRAINT booking_starts_before_end CHECK (starts_at < ends_at),
        CONSTRAINT booking_cancelled_when_cancelled CHECK ((status = 'CANCELLED') = (cancelled_at IS NOT NULL))
      )`);
    await runner.query(`
      ALTER TABLE product
        ADD daily_capacity integer
          CONSTRAINT product_daily_capacity_not_negative CHECK (daily_capacity >= 0)`);
    await runner.query(`
      CREATE TABLE product_day (
        product_id uuid NOT NULL CONSTRAINT product_day_product_fkey REFERENCES product,
        day date NOT NULL,
        capacity integer NOT NULL,
        held integer NOT NULL,
        booked integer NOT NULL,
        CONSTRAINT product_day_pkey PRIMARY KEY (product_id, day),
        CONSTRAINT product_day_not_negative CHECK (held >= 0 AND booked >= 0),
        CONSTRAINT product_day_within_capacity CHECK (held + booked <= capacity)
      )`);
    await runner.query(`
      CREATE TABLE order_place (
        order_id uuid NOT NULL CONSTRAINT order_place_order_fkey REFERENCES orders,
        product_id uuid NOT NULL,
        day date NOT NULL,
        quantity integer NOT NULL CONSTRAINT order_place_quantity_positive CHECK (quantity > 0),
        CONSTRAINT order_place_pkey PRIMARY KEY (order_id, product_id, day),
        CONSTRAINT order_place_day_fkey FOREIGN KEY (product_id, day) REFERENCES product_day
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE order_place');
    await runner.query('DROP TABLE product_day');
    await runner.query('ALTER TABLE product DROP COLUMN daily_capacity');
    await runner.query('DROP TABLE booking');
    await runner.query(`
      ALTER TABLE orders
        DROP COLUMN booking_starts_at, DROP COLUMN booking_ends_at, DROP COLUMN booking_first_day,
        DROP COLUMN booking_last_day, DROP COLUMN booking_details`);
  }
}
