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
import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { GraphQLDateTimeISO, GraphQLSafeInt } from 'graphql-scalars';
import type { Currency } from '../money.js';
import { PaymentAttempt } from './payment-attempt.js';
import { PaymentIntent } from './payment-intent.js';

export const DisputeStatus = { OPEN: 'OPEN', WON: 'WON', LOST: 'LOST' } as const;
export type DisputeStatus = keyof typeof DisputeStatus;
registerEnumType(DisputeStatus, {
  name: 'DisputeStatus',
  description: 'Where a dispute stands.',
  valuesConfig: {
    OPEN: { description: 'The payer’s bank asks for evidence, or considers it, also after an appeal.' },
    WON: { description: 'Decided for the merchant, who keeps the money or a part of it.' },
    LOST: { description: 'Decided for the payer, who has the money back.' },
  },
});

/** A payer has asked their bank to take the money back. */
@ObjectType({ description: 'A payer has asked their bank to take the money back.' })
@Entity('dispute')
@Unique('dispute_provider_reference_once', ['provider', 'providerReference'])
@Index('dispute_intent', ['intentId'])
@Check('dispute_amount_positive', `amount > 0 AND amount <= 9007199254740991`)
@Check('dispute_status_known', `status IN ('OPEN', 'WON', 'LOST')`)
export class Dispute {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'dispute_pkey' })
  id: string;

  @ManyToOne(() => PaymentIntent)
  @JoinColumn({ name: 'intent_id', foreignKeyConstraintName: 'dispute_intent_fkey' })
  intent?: Relation<PaymentIntent>;

  @Column('uuid')
  intentId: string;

  @ManyToOne(() => PaymentAttempt)
  @JoinColumn({ name: 'attempt_id', foreignKeyConstraintName: 'dispute_attempt_fkey' })
  attempt?: Relation<PaymentAttempt>;

  @Column('uuid')
  attemptId: string;

  @Field(() => GraphQLSafeInt, { description: 'In minor units.' })
  @Column('bigint')
  amount: number;

  @Field(() => String, { description: 'ISO 4217.' })
  @Column('char', { length: 3 })
  currency: Currency;

  @Field(() => DisputeStatus, { description: 'Where it stands.' })
  @Column('text')
  status: DisputeStatus;

  /** When the provider said so, as far as it said when: later news counts. */
  @Column('timestamptz', { nullable: true })
  saidAt: Date | null;

  @Field(() => Boolean, {
    name: 'isRefundable',
    description: 'The bank only asks: no money has moved, and refundPayment may answer it.',
  })
  @Column('boolean', { default: false })
  refundable: boolean;

  @Field(() => String, { description: 'Why, in the provider’s word.' })
  @Column('text')
  reason: string;

  @Field(() => String, { description: 'Which provider: evidence is given there.' })
  @Column('text')
  provider: string;

  @Field(() => String, { description: 'The provider’s id of it.' })
  @Column('text')
  providerReference: string;

  @Field(() => GraphQLDateTimeISO, { nullable: true, description: 'Until when evidence can be given.' })
  @Column('timestamptz', { nullable: true })
  respondByAt: Date | null;

  @Field(() => GraphQLDateTimeISO, { description: 'When we learned of it.' })
  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true, description: 'When it was decided.' })
  @Column('timestamptz', { nullable: true })
  settledAt: Date | null;
}
