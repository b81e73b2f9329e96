import {
  Check,
  Column,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  Unique,
  type Relation,
} from 'typeorm';
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { GraphQLDateTimeISO, GraphQLSafeInt } from 'graphql-scalars';
import { Customer } from '../customers/customer.js';
import type { Currency } from '../money.js';

export const OrderStatus = { OPEN: 'OPEN', CONFIRMED: 'CONFIRMED', CANCELLED: 'CANCELLED' } as const;
export type OrderStatus = (typeof OrderStatus)[keyof typeof OrderStatus];

registerEnumType(OrderStatus, {
  name: 'OrderStatus',
  description: 'Where an order stands.',
  valuesConfig: {
    OPEN: { description: 'Not paid yet; it can be changed, paid or cancelled.' },
    CONFIRMED: { description: 'Paid: its stock is taken.' },
    CANCELLED: { description: 'Nobody will pay it any more.' },
  },
});

/** Who wrote what an order costs and contains. What the merchant (a backend, an operator) wrote is fixed for payers. */
export type OrderWriter = 'PAYER' | 'MERCHANT';

/** Who buys, as far as the shop needs to know. */
@ObjectType({ description: 'Who buys.' })
export class OrderCustomer {
  @Field(() => String, { nullable: true, description: 'As they write it.' })
  name?: string;

  @Field(() => String, { nullable: true, description: 'Where the payer is written to.' })
  email?: string;

  @Field(() => String, { nullable: true, description: 'E.164.' })
  phone?: string;
}

/**
 * What is being paid. An order and all its intents, attempts and movements change together or not at all: every change
 * increases `version`, and a change prepared on an older version is refused (`payments/commit-change.ts`).
 */
@ObjectType({ description: 'What is being paid: lines with the prices of the server, and a total.' })
@Entity('orders')
@Unique('orders_reference_once', ['reference'])
@Unique('orders_number_once', ['number'])
@Index('orders_recurring_subscription', ['recurringSubscriptionId'], {
  where: 'recurring_subscription_id IS NOT NULL',
})
@Check('orders_status_known', `status IN ('OPEN', 'CONFIRMED', 'CANCELLED')`)
@Check('orders_amount_positive', `amount >= 0 AND amount <= 9007199254740991`)
@Check('orders_confirmed_when_confirmed', `(status = 'CONFIRMED') = (confirmed_at IS NOT NULL)`)
@Check(
  'orders_booking_whole',
  `num_nonnulls(booking_starts_at, booking_ends_at, booking_first_day, booking_last_day, booking_details) IN (0, 5)
    AND booking_starts_at < booking_ends_at AND booking_first_day <= booking_last_day`,
)
@Check('orders_written_by_known', `written_by IN ('PAYER', 'MERCHANT')`)
@Check('orders_reserve_while_open', `reserved_until IS NULL OR status = 'OPEN'`)
export class Order {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'orders_pkey' })
  id: string;

  @Field(() => ID, { name: 'id', description: 'Opaque, `ORD-…`.' })
  @Column('text')
  reference: string;

  @Field(() => String, {
    nullable: true,
    description: 'The merchant’s own number, unique where it is given.',
  })
  @Column('text', { nullable: true })
  number: string | null;

  @Field(() => OrderStatus, { description: 'Where it stands.' })
  @Column('text')
  status: OrderStatus;

  /** The merchant's, once a backend or an operator has made or changed it. */
  @Column('text', { default: 'PAYER' })
  writtenBy: OrderWriter;

  @Field(() => GraphQLSafeInt, { description: 'The total, in minor units.' })
  @Column('bigint')
  amount: number;

  @Field(() => String, { description: 'ISO 4217.' })
  @Column('char', { length: 3 })
  currency: Currency;

  @Field(() => OrderCustomer, { nullable: true, description: 'Who buys, as far as they said.' })
  @Column('jsonb', { nullable: true })
  customer: OrderCustomer | null;

  @ManyToOne(() => Customer)
  @JoinColumn({ name: 'customer_id', foreignKeyConstraintName: 'orders_customer_fkey' })
  customerAccount?: Relation<Customer> | null;

  /** Of the merchant's users the one who buys, whose saved ways to pay may pay it. */
  @Column('uuid', { nullable: true })
  customerId: string | null;

  /** The recurring subscription that it is a collection of: then only its provider collects it, and ends its payment. */
  @Column('uuid', { nullable: true })
  recurringSubscriptionId: string | null;

  @Column('jsonb', { default: {} })
  metadata: Record<string, unknown>;

  @Field(() => String, { description: 'BCP 47; the language in which the customer is addressed.' })
  @Column('text')
  locale: string;

  /** Not null: stock is held for this order, and until when. */
  @Field(() => GraphQLDateTimeISO, {
    nullable: true,
    description: 'Stock is held for this order until then; null when nothing is held.',
  })
  @Column('timestamptz', { nullable: true })
  reservedUntil: Date | null;

  @Column('integer', { default: 1 })
  version: number;

  @Field(() => GraphQLDateTimeISO, { description: 'When it was made.' })
  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true, description: 'When it was paid; null before.' })
  @Column('timestamptz', { nullable: true })
  confirmedAt: Date | null;

  @Field(() => GraphQLDateTimeISO, { nullable: true, description: 'When all of its money was given back.' })
  @Column('timestamptz', { nullable: true })
  refundedAt: Date | null;

  /** When its pieces went back into the stock, after they had been sold. */
  @Column('timestamptz', { nullable: true })
  restockedAt: Date | null;

  /** The booking that was asked for with the order, or null; it is made when the order is paid. */
  @Column('timestamptz', { nullable: true })
  bookingStartsAt: Date | null;

  @Column('timestamptz', { nullable: true })
  bookingEndsAt: Date | null;

  /** The first and the last day that it touches, YYYY-MM-DD, in the shop's time zone of then. */
  @Column('date', { nullable: true })
  bookingFirstDay: string | null;

  @Column('date', { nullable: true })
  bookingLastDay: string | null;

  @Column('jsonb', { nullable: true })
  bookingDetails: Record<string, unknown> | null;
}

/** Whether it is collected by the provider of a recurring subscription, and by nobody else. */
export function isOfSubscription({
  recurringSubscriptionId,
}: Pick<Order, 'recurringSubscriptionId'>): boolean {
  return recurringSubscriptionId !== null;
}
