/** Why a page could not be read. Mapped to codes in `graphql/error-codes.ts`. */
export type PagingErrorKind = 'CURSOR_UNKNOWN';

export class PagingError extends Error {
  override readonly name = 'PagingError';

  constructor(
    readonly kind: PagingErrorKind,
    message: string,
  ) {
    super(message);
  }
}
