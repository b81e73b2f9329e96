import type { EntityManager } from 'typeorm';
import { keyUse } from '../idempotency/key-use.js';
import { whyPartNot } from '../providers/amount-limits.js';
import { ProviderFailure } from '../providers/provider.js';
import { applyAnswer, askProvider } from './ask-provider.js';
import { asInitiated, attemptOf, providerOf } from './initiate-attempt.js';
import type { LoadedPayment } from './loaded-payment.js';
import { onceByKey, useKey } from './once-by-key.js';
import type { PaymentAttempt } from './payment-attempt.js';
import { changeAttempt, checkSoon, record, summaryOf, type PaymentChange } from './payment-change.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { PaymentError } from './payment-error.js';
import { writePayment } from './write-change.js';

export interface CapturePayment {
  readonly intentReference: string;
  /** Minor units; null: all. */
  readonly amount?: number | null;
  readonly caller: string;
  readonly idempotencyKey: string;
}

/**
 * Takes money that is held, all or a part. What is to be taken is written first and the provider told second, so that a
 * crash in between is healed by the job. Asked again with the same amount, it gives the same result. A provider that
 * doesn't answer leaves the payment AUTHORIZED, and it is asked again until it says.
 * @throws {PaymentError} PAYMENT_NOT_FOUND, PAYMENT_NOT_CAPTURABLE (also when the money was let go meanwhile),
 * AMOUNT_TOO_LARGE, AMOUNT_NOT_TAKEN, PROVIDER_REJECTED
 */
export async function capturePaymentIntent(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  request: CapturePayment,
): Promise<LoadedPayment> {
  const { intentReference, amount = null } = request;
  const key = keyUse('capturePaymentIntent', request);
  let attemptId: string | null = null;
  const payment = await onceByKey(manager, key, (madeId) =>
    writePayment(manager, dependencies, intentReference, (change) => {
      const earlier = madeId === null ? null : capturedEarlier(change);
      attemptId = earlier ?? decideCapture(change, dependencies, amount);
      if (madeId === null) useKey(change, key, change.intent.id);
    }),
  );
  if (attemptId === null) return payment;
  const isDecided = attemptOf(payment, attemptId).status !== 'AUTHORIZED';
  const captured = isDecided ? payment : await captureAttempt(manager, dependencies, payment, attemptId);
  refuseLostCapture(captured, attemptOf(captured, attemptId));
  return captured;
}

/** The attempt that the same request captured, once nothing is held any more. While it is held, the request is made again. */
function capturedEarlier({ intent, attempts }: PaymentChange): string | null {
  if (intent.status === 'AUTHORIZED') return null;
  return attempts.findLast(({ captureAmount }) => captureAmount !== null)?.id ?? null;
}

/** Somebody else was faster: the money was let go, or taken at the provider itself, and then perhaps another amount. */
function refuseLostCapture(payment: LoadedPayment, { id, status, captureAmount }: PaymentAttempt): void {
  if (status === 'CANCELLED' || status === 'FAILED') throw nothingHeld(payment);
  if (status !== 'SUCCEEDED') return;
  const taken = payment.movements
    .filter(({ kind, attemptId }) => kind === 'CAPTURE' && attemptId === id)
    .reduce((sum, { amount }) => sum + amount, 0);
  if (taken === captureAmount) return;
  throw new PaymentError(
    'PAYMENT_NOT_CAPTURABLE',
    `${taken} of it was taken at the provider meanwhile, and not ${captureAmount}.`,
  );
}

function nothingHeld({ intent }: Pick<LoadedPayment, 'intent'>): PaymentError {
  return new PaymentError(
    'PAYMENT_NOT_CAPTURABLE',
    `This payment is ${intent.status}: only money that is held (AUTHORIZED) can be taken.`,
  );
}

