import {
  Check,
  Column,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  Unique,
  type Relation,
} from 'typeorm';
import { Field, ID, Int, ObjectType } from 'type-graphql';
import { GraphQLDateTimeISO } from 'graphql-scalars';
import { Customer } from './customer.js';

/** A card that a customer has left with a provider, as the provider last said. It is the provider that holds it. */
@ObjectType({
  description: 'A card that a customer has left with a provider. No number of it is known here.',
})
@Entity('saved_payment_method')
@Unique('saved_payment_method_reference_once', ['reference'])
@Unique('saved_payment_method_provider_reference_once', ['provider', 'providerReference'])
@Index('saved_payment_method_customer', ['customerId'])
@Check('saved_payment_method_expiry_month_known', `expiry_month BETWEEN 1 AND 12`)
export class SavedPaymentMethod {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'saved_payment_method_pkey' })
  id: string;

  @Field(() => ID, { name: 'id', description: 'Opaque, `PMT-…`. Give it to createPaymentIntent.' })
  @Column('text')
  reference: string;

  @ManyToOne(() => Customer)
  @JoinColumn({ name: 'customer_id', foreignKeyConstraintName: 'saved_payment_method_customer_fkey' })
  customer?: Relation<Customer>;

  @Column('uuid')
  customerId: string;

  @Field(() => String, { description: 'Which provider holds it.' })
  @Column('text')
  provider: string;

  @Column('text')
  providerReference: string;

  @Field(() => String, { description: 'As the provider writes it: `visa`.' })
  @Column('text')
  brand: string;

  @Field(() => String, { description: 'The last four digits.' })
  @Column('text')
  last4: string;

  @Field(() => Int, { description: '1 to 12.' })
  @Column('integer')
  expiryMonth: number;

  @Field(() => Int, { description: 'With its century.' })
  @Column('integer')
  expiryYear: number;

  @Field(() => GraphQLDateTimeISO, { description: 'When we first heard of it.' })
  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;

  /** When it was first missing at the provider; then it can't be charged any more. */
  @Column('timestamptz', { nullable: true })
  detachedAt: Date | null;
}
