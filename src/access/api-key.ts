import { Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/** The key of a merchant's own server. Only its hash is stored; the key itself is shown once, when it is made. */
@Entity('api_key')
@Unique('api_key_hash_once', ['hash'])
export class ApiKey {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'api_key_pkey' })
  id: string;

  @Column('text')
  name: string;

  /** SHA-256 of the whole key. Its 32 random bytes need no slow hash. */
  @Column('text')
  hash: string;

  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;

  @Column('timestamptz', { nullable: true })
  revokedAt: Date | null;
}
