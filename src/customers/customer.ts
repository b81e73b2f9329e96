import { Column, Entity, PrimaryColumn, Unique } from 'typeorm';
import { Field, ID, ObjectType } from 'type-graphql';
import { GraphQLDateTimeISO } from 'graphql-scalars';

/** A user of the merchant's, who may leave ways to pay with a provider. */
@ObjectType({ description: 'A user of the merchant’s, who may save ways to pay.' })
@Entity('customer')
@Unique('customer_reference_once', ['reference'])
@Unique('customer_external_id_once', ['externalId'])
export class Customer {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'customer_pkey' })
  id: string;

  @Field(() => ID, { name: 'id', description: 'Opaque, `CUS-…`.' })
  @Column('text')
  reference: string;

  @Field(() => String, { description: 'The merchant’s own id of them, unique.' })
  @Column('text')
  externalId: string;

  @Field(() => String, { nullable: true, description: 'Where they are written to.' })
  @Column('text', { nullable: true })
  email: string | null;

  @Field(() => String, { nullable: true, description: 'As they write it.' })
  @Column('text', { nullable: true })
  name: string | null;

  @Field(() => String, { description: 'BCP 47; the language in which they are addressed.' })
  @Column('text')
  locale: string;

  @Field(() => GraphQLDateTimeISO, { description: 'When we first heard of them.' })
  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;
}
