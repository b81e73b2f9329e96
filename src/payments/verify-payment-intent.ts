import type { EntityManager } from 'typeorm';
import { run, statement } from '../database/statement.js';
import { SharedCalls } from './shared-calls.js';
import { checkPayment } from './check-payments.js';
import { loadPayment, type LoadedPayment } from './loaded-payment.js';
import { hasEndedWithoutMoney, isLive, type PaymentAttempt } from './payment-attempt.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { PaymentError } from './payment-error.js';

/** Younger payments are told of by their notification; asking would only cost. */
const ASK_AFTER_SECONDS = 30;

/** However many payers ask, and on however many nodes: the provider hears one question in this time. */
const ASK_EVERY_SECONDS = 5;

const CLAIM = statement<{ id: string }>(
  'claim_question_to_provider',
  `UPDATE payment_intent SET asked_at = now()
   WHERE reference = $1 AND created_at <= now() - make_interval(secs => ${ASK_AFTER_SECONDS})
     AND (asked_at IS NULL OR asked_at <= now() - make_interval(secs => ${ASK_EVERY_SECONDS}))
   RETURNING id`,
);

/** By payment: payers who ask in the same moment are told the same. */
const questions = new SharedCalls<LoadedPayment>();

/**
 * "Did it go through?" The database first; the provider only for a payment that is disputed or may have brought money of
 * which nothing was heard (one that has ended without, too), is old enough, and was not asked about just now. A provider
 * that doesn't answer is no error: the payment is given as it is known.
 * @throws {PaymentError} PAYMENT_NOT_FOUND
 */
export async function verifyPaymentIntent(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  intentReference: string,
): Promise<LoadedPayment> {
  const payment = await loadPayment(manager, intentReference);
  if (!payment) throw new PaymentError('PAYMENT_NOT_FOUND', 'There is no such payment.');
  const isDisputed = payment.intent.status === 'DISPUTED';
  if (!isDisputed && !payment.attempts.some(mayHaveBroughtMoney)) return payment;
  return questions.join(intentReference, () => ask(manager, dependencies, payment));
}

async function ask(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
): Promise<LoadedPayment> {
  const claimed = await run(manager, CLAIM, [payment.intent.reference]);
  return claimed.length === 0 ? payment : checkPayment(manager, dependencies, payment.intent.reference);
}

/** Also one that has ended without: its money may have come since, and the notification been lost. */
function mayHaveBroughtMoney(attempt: PaymentAttempt): boolean {
  return isLive(attempt) || (hasEndedWithoutMoney(attempt) && attempt.providerReference !== null);
}
