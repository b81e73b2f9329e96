import { Check, Column, Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Product } from './product.js';

/** The places of a product that are taken on one day. There is a row from the first place on. */
@Entity('product_day')
@Check('product_day_not_negative', `held >= 0 AND booked >= 0`)
@Check('product_day_within_capacity', `held + booked <= capacity`)
export class ProductDay {
  @ManyToOne(() => Product)
  @JoinColumn({ name: 'product_id', foreignKeyConstraintName: 'product_day_product_fkey' })
  product?: Relation<Product>;

  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'product_day_pkey' })
  productId: string;

  /** In the shop's time zone. */
  @PrimaryColumn('date', { primaryKeyConstraintName: 'product_day_pkey' })
  day: string;

  /** The product's when a place was last taken. */
  @Column('integer')
  capacity: number;

  /** Places of orders whose payer is paying. */
  @Column('integer')
  held: number;

  @Column('integer')
  booked: number;
}
