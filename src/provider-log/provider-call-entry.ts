import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { GraphQLDateTimeISO } from 'graphql-scalars';
import { inQuotes } from '../database/in-quotes.js';
import { PaymentAttempt } from '../payments/payment-attempt.js';
import { PaymentIntent } from '../payments/payment-intent.js';

export const CallOutcome = {
  OK: 'OK',
  DECLINED: 'DECLINED',
  REJECTED: 'REJECTED',
  UNAVAILABLE: 'UNAVAILABLE',
  OUTCOME_UNKNOWN: 'OUTCOME_UNKNOWN',
  BUG: 'BUG',
} as const;
export type CallOutcome = keyof typeof CallOutcome;
registerEnumType(CallOutcome, {
  name: 'ProviderCallOutcome',
  description: 'How a call of a provider ended.',
  valuesConfig: {
    OK: { description: 'It was answered.' },
    DECLINED: { description: 'The payer’s problem: no funds, card refused.' },
    REJECTED: { description: 'Ours: the provider will never take this request.' },
    UNAVAILABLE: { description: 'Nothing happened there.' },
    OUTCOME_UNKNOWN: { description: 'No answer: something may have happened there.' },
    BUG: { description: 'A fault of Quittance’s.' },
  },
});

const OUTCOMES = Object.keys(CallOutcome);

/** One HTTP request to a provider and its answer, with all that is secret or personal taken out. */
@ObjectType({
  description: 'One HTTP request to a provider and its answer, without what is secret or personal.',
})
export class LoggedExchange {
  @Field(() => String, { description: 'GET, POST …' })
  readonly method: string;

  @Field(() => String, { description: 'Where it went.' })
  readonly url: string;

  @Field(() => String, { nullable: true, description: 'The body that was sent; null where there was none.' })
  readonly request?: string;

  @Field(() => Int, { nullable: true, description: 'The HTTP status; null where no answer came.' })
  readonly status?: number;

  @Field(() => String, { nullable: true, description: 'The body that was answered.' })
  readonly answer?: string;

  @Field(() => Int, { description: 'How long it took.' })
  readonly milliseconds: number;

  @Field(() => String, { nullable: true, description: 'Why no answer came, as a code.' })
  readonly error?: string;
}

/** One call of a provider, kept for a time. It is a log, and no part of the books. */
@ObjectType('ProviderCall', { description: 'One call of a provider, with all its tries.' })
@Entity('provider_call')
@Index('provider_call_attempt', ['attemptId'], { where: 'attempt_id IS NOT NULL' })
@Index('provider_call_started', ['startedAt', 'id'])
@Check('provider_call_outcome_known', `outcome IN (${inQuotes(OUTCOMES)})`)
export class ProviderCallEntry {
  @Field(() => ID, { description: 'Our own id of it.' })
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'provider_call_pkey' })
  id: string;

  @Field(() => String, { description: 'Who was called.' })
  @Column('text')
  provider: string;

  @Field(() => String, { description: 'What for: `initiate`, `verify`, `refund` …' })
  @Column('text')
  operation: string;

  @ManyToOne(() => PaymentAttempt)
  @JoinColumn({ name: 'attempt_id', foreignKeyConstraintName: 'provider_call_attempt_fkey' })
  attempt?: Relation<PaymentAttempt> | null;

  @Column('uuid', { nullable: true })
  attemptId: string | null;

  @Field(() => ID, { name: 'refundId', nullable: true, description: 'The refund that it was about.' })
  @Column('text', { nullable: true })
  refundReference: string | null;

  @Field(() => CallOutcome, { description: 'How it ended.' })
  @Column('text')
  outcome: CallOutcome;

  @Field(() => String, {
    nullable: true,
    description: 'Why it failed: the provider’s own code, or one of ours in capitals.',
  })
  @Column('text', { nullable: true })
  failureCode: string | null;

  @Field(() => Int, { description: 'How often it was tried. 0: it was not let through.' })
  @Column('integer')
  tries: number;

  @Field(() => Int, {
    description: 'From the wish to the answer: waiting, every try, and the pauses between them.',
  })
  @Column('integer')
  milliseconds: number;

  @Field(() => [LoggedExchange], { description: 'What went over the wire. Of a long list, the last of it.' })
  @Column('jsonb')
  exchanges: LoggedExchange[];

  @Field(() => GraphQLDateTimeISO, { description: 'When it began.' })
  @Column('timestamptz')
  startedAt: Date;

  @Field(() => PaymentIntent, { nullable: true, description: 'The payment that it was about.' })
  get paymentIntent(): PaymentIntent | null {
    return this.attempt?.intent ?? null;
  }

  @Field(() => Int, { nullable: true, description: 'Which attempt of that payment.' })
  get attemptNumber(): number | null {
    return this.attempt?.number ?? null;
  }
}
