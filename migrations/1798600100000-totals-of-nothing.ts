import type { MigrationInterface, QueryRunner } from 'typeorm';

const MAX = '9007199254740991';

/**
 * An order may cost nothing, and then its payment is PAID without money. A price of the catalogue may be nothing where it
 * isn't collected again and again; a line of a backend's own may be less than nothing, which is a voucher.
 */
export class TotalsOfNothing1798600100000 implements MigrationInterface {
  readonly name = 'TotalsOfNothing1798600100000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  /** Rows that have such amounts stay as they are. */
  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

const UP = [
  `ALTER TABLE orders DROP CONSTRAINT orders_amount_positive,
     ADD CONSTRAINT orders_amount_positive CHECK (amount >= 0 AND amount <= ${MAX})`,
  `ALTER TABLE payment_intent DROP CONSTRAINT payment_intent_amount_positive,
     ADD CONSTRAINT payment_intent_amount_positive CHECK (amount >= 0 AND amount <= ${MAX}),
     DROP CONSTRAINT payment_intent_paid_when_captured,
     ADD CONSTRAINT payment_intent_paid_when_captured
       CHECK (status <> 'PAID' OR (paid_at IS NOT NULL AND (captured_amount > 0 OR amount = 0)))`,
  `ALTER TABLE product DROP CONSTRAINT product_unit_amount_positive,
     ADD CONSTRAINT product_unit_amount_positive CHECK (
       unit_amount <= ${MAX} AND (unit_amount > 0 OR unit_amount = 0 AND recurring_interval IS NULL))`,
  `ALTER TABLE order_line DROP CONSTRAINT order_line_unit_amount_not_negative,
     ADD CONSTRAINT order_line_unit_amount_not_negative
       CHECK (unit_amount >= 0 OR product_id IS NULL AND unit_amount >= -${MAX})`,
];

const DOWN = [
  `ALTER TABLE order_line DROP CONSTRAINT order_line_unit_amount_not_negative,
     ADD CONSTRAINT order_line_unit_amount_not_negative CHECK (unit_amount >= 0) NOT VALID`,
  `ALTER TABLE product DROP CONSTRAINT product_unit_amount_positive,
     ADD CONSTRAINT product_unit_amount_positive CHECK (unit_amount > 0 AND unit_amount <= ${MAX}) NOT VALID`,
  `ALTER TABLE payment_intent DROP CONSTRAINT payment_intent_amount_positive,
     ADD CONSTRAINT payment_intent_amount_positive CHECK (amount > 0 AND amount <= ${MAX}) NOT VALID,
     DROP CONSTRAINT payment_intent_paid_when_captured,
     ADD CONSTRAINT payment_intent_paid_when_captured
       CHECK (status <> 'PAID' OR (captured_amount > 0 AND paid_at IS NOT NULL)) NOT VALID`,
  `ALTER TABLE orders DROP CONSTRAINT orders_amount_positive,
     ADD CONSTRAINT orders_amount_positive CHECK (amount > 0 AND amount <= ${MAX}) NOT VALID`,
];
