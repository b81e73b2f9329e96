import { v7 as uuidv7 } from 'uuid';
import type { EntityManager } from 'typeorm';
import { ProviderFailure } from '../providers/provider.js';
import { cancelAttemptQuietly } from './cancel-attempt.js';
import { attemptOf, initiateAttempt, providerOf } from './initiate-attempt.js';
import { loadPayment, type LoadedPayment } from './loaded-payment.js';
import { attemptReference, isLive, type PaymentAttempt } from './payment-attempt.js';
import { addAttempt, changeAttempt, type PaymentChange } from './payment-change.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { PaymentError } from './payment-error.js';
import type { PaymentIntent } from './payment-intent.js';
import { writeChange } from './write-change.js';

/**
 * Brings a payment that nobody has paid yet to its order's present total. Our own row changes first, so that the old
 * amount, if it is paid meanwhile, is seen as what it is and goes to REVIEW. Then the provider is told; where it can't
 * change an amount, a new attempt of the same kind takes the place of the old one.
 * @throws {PaymentError} PAYMENT_NOT_FOUND, PAYMENT_NOT_UPDATABLE, PROVIDER_UNAVAILABLE (repeat the same request).
 */
export async function updatePaymentIntent(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  intentReference: string,
): Promise<LoadedPayment> {
  let payment = await takeOrderAmount(manager, intentReference);
  for (const { id } of payment.attempts.filter(isLive)) {
    if (attemptOf(payment, id).amount === payment.intent.amount) continue;
    payment = await updateAttempt(manager, dependencies, payment, id);
  }
  return payment;
}

/** Whether its amount may still change: once the payer has acted, it may not. */
export function isUpdatable(intent: PaymentIntent): boolean {
  return intent.status === 'PENDING' || intent.status === 'UNKNOWN';
}

async function takeOrderAmount(manager: EntityManager, intentReference: string): Promise<LoadedPayment> {
  return change(manager, intentReference, (draft) => {
    if (draft.intent.amount === draft.order.amount) return;
    if (!isUpdatable(draft.intent)) {
      throw new PaymentError(
        'PAYMENT_NOT_UPDATABLE',
        `This payment is ${draft.intent.status}: its amount can't change any more.`,
      );
    }
    draft.intent.amount = draft.order.amount;
    draft.intentChanged = true;
  });
}

async function updateAttempt(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  attemptId: string,
): Promise<LoadedPayment> {
  const initiated = await initiateAttempt(manager, dependencies, payment, attemptId);
  const attempt = attemptOf(initiated, attemptId);
  if (!isLive(attempt)) return initiated;
  if (await providerTookAmount(dependencies, initiated, attempt)) {
    const { amount } = initiated.intent;
    const written = await change(manager, payment.intent.reference, (draft) =>
      changeAttempt(draft, attemptOf(draft, attemptId), { amount }),
    );
    // The order may have changed once more meanwhile, and the provider may have taken the two amounts in either order.
    return written.intent.amount === amount
      ? written
      : updateAttempt(manager, dependencies, written, attemptId);
  }
  return replaceAttempt(manager, dependencies, initiated, attempt);
}

/** False where this provider, or this attempt, can't change an amount. */
async function providerTookAmount(
  dependencies: PaymentDependencies,
  { intent }: LoadedPayment,
  attempt: PaymentAttempt,
): Promise<boolean> {
  const provider = providerOf(dependencies, attempt);
  if (!provider.updateAmount) return false;
  if (attempt.providerReference === null) throw unavailable(attempt);
  try {
    const initiated = {
      reference: attemptReference(intent.reference, attempt.number),
      providerReference: attempt.providerReference,
      idempotencyKey: attempt.idempotencyKey,
      amount: attempt.amount,
      currency: intent.currency,
    };
    await provider.updateAmount(initiated, intent.amount);
    return true;
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    if (error.kind === 'rejected') return false;
    throw unavailable(attempt, error);
  }
}

async function replaceAttempt(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  old: PaymentAttempt,
): Promise<LoadedPayment> {
  let replacementId: string | null = null;
  const added = await change(manager, payment.intent.reference, (draft) => {
    // Whoever else was asked to update it may have replaced it already, or the payment may be over.
    const replacement =
      replacementOf(draft, old) ?? (isUpdatable(draft.intent) ? addReplacement(draft, old) : null);
    replacementId = replacement?.id ?? null;
  });
  if (replacementId === null) return added;
  const initiated = await initiateAttempt(manager, dependencies, added, replacementId);
  await cancelAttemptQuietly(manager, dependencies, initiated, old);
  const replaced = await loadPayment(manager, payment.intent.reference);
  return replaced ?? initiated;
}

/** The attempt that has taken the place of this one, with the present amount. */
function replacementOf({ attempts, intent }: PaymentChange, old: PaymentAttempt): PaymentAttempt | undefined {
  return attempts.find(
    (attempt) =>
      isLive(attempt) &&
      attempt.number > old.number &&
      attempt.provider === old.provider &&
      attempt.method === old.method &&
      attempt.presentation === old.presentation &&
      attempt.amount === intent.amount,
  );
}

function addReplacement(draft: PaymentChange, old: PaymentAttempt): PaymentAttempt {
  const id = uuidv7();
  const replacement: PaymentAttempt = {
    ...old,
    id,
    number: draft.attempts.length + 1,
    amount: draft.intent.amount,
    providerReference: null,
    idempotencyKey: `attempt_${id}`,
    status: 'PENDING',
    sealedNextAction: null,
    failureCode: null,
    failureMessage: null,
    createdAt: draft.now,
  };
  addAttempt(draft, replacement);
  return replacement;
}

async function change(
  manager: EntityManager,
  intentReference: string,
  prepare: (draft: PaymentChange) => void,
): Promise<LoadedPayment> {
  const load = () => loadPayment(manager, intentReference);
  const written = await writeChange(manager, load, prepare);
  const payment = written && (await load());
  if (!payment) throw new PaymentError('PAYMENT_NOT_FOUND', 'There is no such payment intent.');
  return payment;
}

function unavailable(attempt: PaymentAttempt, cause?: unknown): PaymentError {
  return new PaymentError(
    'PROVIDER_UNAVAILABLE',
    `${attempt.provider} has not taken the new amount. Repeat the same request in a moment.`,
    { cause },
  );
}
