/** Why a subscription could not be made or changed. Mapped to codes of the API in `graphql/error-codes.ts`. */
export type SubscriptionErrorKind =
  'SUBSCRIPTION_NOT_FOUND' | 'INVALID_SUBSCRIPTION' | 'SUBSCRIPTION_NOT_BEGUN';

export class SubscriptionError extends Error {
  override readonly name = 'SubscriptionError';

  /**
   * @param message for the caller: what is wrong, and what to do.
   * @param field the path of the input's field at fault, where there is one.
   */
  constructor(
    readonly kind: SubscriptionErrorKind,
    message: string,
    readonly field?: string,
  ) {
    super(message);
  }
}
