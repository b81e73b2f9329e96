/** Why an order could not be made or changed, or what can be ordered not be told. Each is mapped to an error code of the API in `graphql/error-codes.ts`. */
export type OrderErrorKind =
  | 'ORDER_NOT_FOUND'
  | 'ORDER_ALREADY_PAID'
  | 'ORDER_CANCELLED'
  | 'ORDER_NOT_CHANGEABLE'
  | 'ORDER_NUMBER_TAKEN'
  | 'OUT_OF_STOCK'
  | 'FULLY_BOOKED'
  | 'INVALID_ORDER'
  | 'AMOUNT_OUTSIDE_LIMITS'
  | 'PRODUCT_NOT_FOUND'
  | 'PRODUCT_WITHOUT_DAYS'
  | 'INVALID_DAYS';

export class OrderError extends Error {
  override readonly name = 'OrderError';

  /**
   * @param message for the caller: what is wrong, and what to do.
   * @param field the path of the input's field at fault, where there is one: `lines.0.sku`.
   */
  constructor(
    readonly kind: OrderErrorKind,
    message: string,
    readonly field?: string,
  ) {
    super(message);
  }
}
