import type { Logger } from 'pino';
import type { HealthContext } from '../health/health-context.js';
import type { MerchantWebhookContext } from '../notifications/merchant-webhooks/merchant-webhook-context.js';
import type { PaymentContext } from '../payments/payment-context.js';

/** What every resolver is given: who asks, and what the actions need. The same over HTTP and WebSocket. */
export interface Context extends PaymentContext, HealthContext, MerchantWebhookContext {
  readonly log: Logger;
}

/** What is the same in every request. */
export type ContextOfServer = Omit<Context, 'caller' | 'clientAddress'>;