/** The attempt to capture; null when that has been done already. */
function decideCapture(
  change: PaymentChange,
  dependencies: PaymentDependencies,
  wanted: number | null,
): string | null {
  const { intent } = change;
  const attempt = change.attempts.find(({ status }) => status === 'AUTHORIZED');
  if (intent.status !== 'AUTHORIZED' || !attempt) {
    const isDone = intent.captureMethod === 'MANUAL' && (wanted === null || wanted === intent.capturedAmount);
    if (intent.status === 'PAID' && isDone) return null;
    throw nothingHeld(change);
  }
  const amount = wanted ?? attempt.captureAmount ?? attempt.amount;
  if (amount > attempt.amount) {
    throw new PaymentError('AMOUNT_TOO_LARGE', `At most ${attempt.amount} is held and can be taken.`);
  }
  const obstacle = whyPartNot(providerOf(dependencies, attempt), amount, intent.currency);
  if (obstacle) throw new PaymentError('AMOUNT_NOT_TAKEN', obstacle.message, { field: 'amount' });
  if (attempt.captureAmount !== null && attempt.captureAmount !== amount) {
    throw new PaymentError(
      'PAYMENT_NOT_CAPTURABLE',
      `${attempt.captureAmount} of it is being taken already. Refund a part afterwards instead.`,
    );
  }
  if (attempt.captureAmount === null) {
    changeAttempt(change, attempt, { captureAmount: amount });
    record(change, 'capture.asked', summaryOf(intent), { after: { captureAmount: amount } });
  }
  return attempt.id;
}

/** The second half: also what the job does for a capture that was written, and of which nothing has been heard. */
export async function captureAttempt(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  attemptId: string,
): Promise<LoadedPayment> {
  const attempt = attemptOf(payment, attemptId);
  const { providerReference, captureAmount } = attempt;
  const provider = providerOf(dependencies, attempt);
  if (!provider.capture || providerReference === null || captureAmount === null) return payment;
  try {
    const event = await provider.capture(asInitiated(payment, attempt, providerReference), captureAmount);
    return await applyAnswer(manager, dependencies, payment, attempt, [event]);
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    dependencies.log.warn({ err: error, attempt: attempt.id }, 'the provider did not take the held money');
    const isRefused = error.kind === 'rejected' || error.kind === 'declined';
    if (!isRefused) return checkedSoon(manager, dependencies, payment);
    return afterRefusal(manager, dependencies, payment, { ...attempt, providerReference }, error);
  }
}

/** What the provider doesn't say now is asked for again by the job. */
function checkedSoon(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  { intent }: LoadedPayment,
): Promise<LoadedPayment> {
  return writePayment(manager, dependencies, intent.reference, (change) => {
    if (change.intent.status === 'AUTHORIZED' && change.intent.nextCheckAt === null) checkSoon(change);
  });
}

/** What the provider says of the attempt counts: it may have been taken, or let go. If it is still held, ask anew. */
async function afterRefusal(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  payment: LoadedPayment,
  attempt: PaymentAttempt & { readonly providerReference: string },
  failure: ProviderFailure,
): Promise<LoadedPayment> {
  let asked: LoadedPayment;
  try {
    asked = await askProvider(manager, dependencies, payment, attempt);
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    dependencies.log.warn({ err: error, attempt: attempt.id }, 'the provider refused a capture, and not why');
    return checkedSoon(manager, dependencies, payment);
  }
  if (attemptOf(asked, attempt.id).status !== 'AUTHORIZED') return asked;
  await writePayment(manager, dependencies, payment.intent.reference, (change) => {
    const held = attemptOf(change, attempt.id);
    if (held.status !== 'AUTHORIZED' || held.captureAmount !== attempt.captureAmount) return;
    changeAttempt(change, held, { captureAmount: null });
    record(change, 'capture.refused', summaryOf(change.intent), { reason: failure.code });
  });
  const kind = failure.isAboutAmount ? 'AMOUNT_NOT_TAKEN' : 'PROVIDER_REJECTED';
  throw new PaymentError(kind, failure.message, {
    cause: failure,
    ...(failure.isAboutAmount && { field: 'amount' }),
  });
}
