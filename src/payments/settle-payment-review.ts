import type { EntityManager } from 'typeorm';
import { soldOutError, whatIsSoldOut } from '../orders/sold-out.js';
import { releaseStockOfReview } from './books.js';
import type { LoadedPayment } from './loaded-payment.js';
import { loadPayment } from './loaded-payment.js';
import { makeRefund } from './make-refund.js';
import { confirmOrder, moveTo, record, setFailure, summaryOf, type PaymentChange } from './payment-change.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { PaymentError } from './payment-error.js';
import { isUnderWay } from './refund.js';
import { addRefund, capturesOf, leftOf } from './refunds.js';
import { writePayment } from './write-change.js';

export interface ReviewSettlement {
  readonly decision: 'ACCEPT' | 'REFUND' | 'CLOSE';
  /** Kept in the audit log. */
  readonly reason: string;
}

/**
 * A person decides about money that did not fit: accept it as the order's payment, give all of it back, or close the
 * matter because it was settled elsewhere.
 * @throws {PaymentError} PAYMENT_NOT_FOUND, PAYMENT_NOT_IN_REVIEW (or not to be settled so)
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
  try {
    settled = await writePayment(manager, dependencies, intentReference, (change) => {
      refuseUnsettleable(change);
      record(change, `review.${settlement.decision.toLowerCase()}`, summaryOf(change.intent), {
        reason: settlement.reason,
      });
      DECISIONS[settlement.decision](change);
    });
  } catch (error) {
    const gone = whatIsSoldOut(error);
    throw gone ? await soldOutError(manager, before.order, gone) : error;
  }
  return settlement.decision === 'REFUND' ? giveBackNow(manager, dependencies, settled) : settled;
}

const DECISIONS: Readonly<Record<ReviewSettlement['decision'], (change: PaymentChange) => void>> = {
  ACCEPT(change) {
    const { intent, order } = change;
    if (intent.capturedAmount === 0) throw notSettleable('no money of it is in the books, so close it');
    if (order.status !== 'OPEN') throw notSettleable(`its order is ${order.status}, so refund or close it`);
    if (change.refunds.some(({ status }) => status !== 'FAILED')) {
      throw notSettleable('its money is being given back already');
    }
    setFailure(change, null, null);
    moveTo(change, 'PAID');
    confirmOrder(change);
  },
  REFUND(change) {
    const captures = capturesOf(change).filter((capture) => leftOf(change, capture) > 0);
    if (captures.length === 0 && !change.refunds.some(isUnderWay)) {
      throw notSettleable('there is no money in the books to give back: do it at the provider, and close it');
    }
    for (const capture of captures) {
      const amount = leftOf(change, capture);
      addRefund(change, { capture, amount, origin: 'REQUESTED', reason: 'OTHER', nextCheckAt: change.now });
    }
    releaseStockOfReview(change);
  },
  CLOSE(change) {
    moveTo(change, 'CANCELLED');
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

function refuseUnsettleable({ intent }: PaymentChange): void {
  if (intent.status === 'REVIEW') return;
  throw new PaymentError('PAYMENT_NOT_IN_REVIEW', `This payment is ${intent.status}, not REVIEW.`);
}

function notSettleable(why: string): PaymentError {
  return new PaymentError('PAYMENT_NOT_IN_REVIEW', `This can't be decided so: ${why}.`, {
    field: 'decision',
  });
}
