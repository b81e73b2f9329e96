import type { AccessErrorKind } from '../access/access-error.js';
import type { CustomerErrorKind } from '../customers/customer-error.js';
import type { EmailErrorKind } from '../notifications/email/email-error.js';
import type { JobErrorKind } from '../jobs/job-error.js';
import type { LimitErrorKind } from '../limits/limit-error.js';
import type { MerchantWebhookErrorKind } from '../notifications/merchant-webhooks/merchant-webhook-error.js';
import type { OrderErrorKind } from '../orders/order-error.js';
import type { PaymentErrorKind } from '../payments/payment-error.js';
import type { SubscriptionErrorKind } from '../subscriptions/subscription-error.js';
import type { PagingErrorKind } from '../paging/paging-error.js';
import type { WebhookErrorKind } from '../webhooks/webhook-error.js';

/** What a client's program reads: stable, and documented in `docs/errors.md`. */
export type ErrorCode =
  | 'AMOUNT_OUTSIDE_LIMITS'
  | 'BAD_USER_INPUT'
  | 'CHANGED_MEANWHILE'
  | 'FORBIDDEN'
  | 'FULLY_BOOKED'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'INTERNAL_SERVER_ERROR'
  | 'NOT_FOUND'
  | 'NO_WAY_TO_PAY'
  | 'ORDER_ALREADY_PAID'
  | 'ORDER_CANCELLED'
  | 'ORDER_NOT_CHANGEABLE'
  | 'ORDER_NUMBER_TAKEN'
  | 'OUT_OF_STOCK'
  | 'PAYMENT_CHANGED'
  | 'PAYMENT_DECLINED'
  | 'PAYMENT_NOT_CANCELLABLE'
  | 'PAYMENT_NOT_CAPTURABLE'
  | 'PAYMENT_NOT_IN_REVIEW'
  | 'PAYMENT_NOT_REFUNDABLE'
  | 'PAYMENT_NOT_UPDATABLE'
  | 'PROVIDER_REJECTED'
  | 'PROVIDER_UNAVAILABLE'
  | 'RATE_LIMITED'
  | 'REFUND_REQUEST_CLOSED'
  | 'SERVICE_UNAVAILABLE'
  | 'UNAUTHENTICATED'
  | 'WEBHOOK_ENDPOINT_DISABLED';

export interface PublicError {
  readonly code: ErrorCode;
  /** Whether the very same request may succeed later. */
  readonly retryable: boolean;
  /** The input's field at fault, where the kind names one by itself. */
  readonly field?: string;
}

/** Total: an error that is not mapped does not compile. */
export const ERROR_CODES: Readonly<
  Record<
    | OrderErrorKind
    | PaymentErrorKind
    | WebhookErrorKind
    | PagingErrorKind
    | MerchantWebhookErrorKind
    | JobErrorKind
    | EmailErrorKind
    | CustomerErrorKind
    | SubscriptionErrorKind
    | AccessErrorKind
    | LimitErrorKind
    | 'IDEMPOTENCY_KEY_REUSED',
    PublicError
  >
