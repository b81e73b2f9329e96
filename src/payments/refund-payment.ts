import type { EntityManager } from 'typeorm';
import { keyUse, type KeyUse } from '../idempotency/key-use.js';
import { whyPartNot } from '../providers/amount-limits.js';
import type { RefundReason } from '../providers/provider.js';
import { nextCheckOf } from './check-schedule.js';
import { commitChange } from './commit-change.js';
import { providerOf, attemptOf } from './initiate-attempt.js';
import { loadPayment, type LoadedPayment } from './loaded-payment.js';
import { makeRefund, refundOf } from './make-refund.js';
import { forbidsRefunds } from './disputed-money.js';
import type { Movement } from './movement.js';
import { onceByKey, useKey } from './once-by-key.js';
import { afterCommit, changePayment, type PaymentChange } from './payment-change.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { PaymentError } from './payment-error.js';
import type { Refund, RefundAuthority } from './refund.js';
import type { PaymentStatus } from './transitions.js';
import { addRefund, capturesOf, leftInAll, leftOf, underWay } from './refunds.js';
import { refuseBeyondLimit } from './refund-limits.js';
import { DISTURBED } from './write-change.js';

export interface RefundPayment {
  readonly intentReference: string;
  /** Minor units; null: all that is left. */
  readonly amount?: number | null;
  readonly reason?: RefundReason | null;
  readonly restock?: boolean | null;
  readonly caller: string;
  /** By whose word: for some, there is a limit. */
  readonly authority: RefundAuthority;
  /** Where somebody asked for it: decides about the request, in the change that writes the refund. */
  readonly approve?: (change: PaymentChange) => Promise<void>;
  /** Needed: nothing else tells a repeated request from a second refund of the same amount. */
  readonly idempotencyKey: string;
}

/**
 * Gives money back: the refund is written first, under the order's guard and with a key of its own, and only then the
 * provider is called. Of two refunds that together are more than what is left, one is written and the other refused.
 * @throws {PaymentError} PAYMENT_NOT_FOUND, PAYMENT_NOT_REFUNDABLE, AMOUNT_TOO_LARGE, AMOUNT_NOT_TAKEN, RESTOCK_NOT_POSSIBLE
 * @throws {AccessError} FORBIDDEN: more than may be given back by this word
 */
export async function refundPayment(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  request: RefundPayment,
): Promise<Refund> {
  // The same person, who has another role by now, asks for the same refund.
  const { authority: _authority, approve: _approve, ...asked } = request;
  const key = keyUse('refundPayment', asked);
  const { payment, refundId, isNew } = await onceByKey(manager, key, async (madeId) => {
    const loaded = await loadPayment(manager, request.intentReference);
    if (!loaded) throw new PaymentError('PAYMENT_NOT_FOUND', 'There is no such payment.');
    if (madeId) return { payment: loaded, refundId: madeId, isNew: false };
    return write(manager, dependencies, loaded, request, key);
  });
  const made = await makeRefund(manager, dependencies, payment, refundId, !isNew);
  return refundOf(made, refundId);
}

async function write(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  loaded: LoadedPayment,
  request: RefundPayment,
  key: KeyUse,
) {
  const change = changePayment(loaded, dependencies.actor);
  await request.approve?.(change);
  const refund = queueRefund(change, dependencies, request);
  await refuseBeyondLimit(manager, dependencies.refundLimits, change.orderId, refund);
  useKey(change, key, refund.id);
  if (!(await commitChange(manager, change))) return DISTURBED;
  return { payment: afterCommit(change), refundId: refund.id, isNew: true };
}

