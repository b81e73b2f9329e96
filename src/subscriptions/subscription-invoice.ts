import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, Unique, type Relation } from 'typeorm';
import { Order } from '../orders/order.js';
import { RecurringSubscription } from './recurring-subscription.js';

/** One collection of a subscription, and the order that it became: of each of the provider's invoices there is one. */
@Entity('subscription_invoice')
@Unique('subscription_invoice_once', ['provider', 'providerReference'])
@Unique('subscription_invoice_order_once', ['orderId'])
@Index('subscription_invoice_subscription', ['subscriptionId'])
export class SubscriptionInvoice {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'subscription_invoice_pkey' })
  id: string;

  @ManyToOne(() => RecurringSubscription)
  @JoinColumn({ name: 'subscription_id', foreignKeyConstraintName: 'subscription_invoice_subscription_fkey' })
  subscription?: Relation<RecurringSubscription>;

  @Column('uuid')
  subscriptionId: string;

  @Column('text')
  provider: string;

  @Column('text')
  providerReference: string;

  @ManyToOne(() => Order)
  @JoinColumn({ name: 'order_id', foreignKeyConstraintName: 'subscription_invoice_order_fkey' })
  order?: Relation<Order>;

  @Column('uuid')
  orderId: string;

  /** `TXN-…`. */
  @Column('text')
  intentReference: string;

  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;
}
