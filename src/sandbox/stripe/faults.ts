/** Something that goes wrong on purpose, the next time an operation is asked for. */
export interface Fault {
  readonly answer: FaultyAnswer;
  /** AFTER_WORK does what was asked, and only the answer is lost: "502 after charging". */
  readonly when?: 'BEFORE_WORK' | 'AFTER_WORK';
  /** For how many requests. The SDK repeats a request up to twice by itself. */
  readonly times?: number;
}

export type FaultyAnswer =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly code?: string;
      /** Stripe's own advice to the SDK, the header `stripe-should-retry`. */
      readonly shouldRetry?: boolean;
    }
  /** Never. */
  | { readonly kind: 'hang' }
  /** The connection is closed instead. */
  | { readonly kind: 'close' }
  /** A page of some proxy on the way. */
  | { readonly kind: 'notJson' };

/** What goes wrong by chance, when that is asked for. */
export const FAULTS_BY_CHANCE: readonly Fault[] = [
  { answer: { kind: 'status', status: 502 }, when: 'AFTER_WORK' },
  { answer: { kind: 'status', status: 502 } },
  { answer: { kind: 'close' }, when: 'AFTER_WORK' },
  { answer: { kind: 'close' } },
  { answer: { kind: 'status', status: 429, code: 'rate_limit' } },
];
