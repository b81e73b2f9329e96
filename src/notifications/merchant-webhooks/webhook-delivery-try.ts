import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Field, Int, ObjectType } from 'type-graphql';
import { GraphQLDateTimeISO, GraphQLJSONObject } from 'graphql-scalars';
import { WebhookDelivery } from './webhook-delivery.js';

@ObjectType({ description: 'One try to deliver a webhook: what was asked, and what was answered.' })
@Entity('webhook_delivery_try')
@Index('webhook_delivery_try_delivery', ['deliveryId', 'startedAt'])
export class WebhookDeliveryTry {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'webhook_delivery_try_pkey' })
  id: string;

  @ManyToOne(() => WebhookDelivery, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'delivery_id', foreignKeyConstraintName: 'webhook_delivery_try_delivery_fkey' })
  delivery?: Relation<WebhookDelivery>;

  @Column('uuid')
  deliveryId: string;

  @Field(() => String, { description: 'Where it was sent.' })
  @Column('text')
  url: string;

  /** Without the signature, with which anybody who reads this could send the message for five minutes. */
  @Field(() => GraphQLJSONObject, { description: 'The headers that were sent, but for the signature.' })
  @Column('jsonb')
  requestHeaders: Record<string, string>;

  @Field(() => Int, { nullable: true, description: 'The HTTP status of the answer; null without one.' })
  @Column('integer', { nullable: true })
  answerStatus: number | null;

  @Field(() => String, { nullable: true, description: 'How the body of the answer begins.' })
  @Column('text', { nullable: true })
  answerBody: string | null;

  @Field(() => String, { nullable: true, description: 'Why there was no whole answer, in words.' })
  @Column('text', { nullable: true })
  error: string | null;

  @Field(() => Int, { description: 'How long it took.' })
  @Column('integer')
  milliseconds: number;

  @Field(() => GraphQLDateTimeISO, { description: 'When it began.' })
  @Column('timestamptz')
  startedAt: Date;
}
