import { Check, Column, Entity, PrimaryColumn, Unique } from 'typeorm';
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { GraphQLDateTimeISO } from 'graphql-scalars';
import { MessageTypeEnum, type MessageType } from './message-type.js';

export const EndpointStatus = { ENABLED: 'ENABLED', DISABLED: 'DISABLED' } as const;
export type EndpointStatus = keyof typeof EndpointStatus;
registerEnumType(EndpointStatus, {
  name: 'WebhookEndpointStatus',
  description: 'Whether webhooks are sent to an endpoint.',
  valuesConfig: {
    ENABLED: { description: 'They are.' },
    DISABLED: {
      description: 'They are not. What happens meanwhile is kept as FAILED deliveries, to be replayed.',
    },
  },
});

export const DisabledReason = { BY_HAND: 'BY_HAND', GONE: 'GONE', FAILING: 'FAILING' } as const;
export type DisabledReason = keyof typeof DisabledReason;
registerEnumType(DisabledReason, {
  name: 'WebhookEndpointDisabledReason',
  description: 'Why an endpoint is disabled.',
  valuesConfig: {
    BY_HAND: { description: 'Somebody has asked for it.' },
    GONE: { description: 'It answered 410: it wants no more.' },
    FAILING: { description: 'Nothing could be delivered to it for days.' },
  },
});

/** A secret that was replaced, sealed, and until when it signs, in ISO 8601. */
export interface EarlierSecret {
  readonly sealed: string;
  readonly until: string;
}

/** Where a backend of the merchant wants to be told. Its secrets are stored sealed (`endpoint-secrets.ts`). */
@ObjectType({ description: 'Where a backend of the merchant wants to be told of payments.' })
@Entity('webhook_endpoint')
@Unique('webhook_endpoint_reference_once', ['reference'])
@Check('webhook_endpoint_disabled_for_a_reason', `(status = 'DISABLED') = (disabled_reason IS NOT NULL)`)
@Check(
  'webhook_endpoint_earlier_secrets_few',
  `jsonb_typeof(earlier_secrets) = 'array' AND jsonb_array_length(earlier_secrets) <= 5`,
)
@Check('webhook_endpoint_reason_known', `disabled_reason IN ('BY_HAND', 'GONE', 'FAILING')`)
@Check('webhook_endpoint_status_known', `status IN ('ENABLED', 'DISABLED')`)
export class WebhookEndpoint {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'webhook_endpoint_pkey' })
  id: string;

  @Field(() => ID, { name: 'id', description: 'Opaque, `WHE-…`.' })
  @Column('text')
  reference: string;

  @Field(() => String, { description: 'Where webhooks are sent.' })
  @Column('text')
  url: string;

  @Field(() => [MessageTypeEnum], {
    name: 'types',
    nullable: true,
    description: 'What it is told; null: everything.',
  })
  @Column('text', { array: true, nullable: true })
  messageTypes: MessageType[] | null;

  @Field(() => EndpointStatus, { description: 'Whether webhooks are sent to it.' })
  @Column('text')
  status: EndpointStatus;

  @Field(() => DisabledReason, { nullable: true, description: 'Why it is disabled; null while it is not.' })
  @Column('text', { nullable: true })
  disabledReason: DisabledReason | null;

  @Column('text')
  sealedSecret: string;

  /** Those that sign beside the present one, the newest first; some may have ended since it was written. */
  @Column('jsonb', { default: () => "'[]'" })
  earlierSecrets: readonly EarlierSecret[];

  @Field(() => GraphQLDateTimeISO, {
    nullable: true,
    description:
      'Until then webhooks are signed with an earlier secret too; with each of them as long as its rotation promised.',
  })
  get previousSecretUntil(): Date | null {
    const ends = this.earlierSecrets.map(({ until }) => new Date(until).getTime());
    return ends.length === 0 ? null : new Date(Math.max(...ends));
  }

  @Field(() => GraphQLDateTimeISO, {
    nullable: true,
    name: 'failingSince',
    description: 'Since when every try has failed; null when the last one did not.',
  })
  @Column('timestamptz', { nullable: true })
  firstFailedAt: Date | null;

  @Field(() => GraphQLDateTimeISO, {
    nullable: true,
    description: 'It has asked (Retry-After) to be left alone until then.',
  })
  @Column('timestamptz', { nullable: true })
  restUntil: Date | null;

  @Field(() => GraphQLDateTimeISO, { description: 'When it was registered.' })
  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;
}
