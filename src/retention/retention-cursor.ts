import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How far a table has been gone through for what is kept for a time only: each row is looked at once. */
@Entity('retention_cursor')
export class RetentionCursor {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'retention_cursor_pkey' })
  name: string;

  /** Ids are UUIDs of version 7, which are ordered by the time in them. */
  @Column('uuid')
  lastId: string;
}
