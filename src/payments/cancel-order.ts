import type { EntityManager } from 'typeorm';
import { cancelUnpaidOrder } from '../orders/cancel-order.js';
import type { Order } from '../orders/order.js';
import { OrderError } from '../orders/order-error.js';
import { cancelPaymentIntent } from './cancel-payment-intent.js';
import { loadOrderToPay } from './loaded-payment.js';
import { moneyStateOf, requireCancellable, type Party } from './order-rights.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { DISTURBED, untilUndisturbed } from './write-change.js';

/**
 * Cancels an order: its open payment first, at the provider, and then the order. One that is cancelled already stays so.
 * @throws {OrderError} ORDER_NOT_FOUND, ORDER_ALREADY_PAID @throws {AccessError} FORBIDDEN
 * @throws {PaymentError} PAYMENT_NOT_CANCELLABLE, PROVIDER_UNAVAILABLE
 */
export async function cancelOrder(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  party: Party,
  reference: string,
): Promise<Order> {
  return untilUndisturbed(async () => {
    const found = await loadOrderToPay(manager, reference, null);
    if (!found) throw new OrderError('ORDER_NOT_FOUND', 'There is no such order.', 'id');
    const { order, payment } = found;
    if (order.status === 'CANCELLED') return order;
    if (order.status === 'CONFIRMED') {
      throw new OrderError('ORDER_ALREADY_PAID', 'This order is paid: refund it instead.');
    }
    requireCancellable(party, order, moneyStateOf(payment ? [payment.intent.status] : []));
    if (payment) await cancelPaymentIntent(manager, dependencies, party, payment.intent.reference);
    else if (await cancelUnpaidOrder(manager, order, dependencies.actor)) {
      return { ...order, status: 'CANCELLED' };
    }
    return DISTURBED;
  });
}
