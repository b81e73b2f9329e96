import type { OrderContext } from '../orders/order-context.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import type { PaymentPubSub } from './payment-pub-sub.js';

/** What resolvers of payments are given. */
export interface PaymentContext extends OrderContext {
  readonly payments: PaymentDependencies;
  readonly pubSub: PaymentPubSub;
}
