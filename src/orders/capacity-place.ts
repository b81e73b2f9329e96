import { Check, Column, Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { ProductDay } from './capacity-day.js';
import { Order } from './order.js';

/**
 * The places that an order holds (while it is OPEN) or has booked (once it is CONFIRMED) on one day. What is given back is
 * what was taken, whatever has become of the product's capacity and the shop's time zone meanwhile.
 */
@Entity('order_place')
@Check('order_place_quantity_positive', `quantity > 0`)
export class OrderPlace {
  @ManyToOne(() => Order)
  @JoinColumn({ name: 'order_id', foreignKeyConstraintName: 'order_place_order_fkey' })
  order?: Relation<Order>;

  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'order_place_pkey' })
  orderId: string;

  @ManyToOne(() => ProductDay)
  @JoinColumn([
    {
      name: 'product_id',
      referencedColumnName: 'productId',
      foreignKeyConstraintName: 'order_place_day_fkey',
    },
    { name: 'day', referencedColumnName: 'day', foreignKeyConstraintName: 'order_place_day_fkey' },
  ])
  productDay?: Relation<ProductDay>;

  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'order_place_pkey' })
  productId: string;

  @PrimaryColumn('date', { primaryKeyConstraintName: 'order_place_pkey' })
  day: string;

  @Column('integer')
  quantity: number;
}
