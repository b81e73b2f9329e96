import type { EntityManager } from 'typeorm';
import { run, statement } from '../database/statement.js';
import { giveBackMisfits, MISFIT_RETURNED } from './give-back.js';
import { record, summaryOf, tellAgain, type PaymentChange } from './payment-change.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { writePayment } from './write-change.js';

/** What is found in one round; the rest waits for the next one, a moment later. */
const BATCH = 50;

/**
 * Of a payment that has given back something before, or tried to, a person decides, and of money that its provider can't
 * give back.
 */
const DUE = statement<{ reference: string }>(
  'find_misfits_to_return',
  `SELECT i.reference FROM payment_intent i JOIN orders o ON o.id = i.order_id
   WHERE i.status = 'REVIEW' AND o.status = 'CONFIRMED'
     AND i.captured_amount - i.refunded_amount - i.disputed_amount > 0
     AND NOT EXISTS (SELECT FROM refund r WHERE r.intent_id = i.id)
     AND NOT EXISTS (SELECT FROM movement m WHERE m.intent_id = i.id AND m.kind = 'CAPTURE' AND m.provider <> ALL ($1))
     AND NOT EXISTS (SELECT FROM dispute d WHERE d.intent_id = i.id AND d.status <> 'WON')
   LIMIT ${BATCH}`,
);

/**
 * Gives back what waits under review for an order that another payment has paid meanwhile: nobody can accept it any more.
 * @returns how many payments were found.
 */
export async function returnMisfits(
  manager: EntityManager,
  dependencies: Pick<PaymentDependencies, 'providers' | 'wakeRelay' | 'actor' | 'log'>,
): Promise<number> {
  const canRefund = [...dependencies.providers.values()].filter(({ refund }) => refund !== undefined);
  const due = await run(manager, DUE, [canRefund.map(({ name }) => name)]);
  for (const { reference } of due) {
    try {
      await writePayment(manager, dependencies, reference, returnMisfit);
    } catch (error) {
      dependencies.log.warn({ err: error, paymentIntent: reference }, 'could not give back what did not fit');
    }
  }
  return due.length;
}

/** Whoever was faster has decided. */
function returnMisfit(change: PaymentChange): void {
  const { intent, order, refunds } = change;
  if (intent.status !== 'REVIEW' || order.status !== 'CONFIRMED' || refunds.length > 0) return;
  const before = summaryOf(intent);
  giveBackMisfits(change, null);
  if (intent.failureCode !== MISFIT_RETURNED) return;
  record(change, 'review.returned', before, { reason: 'another payment has paid its order' });
  tellAgain(change);
}
