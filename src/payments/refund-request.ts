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
import { PaymentIntent } from './payment-intent.js';
import { RefundReason } from './refund.js';

export const RefundRequestStatus = {
  PENDING: 'PENDING',
  APPROVED: 'APPROVED',
  DECLINED: 'DECLINED',
  EXPIRED: 'EXPIRED',
} as const;
export type RefundRequestStatus = keyof typeof RefundRequestStatus;
registerEnumType(RefundRequestStatus, {
  name: 'RefundRequestStatus',
  description: 'Where a request for a refund stands.',
  valuesConfig: {
    PENDING: { description: 'Nobody has decided yet.' },
    APPROVED: { description: 'Another operator agreed: the money goes back.' },
    DECLINED: { description: 'An operator said no.' },
    EXPIRED: { description: 'Nobody decided in time.' },
  },
});

/** A refund that another operator than the one who asks has to approve: the database refuses the same person. */
@ObjectType({ description: 'A refund that another operator is asked to approve.' })
@Entity('refund_request')
@Unique('refund_request_reference_once', ['reference'])
@Index('refund_request_intent', ['intentId'])
@Index('refund_request_newest', ['createdAt', 'id'])
@Check('refund_request_amount_positive', `amount > 0 AND amount <= 9007199254740991`)
@Check('refund_request_decision_known', `decision IN ('APPROVED', 'DECLINED')`)
@Check(
  'refund_request_decided_whole',
  `(decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at IS NULL)`,
)
@Check('refund_request_approved_by_another', `decision <> 'APPROVED' OR decided_by <> asked_by`)
export class RefundRequest {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'refund_request_pkey' })
  id: string;

  @Field(() => ID, { name: 'id', description: 'Opaque, `RRQ-…`. Give it to approveRefund.' })
  @Column('text')
  reference: string;

  @ManyToOne(() => PaymentIntent)
  @JoinColumn({ name: 'intent_id', foreignKeyConstraintName: 'refund_request_intent_fkey' })
  paymentIntent?: Relation<PaymentIntent>;

  @Column('uuid')
  intentId: string;

  @Field(() => GraphQLSafeInt, { description: 'In minor units.' })
  @Column('bigint')
  amount: number;

  @Field(() => String, { description: 'ISO 4217.' })
  @Column('char', { length: 3 })
  currency: Currency;

  @Field(() => RefundReason, { nullable: true, description: 'Why, where it was said.' })
  @Column('text', { nullable: true })
  reason: Reason | null;

  @Field(() => Boolean, { description: 'Whether the pieces go back into the stock with it.' })
  @Column('boolean')
  restock: boolean;

  @Field(() => String, { description: 'Who asks: `operator:…`.' })
  @Column('text')
  askedBy: string;

  @Column('text', { nullable: true })
  decision: 'APPROVED' | 'DECLINED' | null;

  @Field(() => String, { nullable: true, description: 'Who decided.' })
  @Column('text', { nullable: true })
  decidedBy: string | null;

  @Field(() => GraphQLDateTimeISO, { nullable: true, description: 'When it was decided.' })
  @Column('timestamptz', { nullable: true })
  decidedAt: Date | null;

  @Field(() => GraphQLDateTimeISO, { description: 'When it was asked for.' })
  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;

  @Field(() => GraphQLDateTimeISO, { description: 'Until when it can be approved.' })
  @Column('timestamptz')
  expiresAt: Date;
}
