import type { EntityManager } from 'typeorm';
import { nextCheckOf } from './check-schedule.js';
import { askProvider } from './ask-provider.js';
import { attemptOf } from './initiate-attempt.js';
import { loadPayment, type LoadedPayment } from './loaded-payment.js';
import { makeRefund, refundOf } from './make-refund.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { isUnderWay } from './refund.js';

const BATCH = 20;

/** Claimed for this long, so that other nodes leave it alone. */
const CLAIM_SECONDS = 60;

interface DueRefund {
  readonly id: string;
  readonly intentReference: string;
}

/**
 * Goes on with refunds that are not settled: those that the provider has not confirmed are made (again, with the same
 * key), those that it has are asked about.
 * @returns how many were due.
 */
export async function settleRefunds(
  manager: EntityManager,
  dependencies: PaymentDependencies,
): Promise<number> {
  const due = await claimDue(manager);
  for (const refund of due) {
    try {
      await settle(manager, dependencies, refund);
    } catch (error) {
      dependencies.log.warn(
        { err: error, refund: refund.id },
        'could not settle a refund; it is tried again',
      );
    }
  }
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

async function claimDue(manager: EntityManager): Promise<DueRefund[]> {
  const [rows] = await manager.query<[DueRefund[], number]>(
    `UPDATE refund r SET next_check_at = now() + make_interval(secs => $1)
     FROM payment_intent i
     WHERE i.id = r.intent_id AND r.id IN (
       SELECT id FROM refund WHERE next_check_at <= now()
       ORDER BY next_check_at LIMIT $2 FOR UPDATE SKIP LOCKED)
     RETURNING r.id, i.reference AS "intentReference"`,
    [CLAIM_SECONDS, BATCH],
  );
  return rows;
}
