import { Check, Column, Entity, PrimaryColumn, Unique } from 'typeorm';
import type { Scope } from './scopes.js';

/** The key of a merchant's own server. Only its hash is stored; the key itself is shown once, when it is made. */
@Entity('api_key')
@Unique('api_key_hash_once', ['hash'])
@Check('api_key_has_scopes', `cardinality(scopes) > 0`)
@Check(
  'api_key_scopes_known',
  `scopes <@ ARRAY['read', 'orders', 'payments', 'refunds', 'customers', 'webhooks']`,
)
export class ApiKey {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'api_key_pkey' })
  id: string;

  @Column('text')
  name: string;

  /** SHA-256 of the whole key. Its 32 random bytes need no slow hash. */
  @Column('text')
  hash: string;

  @Column('text', { array: true })
  scopes: Scope[];

  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;

  /** From then on it is no good any more; null: it doesn't expire. */
  @Column('timestamptz', { nullable: true })
  expiresAt: Date | null;

  @Column('timestamptz', { nullable: true })
  revokedAt: Date | null;
}
