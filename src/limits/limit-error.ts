/** Why a request was not even begun. Mapped to codes in `graphql/error-codes.ts`. */
export type LimitErrorKind =
  /** The caller, or their address, asks for more than one of them may. */
  | 'RATE_LIMITED'
  /** All callers together ask for more than can be served in time. */
  | 'OVERLOADED';

/** Nothing was done: the same request may be repeated after a pause. */
export class LimitError extends Error {
  override readonly name = 'LimitError';

  /** @param retryAfterSeconds whole, at least 1. */
  constructor(
    readonly kind: LimitErrorKind,
    message: string,
    readonly retryAfterSeconds: number,
    /** What HTTP answers say beside `Retry-After`. */
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}
