import type { EntityManager } from 'typeorm';
import { claimDue, dueBy } from '../database/claim-due.js';
import { sideBySide } from '../jobs/side-by-side.js';
import { nextCheckOf } from './check-schedule.js';
import { askProvider } from './ask-provider.js';
import { attemptOf } from './initiate-attempt.js';
import { loadPayment, type LoadedPayment } from './loaded-payment.js';
import { makeRefund, refundOf } from './make-refund.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { isUnderWay } from './refund.js';

const BATCH = 20;
const SIDE_BY_SIDE = 8;

/** Claimed for this long, so that other nodes leave it alone. */
const CLAIM_SECONDS = 60;

interface DueRefund {
  readonly id: string;
  readonly intentReference: string;
}

const DUE = dueBy('next_check_at', {
  table: 'refund',
  returning: `id, (SELECT reference FROM payment_intent WHERE id = due.intent_id) AS "intentReference"`,
});

/**
 * Goes on with refunds that are not settled: those that the provider has not confirmed are made (again, with the same
 * key), those that it has are asked about.
 * @returns how many were due.
 */
export async function settleRefunds(
  manager: EntityManager,
  dependencies: PaymentDependencies,
): Promise<number> {
  const due = await claimDue<DueRefund>(manager, DUE, CLAIM_SECONDS, BATCH);
  await sideBySide(SIDE_BY_SIDE, due, async (refund) => {
    try {
      await settle(manager, dependencies, refund);
    } catch (error) {
      dependencies.log.warn(
        { err: error, refund: refund.id },
        'could not settle a refund; it is tried again',
      );
    }
  });
  return due.length;
}

async function settle(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  { id, intentReference }: DueRefund,
): Promise<void> {
  const payment = await loadPayment(manager, intentReference);
  if (!payment) return;
  const settled = await goOn(manager, dependencies, payment, id);
  const refund = refundOf(settled, id);
  if (!isUnderWay(refund)) return;
  await manager.query(
    `UPDATE refund SET next_check_at = $2 WHERE id = $1 AND status IN ('QUEUED', 'SUBMITTED')`,
    [id, nextCheckOf(settled.now, refund.createdAt)],
  );
}

async function goOn(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  refundId: string,
): Promise<LoadedPayment> {
  const refund = refundOf(payment, refundId);
  if (refund.status === 'QUEUED') return makeRefund(manager, dependencies, payment, refundId, true);
  const attempt = attemptOf(payment, refund.attemptId);
  const { providerReference } = attempt;
  if (refund.status !== 'SUBMITTED' || providerReference === null) return payment;
  return askProvider(manager, dependencies, payment, { ...attempt, providerReference });
}
