import { createHash } from 'node:crypto';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * How the audit log stood at a moment, signed with a key that the database doesn't know. Each covers the entries since the
 * one before, and is tied to it.
 */
@Entity('audit_checkpoint')
export class AuditCheckpoint {
  /** 1, 2, 3 … */
  @PrimaryColumn('integer', { primaryKeyConstraintName: 'audit_checkpoint_pkey' })
  number: number;

  /** Says which secret it was signed with. */
  @Column('text')
  keyId: string;

  /** Covered are all entries up to this one, which were not covered before. */
  @Column('bigint')
  lastEntryId: number;

  /** How many entries the log had up to there, in all. */
  @Column('bigint')
  entries: number;

  /** Of what the entries say that are covered here for the first time. */
  @Column('text')
  digest: string;

  /** Of this checkpoint and all before it; needs no key. */
  @Column('text')
  head: string;

  /** The signature of `head`. */
  @Column('text')
  mac: string;

  @Column('timestamptz')
  createdAt: Date;
}

/** What the head of a checkpoint must be. @param previousHead empty before the first one. */
export function headOf(
  previousHead: string,
  { number, keyId, lastEntryId, entries, digest, createdAt }: Omit<AuditCheckpoint, 'head' | 'mac'>,
): string {
  const said = [previousHead, number, keyId, lastEntryId, entries, digest, createdAt.toISOString()];
  return createHash('sha256').update(JSON.stringify(said)).digest('hex');
}
