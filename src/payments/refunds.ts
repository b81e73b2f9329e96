import { randomUUID } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { newReference } from '../references.js';
import type { RefundReason } from '../providers/provider.js';
import { disputedIn } from './disputed-money.js';
import type { Movement } from './movement.js';
import { record, type PaymentChange } from './payment-change.js';
import { isUnderWay, type Refund, type RefundAuthority, type RefundOrigin } from './refund.js';

/** What one capture can still give back, in minor units: without what the payer's bank holds of it or has kept. */
export function leftOf(
  { refunds, movements }: Pick<PaymentChange, 'refunds' | 'movements'>,
  capture: Movement,
): number {
  const taken = refunds.filter(
    (refund) =>
      refund.status !== 'FAILED' &&
      refund.provider === capture.provider &&
      refund.captureReference === capture.providerReference,
  );
  const ofAttempt = movements.filter(({ attemptId }) => attemptId === capture.attemptId);
  return (
    capture.amount - taken.reduce((sum, { amount }) => sum + amount, 0) - Math.max(0, disputedIn(ofAttempt))
  );
}

export function capturesOf({ movements }: Pick<PaymentChange, 'movements'>): Movement[] {
  return movements.filter(({ kind }) => kind === 'CAPTURE');
}

/** So much is on its way back already, and the provider has not said how it ended, in minor units. */
export function underWay({ refunds }: Pick<PaymentChange, 'refunds'>): number {
  return refunds.filter(isUnderWay).reduce((sum, { amount }) => sum + amount, 0);
}

/** What can still be given back of all captures together, in minor units: what the payer's bank took is gone. */
export function leftInAll(change: Pick<PaymentChange, 'intent' | 'refunds'>): number {
  const { capturedAmount, refundedAmount, disputedAmount } = change.intent;
  return Math.max(0, capturedAmount - refundedAmount - Math.max(0, disputedAmount) - underWay(change));
}

interface NewRefund {
  readonly capture: Movement;
  readonly amount: number;
  readonly origin: RefundOrigin;
  readonly reason: RefundReason | null;
  readonly restock?: boolean;
  /** By whose word, where it is REQUESTED. */
  readonly authority?: RefundAuthority;
  /** When the job is to take it up, should nobody have done so. */
  readonly nextCheckAt: Date | null;
}

/** A refund, QUEUED, with the key that its call will use. */
export function addRefund(change: PaymentChange, wanted: NewRefund): Refund {
  const id = uuidv7();
  const refund: Refund = {
    id,
    reference: newReference('RFD'),
    intentId: change.intent.id,
    attemptId: wanted.capture.attemptId,
    amount: wanted.amount,
    currency: wanted.capture.currency,
    status: 'QUEUED',
    reason: wanted.reason,
    restock: wanted.restock ?? false,
    origin: wanted.origin,
    authority: wanted.authority ?? null,
    provider: wanted.capture.provider,
    providerReference: null,
    captureReference: wanted.capture.providerReference,
    idempotencyKey: randomUUID(),
    failureCode: null,
    failureMessage: null,
    nextCheckAt: wanted.nextCheckAt,
    createdAt: change.now,
    settledAt: null,
  };
  change.refunds.push(refund);
  change.changedRefunds.add(id);
  record(change, 'refund.queued', null, { after: summaryOfRefund(refund) });
  return refund;
}

export function changeRefund(change: PaymentChange, refund: Refund, values: Partial<Refund>): void {
  const before = summaryOfRefund(refund);
  Object.assign(refund, values);
  change.changedRefunds.add(refund.id);
  if (values.status) {
    record(change, `refund.${values.status.toLowerCase()}`, before, { after: summaryOfRefund(refund) });
  }
}

/** The provider refused our call, or can't be called for it. Should it be heard of there all the same, that counts. */
export const NEVER_TAKEN = 'REFUSED';

/** Of what a provider was asked for that was taken out of the configuration since: it may have got through. */
export const PROVIDER_NOT_CONFIGURED = 'PROVIDER_NOT_CONFIGURED';

/** Its provider has no way to give money back: a person has to, and is told so now and not after a vain call. */
export function failRefundAtOnce(change: PaymentChange, refund: Refund): void {
  changeRefund(change, refund, {
    status: 'FAILED',
    failureCode: NEVER_TAKEN,
    failureMessage: `${refund.provider} can't give money back by itself: do it there, or by hand.`,
    nextCheckAt: null,
    settledAt: change.now,
  });
}

function summaryOfRefund({
  reference,
  amount,
  currency,
  status,
  origin,
  reason,
  failureCode,
}: Refund): object {
  return { refund: reference, amount, currency, status, origin, reason, failureCode };
}
