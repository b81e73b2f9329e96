/** Why the inbox could not be read. Each is mapped to an error code of the API in `graphql/error-codes.ts`. */
export type WebhookErrorKind = 'WEBHOOK_EVENT_NOT_FOUND';

export class WebhookError extends Error {
  override readonly name = 'WebhookError';

  constructor(
    readonly kind: WebhookErrorKind,
    message: string,
  ) {
    super(message);
  }
}
