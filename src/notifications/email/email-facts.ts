import type { Currency } from '../../money.js';
import type { UnreadablePayload } from '../../outbox/topics.js';

/**
 * What an e-mail tells of, as it was at the transition: kept in its row, and put into words when it is sent. Times are
 * ISO 8601 and amounts minor units of `currency`, for it travels as JSON.
 */
export interface EmailFacts {
  readonly occurredAt: string;
  readonly currency: Currency;
  readonly order: OrderFacts;
  readonly payment: PaymentFacts;
  /** How much this transition brought, or gave back. */
  readonly received: number;
  readonly givenBack: number;
  /** What was opened by this transition. */
  readonly dispute: DisputeFacts | null;
  /** What failed by this transition. Missing in e-mails that were queued before it was told. */
  readonly failedRefund?: FailedRefundFacts | null;
}

/** What an e-mail about an endpoint of webhooks tells of. */
export interface EndpointFacts {
  readonly endpoint: {
    readonly reference: string;
    /** Without what may be secret in it. */
    readonly url: string;
    readonly reason: 'GONE' | 'FAILING';
    readonly failingSince: string;
    readonly disabledAt: string;
  };
}

/** What an e-mail about a notification that can't be read tells of. */
export interface NotificationFacts {
  readonly notification: UnreadablePayload;
}

export interface OrderFacts {
  readonly reference: string;
  /** The merchant's own. */
  readonly number: string | null;
  readonly amount: number;
  readonly createdAt: string;
  /** False where only its provider collects it, and has given up: then no link leads to a page to pay it. */
  readonly isPayable?: boolean;
  readonly customer: { readonly name: string | null; readonly email: string | null };
  readonly lines: readonly LineFacts[];
  readonly booking: BookingFacts | null;
}

export interface LineFacts {
  readonly name: string;
  readonly quantity: number;
  readonly unitAmount: number;
}

export interface BookingFacts {
  /** Null until it is made. */
  readonly reference: string | null;
  readonly startsAt: string;
  readonly endsAt: string;
}

export interface PaymentFacts {
  readonly reference: string;
  readonly capturedAmount: number;
  readonly refundedAmount: number;
  readonly failureCode: string | null;
  readonly failureMessage: string | null;
  /** Whether a person can settle it by `settlePaymentReview`. */
  readonly isUnderReview: boolean;
  /** Whether it should go back, and a person has to do it; absent in mails of before this was told. */
  readonly isGivenBackByHand?: boolean;
}

export interface DisputeFacts {
  readonly amount: number;
  readonly currency: Currency;
  readonly reason: string;
  readonly provider: string;
  readonly providerReference: string;
  readonly respondBy: string | null;
  /** As it is when the e-mail is queued. Missing where it was queued before this was told. */
  readonly status?: 'OPEN' | 'WON' | 'LOST';
  /** The bank only asks. */
  readonly isRefundable?: boolean;
}

export interface FailedRefundFacts {
  /** Ours, `RFD-…`. */
  readonly reference: string;
  /** Minor units of the payment's currency. */
  readonly amount: number;
  readonly provider: string;
  readonly failureCode: string | null;
  readonly failureMessage: string | null;
}
