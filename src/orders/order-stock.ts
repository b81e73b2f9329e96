import { Check, Column, Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Order } from './order.js';
import { Product } from './product.js';

/**
 * The pieces of a product that an order holds (while it is OPEN) or has taken (once it is CONFIRMED). What is released,
 * taken or returned is what stands here, whether or not the product's pieces are still counted by then. A product
 * whose pieces were not counted when the order was held has no row.
 */
@Entity('order_stock')
@Check('order_stock_quantity_positive', `quantity > 0`)
export class OrderStock {
  @ManyToOne(() => Order)
  @JoinColumn({ name: 'order_id', foreignKeyConstraintName: 'order_stock_order_fkey' })
  order?: Relation<Order>;

  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'order_stock_pkey' })
  orderId: string;

  @ManyToOne(() => Product)
  @JoinColumn({ name: 'product_id', foreignKeyConstraintName: 'order_stock_product_fkey' })
  product?: Relation<Product>;

  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'order_stock_pkey' })
  productId: string;

  @Column('bigint')
  quantity: number;
}
