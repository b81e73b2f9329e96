import type { EntityManager } from 'typeorm';
import { claimDue, dueBy } from '../database/claim-due.js';
import { sideBySide } from '../jobs/side-by-side.js';
import { ProviderFailure } from '../providers/provider.js';
import { askProvider } from './ask-provider.js';
import { cancelAttempt } from './cancel-attempt.js';
import { captureAttempt } from './capture-payment-intent.js';
import { pauseSince } from './check-schedule.js';
import { attemptOf, initiateAttempt } from './initiate-attempt.js';
import { loadPayment, type LoadedPayment } from './loaded-payment.js';
import { endWithoutProvider, isConfigured } from './missing-provider.js';
import { isLive, type PaymentAttempt } from './payment-attempt.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { PaymentError } from './payment-error.js';
import { isOpen } from './transitions.js';

/** How many are taken at once, and asked about side by side. The rest waits for the next round, a moment later. */
const BATCH = 40;
const SIDE_BY_SIDE = 8;

/** Whoever takes one up says when the next look is due: most are then as they were, and nothing else is written. */
const DUE = dueBy('next_check_at', {
  table: 'payment_intent',
  claim: pauseSince('created_at'),
  returning: 'reference',
});

/**
 * Asks providers about payments that are not final and of which nothing was heard: what a lost notification would have
 * said is applied as if it had come. Also finishes what a crash cut off, and ends attempts that others have replaced.
 * @returns how many were due.
 */
export async function checkPayments(
  manager: EntityManager,
  dependencies: PaymentDependencies,
): Promise<number> {
  const due = await claimDue<{ reference: string }>(manager, DUE, BATCH);
  await sideBySide(SIDE_BY_SIDE, due, ({ reference }) => checkOne(manager, dependencies, reference));
  return due.length;
}

async function checkOne(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  reference: string,
): Promise<void> {
  try {
    const { payment, isAnswered } = await checkAttempts(manager, dependencies, reference, WITHOUT_ENDED);
    if (isAnswered && !isUnfinished(payment)) await lookNoMore(manager, payment);
  } catch (error) {
    dependencies.log.warn(
      { err: error, paymentIntent: reference },
      'could not check a payment; it is tried again',
    );
  }
}

/** A change that was made meanwhile has its own mind about when to look again. */
async function lookNoMore(manager: EntityManager, { intent }: LoadedPayment): Promise<void> {
  if (intent.nextCheckAt === null) return;
  // Compared like this, the time leads nobody to the index of times, which PostgreSQL would read to its end.
  await manager.query(
    `UPDATE payment_intent SET next_check_at = NULL WHERE id = $1 AND version = $2
       AND next_check_at - now() > interval '1 second'`,
    [intent.id, intent.version],
  );
}

function isUnfinished({ intent, attempts }: LoadedPayment): boolean {
  return isOpen(intent.status) || attempts.some(isLive);
}

interface Asked {
  /** Also about attempts that have ended without money. */
  readonly ended: boolean;
}

const WITH_ENDED: Asked = { ended: true };
const WITHOUT_ENDED: Asked = { ended: false };

/**
 * Does for each attempt of a payment what is left to do, and asks how it stands, also one that has ended. A provider that doesn't answer leaves
 * its attempt as it is.
 * @throws {PaymentError} PAYMENT_NOT_FOUND
 */
export async function checkPayment(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  intentReference: string,
): Promise<LoadedPayment> {
  return (await checkAttempts(manager, dependencies, intentReference, WITH_ENDED)).payment;
}

async function checkAttempts(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  intentReference: string,
  asked: Asked,
): Promise<{ payment: LoadedPayment; isAnswered: boolean }> {
  let isAnswered = true;
  let payment = await loadPayment(manager, intentReference);
  if (!payment) throw new PaymentError('PAYMENT_NOT_FOUND', 'There is no such payment.');
  for (const { id } of payment.attempts) {
    try {
      payment = await checkAttempt(manager, dependencies, payment, attemptOf(payment, id), asked);
    } catch (error) {
      if (!(error instanceof ProviderFailure || error instanceof PaymentError)) throw error;
      isAnswered = false;
      dependencies.log.warn({ err: error, attempt: id }, 'the provider did not say how an attempt stands');
    }
  }
  if (isAnswered) return { payment, isAnswered };
  // What failed may have been written in part.
  return { payment: (await loadPayment(manager, intentReference)) ?? payment, isAnswered };
}

async function checkAttempt(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  attempt: PaymentAttempt,
  asked: Asked,
): Promise<LoadedPayment> {
  const { providerReference } = attempt;
  if (!isConfigured(dependencies, attempt)) {
    return isLive(attempt)
      ? endWithoutProvider(manager, dependencies, payment, attempt.id, { isWanted: false })
      : payment;
  }
  if (isLive(attempt)) {
    // Its payment is over, or its order was paid otherwise: it must not bring money any more.
    const isOver = !isOpen(payment.intent.status) && payment.intent.status !== 'REVIEW';
    const isLeftOver = isOver || payment.order.status !== 'OPEN';
    if (isLeftOver) return cancelAttempt(manager, dependencies, payment, attempt.id);
    if (providerReference === null) {
      // Nobody's phone rings because of a job: the payer asks again, or it expires.
      if (attempt.presentation === 'PHONE') return payment;
      return initiateAttempt(manager, dependencies, payment, attempt.id);
    }
    if (attempt.captureAmount !== null) return captureAttempt(manager, dependencies, payment, attempt.id);
  }
  const mayHaveNews = asked.ended || isLive(attempt) || attempt.status === 'SUCCEEDED';
  if (!mayHaveNews || providerReference === null) return payment;
  return askProvider(manager, dependencies, payment, { ...attempt, providerReference });
}
