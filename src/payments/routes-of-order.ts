import type { EntityManager } from 'typeorm';
import { isOfSubscription, type Order } from '../orders/order.js';
import { whyOutsideLimits } from '../orders/order-limits.js';
import type { Route } from '../providers/routing.js';
import { loadOrderToPay } from './loaded-payment.js';
import { isLive } from './payment-attempt.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { fits, paymentRoutes } from './payment-options.js';
import { awaitsPayer } from './transitions.js';

/**
 * Every way to pay this order, open or not, the best first. What a provider collects can be paid there alone; for what costs
 * nothing there is none to choose.
 */
export async function routesOfOrder(
  manager: EntityManager,
  dependencies: Pick<PaymentDependencies, 'providers' | 'routing' | 'orderLimits'>,
  order: Order,
  country: string | undefined,
): Promise<readonly Route[]> {
  if (order.status !== 'OPEN' || order.amount === 0) return [];
  const routes = withinLimits(dependencies, order, paymentRoutes(dependencies, order, country));
  if (!isOfSubscription(order)) return routes;
  const payment = (await loadOrderToPay(manager, order.reference, null))?.payment;
  if (!payment || !awaitsPayer(payment.intent.status)) return [];
  const live = payment.attempts.filter(isLive);
  return routes.filter(({ provider, way: { method, presentation } }) =>
    live.some((attempt) => fits(attempt, { provider: provider.name, method, presentation })),
  );
}

/** Outside the shop’s own limits no way is open. */
function withinLimits(
  { orderLimits }: Pick<PaymentDependencies, 'orderLimits'>,
  order: Order,
  routes: readonly Route[],
): readonly Route[] {
  const message = whyOutsideLimits(orderLimits, order);
  if (message === null) return routes;
  const obstacle = { code: 'ORDER_LIMITS', message, passing: false } as const;
  return routes.map((route) => ({ ...route, whyNot: [obstacle, ...route.whyNot] }));
}
