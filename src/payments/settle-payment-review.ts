import type { EntityManager } from 'typeorm';
import { keyUse } from '../idempotency/key-use.js';
import { soldOutError, whatIsSoldOut } from '../orders/sold-out.js';
import { releaseStockOfReview, statusOfBooks } from './books.js';
import { forbidsRefunds, isHeldByBank, lostToBank } from './disputed-money.js';
import { attemptOf, providerOf } from './initiate-attempt.js';
import type { LoadedPayment } from './loaded-payment.js';
import { loadPayment } from './loaded-payment.js';
import { makeRefund } from './make-refund.js';
import { onceByKey, useKey } from './once-by-key.js';
import {
  confirmOrder,
  moveTo,
  record,
  setFailure,
  summaryOf,
  tellAgain,
  type PaymentChange,
} from './payment-change.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { PaymentError } from './payment-error.js';
import { isUnderWay } from './refund.js';
import { refuseBeyondLimit } from './refund-limits.js';
import { addRefund, capturesOf, leftInAll, leftOf } from './refunds.js';
import { writePayment } from './write-change.js';

export interface ReviewSettlement {
  readonly decision: 'ACCEPT' | 'REFUND' | 'CLOSE';
  /** Kept in the audit log. */
  readonly reason: string;
  readonly seen: SeenPayment;
  readonly caller: string;
  readonly idempotencyKey: string;
}

/** A payment as the person who decides saw it. Amounts are in minor units. */
export interface SeenPayment {
  readonly version: number;
  readonly capturedAmount: number;
  readonly refundedAmount: number;
  readonly disputedAmount: number;
}

/**
 * A person decides about money that did not fit: accept it as the order's payment, give all of it back, or close the
 * matter because it was settled elsewhere. A matter that was closed while money stayed here can be decided anew. Nothing
 * is decided about a payment that has changed since it was seen. The same request made again gives the payment as it is.
 * @throws {PaymentError} PAYMENT_NOT_FOUND, PAYMENT_CHANGED, PAYMENT_NOT_IN_REVIEW (or not to be settled so)
 * @throws {OrderError} OUT_OF_STOCK, FULLY_BOOKED: accepted, and the pieces or places are sold.
 */
export async function settlePaymentReview(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  intentReference: string,
  settlement: ReviewSettlement,
): Promise<LoadedPayment> {
  const before = await loadPayment(manager, intentReference);
  if (!before) throw new PaymentError('PAYMENT_NOT_FOUND', 'There is no such payment.');
  let settled: LoadedPayment;
  const key = keyUse(`settlePaymentReview ${intentReference}`, settlement);
  try {
    settled = await onceByKey(manager, key, async (madeId) => {
      const isToBeLimited = madeId === null && settlement.decision === 'REFUND';
      const checked = isToBeLimited
        ? await refuseTooMuchForOne(manager, dependencies, intentReference)
        : null;
      return writePayment(manager, dependencies, intentReference, (change) => {
        if (madeId !== null) return;
        if (checked !== null && checked !== change.orderVersion) throw changedMeanwhile();
        decide(change, dependencies, settlement);
        useKey(change, key, change.intent.id);
      });
    });
  } catch (error) {
    const gone = whatIsSoldOut(error);
    throw gone ? await soldOutError(manager, before.order, gone) : error;
  }
  return settlement.decision === 'REFUND' ? giveBackNow(manager, dependencies, settled) : settled;
}

function decide(
  change: PaymentChange,
  dependencies: PaymentDependencies,
  { decision, reason, seen }: ReviewSettlement,
): void {
  refuseUnsettleable(change);
  refuseUnseen(change, seen);
  record(change, `review.${decision.toLowerCase()}`, summaryOf(change.intent), { reason });
  DECISIONS[decision](change, dependencies);
}

type Decide = (change: PaymentChange, dependencies: PaymentDependencies) => void;

