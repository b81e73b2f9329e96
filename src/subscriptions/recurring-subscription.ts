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
import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { GraphQLDateTimeISO, GraphQLSafeInt } from 'graphql-scalars';
import { inQuotes } from '../database/in-quotes.js';
import { Customer } from '../customers/customer.js';
import type { Currency } from '../money.js';
import { RecurringInterval } from '../orders/product.js';
import type { RecurringLine, SubscriptionStatus } from '../providers/recurring.js';

export const RecurringSubscriptionStatus: { readonly [Name in SubscriptionStatus]: Name } = {
  INCOMPLETE: 'INCOMPLETE',
  ACTIVE: 'ACTIVE',
  PAST_DUE: 'PAST_DUE',
  UNPAID: 'UNPAID',
  PAUSED: 'PAUSED',
  CANCELLED: 'CANCELLED',
  EXPIRED: 'EXPIRED',
};
registerEnumType(RecurringSubscriptionStatus, {
  name: 'RecurringSubscriptionStatus',
  description: 'Where a recurring subscription stands, as its provider last said.',
  valuesConfig: {
    INCOMPLETE: { description: 'The first payment is missing.' },
    ACTIVE: { description: 'It is paid for.' },
    PAST_DUE: {
      description: 'A later payment failed: the provider tries again, and the payer can pay it themselves.',
    },
    UNPAID: { description: 'A later payment failed, and the provider has given up.' },
    PAUSED: { description: 'Nothing is collected for now.' },
    CANCELLED: { description: 'It is over.' },
    EXPIRED: { description: 'The first payment never came.' },
  },
});

/** What a customer pays again and again. The provider collects; what it collects becomes orders and payments here. */
@ObjectType({
  description: 'What a customer pays again and again. Each collection is an order with its payment.',
})
@Entity('recurring_subscription')
@Unique('recurring_subscription_reference_once', ['reference'])
@Unique('recurring_subscription_provider_reference_once', ['provider', 'providerReference'])
@Index('recurring_subscription_customer', ['customerId'])
@Index('recurring_subscription_to_check', ['nextCheckAt'], { where: `next_check_at IS NOT NULL` })
@Check('recurring_subscription_amount_positive', `amount > 0 AND amount <= 9007199254740991`)
@Check(
  'recurring_subscription_status_known',
  `status IN (${inQuotes(Object.keys(RecurringSubscriptionStatus))})`,
)
export class RecurringSubscription {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'recurring_subscription_pkey' })
  id: string;

  @Field(() => ID, { name: 'id', description: 'Opaque, `SUB-…`.' })
  @Column('text')
  reference: string;

  @ManyToOne(() => Customer)
  @JoinColumn({ name: 'customer_id', foreignKeyConstraintName: 'recurring_subscription_customer_fkey' })
  customer?: Relation<Customer>;

  @Column('uuid')
  customerId: string;

  @Field(() => String, { description: 'Who collects.' })
  @Column('text')
  provider: string;

  @Column('text')
  idempotencyKey: string;

  /** Null until the provider has answered. */
  @Column('text', { nullable: true })
  providerReference: string | null;

  /** The provider's id of the saved way to pay that it began with. */
  @Column('text', { nullable: true })
  methodReference: string | null;

  /** As they were when it began. */
  @Column('jsonb')
  lines: RecurringLine[];

  @Field(() => GraphQLSafeInt, { description: 'What is paid each time, in minor units.' })
  @Column('bigint')
  amount: number;

  @Field(() => String, { description: 'ISO 4217.' })
  @Column('char', { length: 3 })
  currency: Currency;

  @Field(() => RecurringInterval, { description: 'How often it is paid: each so many of these.' })
  @Column('text')
  interval: RecurringInterval;

  @Field(() => Int, { description: 'So many intervals from payment to payment.' })
  @Column('integer')
  intervalCount: number;

  @Field(() => RecurringSubscriptionStatus, { description: 'Where it stands.' })
  @Column('text')
  status: SubscriptionStatus;

  @Field(() => Boolean, { description: 'Whether it ends with what was paid for.' })
  @Column('boolean', { default: false })
  cancelAtPeriodEnd: boolean;

  @Field(() => GraphQLDateTimeISO, {
    nullable: true,
    description: 'Until then it is paid for, once it is paid.',
  })
  @Column('timestamptz', { nullable: true })
  currentPeriodEndsAt: Date | null;

  /** Grows with each change, so that an older answer of the provider's never replaces a newer one. */
  @Column('integer', { default: 1 })
  version: number;

  /** When the provider is to be asked about it, if nothing is heard before. */
  @Column('timestamptz', { nullable: true })
  nextCheckAt: Date | null;

  @Field(() => GraphQLDateTimeISO, { description: 'When it was asked for.' })
  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true, description: 'When it ended; null while it goes on.' })
  @Column('timestamptz', { nullable: true })
  endedAt: Date | null;
}
