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
import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { GraphQLDateTimeISO, GraphQLSafeInt } from 'graphql-scalars';
import { inQuotes } from '../database/in-quotes.js';
import type { PaymentMethod as Method, Presentation as WhereToPay } from '../providers/provider.js';
import { PaymentIntent } from './payment-intent.js';

const ATTEMPT_STATUSES = [
  'PENDING',
  'PROCESSING',
  'UNKNOWN',
  'AUTHORIZED',
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
] as const;
export type AttemptStatus = (typeof ATTEMPT_STATUSES)[number];
export const AttemptStatus = Object.fromEntries(ATTEMPT_STATUSES.map((status) => [status, status])) as {
  readonly [Status in AttemptStatus]: Status;
};

registerEnumType(AttemptStatus, {
  name: 'AttemptStatus',
  description: 'Where one try at one provider stands.',
  valuesConfig: {
    PENDING: { description: 'The payer has something to do.' },
    PROCESSING: { description: 'The payer acted; the provider has not decided.' },
    UNKNOWN: { description: 'The provider did not answer.' },
    AUTHORIZED: { description: 'The money is held and not taken yet.' },
    SUCCEEDED: { description: 'It brought money.' },
    FAILED: { description: 'It is over without money.' },
    CANCELLED: { description: 'It was ended without money.' },
  },
});

export const PaymentMethod: { readonly [Name in Method]: Name } = {
  CARD: 'CARD',
  BANK: 'BANK',
  MOBILE_MONEY: 'MOBILE_MONEY',
  WALLET: 'WALLET',
};
registerEnumType(PaymentMethod, {
  name: 'PaymentMethod',
  description: 'How a payer pays.',
  valuesConfig: {
    CARD: { description: 'By card.' },
    BANK: { description: 'At the page of a bank.' },
    MOBILE_MONEY: { description: 'With the money that a phone’s operator keeps.' },
    WALLET: { description: 'With whatever the provider’s own page offers: its wallet, and more.' },
  },
});

export const Presentation: { readonly [Name in WhereToPay]: Name } = {
  EMBEDDED: 'EMBEDDED',
  REDIRECT: 'REDIRECT',
  PHONE: 'PHONE',
};
registerEnumType(Presentation, {
  name: 'Presentation',
  description: 'Where the payer pays.',
  valuesConfig: {
    EMBEDDED: { description: 'In the frontend’s own page.' },
    REDIRECT: { description: 'On a page of the provider’s, which sends the payer back to `returnUrl`.' },
    PHONE: { description: 'On their phone, whose operator asks for their consent.' },
  },
});

