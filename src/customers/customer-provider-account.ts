import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn, Unique, type Relation } from 'typeorm';
import { Customer } from './customer.js';

/** A customer at a provider that keeps ways to pay. It is written before the provider is told of them. */
@Entity('customer_provider_account')
@Unique('customer_provider_account_reference_once', ['provider', 'providerReference'])
export class CustomerProviderAccount {
  @ManyToOne(() => Customer)
  @JoinColumn({ name: 'customer_id', foreignKeyConstraintName: 'customer_provider_account_customer_fkey' })
  customer?: Relation<Customer>;

  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'customer_provider_account_pkey' })
  customerId: string;

  @PrimaryColumn('text', { primaryKeyConstraintName: 'customer_provider_account_pkey' })
  provider: string;

  @Column('text')
  idempotencyKey: string;

  /** Null until the provider has answered. */
  @Column('text', { nullable: true })
  providerReference: string | null;

  /** Grows each time that the list of saved ways to pay was read: an older list never replaces a newer one. */
  @Column('integer', { default: 0 })
  listVersion: number;
}
