import type { EntityManager } from 'typeorm';
import { endIntent } from './apply-provider-event.js';
import { refundFailure } from './apply-refund.js';
import { attemptOf } from './initiate-attempt.js';
import type { LoadedPayment } from './loaded-payment.js';
import { isLive, type PaymentAttempt } from './payment-attempt.js';
import { changeAttempt, tellAgain, type PaymentChange } from './payment-change.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { changeRefund, PROVIDER_NOT_CONFIGURED } from './refunds.js';
import { review } from './review.js';
import { isOpen } from './transitions.js';
import { writePayment } from './write-change.js';

/** A provider may be missing by mistake for a while: what only a person can decide waits for so long. */
const PATIENCE_MILLISECONDS = 24 * 60 * 60 * 1_000;

export function isConfigured(
  { providers }: Pick<PaymentDependencies, 'providers'>,
  { provider }: Pick<PaymentAttempt, 'provider'>,
): boolean {
  return providers.has(provider);
}

/**
 * For an attempt whose provider was taken out of the configuration, so that nobody can be asked or told. Where the payer
 * still had something to do, it ends with its payment's time; where money may be moving, a person decides after a day.
 * @param isWanted its payment is being cancelled, or its time is up.
 */
export function endWithoutProvider(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  attemptId: string,
  { isWanted }: { readonly isWanted: boolean },
): Promise<LoadedPayment> {
  return writePayment(manager, dependencies, payment.intent.reference, (change) => {
    const attempt = attemptOf(change, attemptId);
    if (!isLive(attempt)) return;
    const isOver = !isOpen(change.intent.status) && change.intent.status !== 'REVIEW';
    const isDue = isWanted || change.intent.expiresAt <= change.now;
    if (isOver || (isDue && awaitsItsPayer(attempt))) end(change, attempt);
    else if (isOlderThanPatience(change, attempt.createdAt)) letPersonDecide(change, attempt);
  });
}

/** What is saved is charged by the call alone, which may have got through before it was answered. */
function awaitsItsPayer({ status, providerReference, methodReference }: PaymentAttempt): boolean {
  return status === 'PENDING' && (providerReference !== null || methodReference === null);
}

function end(change: PaymentChange, attempt: PaymentAttempt): void {
  const message = `${attempt.provider} is not configured any more`;
  changeAttempt(change, attempt, {
    status: 'CANCELLED',
    failureCode: PROVIDER_NOT_CONFIGURED,
    failureMessage: `${message}.`,
  });
  if (isOpen(change.intent.status) && !change.attempts.some(isLive)) {
    endIntent(change, 'CANCELLED', PROVIDER_NOT_CONFIGURED, message);
  }
}

function letPersonDecide(change: PaymentChange, { provider, number, status }: PaymentAttempt): void {
  review(change, {
    code: PROVIDER_NOT_CONFIGURED,
    message: `${provider} is not configured any more, and its attempt is ${status}: money may have moved. Look at it there.`,
    about: `${provider}:${number}`,
  });
}

function isOlderThanPatience({ now }: PaymentChange, time: Date): boolean {
  return now.getTime() - time.getTime() > PATIENCE_MILLISECONDS;
}

/** A refund of which such a provider has not said that it has it fails after a day: a person has to look at it there. */
export function failRefundWithoutProvider(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  { intent }: LoadedPayment,
  refundId: string,
): Promise<LoadedPayment> {
  return writePayment(manager, dependencies, intent.reference, (change) => {
    const refund = change.refunds.find(({ id }) => id === refundId);
    if (refund?.status !== 'QUEUED' || !isOlderThanPatience(change, refund.createdAt)) return;
    dependencies.log.error(
      { refund: refund.reference, paymentIntent: intent.reference, provider: refund.provider },
      'a refund was given up, for its provider is not configured any more: a person has to look at it there',
    );
    changeRefund(change, refund, {
      status: 'FAILED',
      failureCode: PROVIDER_NOT_CONFIGURED,
      failureMessage: `${refund.provider} is not configured any more: look there whether the money went back.`,
      nextCheckAt: null,
      settledAt: change.now,
    });
    tellAgain(change, { cause: refundFailure(refund, false) });
  });
}
