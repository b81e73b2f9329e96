import type { RefundReason } from '../providers/provider.js';
import type { Movement } from './movement.js';
import { setFailure, type PaymentChange } from './payment-change.js';
import { addRefund, capturesOf, failRefundAtOnce, leftOf } from './refunds.js';

/** Queues that all that is left of a capture goes back, because nobody can use it. @returns how much, in minor units. */
export function giveBack(change: PaymentChange, capture: Movement, reason: RefundReason): number {
  const amount = leftOf(change, capture);
  if (amount <= 0) return 0;
  const refund = addRefund(change, { capture, amount, origin: 'AUTOMATIC', reason, nextCheckAt: change.now });
  if (capture.provider === change.providerWithoutRefunds) failRefundAtOnce(change, refund);
  return amount;
}

/** The code of a payment that is PAID, and of which earlier money goes back because it did not fit. */
export const MISFIT_RETURNED = 'MISFIT_RETURNED';

/**
 * The money that fits the price has come: what came before it and did not fit goes back. Not what the payer's bank holds
 * or has taken: then a person decides.
 */
export function giveBackMisfits(change: PaymentChange, fitting: Movement | null): void {
  const { intent, disputes } = change;
  if (intent.disputedAmount > 0 || disputes.some(({ status }) => status !== 'WON')) return;
  const misfits = capturesOf(change).filter((capture) => capture.id !== fitting?.id);
  const amount = misfits.reduce((sum, capture) => sum + giveBack(change, capture, 'DUPLICATE'), 0);
  if (amount === 0) return;
  const isByHand = misfits.some(({ provider }) => provider === change.providerWithoutRefunds);
  setFailure(
    change,
    MISFIT_RETURNED,
    `${amount} ${intent.currency} (minor units) did not fit the price; the order was paid otherwise, and they ${isByHand ? 'have to be given back by hand' : 'are given back'}.`,
  );
}
