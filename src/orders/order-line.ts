import { Check, Column, Entity, JoinColumn, ManyToOne, PrimaryColumn, Unique, type Relation } from 'typeorm';
import { Field, Int, ObjectType } from 'type-graphql';
import { GraphQLSafeInt } from 'graphql-scalars';
import { Order } from './order.js';
import { Product } from './product.js';

/** One line of an order, with the name and price as they were when it was written. */
@ObjectType({ description: 'One line of an order, with name and price as they were when it was made.' })
@Entity('order_line')
@Unique('order_line_position_once', ['orderId', 'position'])
@Check('order_line_quantity_positive', `quantity > 0`)
@Check(
  'order_line_unit_amount_not_negative',
  `unit_amount >= 0 OR product_id IS NULL AND unit_amount >= -9007199254740991`,
)
export class OrderLine {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'order_line_pkey' })
  id: string;

  @ManyToOne(() => Order)
  @JoinColumn({ name: 'order_id', foreignKeyConstraintName: 'order_line_order_fkey' })
  order?: Relation<Order>;

  @Column('uuid')
  orderId: string;

  @Column('integer')
  position: number;

  @ManyToOne(() => Product)
  @JoinColumn({ name: 'product_id', foreignKeyConstraintName: 'order_line_product_fkey' })
  product?: Relation<Product>;

  /** Null for a line that a backend wrote itself: nothing of the catalogue, no stock. */
  @Column('uuid', { nullable: true })
  productId: string | null;

  @Field(() => String, { nullable: true, description: 'Null for a line that a backend wrote itself.' })
  @Column('text', { nullable: true })
  sku: string | null;

  @Field(() => String, { description: 'What it was called when it was ordered.' })
  @Column('text')
  name: string;

  @Field(() => Int, { description: 'How many pieces.' })
  @Column('integer')
  quantity: number;

  @Field(() => GraphQLSafeInt, { description: 'Price of one, in minor units; of a voucher, less than 0.' })
  @Column('bigint')
  unitAmount: number;
}
