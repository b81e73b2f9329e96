import { Check, Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';

/**
 * APPLIED: it changed something, or said what was known already. IGNORED: genuine, and nothing for us.
 * WAITING: it names an attempt that isn't there yet, or a fault of ours stopped it; it is tried again.
 * PARKED: tried often enough; a person has to look.
 */
export const WEBHOOK_EVENT_STATUSES = ['APPLIED', 'IGNORED', 'WAITING', 'PARKED'] as const;
export type WebhookEventStatus = (typeof WEBHOOK_EVENT_STATUSES)[number];

/** A verified notification of a provider, as it came. */
@Entity('webhook_event')
@Unique('webhook_event_once', ['provider', 'eventId'])
@Index('webhook_event_to_retry', ['nextTryAt'], { where: `status = 'WAITING'` })
@Check(
  'webhook_event_status_known',
  `status IN (${WEBHOOK_EVENT_STATUSES.map((status) => `'${status}'`).join(', ')})`,
)
export class WebhookEvent {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'webhook_event_pkey' })
  id: string;

  @Column('text')
  provider: string;

  @Column('text')
  eventId: string;

  @Column('text')
  type: string;

  /** The body as it came, but for what would let a reader act as the payer. */
  @Column('text')
  payload: string;

  @Column('jsonb')
  headers: Record<string, string | string[]>;

  @Column('text')
  status: WebhookEventStatus;

  /** What came of it, in words: which step was taken, or why none. */
  @Column('text', { nullable: true })
  outcome: string | null;

  @Column('integer', { default: 0 })
  tries: number;

  @Column('timestamptz', { nullable: true })
  nextTryAt: Date | null;

  @Column('timestamptz', { default: () => 'now()' })
  receivedAt: Date;

  @Column('timestamptz', { nullable: true })
  processedAt: Date | null;
}
