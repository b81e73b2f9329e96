/** Why a caller may not. Each is mapped to an error code of the API in `graphql/error-codes.ts`. */
export type AccessErrorKind =
  /** No token, or one that is wrong, expired or revoked. */
  | 'UNAUTHENTICATED'
  /** The keys with which operators' tokens are checked can't be fetched. */
  | 'IDENTITY_UNAVAILABLE'
  /** A thing that this kind of caller can't do at all. What it may not *see* is NOT_FOUND instead. */
  | 'FORBIDDEN'
  /** No token where what is asked for is hidden without one; or that of a customer, where an order's is needed, and so on. */
  | 'NOT_YOURS';

export class AccessError extends Error {
  override readonly name = 'AccessError';

  constructor(
    readonly kind: AccessErrorKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
