import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** That a caller's key was used, for which request, and what it made. Written in the transaction that made it. */
@Entity('idempotency_key')
@Index('idempotency_key_to_delete', ['expiresAt'])
export class IdempotencyKey {
  /** Keys of different callers never meet: an order token's, an API key's, an operator's, an address without a token. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'idempotency_key_pkey' })
  caller: string;

  @PrimaryColumn('text', { primaryKeyConstraintName: 'idempotency_key_pkey' })
  key: string;

  /** SHA-256 of the mutation's name and its input, without the key. */
  @Column('text')
  fingerprint: string;

  /** What the request made: an order, a payment attempt, a payment without one, a refund, a subscription. */
  @Column('uuid')
  resourceId: string;

  @Column('timestamptz')
  expiresAt: Date;
}
