import { STRIPE, notify, stripeEvent, type OpenPayment } from './notifying-provider.js';

/**
 * Takes a payment through many versions, one after the other: it is paid, and then given back cent by cent.
 * @param from the version that it has.
 * @returns the last version.
 */
export async function churn(
  app: { readonly url: string },
  payment: OpenPayment,
  changes: number,
  from = 1,
): Promise<number> {
  for (let version = from; version < from + changes; version += 1) {
    const body = version === 1 ? STRIPE.paid(payment) : refundOfOneCent(payment, version);
    const answer = await notify(app, STRIPE, body);
    if (answer !== 200) throw new Error(`a notification was answered with ${answer}`);
  }
  return from + changes;
}

function refundOfOneCent(payment: OpenPayment, number: number): string {
  return stripeEvent('refund.created', {
    id: `re_${payment.id}_${number}`,
    object: 'refund',
    amount: 1,
    currency: payment.currency.toLowerCase(),
    status: 'succeeded',
    payment_intent: payment.providerReference,
    charge: null,
    balance_transaction: `txn_${payment.id}_${number}`,
    metadata: {},
  });
}

/** 1, 2, 3 … up to this. */
export function versionsUpTo(last: number, after = 0): number[] {
  return Array.from({ length: last - after }, (_, index) => after + index + 1);
}
