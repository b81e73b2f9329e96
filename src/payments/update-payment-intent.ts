import type { EntityManager } from 'typeorm';
import { whyAmountNot } from '../providers/amount-limits.js';
import { ProviderFailure } from '../providers/provider.js';
import { isOfSubscription } from '../orders/order.js';
import { refuseOutsideLimits } from '../orders/order-limits.js';
import { cancelAttemptQuietly } from './cancel-attempt.js';
import { endAtProviders } from './cancel-payment-intent.js';
import { asInitiated, attemptOf, initiateAttempt, providerOf } from './initiate-attempt.js';
import { loadPayment, type LoadedPayment } from './loaded-payment.js';
import { isLive, type PaymentAttempt } from './payment-attempt.js';
import { addAttempt, changeAttempt, record, summaryOf } from './payment-change.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { PaymentError } from './payment-error.js';
import { fits } from './payment-options.js';
import { takePhonePrompt } from './take-phone-prompt.js';
import { awaitsPayer, isOverWithoutMoney } from './transitions.js';
import { writePayment } from './write-change.js';

/**
 * Brings a payment that nobody has paid yet to its order's present total. Our own row changes first, so that the old
 * amount, if it is paid meanwhile, is seen as what it is and goes to REVIEW. Then the provider is told; where it can't
 * change an amount, a new attempt of the same kind takes the place of the old one. Where the order has come to cost
 * nothing, the payment ends at its providers: `createPaymentIntent` then confirms the order.
 * @throws {PaymentError} PAYMENT_NOT_FOUND; AMOUNT_NOT_TAKEN; PAYMENT_NOT_UPDATABLE, also when the payer was faster by the old amount;
 * PROVIDER_UNAVAILABLE (repeat the same request).
 */
export async function updatePaymentIntent(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  intentReference: string,
): Promise<LoadedPayment> {
  const payment = await followOrder(manager, dependencies, intentReference);
  if (!hasFollowed(payment)) {
    throw new PaymentError(
      'PAYMENT_NOT_UPDATABLE',
      `This payment is ${payment.intent.status}: its amount can't change any more.`,
    );
  }
  return payment;
}

/**
 * The same for whoever goes on with the payment however it stands: one that the payer has acted on stays as it is.
 * @throws {PaymentError} PAYMENT_NOT_FOUND, PROVIDER_UNAVAILABLE (repeat the same request).
 */
export async function followOrder(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  intentReference: string,
): Promise<LoadedPayment> {
  let payment = await takeOrderAmount(manager, dependencies, intentReference);
  if (isForNothing(payment)) return endAtProviders(manager, dependencies, intentReference);
  for (const { id } of payment.attempts.filter(isLive)) {
    if (!awaitsPayer(payment.intent.status) || isOfSubscription(payment.order)) break;
    if (attemptOf(payment, id).amount === payment.intent.amount) continue;
    payment = await updateAttempt(manager, dependencies, payment, id);
  }
  return payment;
}

function isForNothing({ intent, order }: Pick<LoadedPayment, 'intent' | 'order'>): boolean {
  return order.amount === 0 && intent.amount > 0 && awaitsPayer(intent.status) && !isOfSubscription(order);
}

function hasFollowed({ intent, order, attempts }: LoadedPayment): boolean {
  if (order.amount === 0 && isOverWithoutMoney(intent.status)) return true;
  if (isOfSubscription(order)) return awaitsPayer(intent.status) || intent.amount === order.amount;
  if (intent.amount !== order.amount) return false;
  if (awaitsPayer(intent.status)) return true;
  const used = attempts.filter((attempt) => isLive(attempt) || attempt.status === 'SUCCEEDED');
  return used.length === 0 || used.some(({ amount }) => amount === intent.amount);
}

