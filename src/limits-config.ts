import { type ValuesOf, whole } from './environment.js';
import { DEFAULT_LIMITS, type Limits } from './limits/limits.js';

/** More than anybody needs; 0 switches a limit off. */
const number = whole(0, 1_000_000_000);

export const LIMIT_VARIABLES = {
  RATE_LIMIT_ORDERS_PER_ADDRESS: number,
  RATE_LIMIT_PAYMENTS_PER_ORDER: number,
  RATE_LIMIT_PAYMENTS_PER_ADDRESS: number,
  RATE_LIMIT_VERIFIES_PER_ORDER: number,
  RATE_LIMIT_BAD_TOKENS_PER_ADDRESS: number,
  RATE_LIMIT_REFUSED_WEBHOOKS_PER_ADDRESS: number,
  RATE_LIMIT_COST_PER_ADDRESS: number,
  RATE_LIMIT_OPERATIONS_PER_API_KEY: number,
  OPERATIONS_AT_ONCE: number,
  DECLINES_PER_HOUR: number,
  SOCKETS_PER_ADDRESS: number,
  OPERATIONS_PER_SOCKET: number,
  SUBSCRIPTIONS_PER_SOCKET: number,
  HOLDS_AT_ONCE: number,
  HOLD_SHARE_PERCENT: whole(0, 100),
  HOLDS_PER_DAY: number,
} as const;

/** For measurements, whose clients all have one address. */
export const WITHOUT_LIMITS = Object.fromEntries(Object.keys(LIMIT_VARIABLES).map((name) => [name, '0']));

export function readLimits(values: ValuesOf<typeof LIMIT_VARIABLES>): Limits {
  const { operationsAtOnce, declinesPerHour, sockets, holds, perMinute } = DEFAULT_LIMITS;
  return {
    operationsAtOnce: values.OPERATIONS_AT_ONCE ?? operationsAtOnce,
    declinesPerHour: values.DECLINES_PER_HOUR ?? declinesPerHour,
    sockets: {
      perAddress: values.SOCKETS_PER_ADDRESS ?? sockets.perAddress,
      operationsPerSocket: values.OPERATIONS_PER_SOCKET ?? sockets.operationsPerSocket,
      subscriptionsPerSocket: values.SUBSCRIPTIONS_PER_SOCKET ?? sockets.subscriptionsPerSocket,
    },
    holds: {
      atOnce: values.HOLDS_AT_ONCE ?? holds.atOnce,
      sharePercent: values.HOLD_SHARE_PERCENT ?? holds.sharePercent,
      perDay: values.HOLDS_PER_DAY ?? holds.perDay,
    },
    perMinute: {
      ordersPerAddress: values.RATE_LIMIT_ORDERS_PER_ADDRESS ?? perMinute.ordersPerAddress,
      paymentsPerOrder: values.RATE_LIMIT_PAYMENTS_PER_ORDER ?? perMinute.paymentsPerOrder,
      paymentsPerAddress: values.RATE_LIMIT_PAYMENTS_PER_ADDRESS ?? perMinute.paymentsPerAddress,
      verifiesPerOrder: values.RATE_LIMIT_VERIFIES_PER_ORDER ?? perMinute.verifiesPerOrder,
      badTokensPerAddress: values.RATE_LIMIT_BAD_TOKENS_PER_ADDRESS ?? perMinute.badTokensPerAddress,
      refusedWebhooksPerAddress:
        values.RATE_LIMIT_REFUSED_WEBHOOKS_PER_ADDRESS ?? perMinute.refusedWebhooksPerAddress,
      costPerAddress: values.RATE_LIMIT_COST_PER_ADDRESS ?? perMinute.costPerAddress,
      operationsPerApiKey: values.RATE_LIMIT_OPERATIONS_PER_API_KEY ?? perMinute.operationsPerApiKey,
    },
  };
}
