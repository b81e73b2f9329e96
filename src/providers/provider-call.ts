import type { Exchange } from './current-call.js';
import type { RecurringCalls } from './recurring.js';
import type { SavedMethodCalls } from './saved-methods.js';
import type { ProviderFailure, ProviderFailureKind } from './provider.js';

/** What a provider can be called for. */
export type ProviderOperation =
  | 'initiate'
  | 'reserve'
  | 'verify'
  | 'cancel'
  | 'capture'
  | 'attemptOfCapture'
  | 'refund'
  | 'updateAmount'
  | 'listNotifications'
  | 'listPayments'
  | 'readAvailability'
  | keyof SavedMethodCalls
  | keyof RecurringCalls;

/** What a call is about, by our own references. */
export interface CallSubject {
  readonly attemptReference?: string;
  readonly refundReference?: string;
}

/** One call of a provider that has ended, with all of its tries. */
export interface ProviderCall extends CallSubject {
  readonly provider: string;
  readonly operation: ProviderOperation;
  readonly startedAt: Date;
  /** From the wish to the answer: waiting for a turn, every try, and the pauses between them. */
  readonly milliseconds: number;
  /** 0: it was never let through. */
  readonly tries: number;
  /** BUG: something else than a `ProviderFailure` was thrown. */
  readonly outcome: 'OK' | ProviderFailureKind | 'BUG';
  readonly failureCode?: string;
  /** Bodies as they went over the wire. Of a long list, only the last ones. */
  readonly exchanges: readonly Exchange[];
}

/** How a call ended, other than by a bug. */
export type Ending<Answer> =
  | { readonly answer: Answer; readonly failure?: undefined }
  | { readonly failure: ProviderFailure; readonly mayBeRepeated?: boolean };
