/** What goes wrong on purpose: the faults that wait for their request, in order, for each operation. */
export class FaultPlan<Operation extends string, Fault> {
  readonly #planned = new Map<Operation, Fault[]>();

  add(operation: Operation, fault: Fault, times: number): void {
    const planned = this.#planned.get(operation) ?? [];
    this.#planned.set(operation, [...planned, ...Array.from({ length: times }, () => fault)]);
  }

  take(operation: Operation): Fault | undefined {
    return this.#planned.get(operation)?.shift();
  }

  clear(): void {
    this.#planned.clear();
  }
}
