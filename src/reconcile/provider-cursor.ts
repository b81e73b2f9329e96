import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How far a provider's own list of notifications has been read. */
@Entity('provider_cursor')
export class ProviderCursor {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'provider_cursor_pkey' })
  provider: string;

  @Column('timestamptz')
  readUntilAt: Date;

  /** One node reads at a time; a claim that is over is nobody's. */
  @Column('timestamptz', { nullable: true })
  claimedUntil: Date | null;
}
