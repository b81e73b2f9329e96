import type { EntityManager } from 'typeorm';
import type { Order } from '../orders/order.js';
import { loadPayment, type LoadedPayment } from './loaded-payment.js';
import { attemptOf } from './initiate-attempt.js';
import type { PaymentAttempt } from './payment-attempt.js';
import { addAttempt, afterCommit, changeAttempt, type PaymentChange } from './payment-change.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { choiceAfter, type PayerDetails, type WantedWay } from './payment-options.js';
import { awaitsPayer } from './transitions.js';
import { writeChange } from './write-change.js';

/** An attempt that was begun in another's place. */
export interface FallenBack {
  readonly payment: LoadedPayment;
  readonly attemptId: string;
}

/**
 * Goes to the next provider, within the same intent: for an attempt whose first and only call has surely done nothing.
 * Whoever calls this must know that, for the attempt's row doesn't show whether an earlier call was cut off.
 * @returns null when there is nowhere to go to; then everything stays as it is, and the same request may be repeated.
 */
export async function fallBack(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  { intent }: LoadedPayment,
  attemptId: string,
  wanted: WantedWay & PayerDetails,
): Promise<FallenBack | null> {
  const written = await writeChange(
    manager,
    dependencies.actor,
    () => loadPayment(manager, intent.reference),
    (change) => replace(change, dependencies, attemptId, wanted),
  );
  if (!written?.result) return null;
  const { change, result } = written;
  dependencies.log.warn(
    {
      paymentIntent: intent.reference,
      provider: attemptOf(change, attemptId).provider,
      next: result.provider,
    },
    'a provider is down: the payment goes on at the next one',
  );
  return { payment: afterCommit(change), attemptId: result.id };
}

function replace(
  change: PaymentChange,
  dependencies: PaymentDependencies,
  attemptId: string,
  wanted: WantedWay & PayerDetails,
): PaymentAttempt | null {
  const { order, intent } = change;
  const failed = attemptOf(change, attemptId);
  // Somebody else has got an answer for it, or the payment has ended, meanwhile.
  if (failed.status !== 'PENDING' || failed.sealedNextAction !== null) return null;
  if (!awaitsPayer(intent.status) || !isStillItsOrder(order, failed)) return null;
  const tried = new Set(chainOf(change.attempts, failed).map(({ provider }) => provider));
  const choice = choiceAfter(dependencies, order, intent.captureMethod, wanted, tried);
  if (!choice) return null;
  changeAttempt(change, failed, {
    status: 'FAILED',
    failureCode: 'PROVIDER_UNAVAILABLE',
    failureMessage: `${failed.provider} was down; nothing was charged there.`,
  });
  const { provider, ...way } = choice;
  const payer = { phoneNumber: failed.phoneNumber, country: failed.country, operator: failed.operator };
  const { returnUrl, number: fallbackOf } = failed;
  return addAttempt(change, { ...way, ...payer, returnUrl, fallbackOf, provider: provider.name }, provider);
}

function isStillItsOrder({ amount, status }: Order, attempt: PaymentAttempt): boolean {
  return status === 'OPEN' && attempt.amount === amount;
}

/** The attempt, and those in whose place it was begun, the first one last. */
export function chainOf(attempts: readonly PaymentAttempt[], attempt: PaymentAttempt): PaymentAttempt[] {
  const before = attempts.find(({ number }) => number === attempt.fallbackOf);
  return before ? [attempt, ...chainOf(attempts, before)] : [attempt];
}

/** The attempt that goes on with what this one began: itself, unless others were begun in its place. */
export function lastInPlaceOf(attempts: readonly PaymentAttempt[], attempt: PaymentAttempt): PaymentAttempt {
  const next = attempts.find(({ fallbackOf }) => fallbackOf === attempt.number);
  return next ? lastInPlaceOf(attempts, next) : attempt;
}
