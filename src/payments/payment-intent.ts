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
import type { Currency } from '../money.js';
import type { CaptureMethod as Method } from '../providers/provider.js';
import { Order } from '../orders/order.js';
import { OPEN_STATUSES, PAYMENT_STATUSES, PaymentStatus } from './transitions.js';

registerEnumType(PaymentStatus, {
  name: 'PaymentStatus',
  description: 'Where a payment stands. Only what the provider says moves it.',
  valuesConfig: {
    PENDING: { description: 'The payer has something to do.' },
    PROCESSING: { description: 'The payer acted; the provider has not decided.' },
    UNKNOWN: {
      description: 'The provider did not answer. Something may have happened: it is being found out.',
    },
    AUTHORIZED: { description: 'The funds are held and not taken yet.' },
    PAID: { description: 'The money moved, for exactly the amount; the order is confirmed.' },
    FAILED: { description: 'It is over without money.' },
    CANCELLED: {
      description:
        'Ended by the payer, an operator or the provider, without money; or a review that an operator closed, because its money (capturedAmount) was settled elsewhere.',
    },
    EXPIRED: { description: 'The time was up, and the provider confirmed that nothing had moved.' },
    REVIEW: {
      description: 'Money moved, or is said to have moved, in a way that a person has to decide about.',
    },
    PARTIALLY_REFUNDED: { description: 'A part of the money was given back.' },
    REFUNDED: { description: 'All of the money was given back.' },
    DISPUTED: { description: 'The payer’s bank asks for the money, or holds it until it has decided.' },
    CHARGED_BACK: {
      description:
        'The payer’s bank took all or a part of the money for good: `disputedAmount` says how much.',
    },
  },
});

export const CaptureMethod: { readonly [Name in Method]: Name } = {
  AUTOMATIC: 'AUTOMATIC',
  MANUAL: 'MANUAL',
};
registerEnumType(CaptureMethod, {
  name: 'CaptureMethod',
  description: 'Whether the money is taken when the payer pays.',
  valuesConfig: {
    AUTOMATIC: { description: 'It is.' },
    MANUAL: { description: 'It is held, and taken by capturePaymentIntent.' },
  },
});

/** The will to collect one order's total; of an invoice that a provider collects, what is to come through that provider. */
@ObjectType({ description: 'The will to collect one order’s total. It may take several attempts.' })
@Entity('payment_intent')
@Unique('payment_intent_reference_once', ['reference'])
@Index('payment_intent_one_open_for_each_order', ['orderId'], {
  unique: true,
  where: `status IN (${inQuotes(OPEN_STATUSES)})`,
})
@Index('payment_intent_order', ['orderId'])
@Index('payment_intent_in_review', ['orderId'], { where: `status = 'REVIEW'` })
@Index('payment_intent_to_expire', ['expiresAt'], { where: `status IN ('PENDING', 'UNKNOWN')` })
@Index('payment_intent_declined', ['declinedAt'], { where: `declined_at IS NOT NULL` })
@Check('payment_intent_declines_not_negative', `declines >= 0`)
@Index('payment_intent_to_check', ['nextCheckAt'], { where: `next_check_at IS NOT NULL` })
@Check('payment_intent_capture_method_known', `capture_method IN ('AUTOMATIC', 'MANUAL')`)
@Check(
  'payment_intent_disputed_near_captured',
  `disputed_amount >= -captured_amount AND disputed_amount <= 2 * captured_amount`,
)
@Check('payment_intent_status_known', `status IN (${inQuotes(PAYMENT_STATUSES)})`)
@Check('payment_intent_amount_positive', `amount >= 0 AND amount <= 9007199254740991`)
@Check(
  'payment_intent_refunded_within_captured',
  `refunded_amount >= 0 AND refunded_amount <= captured_amount`,
)
@Check(
  'payment_intent_paid_when_captured',
  `status <> 'PAID' OR (paid_at IS NOT NULL AND (captured_amount > 0 OR amount = 0))`,
)
@Check('payment_intent_version_positive', `version > 0`)
export class PaymentIntent {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'payment_intent_pkey' })
  id: string;

  @Field(() => ID, { name: 'id', description: 'Opaque, `TXN-…`.' })
  @Column('text')
  reference: string;

  @ManyToOne(() => Order)
  @JoinColumn({ name: 'order_id', foreignKeyConstraintName: 'payment_intent_order_fkey' })
  order?: Relation<Order>;

  @Column('uuid')
  orderId: string;

  @Field(() => GraphQLSafeInt, {
    description:
      'What is to be taken, in minor units. Of an invoice of a subscription, what is to come through its provider: less than the order’s amount where a credit note, the customer’s balance or a payment made elsewhere covers the rest.',
  })
  @Column('bigint')
  amount: number;

  @Field(() => String, { description: 'ISO 4217.' })
  @Column('char', { length: 3 })
  currency: Currency;

  @Field(() => GraphQLSafeInt, { description: 'What was taken so far, in minor units.' })
  @Column('bigint', { default: 0 })
  capturedAmount: number;

  @Field(() => GraphQLSafeInt, { description: 'What was given back so far, in minor units.' })
  @Column('bigint', { default: 0 })
  refundedAmount: number;

  @Field(() => GraphQLSafeInt, {
    description:
      'What the payer’s bank has taken back and not returned, in minor units. Exchange rates may make it a little more than was taken, or less than nothing.',
  })
  @Column('bigint', { default: 0 })
  disputedAmount: number;

  @Field(() => CaptureMethod, { description: 'Whether the money is taken when the payer pays.' })
  @Column('text', { default: 'AUTOMATIC' })
  captureMethod: Method;

  @Field(() => PaymentStatus, { description: 'Where it stands.' })
  @Column('text')
  status: PaymentStatus;

  @Field(() => Int, {
    description: 'Increases by one with each change of status. Tell it to `sinceVersion`.',
  })
  @Column('integer')
  version: number;

  @Field(() => String, { nullable: true, description: 'Why it failed or needs review, for programs.' })
  @Column('text', { nullable: true })
  failureCode: string | null;

  @Field(() => String, { nullable: true, description: 'Why it failed or needs review, for people.' })
  @Column('text', { nullable: true })
  failureMessage: string | null;

  /** Of the address from which a payer opened it; null where the merchant did. */
  @Column('text', { nullable: true })
  clientDigest: string | null;

  /** How often a card was declined for it. */
  @Column('integer', { default: 0 })
  declines: number;

  /** Last. */
  @Column('timestamptz', { nullable: true })
  declinedAt: Date | null;

  /** What was wrong with it and has been told: see `review.ts`. */
  @Column('text', { array: true, default: () => `'{}'` })
  notedProblems: string[];

  @Field(() => GraphQLDateTimeISO, {
    description:
      'When the stock is given back if nobody has paid. Years away where only the provider of a subscription ends it.',
  })
  @Column('timestamptz')
  expiresAt: Date;

  /** When the provider is to be asked again. */
  @Column('timestamptz', { nullable: true })
  nextCheckAt: Date | null;

  /** When the provider was last asked because somebody wanted to know. */
  @Column('timestamptz', { nullable: true })
  askedAt: Date | null;

  /** When ending it, its time being up, is to be tried again. */
  @Column('timestamptz', { nullable: true })
  endAgainAt: Date | null;

  @Field(() => GraphQLDateTimeISO, { nullable: true, description: 'When the money had moved; null before.' })
  @Column('timestamptz', { nullable: true })
  paidAt: Date | null;

  @Field(() => GraphQLDateTimeISO, { description: 'When it was opened.' })
  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;
}
