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
import { GraphQLDateTimeISO } from 'graphql-scalars';
import { OutboxEvent } from '../../outbox/outbox-event.js';
import { MessageTypeEnum, type MessageType } from './message-type.js';
import type { WebhookDeliveryTry } from './webhook-delivery-try.js';
import { WebhookEndpoint } from './webhook-endpoint.js';

export const DeliveryStatus = { PENDING: 'PENDING', SUCCEEDED: 'SUCCEEDED', FAILED: 'FAILED' } as const;
export type DeliveryStatus = keyof typeof DeliveryStatus;
registerEnumType(DeliveryStatus, {
  name: 'WebhookDeliveryStatus',
  description: 'What became of a webhook to the merchant.',
  valuesConfig: {
    PENDING: { description: 'It is being sent, or sent again at nextTryAt.' },
    SUCCEEDED: { description: 'The endpoint answered 2xx.' },
    FAILED: { description: 'Tried often enough, or the endpoint is disabled. It can be replayed.' },
  },
});

/** A message to one endpoint. Who sends it claims the row for a time, so that no two send it at once. */
@ObjectType({ description: 'A webhook to one endpoint of the merchant.' })
@Entity('webhook_delivery')
@Unique('webhook_delivery_message_once', ['messageId'])
@Unique('webhook_delivery_once', ['endpointId', 'outboxEventId'])
@Index('webhook_delivery_due', ['endpointId', 'nextTryAt'], { where: `status = 'PENDING'` })
@Index('webhook_delivery_created', ['createdAt', 'id'])
@Index('webhook_delivery_of_endpoint', ['endpointId', 'createdAt', 'id'])
@Check('webhook_delivery_pending_is_tried', `(status = 'PENDING') = (next_try_at IS NOT NULL)`)
@Check('webhook_delivery_status_known', `status IN ('PENDING', 'SUCCEEDED', 'FAILED')`)
export class WebhookDelivery {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'webhook_delivery_pkey' })
  id: string;

  @Field(() => ID, {
    name: 'id',
    description: 'The `webhook-id` header of every try of it, `msg_…`: what receivers know it again by.',
  })
  @Column('text')
  messageId: string;

  @Field(() => WebhookEndpoint, { description: 'Where it is sent.' })
  @ManyToOne(() => WebhookEndpoint, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'endpoint_id', foreignKeyConstraintName: 'webhook_delivery_endpoint_fkey' })
  endpoint?: Relation<WebhookEndpoint>;

  @Column('uuid')
  endpointId: string;

  @ManyToOne(() => OutboxEvent)
  @JoinColumn({ name: 'outbox_event_id', foreignKeyConstraintName: 'webhook_delivery_event_fkey' })
  outboxEvent?: Relation<OutboxEvent> | null;

  /** Null: a test. */
  @Column('bigint', { nullable: true })
  outboxEventId: number | null;

  @Field(() => MessageTypeEnum, { description: 'What it tells.' })
  @Column('text')
  type: MessageType;

  /** The bytes that are sent and signed: as things were, whenever they are sent. */
  @Field(() => String, { description: 'The body, as it is sent at every try.' })
  @Column('text')
  payload: string;

  @Field(() => DeliveryStatus, { description: 'What became of it.' })
  @Column('text')
  status: DeliveryStatus;

  /** Steps of the schedule that are used up. Sending it anew begins again at 0. */
  @Column('integer', { default: 0 })
  tries: number;

  @Field(() => GraphQLDateTimeISO, {
    nullable: true,
    description: 'When it is tried again; null when it is not.',
  })
  @Column('timestamptz', { nullable: true })
  nextTryAt: Date | null;

  @Column('uuid', { nullable: true })
  claim: string | null;

  @Column('timestamptz', { nullable: true })
  claimedUntil: Date | null;

  @Field(() => GraphQLDateTimeISO, { description: 'When there was something to tell.' })
  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;

  /** Each try, the earliest first, where it was read with the delivery. */
  history?: WebhookDeliveryTry[];
}
