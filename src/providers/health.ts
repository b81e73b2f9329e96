import type { CircuitStatus } from './circuit.js';
import type { ProviderOperation } from './provider-call.js';
import type { OperatorAvailability } from './provider.js';

/** DOWN: no payment can be begun with it. DEGRADED: something else of it does not work, or not always. */
export type ProviderStatus = 'HEALTHY' | 'DEGRADED' | 'DOWN';

export interface OperationHealth {
  readonly operation: ProviderOperation;
  readonly circuit: CircuitStatus;
  /** When a circuit that is OPEN lets one call through. */
  readonly nextTryAt?: Date;
  /** Calls in a row to which there was no answer. */
  readonly consecutiveFailures: number;
  readonly lastFailureAt?: Date;
  readonly lastFailureCode?: string;
  /** When it last answered anything at all. */
  readonly lastSuccessAt?: Date;
}

export interface ProviderHealth {
  readonly provider: string;
  readonly status: ProviderStatus;
  /** The status. */
  readonly since: Date;
  readonly operations: readonly OperationHealth[];
  /** As last heard; empty where the provider doesn't say. */
  readonly operators: readonly OperatorAvailability[];
}

/** Without these no payment begins. */
const BEGINNING: ReadonlySet<ProviderOperation> = new Set<ProviderOperation>(['initiate', 'reserve']);

/** One failure is nothing; two in a row may be the beginning of something. */
const WORRYING_FAILURES = 2;

/** How this node finds each provider: what came of its calls, and what the provider says itself of its operators. */
export class ProvidersHealth {
  readonly #providers = new Map<string, ProviderHealth>();
  readonly #listeners = new Set<(health: ProviderHealth) => void>();
  readonly #now: () => Date;

  constructor(now: () => Date = () => new Date()) {
    this.#now = now;
  }

  /** In the order in which they were added. */
  all(): ProviderHealth[] {
    return [...this.#providers.values()];
  }

  of(provider: string): ProviderHealth | undefined {
    return this.#providers.get(provider);
  }

  /**
   * Whether a payment may be begun with it. Once the pause of an open circuit is over it may, so that somebody tries;
   * while somebody does, others may not.
   */
  isTaking(provider: string): boolean {
    const beginning = this.of(provider)?.operations.filter(({ operation }) => BEGINNING.has(operation)) ?? [];
    return beginning.every(
      ({ circuit, nextTryAt }) =>
        circuit === 'CLOSED' || (nextTryAt !== undefined && nextTryAt <= this.#now()),
    );
  }

  operatorsOf(provider: string): readonly OperatorAvailability[] {
    return this.of(provider)?.operators ?? [];
  }

  /**
   * @param listener told when something changed that an operator would see: a status, a circuit, an operator. It must
   * not throw.
   * @returns how to stop it.
   */
  onChange(listener: (health: ProviderHealth) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  add(provider: string, operations: readonly ProviderOperation[]): void {
    this.#providers.set(provider, {
      provider,
      status: 'HEALTHY',
      since: this.#now(),
      operations: operations.map((operation) => ({ operation, circuit: 'CLOSED', consecutiveFailures: 0 })),
      operators: [],
    });
  }

  /** One that was taken out of the configuration while something of it is not finished. @returns whether that is new. */
  addMissing(provider: string): boolean {
    if (this.#providers.has(provider)) return false;
    const missing = { provider, status: 'DOWN', since: this.#now(), operations: [], operators: [] } as const;
    this.#providers.set(provider, missing);
    for (const listener of this.#listeners) listener(missing);
    return true;
  }

  noteAnswer(provider: string, operation: ProviderOperation): void {
    this.#change(provider, operation, () => ({ consecutiveFailures: 0, lastSuccessAt: this.#now() }));
  }

  noteFailure(provider: string, operation: ProviderOperation, code: string): void {
    this.#change(provider, operation, ({ consecutiveFailures }) => ({
      consecutiveFailures: consecutiveFailures + 1,
      lastFailureAt: this.#now(),
      lastFailureCode: code,
    }));
  }

  noteCircuit(
    provider: string,
    operation: ProviderOperation,
    circuit: CircuitStatus,
    nextTryAt: Date | undefined,
  ): void {
    this.#change(provider, operation, () => ({ circuit, nextTryAt }));
  }

  setOperators(provider: string, operators: readonly OperatorAvailability[]): void {
    const before = this.of(provider);
    if (before) this.#set(before, { ...before, operators });
  }

  #change(
    provider: string,
    operation: ProviderOperation,
    change: (before: OperationHealth) => Partial<OperationHealth>,
  ): void {
    const before = this.of(provider);
    if (!before) return;
    const operations = before.operations.map((one) =>
      one.operation === operation ? { ...one, ...change(one) } : one,
    );
    this.#set(before, { ...before, operations });
  }

  #set(before: ProviderHealth, changed: ProviderHealth): void {
    const status = statusOf(changed);
    const since = status === before.status ? before.since : this.#now();
    const after = { ...changed, status, since };
    this.#providers.set(after.provider, after);
    if (!isVisiblyOther(before, after)) return;
    for (const listener of this.#listeners) listener(after);
  }
}

/** A circuit that lets one call through is not closed yet: what it was is what it stays until that call has ended. */
function statusOf({ operations, operators }: ProviderHealth): ProviderStatus {
  const notClosed = operations.filter(({ circuit }) => circuit !== 'CLOSED');
  if (notClosed.some(({ operation }) => BEGINNING.has(operation))) return 'DOWN';
  const isWorrying = operations.some(
    ({ operation, consecutiveFailures }) =>
      BEGINNING.has(operation) && consecutiveFailures >= WORRYING_FAILURES,
  );
  const isOpen = operators.every(({ status }) => status === 'OPEN');
  return notClosed.length > 0 || isWorrying || !isOpen ? 'DEGRADED' : 'HEALTHY';
}

function isVisiblyOther(before: ProviderHealth, after: ProviderHealth): boolean {
  return (
    before.status !== after.status ||
    before.operations.some(({ circuit }, index) => circuit !== after.operations[index]?.circuit) ||
    (before.operators !== after.operators &&
      JSON.stringify(before.operators) !== JSON.stringify(after.operators))
  );
}
