import { Column, Entity, Index, PrimaryGeneratedColumn, Unique } from 'typeorm';

/**
 * What the world is to be told, written in the transaction in which it became true. Rows stay: they are the history
 * from which a subscriber that reconnects is served.
 */
@Entity('outbox_event')
@Unique('outbox_event_once', ['topic', 'key', 'version'])
@Index('outbox_event_to_tell', ['id'], { where: `told_at IS NULL` })
export class OutboxEvent {
  /** A sequence: the relay tells in this order. Events of one key are also ordered by `version`, which has no holes. */
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'ALWAYS',
    primaryKeyConstraintName: 'outbox_event_pkey',
  })
  id: number;

  @Column('text')
  topic: string;

  @Column('uuid')
  key: string;

  @Column('integer')
  version: number;

  /** As it was at the transition. */
  @Column('jsonb')
  payload: object;

  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;

  @Column('timestamptz', { nullable: true })
  toldAt: Date | null;
}
