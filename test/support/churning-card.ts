import { STRIPE, notify, stripeEvent, stripePaymentIntent, type OpenPayment } from './notifying-provider.js';

/**
 * Takes a payment through many versions, one after the other: a bank debit that is begun, bounces, is begun again …
 * @returns the last version.
 */
export async function churn(
  app: { readonly url: string },
  payment: OpenPayment,
  changes: number,
  from = 1,
): Promise<number> {
  for (let change = 0; change < changes; change += 1) {
    const bounced = (from + change) % 2 === 0;
    const last_payment_error = { type: 'card_error', code: 'bounced', message: 'The debit bounced.' };
    const values = bounced
      ? { status: 'requires_payment_method', last_payment_error }
      : { status: 'processing' };
    const type = bounced ? 'payment_intent.payment_failed' : 'payment_intent.processing';
    const answer = await notify(app, STRIPE, stripeEvent(type, stripePaymentIntent(payment, values)));
    if (answer !== 200) throw new Error(`a notification was answered with ${answer}`);
  }
  return from + changes;
}

/** 1, 2, 3 … up to this. */
export function versionsUpTo(last: number, after = 0): number[] {
  return Array.from({ length: last - after }, (_, index) => after + index + 1);
}