/** Adds it to the change, as far as payment and provider allow. @throws {PaymentError} */
export function queueRefund(
  change: PaymentChange,
  dependencies: PaymentDependencies,
  { amount: wanted, reason = null, restock = false, authority }: RefundPayment,
): Refund {
  refuseUnrefundable(change);
  const left = leftInAll(change);
  const amount = wanted ?? left;
  if (left === 0 || amount > left) throw tooLarge(change, left);
  const capture = captureFor(change, amount);
  refuseWhatProviderCannot(change, dependencies, capture, amount);
  if (restock && amount !== left) {
    throw new PaymentError(
      'RESTOCK_NOT_POSSIBLE',
      'The pieces go back with a refund that leaves nothing: it is not known which pieces a part stands for.',
    );
  }
  return addRefund(change, {
    capture,
    amount,
    origin: 'REQUESTED',
    reason: reason ?? null,
    restock: restock ?? false,
    authority,
    nextCheckAt: nextCheckOf(change.now, change.now),
  });
}

const REFUNDABLE: readonly PaymentStatus[] = ['PAID', 'PARTIALLY_REFUNDED', 'CHARGED_BACK'];

function refuseUnrefundable(change: PaymentChange): void {
  const { intent } = change;
  if (intent.status === 'PAID' && intent.capturedAmount === 0) {
    throw new PaymentError(
      'PAYMENT_NOT_REFUNDABLE',
      'No money was taken by this payment, so there is nothing to give back.',
    );
  }
  const isHeld = forbidsRefunds(change);
  // A review that was closed, with its money still here.
  const isClosedWithMoney = intent.status === 'CANCELLED' && intent.capturedAmount > 0;
  const isRefundable = isClosedWithMoney || REFUNDABLE.includes(intent.status);
  if (!isHeld && (intent.status === 'DISPUTED' || isRefundable)) return;
  const why: Partial<Record<PaymentStatus, string>> = {
    REFUNDED: 'all of its money was given back',
    DISPUTED: 'the payer’s bank decides about its money, and a refund would give it back twice',
    REVIEW: 'a person has to decide about it first: settlePaymentReview',
    AUTHORIZED: 'its money is only held: cancelPaymentIntent lets it go',
  };
  const reason = isHeld ? why.DISPUTED : why[intent.status];
  throw new PaymentError(
    'PAYMENT_NOT_REFUNDABLE',
    `This payment is ${intent.status}: ${reason ?? 'no money was taken'}.`,
  );
}

function tooLarge(change: PaymentChange, left: number): PaymentError {
  const { capturedAmount, refundedAmount, disputedAmount, currency } = change.intent;
  const coming = underWay(change);
  const taken = disputedAmount > 0 ? `, ${disputedAmount} taken by the payer’s bank` : '';
  return new PaymentError(
    'AMOUNT_TOO_LARGE',
    `At most ${left} ${currency} (minor units) can be given back: ${capturedAmount} were taken, ${refundedAmount} given back${taken}, and ${coming} are on their way back.`,
    { field: 'amount' },
  );
}

/** A refund gives back of one capture; two captures there are only where a payer paid twice. */
function captureFor(change: PaymentChange, amount: number): Movement {
  const captures = capturesOf(change);
  const capture = captures.find((candidate) => leftOf(change, candidate) >= amount);
  if (capture) return capture;
  const most = Math.max(...captures.map((candidate) => leftOf(change, candidate)));
  throw new PaymentError(
    'AMOUNT_TOO_LARGE',
    `The money came in ${captures.length} parts: at most ${most} can be given back at once.`,
    { field: 'amount' },
  );
}

function refuseWhatProviderCannot(
  change: PaymentChange,
  dependencies: PaymentDependencies,
  capture: Movement,
  amount: number,
): void {
  const { refund, capabilities, name } = providerOf(dependencies, attemptOf(change, capture.attemptId));
  if (!refund) {
    throw new PaymentError('PAYMENT_NOT_REFUNDABLE', `${name} can't give money back by itself: do it there.`);
  }
  const obstacle = whyPartNot({ name, capabilities }, amount, change.intent.currency);
  if (obstacle) throw new PaymentError('AMOUNT_NOT_TAKEN', obstacle.message, { field: 'amount' });
  if (capabilities.partialRefunds || amount === capture.amount) return;
  throw new PaymentError('PAYMENT_NOT_REFUNDABLE', `${name} gives back all of a payment, or nothing.`);
}
