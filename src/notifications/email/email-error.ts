/** Why an e-mail could not be sent again. Each is mapped to an error code of the API in `graphql/error-codes.ts`. */
export type EmailErrorKind = 'EMAIL_NOT_FOUND';

export class EmailError extends Error {
  override readonly name = 'EmailError';

  constructor(
    readonly kind: EmailErrorKind,
    message: string,
  ) {
    super(message);
  }
}
