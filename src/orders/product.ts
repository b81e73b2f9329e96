import { Check, Column, Entity, PrimaryColumn, Unique } from 'typeorm';
import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { GraphQLSafeInt } from 'graphql-scalars';
import type { Currency } from '../money.js';

export const RecurringInterval = { DAY: 'DAY', WEEK: 'WEEK', MONTH: 'MONTH', YEAR: 'YEAR' } as const;
export type RecurringInterval = keyof typeof RecurringInterval;
registerEnumType(RecurringInterval, {
  name: 'RecurringInterval',
  description: 'How often a recurring price is paid.',
  valuesConfig: {
    DAY: { description: 'Each day.' },
    WEEK: { description: 'Each week.' },
    MONTH: { description: 'Each month.' },
    YEAR: { description: 'Each year.' },
  },
});

/** What the shop sells. Price and stock are the server's; a payer only names the SKU. */
@ObjectType({ description: 'Something of the catalogue. Its price and stock are the server’s.' })
@Entity('product')
@Unique('product_sku_once', ['sku'])
@Check(
  'product_unit_amount_positive',
  `unit_amount <= 9007199254740991 AND (unit_amount > 0 OR unit_amount = 0 AND recurring_interval IS NULL)`,
)
@Check('product_daily_capacity_not_negative', `daily_capacity >= 0`)
@Check(
  'product_recurring_whole',
  `recurring_interval IN ('DAY', 'WEEK', 'MONTH', 'YEAR') AND recurring_interval_count > 0
    AND stock IS NULL AND daily_capacity IS NULL
    OR num_nonnulls(recurring_interval, recurring_interval_count) = 0`,
)
@Check('product_reserved_within_stock', `reserved >= 0 AND (stock IS NULL OR reserved <= stock)`)
export class Product {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'product_pkey' })
  id: string;

  @Field(() => String, { description: 'The merchant’s own name for it, unique.' })
  @Column('text')
  sku: string;

  @Field(() => String, { description: 'What the payer reads.' })
  @Column('text')
  name: string;

  @Field(() => GraphQLSafeInt, { description: 'Price of one, in minor units.' })
  @Column('bigint')
  unitAmount: number;

  @Field(() => String, { description: 'ISO 4217.' })
  @Column('char', { length: 3 })
  currency: Currency;

  /** Pieces that are ours, those reserved among them; null where nobody counts (a service, a download). */
  @Column('bigint', { nullable: true })
  stock: number | null;

  /** Pieces held for orders whose payer is paying. */
  @Column('bigint', { default: 0 })
  reserved: number;

  @Field(() => Int, {
    nullable: true,
    description: 'How many places it has on each day: orders of it need a booking. Null: it has no days.',
  })
  @Column('integer', { nullable: true })
  dailyCapacity: number | null;

  /** A product with a recurring price is sold by subscription; of such a thing nobody counts pieces or places. */
  @Field(() => RecurringInterval, {
    nullable: true,
    description:
      'Its price is paid each so many of these: createRecurringSubscription. Null: it is paid once.',
  })
  @Column('text', { nullable: true })
  recurringInterval: RecurringInterval | null;

  @Field(() => Int, { nullable: true, description: 'So many intervals from payment to payment.' })
  @Column('integer', { nullable: true })
  recurringIntervalCount: number | null;

  @Column('boolean', { default: true })
  active: boolean;

  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;
}
