import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Order } from './order.js';

/**
 * Stock and places that are held for a payer who has not paid, or were within the last day. The database refuses one that
 * is beyond its limits (`refuse_excess_hold`). It is gone once the order is paid.
 */
@Entity('stock_hold')
@Index('stock_hold_once', ['orderId'], { unique: true, where: 'released_at IS NULL' })
@Index('stock_hold_order', ['orderId'])
@Index('stock_hold_client', ['clientDigest'])
@Index('stock_hold_customer', ['customerId'], { where: 'customer_id IS NOT NULL' })
export class StockHold {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'stock_hold_pkey' })
  id: string;

  @ManyToOne(() => Order)
  @JoinColumn({ name: 'order_id', foreignKeyConstraintName: 'stock_hold_order_fkey' })
  order?: Relation<Order>;

  @Column('uuid')
  orderId: string;

  /** Of the address from which it was asked for; only our secret makes it. */
  @Column('text')
  clientDigest: string;

  @Column('uuid', { nullable: true })
  customerId: string | null;

  /** What was held that is counted, by pieces or by places. */
  @Column('uuid', { array: true })
  products: string[];

  /** The limits of then; 0 is none. */
  @Column('integer')
  atOnce: number;

  @Column('integer')
  sharePercent: number;

  @Column('integer')
  perDay: number;

  @Column('timestamptz')
  beganAt: Date;

  /** When the payer had not paid, and it was given back; null: it is held. */
  @Column('timestamptz', { nullable: true })
  releasedAt: Date | null;
}