/** One try at one provider within an intent. */
@ObjectType({ description: 'One try at one provider within an intent.' })
@Entity('payment_attempt')
@Unique('payment_attempt_number_once', ['intentId', 'number'])
@Unique('payment_attempt_provider_reference_once', ['provider', 'providerReference'])
@Check('payment_attempt_status_known', `status IN (${inQuotes(ATTEMPT_STATUSES)})`)
@Check('payment_attempt_capture_amount_positive', `capture_amount > 0`)
@Check('payment_attempt_amount_positive', `amount > 0`)
@Check('payment_attempt_method_of_customer', `method_reference IS NULL OR customer_reference IS NOT NULL`)
@Check('payment_attempt_off_session_with_method', `NOT off_session OR method_reference IS NOT NULL`)
@Check('payment_attempt_fallback_of_earlier', `fallback_of < number`)
@Index('payment_attempt_ask_again', ['askAgainAt'], { where: 'ask_again_at IS NOT NULL' })
export class PaymentAttempt {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'payment_attempt_pkey' })
  id: string;

  @ManyToOne(() => PaymentIntent)
  @JoinColumn({ name: 'intent_id', foreignKeyConstraintName: 'payment_attempt_intent_fkey' })
  intent?: Relation<PaymentIntent>;

  @Column('uuid')
  intentId: string;

  @Field(() => Int, { description: '1, 2, 3 … within the intent.' })
  @Column('integer')
  number: number;

  @Field(() => String, { description: 'Which provider.' })
  @Column('text')
  provider: string;

  @Field(() => PaymentMethod, { description: 'How the payer pays.' })
  @Column('text')
  method: Method;

  @Field(() => Presentation, { description: 'Where the payer pays.' })
  @Column('text')
  presentation: WhereToPay;

  /** What the provider was last told to collect, in minor units; the intent's amount may have moved on. */
  @Field(() => GraphQLSafeInt, { description: 'What the provider was told to collect, in minor units.' })
  @Column('bigint')
  amount: number;

  /** What of the held money is to be taken, in minor units: written before the provider is told. */
  @Column('bigint', { nullable: true })
  captureAmount: number | null;

  /** Null until the provider has answered: the call is under way, or has to be made again with the same key. */
  @Column('text', { nullable: true })
  providerReference: string | null;

  @Column('text')
  idempotencyKey: string;

  @Field(() => AttemptStatus, { description: 'Where it stands.' })
  @Column('text')
  status: AttemptStatus;

  /** What the payer does next. It can hold a client secret, so it is stored sealed (`sealed-next-action.ts`). */
  @Column('text', { nullable: true })
  sealedNextAction: string | null;

  @Column('text', { nullable: true })
  returnUrl: string | null;

  /** The payer's, E.164. */
  @Column('text', { nullable: true })
  phoneNumber: string | null;

  @Field(() => String, { nullable: true, description: 'The payer’s country, ISO 3166-1 alpha-2.' })
  @Column('text', { nullable: true })
  country: string | null;

  @Field(() => String, { nullable: true, description: 'The operator that the payer chose.' })
  @Column('text', { nullable: true })
  operator: string | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'The number of the attempt in whose place this one was begun, because its provider was down.',
  })
  @Column('integer', { nullable: true })
  fallbackOf: number | null;

  /** The provider's id of the customer, where something saved pays, or what pays is to be saved. */
  @Column('text', { nullable: true })
  customerReference: string | null;

  /** The provider's id of the saved way to pay that is to be charged; without it, what pays is saved. */
  @Column('text', { nullable: true })
  methodReference: string | null;

  /** Whether the payer was there when it was charged. Else they are written to where it was declined. */
  @Column('boolean', { default: false })
  offSession: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'The provider’s own code of the last failure, for programs.',
  })
  @Column('text', { nullable: true })
  failureCode: string | null;

  @Field(() => String, { nullable: true, description: 'The last failure, for people.' })
  @Column('text', { nullable: true })
  failureMessage: string | null;

  /** When it ended without money; null while money may come, and once it has. */
  @Column('timestamptz', { nullable: true })
  endedAt: Date | null;

  /** When its provider is asked whether money came after all (`ask-about-ended-attempts.ts`); null: not any more. */
  @Column('timestamptz', { nullable: true })
  askAgainAt: Date | null;

  @Field(() => GraphQLDateTimeISO, { description: 'When it was begun.' })
  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;
}

const LIVE_STATUSES: readonly AttemptStatus[] = ['PENDING', 'PROCESSING', 'UNKNOWN', 'AUTHORIZED'];

/** Money may still come through an attempt in one of these. */
export function isLive(attempt: PaymentAttempt): boolean {
  return LIVE_STATUSES.includes(attempt.status);
}

/** No money came by it, as far as was heard. */
export function hasEndedWithoutMoney({ status }: Pick<PaymentAttempt, 'status'>): boolean {
  return status === 'FAILED' || status === 'CANCELLED';
}

/** Our name for the attempt at its provider: opaque, and enough to find it again. */
export function attemptReference(intentReference: string, number: number): string {
  return `${intentReference}-${number}`;
}

/** The reverse; undefined for what is not an attempt reference of ours. */
export function parseAttemptReference(
  reference: string,
): { intentReference: string; number: number } | undefined {
  const match = /^(TXN-[0-9A-Z]{26})-([1-9]\d{0,5})$/.exec(reference);
  if (!match) return undefined;
  return { intentReference: match[1]!, number: Number(match[2]) };
}
