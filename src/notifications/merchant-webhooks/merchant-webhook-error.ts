/** Why something about webhooks to the merchant could not be done. Mapped to codes in `graphql/error-codes.ts`. */
export type MerchantWebhookErrorKind =
  | 'WEBHOOK_ENDPOINT_NOT_FOUND'
  | 'WEBHOOK_ENDPOINT_DISABLED'
  | 'WEBHOOK_DELIVERY_NOT_FOUND'
  | 'WEBHOOK_URL_NOT_ALLOWED'
  | 'TOO_MANY_SECRETS';

export class MerchantWebhookError extends Error {
  override readonly name = 'MerchantWebhookError';

  constructor(
    readonly kind: MerchantWebhookErrorKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