async function takeOrderAmount(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  intentReference: string,
): Promise<LoadedPayment> {
  return writePayment(manager, dependencies, intentReference, (draft) => {
    if (draft.intent.amount === draft.order.amount || !awaitsPayer(draft.intent.status)) return;
    // What of a subscription's order is to come through its provider, the provider says.
    if (isForNothing(draft) || isOfSubscription(draft.order)) return;
    refuseOutsideLimits(dependencies.orderLimits, draft.order, 'paymentIntentId');
    const obstacle = whyCannotFollow(dependencies, draft);
    if (obstacle !== null) {
      throw new PaymentError('AMOUNT_NOT_TAKEN', obstacle, { field: 'paymentIntentId' });
    }
    const before = summaryOf(draft.intent);
    draft.intent.amount = draft.order.amount;
    draft.intentChanged = true;
    record(draft, 'payment.amount', before);
  });
}

/** Why a payment can't be brought to its order's total: what its provider says of such an amount. Null: it can. */
export function whyCannotFollow(
  { providers }: Pick<PaymentDependencies, 'providers'>,
  { attempts, order }: Pick<LoadedPayment, 'attempts' | 'order'>,
): string | null {
  for (const { provider: name } of attempts.filter(isLive)) {
    const provider = providers.get(name);
    const obstacle = provider && whyAmountNot(provider, order.amount, order.currency);
    if (obstacle) return obstacle.message;
  }
  return null;
}

async function updateAttempt(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  attemptId: string,
): Promise<LoadedPayment> {
  const old = attemptOf(payment, attemptId);
  // Where the amount of an attempt can't change, nobody needs to be asked for the old one any more.
  if (isLive(old) && !providerOf(dependencies, old).updateAmount) {
    return replaceAttempt(manager, dependencies, payment, old);
  }
  const initiated = await initiateAttempt(manager, dependencies, payment, attemptId);
  const attempt = attemptOf(initiated, attemptId);
  if (!isLive(attempt)) return initiated;
  if (await providerTookAmount(dependencies, initiated, attempt)) {
    const { amount } = initiated.intent;
    const written = await writePayment(manager, dependencies, payment.intent.reference, (draft) =>
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
  payment: LoadedPayment,
  attempt: PaymentAttempt,
): Promise<boolean> {
  const provider = providerOf(dependencies, attempt);
  if (!provider.updateAmount) return false;
  if (attempt.providerReference === null) throw unavailable(attempt);
  try {
    const initiated = asInitiated(payment, attempt, attempt.providerReference);
    await provider.updateAmount(initiated, payment.intent.amount);
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
  // Whoever changes their order again and again would make it ring each time.
  if (!replacementOf(payment, old)) await takePhonePrompt(manager, dependencies, old);
  let replacementId: string | null = null;
  const added = await writePayment(manager, dependencies, payment.intent.reference, (draft) => {
    // Whoever else was asked to update it may have replaced it already, or the payment may be over.
    const replacement =
      replacementOf(draft, old) ??
      (awaitsPayer(draft.intent.status)
        ? addAttempt(draft, { ...old, fallbackOf: null }, providerOf(dependencies, old))
        : null);
    replacementId = replacement?.id ?? null;
  });
  if (replacementId === null) return added;
  const initiated = await initiateAttempt(manager, dependencies, added, replacementId);
  await cancelAttemptQuietly(manager, dependencies, initiated, old);
  const replaced = await loadPayment(manager, payment.intent.reference);
  return replaced ?? initiated;
}

/** The attempt that has taken the place of this one, with the present amount. */
function replacementOf(
  { attempts, intent }: Pick<LoadedPayment, 'attempts' | 'intent'>,
  old: PaymentAttempt,
): PaymentAttempt | undefined {
  return attempts.find(
    (attempt) =>
      isLive(attempt) &&
      attempt.number > old.number &&
      fits(attempt, old) &&
      attempt.amount === intent.amount,
  );
}

function unavailable(attempt: PaymentAttempt, cause?: unknown): PaymentError {
  return new PaymentError(
    'PROVIDER_UNAVAILABLE',
    `${attempt.provider} has not taken the new amount. Repeat the same request in a moment.`,
    { cause },
  );
}
