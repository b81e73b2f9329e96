import { Check, Column, Entity, JoinColumn, OneToOne, PrimaryColumn, Unique, type Relation } from 'typeorm';
import { Order } from './order.js';

/** What an order asked for, made together with its payment becoming PAID, and cancelled when all of it went back. */
@Entity('booking')
@Unique('booking_reference_once', ['reference'])
@Unique('booking_order_once', ['orderId'])
@Check('booking_status_known', `status IN ('CONFIRMED', 'CANCELLED')`)
@Check('booking_starts_before_end', `starts_at < ends_at`)
@Check('booking_cancelled_when_cancelled', `(status = 'CANCELLED') = (cancelled_at IS NOT NULL)`)
export class Booking {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'booking_pkey' })
  id: string;

  @Column('text')
  reference: string;

  @OneToOne(() => Order)
  @JoinColumn({ name: 'order_id', foreignKeyConstraintName: 'booking_order_fkey' })
  order?: Relation<Order>;

  @Column('uuid')
  orderId: string;

  @Column('text')
  status: 'CONFIRMED' | 'CANCELLED';

  @Column('timestamptz')
  startsAt: Date;

  @Column('timestamptz')
  endsAt: Date;

  @Column('jsonb')
  details: Record<string, unknown>;

  @Column('timestamptz')
  createdAt: Date;

  @Column('timestamptz', { nullable: true })
  cancelledAt: Date | null;
}
