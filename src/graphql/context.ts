import type { Logger } from 'pino';
import type { PaymentContext } from '../payments/payment-context.js';

/** What every resolver is given: who asks, and what the actions need. The same over HTTP and WebSocket. */
export interface Context extends PaymentContext {
  readonly log: Logger;
}
