/** Why something of a customer could not be found or done. Mapped to codes of the API in `graphql/error-codes.ts`. */
export type CustomerErrorKind =
  | 'CUSTOMER_NOT_FOUND'
  | 'SAVED_METHOD_NOT_FOUND'
  | 'NO_WAY_TO_PAY'
  | 'PROVIDER_REJECTED'
  | 'PROVIDER_UNAVAILABLE';

export class CustomerError extends Error {
  override readonly name = 'CustomerError';

  /** The path of the input's field at fault, where there is one. */
  readonly field?: string;

  /** @param message for the caller: what is wrong, and what to do. */
  constructor(
    readonly kind: CustomerErrorKind,
    message: string,
    options: ErrorOptions & { readonly field?: string } = {},
  ) {
    super(message, options);
    this.field = options.field;
  }
}