> = {
  ORDER_NOT_FOUND: { code: 'NOT_FOUND', retryable: false },
  CUSTOMER_NOT_FOUND: { code: 'NOT_FOUND', retryable: false },
  SAVED_METHOD_NOT_FOUND: { code: 'NOT_FOUND', retryable: false },
  SUBSCRIPTION_NOT_FOUND: { code: 'NOT_FOUND', retryable: false },
  INVALID_SUBSCRIPTION: { code: 'BAD_USER_INPUT', retryable: false },
  SUBSCRIPTION_NOT_BEGUN: { code: 'PROVIDER_UNAVAILABLE', retryable: true },
  ORDER_ALREADY_PAID: { code: 'ORDER_ALREADY_PAID', retryable: false },
  ORDER_CANCELLED: { code: 'ORDER_CANCELLED', retryable: false },
  ORDER_NOT_CHANGEABLE: { code: 'ORDER_NOT_CHANGEABLE', retryable: false },
  ORDER_NUMBER_TAKEN: { code: 'ORDER_NUMBER_TAKEN', retryable: false },
  OUT_OF_STOCK: { code: 'OUT_OF_STOCK', retryable: false },
  FULLY_BOOKED: { code: 'FULLY_BOOKED', retryable: false },
  AMOUNT_OUTSIDE_LIMITS: { code: 'AMOUNT_OUTSIDE_LIMITS', retryable: false },
  INVALID_ORDER: { code: 'BAD_USER_INPUT', retryable: false },
  PRODUCT_NOT_FOUND: { code: 'NOT_FOUND', retryable: false },
  PRODUCT_WITHOUT_DAYS: { code: 'BAD_USER_INPUT', retryable: false },
  INVALID_DAYS: { code: 'BAD_USER_INPUT', retryable: false },
  CHANGED_TOO_OFTEN: { code: 'CHANGED_MEANWHILE', retryable: true },
  PAYMENT_NOT_FOUND: { code: 'NOT_FOUND', retryable: false },
  INVALID_VERSION: { code: 'BAD_USER_INPUT', retryable: false },
  IDEMPOTENCY_KEY_MISSING: { code: 'BAD_USER_INPUT', retryable: false, field: 'idempotencyKey' },
  NO_WAY_TO_PAY: { code: 'NO_WAY_TO_PAY', retryable: false },
  CAPTURE_METHOD_FIXED: { code: 'BAD_USER_INPUT', retryable: false, field: 'captureMethod' },
  COUNTRY_INVALID: { code: 'BAD_USER_INPUT', retryable: false, field: 'country' },
  COUNTRY_MISSING: { code: 'BAD_USER_INPUT', retryable: false, field: 'country' },
  PHONE_NUMBER_INVALID: { code: 'BAD_USER_INPUT', retryable: false, field: 'phoneNumber' },
  PHONE_NUMBER_MISSING: { code: 'BAD_USER_INPUT', retryable: false, field: 'phoneNumber' },
  OPERATOR_MISSING: { code: 'BAD_USER_INPUT', retryable: false, field: 'operator' },
  RETURN_URL_MISSING: { code: 'BAD_USER_INPUT', retryable: false, field: 'returnUrl' },
  CUSTOMER_MISSING: { code: 'BAD_USER_INPUT', retryable: false, field: 'saveMethod' },
  SAVED_METHOD_MISSING: { code: 'BAD_USER_INPUT', retryable: false, field: 'savedMethodId' },
  RETURN_URL_NOT_ALLOWED: { code: 'BAD_USER_INPUT', retryable: false, field: 'returnUrl' },
  PAYMENT_NOT_CANCELLABLE: { code: 'PAYMENT_NOT_CANCELLABLE', retryable: false },
  PAYMENT_NOT_CAPTURABLE: { code: 'PAYMENT_NOT_CAPTURABLE', retryable: false },
  PAYMENT_NOT_REFUNDABLE: { code: 'PAYMENT_NOT_REFUNDABLE', retryable: false },
  PAYMENT_CHANGED: { code: 'PAYMENT_CHANGED', retryable: false },
  PAYMENT_NOT_IN_REVIEW: { code: 'PAYMENT_NOT_IN_REVIEW', retryable: false },
  REFUND_REQUEST_NOT_FOUND: { code: 'NOT_FOUND', retryable: false },
  REFUND_REQUEST_CLOSED: { code: 'REFUND_REQUEST_CLOSED', retryable: false },
  AMOUNT_TOO_LARGE: { code: 'BAD_USER_INPUT', retryable: false, field: 'amount' },
  AMOUNT_NOT_TAKEN: { code: 'BAD_USER_INPUT', retryable: false },
  RESTOCK_NOT_POSSIBLE: { code: 'BAD_USER_INPUT', retryable: false, field: 'restock' },
  PAYMENT_NOT_UPDATABLE: { code: 'PAYMENT_NOT_UPDATABLE', retryable: false },
  PAYMENT_DECLINED: { code: 'PAYMENT_DECLINED', retryable: false },
  PROVIDER_REJECTED: { code: 'PROVIDER_REJECTED', retryable: false },
  PROVIDER_UNAVAILABLE: { code: 'PROVIDER_UNAVAILABLE', retryable: true },
  UNAUTHENTICATED: { code: 'UNAUTHENTICATED', retryable: false },
  IDENTITY_UNAVAILABLE: { code: 'SERVICE_UNAVAILABLE', retryable: true },
  FORBIDDEN: { code: 'FORBIDDEN', retryable: false },
  NOT_YOURS: { code: 'NOT_FOUND', retryable: false },
  RATE_LIMITED: { code: 'RATE_LIMITED', retryable: true },
  OVERLOADED: { code: 'SERVICE_UNAVAILABLE', retryable: true },
  JOB_NOT_FOUND: { code: 'NOT_FOUND', retryable: false, field: 'id' },
  WEBHOOK_EVENT_NOT_FOUND: { code: 'NOT_FOUND', retryable: false, field: 'id' },
  WEBHOOK_ENDPOINT_NOT_FOUND: { code: 'NOT_FOUND', retryable: false },
  WEBHOOK_ENDPOINT_DISABLED: { code: 'WEBHOOK_ENDPOINT_DISABLED', retryable: false },
  WEBHOOK_DELIVERY_NOT_FOUND: { code: 'NOT_FOUND', retryable: false, field: 'id' },
  TOO_MANY_SECRETS: { code: 'BAD_USER_INPUT', retryable: false, field: 'overlapHours' },
  WEBHOOK_URL_NOT_ALLOWED: { code: 'BAD_USER_INPUT', retryable: false, field: 'url' },
  EMAIL_NOT_FOUND: { code: 'NOT_FOUND', retryable: false, field: 'id' },
  CURSOR_UNKNOWN: { code: 'BAD_USER_INPUT', retryable: false, field: 'after' },
  IDEMPOTENCY_KEY_REUSED: { code: 'IDEMPOTENCY_KEY_REUSED', retryable: false },
};
