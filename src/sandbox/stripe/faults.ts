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

interface WaitingFault {
  readonly fault: Fault;
  left: number;
}

export class Faults {
  private readonly waiting = new Map<string, WaitingFault[]>();

  add(operation: string, fault: Fault): void {
    const queue = this.waiting.get(operation) ?? [];
    queue.push({ fault, left: fault.times ?? 1 });
    this.waiting.set(operation, queue);
  }

  take(operation: string): Fault | undefined {
    const queue = this.waiting.get(operation);
    const next = queue?.[0];
    if (!queue || !next) return undefined;
    next.left -= 1;
    if (next.left <= 0) queue.shift();
    if (queue.length === 0) this.waiting.delete(operation);
    return next.fault;
  }

  clear(): void {
    this.waiting.clear();
  }
}
