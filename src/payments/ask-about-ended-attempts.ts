import type { EntityManager } from 'typeorm';
import { claimDue, dueBy } from '../database/claim-due.js';
import { sideBySide } from '../jobs/side-by-side.js';
import { ProviderFailure, type Provider } from '../providers/provider.js';
import { ASK_AFTER_FAILURE, NEXT_ASK } from './ask-again-schedule.js';
import { askProvider } from './ask-provider.js';
import { attemptOf } from './initiate-attempt.js';
import { loadPayment } from './loaded-payment.js';
import type { PaymentDependencies } from './payment-dependencies.js';

const BATCH = 40;
const SIDE_BY_SIDE = 8;

/** Longer than a provider may take to answer. */
const CLAIM_SECONDS = 60;

interface DueAttempt {
  readonly id: string;
  readonly provider: string;
  readonly intentReference: string;
}

const DUE = dueBy('ask_again_at', {
  table: 'payment_attempt',
  claim: `interval '${CLAIM_SECONDS} seconds'`,
  returning: `id, provider, (SELECT reference FROM payment_intent WHERE id = due.intent_id) AS "intentReference"`,
});

/**
 * Asks providers about attempts that ended without money: one that failed may succeed after all, and the notification be
 * lost. Late money that is found so goes the way of all late money. Providers that list their notifications are not
 * asked: their list tells of it.
 * @returns how many were due.
 */
export async function askAboutEndedAttempts(
  manager: EntityManager,
  dependencies: PaymentDependencies,
): Promise<number> {
  const due = await claimDue<DueAttempt>(manager, DUE, BATCH);
  await sideBySide(SIDE_BY_SIDE, due, async (attempt) => {
    try {
      await planNext(manager, attempt, await ask(manager, dependencies, attempt));
    } catch (error) {
      dependencies.log.warn(
        { err: error, attempt: attempt.id },
        `could not ask about an attempt that had ended; next try in ${CLAIM_SECONDS} s`,
      );
    }
  });
  return due.length;
}

/** @returns SQL: when it is asked about next. */
async function ask(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  { id, provider: name, intentReference }: DueAttempt,
): Promise<string> {
  const provider = dependencies.providers.get(name);
  // It may be back tomorrow.
  if (!provider) return ASK_AFTER_FAILURE;
  const payment = isAskedAgain(provider) ? await loadPayment(manager, intentReference) : null;
  if (!payment) return 'NULL';
  const attempt = attemptOf(payment, id);
  const { providerReference } = attempt;
  if (providerReference === null) return 'NULL';
  try {
    await askProvider(manager, dependencies, payment, { ...attempt, providerReference });
    return NEXT_ASK;
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    // It doesn't know of the attempt, which is an answer.
    if (error.kind === 'rejected') return NEXT_ASK;
    dependencies.log.warn(
      { err: error, attempt: id },
      'the provider did not say how an ended attempt stands',
    );
    return ASK_AFTER_FAILURE;
  }
}

function isAskedAgain(provider: Provider): boolean {
  return provider.listNotifications === undefined;
}

/** Not where it has brought money meanwhile, or is open again. */
async function planNext(manager: EntityManager, { id }: DueAttempt, next: string): Promise<void> {
  await manager.query(
    `UPDATE payment_attempt SET ask_again_at = ${next} WHERE id = $1 AND ask_again_at IS NOT NULL`,
    [id],
  );
}
