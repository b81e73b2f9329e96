/** Why a payment could not be made or changed. Each is mapped to an error code of the API in `graphql/error-codes.ts`. */
export type PaymentErrorKind =
  | 'PAYMENT_NOT_FOUND'
  | 'INVALID_VERSION'
  | 'IDEMPOTENCY_KEY_MISSING'
  | 'NO_WAY_TO_PAY'
  | 'CAPTURE_METHOD_FIXED'
  | 'COUNTRY_INVALID'
  | 'COUNTRY_MISSING'
  | 'PHONE_NUMBER_INVALID'
  | 'PHONE_NUMBER_MISSING'
  | 'OPERATOR_MISSING'
  | 'RETURN_URL_MISSING'
  | 'CUSTOMER_MISSING'
  | 'SAVED_METHOD_MISSING'
  | 'RETURN_URL_NOT_ALLOWED'
  | 'PAYMENT_NOT_CANCELLABLE'
  | 'PAYMENT_NOT_UPDATABLE'
  | 'PAYMENT_NOT_CAPTURABLE'
  | 'PAYMENT_NOT_REFUNDABLE'
  | 'PAYMENT_NOT_IN_REVIEW'
  | 'PAYMENT_CHANGED'
  | 'REFUND_REQUEST_NOT_FOUND'
  | 'REFUND_REQUEST_CLOSED'
  | 'AMOUNT_TOO_LARGE'
  | 'AMOUNT_NOT_TAKEN'
  | 'RESTOCK_NOT_POSSIBLE'
  | 'PAYMENT_DECLINED'
  | 'PROVIDER_REJECTED'
  | 'PROVIDER_UNAVAILABLE'
  | 'CHANGED_TOO_OFTEN';

export class PaymentError extends Error {
  override readonly name = 'PaymentError';

  /** The path of the input's field at fault, where there is one. */
  readonly field?: string;

  /** @param message for the caller: what is wrong, and what to do. */
  constructor(
    readonly kind: PaymentErrorKind,
    message: string,
    options: ErrorOptions & { readonly field?: string } = {},
  ) {
    super(message, options);
    this.field = options.field;
  }
}
