import type { DisputeStatus } from '../payments/dispute.js';
import type { AttemptStatus } from '../payments/payment-attempt.js';

/** An attempt in our books, as far as it can be compared with the provider's. */
export interface OurAttempt {
  /** `TXN-…-1`. */
  readonly attemptReference: string;
  readonly orderReference: string;
  readonly status: AttemptStatus;
  readonly currency: string;
  /** Whether its provider collects it by an invoice, which may be paid in several parts. */
  readonly isOfSubscription: boolean;
  /** All money that was taken for the same order, by this attempt and by others, at whatever provider. */
  readonly capturesOfOrder: readonly OurCapture[];
}

export interface OurCapture {
  readonly attemptReference: string;
  readonly provider: string;
  /** The provider's id of the money. */
  readonly providerReference: string;
  /** Minor units, as are the next two. */
  readonly amount: number;
  readonly refundedAmount: number;
  /** On its way back: the provider may count it already. */
  readonly refundUnderWayAmount: number;
  readonly disputes?: readonly OurDispute[];
}

export interface OurDispute {
  /** The provider's id of it. */
  readonly reference: string;
  readonly status: DisputeStatus;
  /** What it has taken and not returned, in minor units. */
  readonly amount: number;
}
