import type { Dispute } from './dispute.js';
import type { Movement } from './movement.js';
import type { PaymentChange } from './payment-change.js';

type DisputedPayment = Pick<PaymentChange, 'movements' | 'disputes'>;

/**
 * A bank returns what it took at another day's exchange rate. What is missing of a dispute that was won is that, and no
 * part that was lost, up to this share.
 */
const EXCHANGE_DIFFERENCE = 0.05;

/** The money that one dispute has moved, the oldest first. */
export function movementsOf({ movements }: Pick<DisputedPayment, 'movements'>, dispute: Dispute): Movement[] {
  const { provider, providerReference } = dispute;
  return movements.filter(
    (movement) =>
      isOfDispute(movement) &&
      movement.provider === provider &&
      (movement.disputeReference ?? movement.providerReference) === providerReference,
  );
}

/** Money is with the payer's bank, or may soon be, and it is not decided or not carried out whose it is. */
export function isHeldByBank(payment: DisputedPayment): boolean {
  return payment.disputes.some((dispute) => isHolding(payment, dispute));
}

/** Held by a dispute that a refund can't answer. */
export function forbidsRefunds(payment: DisputedPayment): boolean {
  return payment.disputes.some((dispute) => !isOpenInquiry(dispute) && isHolding(payment, dispute));
}

/** A dispute that was won holds its money until the provider has returned it: it says so first. */
function isHolding(payment: DisputedPayment, dispute: Dispute): boolean {
  if (dispute.status !== 'WON') return dispute.status === 'OPEN';
  const { withdrawn, reinstated } = timesMoved(movementsOf(payment, dispute));
  return reinstated < withdrawn;
}

function isOpenInquiry({ status, refundable }: Dispute): boolean {
  return status === 'OPEN' && refundable;
}

/** What banks keep, in minor units, without differences of exchange rates in disputes that were won. */
export function lostToBank(payment: DisputedPayment): number {
  return payment.disputes.reduce((sum, dispute) => sum + lostIn(movementsOf(payment, dispute), dispute), 0);
}

function lostIn(movements: readonly Movement[], { status }: Dispute): number {
  const lost = disputedIn(movements);
  const taken = movements
    .filter(({ kind }) => kind === 'CHARGEBACK')
    .reduce((sum, { amount }) => sum + amount, 0);
  const isDifference = status === 'WON' && lost <= taken * EXCHANGE_DIFFERENCE;
  return isDifference ? 0 : Math.max(0, lost);
}

/** What disputes have taken and not returned, in minor units. */
export function disputedIn(movements: readonly Movement[]): number {
  return movements.reduce((sum, { kind, amount }) => {
    if (kind === 'CHARGEBACK') return sum + amount;
    return kind === 'CHARGEBACK_REVERSAL' ? sum - amount : sum;
  }, 0);
}

function timesMoved(movements: readonly Movement[]): { withdrawn: number; reinstated: number } {
  const withdrawn = movements.filter(({ kind }) => kind === 'CHARGEBACK').length;
  return { withdrawn, reinstated: movements.length - withdrawn };
}

function isOfDispute({ kind }: Movement): boolean {
  return kind === 'CHARGEBACK' || kind === 'CHARGEBACK_REVERSAL';
}
