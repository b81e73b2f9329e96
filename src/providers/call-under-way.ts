import type { Exchange } from './current-call.js';
import type { CallSubject, Ending, ProviderCall, ProviderOperation } from './provider-call.js';

/** A call that is being made: how far it is, and what it has exchanged so far. */
export class CallUnderWay {
  readonly exchanges: Exchange[] = [];
  tries = 0;
  /** A try of it is at the provider. Not so while it waits for its turn, or for its next try. */
  isTrying = false;
  /** Nobody waits for it any more. */
  isOver = false;
  readonly #startedAt = new Date();
  readonly #began = performance.now();

  constructor(
    readonly provider: string,
    readonly operation: ProviderOperation,
    readonly subject: CallSubject,
  ) {}

  /** @param milliseconds for all of it. @returns when its time is up, by `performance.now()`. */
  endsAt(milliseconds: number): number {
    return this.#began + milliseconds;
  }

  /** @param ending undefined for a bug. */
  ended(ending: Ending<unknown> | undefined): ProviderCall {
    const failure = ending?.failure;
    return {
      provider: this.provider,
      operation: this.operation,
      ...this.subject,
      startedAt: this.#startedAt,
      milliseconds: Math.round(performance.now() - this.#began),
      tries: this.tries,
      outcome: ending ? (failure?.kind ?? 'OK') : 'BUG',
      ...(failure && { failureCode: failure.code }),
      // One that nobody waits for any more may still be adding to its own.
      exchanges: [...this.exchanges],
    };
  }
}
