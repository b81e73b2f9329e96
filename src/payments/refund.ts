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
import type { Currency } from '../money.js';
import type { RefundReason as Reason } from '../providers/provider.js';
import { PaymentAttempt } from './payment-attempt.js';
import { PaymentIntent } from './payment-intent.js';

export const RefundStatus = {
  QUEUED: 'QUEUED',
  SUBMITTED: 'SUBMITTED',
  SUCCEEDED: 'SUCCEEDED',
  FAILED: 'FAILED',
} as const;
export type RefundStatus = keyof typeof RefundStatus;
registerEnumType(RefundStatus, {
  name: 'RefundStatus',
  description: 'Where a refund stands.',
  valuesConfig: {
    QUEUED: { description: 'Written down; the provider has not confirmed that it has it.' },
    SUBMITTED: { description: 'The provider has it, and the money is not back yet.' },
    SUCCEEDED: { description: 'The money is on its way back to the payer.' },
    FAILED: { description: 'Nothing is given back: the provider refused, or could not.' },
  },
});

export const RefundOrigin = { REQUESTED: 'REQUESTED', AUTOMATIC: 'AUTOMATIC', PROVIDER: 'PROVIDER' } as const;
export type RefundOrigin = keyof typeof RefundOrigin;
registerEnumType(RefundOrigin, {
  name: 'RefundOrigin',
  description: 'Who wanted a refund.',
  valuesConfig: {
    REQUESTED: { description: 'A backend or an operator, by refundPayment or by settling a review.' },
    AUTOMATIC: { description: 'Quittance: the money came twice, or too late.' },
    PROVIDER: { description: 'Somebody at the provider, in its dashboard.' },
  },
});

/** TWO_PEOPLE: one operator asked for it, and another approved. */
export type RefundAuthority = 'BACKEND' | 'SUPPORT' | 'OPERATOR' | 'TWO_PEOPLE';

export const RefundReason: { readonly [Name in Reason]: Name } = {
  REQUESTED_BY_CUSTOMER: 'REQUESTED_BY_CUSTOMER',
  DUPLICATE: 'DUPLICATE',
  FRAUDULENT: 'FRAUDULENT',
  OTHER: 'OTHER',
};
registerEnumType(RefundReason, {
  name: 'RefundReason',
  description: 'Why money is given back.',
  valuesConfig: {
    REQUESTED_BY_CUSTOMER: { description: 'The customer asked for it.' },
    DUPLICATE: { description: 'It was paid twice.' },
    FRAUDULENT: { description: 'It was not the customer who paid.' },
    OTHER: { description: 'Anything else.' },
  },
});

/**
 * Money to be given back. The row is there before the provider is called, with the key that the call uses. What is not
 * FAILED never adds up to more than was captured: a trigger of the database says so.
 */
@ObjectType({ description: 'Money to be given back, or given back.' })
@Entity('refund')
@Unique('refund_reference_once', ['reference'])
@Unique('refund_provider_reference_once', ['provider', 'providerReference'])
@Index('refund_intent', ['intentId'])
@Index('refund_to_check', ['nextCheckAt'], { where: `next_check_at IS NOT NULL` })
@Check('refund_amount_positive', `amount > 0 AND amount <= 9007199254740991`)
@Check('refund_status_known', `status IN ('QUEUED', 'SUBMITTED', 'SUCCEEDED', 'FAILED')`)
@Check('refund_authority_known', `authority IN ('BACKEND', 'SUPPORT', 'OPERATOR', 'TWO_PEOPLE')`)
@Check('refund_origin_known', `origin IN ('REQUESTED', 'AUTOMATIC', 'PROVIDER')`)
export class Refund {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'refund_pkey' })
  id: string;

  @Field(() => ID, { name: 'id', description: 'Opaque, `RFD-…`.' })
  @Column('text')
  reference: string;

  @ManyToOne(() => PaymentIntent)
  @JoinColumn({ name: 'intent_id', foreignKeyConstraintName: 'refund_intent_fkey' })
  intent?: Relation<PaymentIntent>;

  @Column('uuid')
  intentId: string;

  @ManyToOne(() => PaymentAttempt)
  @JoinColumn({ name: 'attempt_id', foreignKeyConstraintName: 'refund_attempt_fkey' })
  attempt?: Relation<PaymentAttempt>;

  @Column('uuid')
  attemptId: string;

  @Field(() => GraphQLSafeInt, { description: 'In minor units.' })
  @Column('bigint')
  amount: number;

  @Field(() => String, { description: 'ISO 4217.' })
  @Column('char', { length: 3 })
  currency: Currency;

  @Field(() => RefundStatus, { description: 'Where it stands.' })
  @Column('text')
  status: RefundStatus;

  @Field(() => RefundReason, { nullable: true, description: 'Why, where somebody said it.' })
  @Column('text', { nullable: true })
  reason: Reason | null;

  @Field(() => Boolean, { description: 'Whether the pieces go back into the stock with it.' })
  @Column('boolean')
  restock: boolean;

  @Field(() => RefundOrigin, { description: 'Who wanted it.' })
  @Column('text')
  origin: RefundOrigin;

  /** By whose word it was REQUESTED, for some may give back only so much of one order. Null: by nobody's here, or not known. */
  @Column('text', { nullable: true })
  authority: RefundAuthority | null;

  @Field(() => String, { description: 'Which provider.' })
  @Column('text')
  provider: string;

  /** Null until the provider has answered. */
  @Column('text', { nullable: true })
  providerReference: string | null;

  /** The provider's id of the money that is given back: of the capture's movement. */
  @Column('text')
  captureReference: string;

  @Column('text')
  idempotencyKey: string;

  @Field(() => String, { nullable: true, description: 'Why it failed, for programs.' })
  @Column('text', { nullable: true })
  failureCode: string | null;

  @Field(() => String, { nullable: true, description: 'Why it failed, for people.' })
  @Column('text', { nullable: true })
  failureMessage: string | null;

  /** When the provider is to be called or asked again; null once it is settled. */
  @Column('timestamptz', { nullable: true })
  nextCheckAt: Date | null;

  @Field(() => GraphQLDateTimeISO, { description: 'When it was written down.' })
  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true, description: 'When it succeeded or failed.' })
  @Column('timestamptz', { nullable: true })
  settledAt: Date | null;
}

/** It may still give money back. */
export function isUnderWay({ status }: Refund): boolean {
  return status === 'QUEUED' || status === 'SUBMITTED';
}
