import { DemoError } from './demo-error.js';
import type { OpenedPayment } from './shop-api.js';

export const GOOD_CARD = '4242424242424242';
export const DECLINED_CARD = '4000000000000002';

/** For createPaymentIntent: the payer stays on the shop's page. */
export const EMBEDDED_CARD = { method: 'CARD', presentation: 'EMBEDDED' };

/** @throws {DemoError} */
export function clientSecretOf({ nextAction }: OpenedPayment): string {
  if (nextAction.clientSecret) return nextAction.clientSecret;
  throw new DemoError('Stripe’s double gave no client secret. Look at the server’s log.');
}
