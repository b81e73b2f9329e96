import { type Currency, formatMoney } from '../money.js';
import { isOfSubscription, type Order } from './order.js';
import { OrderError } from './order-error.js';

/** Totals that are taken, both included, in minor units. */
export interface AmountRange {
  readonly minimum: number;
  readonly maximum: number;
}

/** What a payer’s order may come to. A currency that is not named: any total. */
export type OrderLimits = ReadonlyMap<Currency, AmountRange>;

/** An order as its limits see it. */
type LimitedOrder = Pick<Order, 'writtenBy' | 'amount' | 'currency' | 'recurringSubscriptionId'>;

/**
 * The limits of an order; null where it has none. The merchant sets their own totals, so what a backend or an operator
 * wrote is not limited, whoever pays it; neither is what a subscription collects.
 */
export function limitsOfOrder(limits: OrderLimits, order: Omit<LimitedOrder, 'amount'>): AmountRange | null {
  if (order.writtenBy === 'MERCHANT' || isOfSubscription(order)) return null;
  return limits.get(order.currency) ?? null;
}

/** Why an order can’t have this total; null when it can. A total of 0 is confirmed without a payment. */
export function whyOutsideLimits(limits: OrderLimits, order: LimitedOrder): string | null {
  const range = limitsOfOrder(limits, order);
  if (range === null || order.amount === 0) return null;
  if (order.amount >= range.minimum && order.amount <= range.maximum) return null;
  const money = (amount: number) => formatMoney(amount, order.currency, 'en');
  return `Orders here come to between ${money(range.minimum)} and ${money(range.maximum)}, and this one comes to ${money(order.amount)}. Change what is ordered.`;
}

/** @throws {OrderError} AMOUNT_OUTSIDE_LIMITS */
export function refuseOutsideLimits(limits: OrderLimits, order: LimitedOrder, field: string): void {
  const why = whyOutsideLimits(limits, order);
  if (why !== null) throw new OrderError('AMOUNT_OUTSIDE_LIMITS', why, field);
}
