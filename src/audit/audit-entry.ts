import { Column, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';

/**
 * Who did what to what. Rows are never changed or deleted, by trigger; and each entry of a subject carries the hash of
 * the one before, so that a row which was altered behind the trigger's back is found (`verify-audit-log.ts`). Position
 * and hashes are the database's own.
 */
@Entity('audit_log')
@Unique('audit_log_position_once', ['subject', 'position'])
export class AuditEntry {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'ALWAYS',
    primaryKeyConstraintName: 'audit_log_pkey',
  })
  id: number;

  /** The public reference of what it is about: `TXN-…`, or `webhook-event:` and its id. */
  @Column('text')
  subject: string;

  /** 1, 2, 3 … within the subject. */
  @Column('integer')
  position: number;

  /** `operator:olga`, `backend:…`, `payer:ORD-…`, `provider:stripe`, or `job:` and its name. */
  @Column('text')
  actor: string;

  @Column('text')
  action: string;

  @Column('jsonb', { nullable: true })
  before: object | null;

  @Column('jsonb', { nullable: true })
  after: object | null;

  @Column('text', { nullable: true })
  reason: string | null;

  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;

  @Column('text', { nullable: true })
  previousHash: string | null;

  @Column('text')
  hash: string;
}

/** What is said of an act; the rest is the database's. */
export type NewAuditEntry = Pick<AuditEntry, 'subject' | 'actor' | 'action' | 'before' | 'after' | 'reason'>;