const DECISIONS: Readonly<Record<ReviewSettlement['decision'], Decide>> = {
  /** Whatever came is accepted as the price: less, more, or in several parts. */
  ACCEPT(change) {
    const { intent, order } = change;
    if (intent.capturedAmount === 0) throw notSettleable('no money of it is in the books, so close it');
    if (order.status !== 'OPEN') throw notSettleable(`its order is ${order.status}, so refund or close it`);
    if (change.refunds.some(isUnderWay)) throw notSettleable('its money is being given back already');
    refuseDisputed(change, isHeldByBank);
    if (leftInAll(change) <= 0) throw notSettleable('none of its money is left, so close it');
    setFailure(change, null, null);
    // Less came, and that is the price from now on: what comes beyond it may go back, and the payment stays PAID.
    intent.amount = Math.min(intent.amount, intent.capturedAmount);
    moveTo(change, 'PAID');
    confirmOrder(change);
    // A part may have been given back before.
    const status = statusOfBooks(change);
    if (status !== 'PAID') moveTo(change, status);
  },
  REFUND(change, dependencies) {
    // An inquiry is usually answered by giving the money back.
    refuseDisputed(change, forbidsRefunds);
    const captures = capturesOf(change).filter((capture) => leftOf(change, capture) > 0);
    if (captures.length === 0) {
      throw notSettleable(
        change.refunds.some(isUnderWay)
          ? 'all of its money is on its way back already'
          : 'there is no money in the books to give back: do it at the provider, and close it',
      );
    }
    for (const capture of captures) {
      const { refund, name } = providerOf(dependencies, attemptOf(change, capture.attemptId));
      if (!refund) throw notSettleable(`${name} can't give money back by itself: do it there, and close it`);
      const amount = leftOf(change, capture);
      addRefund(change, {
        ...{ capture, amount, origin: 'REQUESTED', reason: 'OTHER', authority: 'OPERATOR' },
        nextCheckAt: change.now,
      });
    }
    releaseStockOfReview(change);
    // Whoever decides on what they saw before is told that it has changed.
    tellAgain(change);
  },
  CLOSE(change) {
    if (!moveTo(change, 'CANCELLED')) throw notSettleable('it is closed already');
    releaseStockOfReview(change);
  },
};

async function giveBackNow(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  settled: LoadedPayment,
): Promise<LoadedPayment> {
  let payment = settled;
  for (const { id } of settled.refunds.filter(isUnderWay)) {
    payment = await makeRefund(manager, dependencies, payment, id, true);
  }
  return payment;
}

/**
 * All that is left goes back, and it may be more than one operator gives back alone.
 * @returns the version of the order for which that was found; null where there is no limit.
 */
async function refuseTooMuchForOne(
  manager: EntityManager,
  { refundLimits }: PaymentDependencies,
  intentReference: string,
): Promise<number | null> {
  const payment = await loadPayment(manager, intentReference);
  if (!payment || !refundLimits.oneOperator.has(payment.intent.currency)) return null;
  const { order, intent, refunds } = payment;
  const amount = leftInAll({ intent, refunds: [...refunds] });
  const refund = { amount, currency: intent.currency, authority: 'OPERATOR' } as const;
  if (amount > 0) await refuseBeyondLimit(manager, refundLimits, order.id, refund);
  return order.version;
}

/** What was given back of the order was counted before. */
function changedMeanwhile(): PaymentError {
  return new PaymentError(
    'PAYMENT_CHANGED',
    'Something of this order has changed just now, and nothing was decided: read it again, and decide about that.',
    { field: 'seen' },
  );
}

function refuseUnsettleable(change: PaymentChange): void {
  const { intent } = change;
  const isClosedWithMoney = intent.status === 'CANCELLED' && leftInAll(change) > 0;
  if (intent.status === 'REVIEW' || isClosedWithMoney) return;
  throw new PaymentError('PAYMENT_NOT_IN_REVIEW', `This payment is ${intent.status}, not REVIEW.`);
}

function refuseUnseen({ intent }: PaymentChange, seen: SeenPayment): void {
  const { version, capturedAmount, refundedAmount, disputedAmount, currency } = intent;
  if (
    version === seen.version &&
    capturedAmount === seen.capturedAmount &&
    refundedAmount === seen.refundedAmount &&
    disputedAmount === seen.disputedAmount
  ) {
    return;
  }
  throw new PaymentError(
    'PAYMENT_CHANGED',
    `This payment is not what was seen: it is at version ${version}, with ${capturedAmount} ${currency} (minor units) taken, ${refundedAmount} given back and ${disputedAmount} disputed. Nothing was decided: read it again, and decide about that.`,
    { field: 'seen' },
  );
}

/** Giving it back would pay it twice, and accepting it confirm an order without money. */
function refuseDisputed(change: PaymentChange, isInTheWay: (change: PaymentChange) => boolean): void {
  if (isInTheWay(change)) {
    throw notSettleable(
      'the payer’s bank decides about its money: wait until the dispute is over, or close it',
    );
  }
  if (lostToBank(change) > 0 || change.disputes.some(({ status }) => status === 'LOST')) {
    throw notSettleable('the payer’s bank has taken its money back, so close it');
  }
}

function notSettleable(why: string): PaymentError {
  return new PaymentError('PAYMENT_NOT_IN_REVIEW', `This can't be decided so: ${why}.`, {
    field: 'decision',
  });
}
