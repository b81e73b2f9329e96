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
import { GraphQLDateTimeISO } from 'graphql-scalars';
import { inQuotes } from '../database/in-quotes.js';
import type { WebhookProof as Proof } from '../providers/provider.js';
import { PaymentIntent } from '../payments/payment-intent.js';

export const WebhookEventStatus = {
  APPLIED: 'APPLIED',
  IGNORED: 'IGNORED',
  WAITING: 'WAITING',
  PARKED: 'PARKED',
  UNREADABLE: 'UNREADABLE',
} as const;
export type WebhookEventStatus = keyof typeof WebhookEventStatus;
registerEnumType(WebhookEventStatus, {
  name: 'WebhookEventStatus',
  description: 'What became of a notification.',
  valuesConfig: {
    APPLIED: { description: 'It changed something, or said what was known already.' },
    IGNORED: { description: 'Genuine, and nothing for us.' },
    WAITING: {
      description:
        'It names an attempt that isn’t there yet, a fault of ours stopped it, or it is a hint and the provider is being asked; it is tried again.',
    },
    PARKED: { description: 'Tried often enough; a person has to look, and may replay it.' },
    UNREADABLE: {
      description:
        'Genuine, and not in a form that is understood; `outcome` says what is wrong. A person has to look, and may replay it once it can be read.',
    },
  },
});

export const WebhookProof: { readonly [Name in Proof]: Name } = {
  SIGNED: 'SIGNED',
  STATIC_SECRET: 'STATIC_SECRET',
  NONE: 'NONE',
};
registerEnumType(WebhookProof, {
  name: 'WebhookProof',
  description: 'How much a notification proves.',
  valuesConfig: {
    SIGNED: { description: 'Who sent it, and each of its bytes.' },
    STATIC_SECRET: {
      description: 'That its sender knew a secret which never changes: a hint. The provider was asked.',
    },
    NONE: { description: 'Nothing: a hint. The provider was asked.' },
  },
});

const STATUSES = Object.keys(WebhookEventStatus);

/** A verified notification of a provider, as it came. */
@ObjectType({ description: 'A verified notification of a provider, as it came.' })
@Entity('webhook_event')
@Unique('webhook_event_once', ['provider', 'eventId', 'contentDigest'])
@Index('webhook_event_intent', ['intentId'], { where: `intent_id IS NOT NULL` })
@Index('webhook_event_to_retry', ['nextTryAt'], { where: `status = 'WAITING'` })
@Index('webhook_event_received', ['receivedAt', 'id'])
@Check('webhook_event_proof_known', `proof IN ('SIGNED', 'STATIC_SECRET', 'NONE')`)
@Check('webhook_event_status_known', `status IN (${inQuotes(STATUSES)})`)
export class WebhookEvent {
  @Field(() => ID, { description: 'Our own id of it. Give it to replayWebhookEvent.' })
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'webhook_event_pkey' })
  id: string;

  @Field(() => String, { description: 'Who sent it.' })
  @Column('text')
  provider: string;

  @Field(() => String, { description: 'The provider’s id of it.' })
  @Column('text')
  eventId: string;

  /**
   * Of what it says: under an id that came before, other content is another notification. Empty for those that came
   * before there were digests.
   */
  @Column('text', { default: '' })
  contentDigest: string;

  @Field(() => WebhookProof, { description: 'How much it proved when it came.' })
  @Column('text')
  proof: Proof;

  @Field(() => String, { description: 'What it is about, in the provider’s word.' })
  @Column('text')
  type: string;

  /** The body as it came, but for what would let a reader act as the payer. */
  @Field(() => String, {
    description: 'The body as it came, but for what would let a reader act as the payer.',
  })
  @Column('text')
  payload: string;

  /** The bytes as they came, in base64, where `payload` can't hold them: in another encoding than UTF-8, or with a NUL. */
  @Column('text', { nullable: true })
  rawBody: string | null;

  @Column('jsonb')
  headers: Record<string, string | string[]>;

  @Field(() => WebhookEventStatus, { description: 'What became of it.' })
  @Column('text')
  status: WebhookEventStatus;

  @Field(() => PaymentIntent, {
    name: 'paymentIntent',
    nullable: true,
    description: 'The payment that it is about, once that is known.',
  })
  @ManyToOne(() => PaymentIntent)
  @JoinColumn({ name: 'intent_id', foreignKeyConstraintName: 'webhook_event_intent_fkey' })
  intent?: Relation<PaymentIntent> | null;

  @Column('uuid', { nullable: true })
  intentId: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'What came of it, in words: which step was taken, or why none.',
  })
  @Column('text', { nullable: true })
  outcome: string | null;

  @Field(() => Int, { description: 'How often it was read and applied, or tried to.' })
  @Column('integer', { default: 0 })
  tries: number;

  @Field(() => GraphQLDateTimeISO, {
    nullable: true,
    description: 'When it is tried again; null when it is not.',
  })
  @Column('timestamptz', { nullable: true })
  nextTryAt: Date | null;

  @Field(() => GraphQLDateTimeISO, { description: 'When it came.' })
  @Column('timestamptz', { default: () => 'now()' })
  receivedAt: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true, description: 'When it was applied or ignored.' })
  @Column('timestamptz', { nullable: true })
  processedAt: Date | null;
}
