export const BANK_OPERATIONS = ['createPayment', 'getPayment', 'findPayments', 'cancelPayment'] as const;

export type BankOperation = (typeof BANK_OPERATIONS)[number];

/** How the next request is answered instead of well. */
export type Fault = {
  /** true: the work is done first, and only the answer goes wrong: the money may have moved. */
  readonly afterDoing?: boolean;
} & (
  | { readonly kind: 'status'; readonly status: number; readonly body?: string }
  /** No answer, and the connection stays open. */
  | { readonly kind: 'hang' }
  /** The connection is reset. */
  | { readonly kind: 'close' }
);

/** The faults that wait for their request, in order, for each operation. */
export class FaultPlan {
  readonly #planned = new Map<BankOperation, Fault[]>();

  add(operation: BankOperation, fault: Fault, times: number): void {
    const planned = this.#planned.get(operation) ?? [];
    this.#planned.set(operation, [...planned, ...Array.from({ length: times }, () => fault)]);
  }

  take(operation: BankOperation): Fault | undefined {
    return this.#planned.get(operation)?.shift();
  }
}
