import type { EntityManager } from 'typeorm';
import { ProviderFailure, type RefundToMake } from '../providers/provider.js';
import { refundFailure } from './apply-refund.js';
import { applyAnswer, askProvider } from './ask-provider.js';
import { SharedCalls } from './shared-calls.js';
import { asInitiated, attemptOf, providerOf } from './initiate-attempt.js';
import type { LoadedPayment } from './loaded-payment.js';
import { askAndNote } from './note-unreadable-answer.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import type { PaymentAttempt } from './payment-attempt.js';
import type { Refund } from './refund.js';
import { tellAgain, type PaymentChange } from './payment-change.js';
import { addRefund, capturesOf, changeRefund, leftOf, NEVER_TAKEN } from './refunds.js';
import { writePayment } from './write-change.js';

/** By refund: whoever needs the same answer waits for it. */
const calls = new SharedCalls<LoadedPayment>();

/**
 * Makes sure that the provider has this refund. The call carries the refund's own key, so making it again gives nothing
 * back twice. What isn't answered stays QUEUED, and the job goes on with it.
 * @param mayHaveBeenMade an earlier call may have got through: the provider is asked first, for its memory of keys is short.
 */
export function makeRefund(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  refundId: string,
  mayHaveBeenMade: boolean,
): Promise<LoadedPayment> {
  return calls.join(refundId, () => make(manager, dependencies, payment, refundId, mayHaveBeenMade));
}

async function make(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  refundId: string,
  mayHaveBeenMade: boolean,
): Promise<LoadedPayment> {
  if (refundOf(payment, refundId).status !== 'QUEUED') return payment;
  let current = payment;
  const attempt = initiatedAttempt(payment, refundOf(payment, refundId));
  try {
    if (mayHaveBeenMade) current = await askProvider(manager, dependencies, payment, attempt);
    const refund = refundOf(current, refundId);
    if (refund.status !== 'QUEUED') return current;
    const provider = providerOf(dependencies, attempt);
    if (!provider.refund) throw refusal(provider.name);
    const wanted = toMake(current, attempt, refund);
    const make = provider.refund.bind(provider);
    const event = await askAndNote(manager, dependencies, current, attempt, () => make(wanted));
    return await applyAnswer(manager, dependencies, current, attempt, [event]);
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    dependencies.log.warn({ err: error, refund: refundId }, 'the provider did not take a refund');
    const isRefused = error.kind === 'rejected' || error.kind === 'declined';
    return isRefused ? afterRefusal(manager, dependencies, current, refundId, error) : current;
  }
}

/** Whatever was given back meanwhile without us is the likely reason, so it comes into the books first. */
async function afterRefusal(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  refundId: string,
  failure: ProviderFailure,
): Promise<LoadedPayment> {
  const attempt = initiatedAttempt(payment, refundOf(payment, refundId));
  try {
    const asked = await askProvider(manager, dependencies, payment, attempt);
    return await refused(manager, dependencies, asked, refundId, failure);
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    dependencies.log.warn(
      { err: error, refund: refundId },
      'the provider did not say why; it is tried again',
    );
    return payment;
  }
}

function refused(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  { intent }: LoadedPayment,
  refundId: string,
  failure: ProviderFailure,
): Promise<LoadedPayment> {
  return writePayment(manager, dependencies, intent.reference, (change) => {
    const refund = refundOf(change, refundId);
    if (refund.status !== 'QUEUED') return;
    dependencies.log.error(
      { refund: refund.reference, paymentIntent: intent.reference, origin: refund.origin, err: failure },
      'a refund was refused: a person has to look at it',
    );
    changeRefund(change, refund, {
      status: 'FAILED',
      failureCode: NEVER_TAKEN,
      failureMessage: `${failure.message} (${failure.code})`,
      nextCheckAt: null,
      settledAt: change.now,
    });
    if (refund.origin === 'AUTOMATIC' && giveBackTheRest(change, refund)) return;
    tellAgain(change, { cause: refundFailure(refund, false) });
  });
}

/**
 * Money that goes back by itself, and of which somebody at the provider gave a part back meanwhile.
 * @returns whether another refund takes the place of the one that was refused.
 */
function giveBackTheRest(
  change: PaymentChange,
  { captureReference, provider, amount, reason }: Refund,
): boolean {
  const capture = capturesOf(change).find(
    (movement) => movement.provider === provider && movement.providerReference === captureReference,
  );
  const left = capture ? leftOf(change, capture) : 0;
  // As much as before, and nothing has changed: it would be refused again.
  if (!capture || left <= 0 || left >= amount) return false;
  addRefund(change, { capture, amount: left, origin: 'AUTOMATIC', reason, nextCheckAt: change.now });
  return true;
}

function refusal(provider: string): ProviderFailure {
  return new ProviderFailure(
    provider,
    'rejected',
    'REFUNDS_NOT_SUPPORTED',
    `${provider} can't give money back by itself: do it there, or by hand.`,
  );
}

function toMake(payment: LoadedPayment, attempt: InitiatedPaymentAttempt, refund: Refund): RefundToMake {
  return {
    reference: refund.reference,
    idempotencyKey: refund.idempotencyKey,
    attempt: asInitiated(payment, attempt, attempt.providerReference),
    captureReference: refund.captureReference,
    amount: refund.amount,
    currency: refund.currency,
    reason: refund.reason,
  };
}

type InitiatedPaymentAttempt = PaymentAttempt & { readonly providerReference: string };

function initiatedAttempt(payment: LoadedPayment, { attemptId }: Refund): InitiatedPaymentAttempt {
  const attempt = attemptOf(payment, attemptId);
  const { providerReference } = attempt;
  if (providerReference === null) throw new Error(`attempt ${attemptId} took money and has no reference`);
  return { ...attempt, providerReference };
}

export function refundOf({ refunds }: { readonly refunds: readonly Refund[] }, refundId: string): Refund {
  const refund = refunds.find(({ id }) => id === refundId);
  if (!refund) throw new Error(`refund ${refundId} is not one of this payment`);
  return refund;
}
