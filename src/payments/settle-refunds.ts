import type { EntityManager } from 'typeorm';
import { claimDue, dueBy } from '../database/claim-due.js';
import { sideBySide } from '../jobs/side-by-side.js';
import { pauseSince } from './check-schedule.js';
import { askProvider } from './ask-provider.js';
import { attemptOf } from './initiate-attempt.js';
import { loadPayment } from './loaded-payment.js';
import { makeRefund, refundOf } from './make-refund.js';
import { failRefundWithoutProvider } from './missing-provider.js';
import type { PaymentDependencies } from './payment-dependencies.js';

const BATCH = 20;
const SIDE_BY_SIDE = 8;

interface DueRefund {
  readonly id: string;
  readonly intentReference: string;
}

const DUE = dueBy('next_check_at', {
  table: 'refund',
  claim: pauseSince('created_at'),
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
  const due = await claimDue<DueRefund>(manager, DUE, BATCH);
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
  const refund = refundOf(payment, id);
  if (!dependencies.providers.has(refund.provider)) {
    await failRefundWithoutProvider(manager, dependencies, payment, id);
    return;
  }
  if (refund.status === 'QUEUED') {
    await makeRefund(manager, dependencies, payment, id, true);
    return;
  }
  const attempt = attemptOf(payment, refund.attemptId);
  const { providerReference } = attempt;
  if (refund.status !== 'SUBMITTED' || providerReference === null) return;
  await askProvider(manager, dependencies, payment, { ...attempt, providerReference });
}
