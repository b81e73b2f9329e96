import { checkedShare, seededRandom } from './seeded-random.js';

export interface FaultsByChance {
  /** Of all requests to the API, from 0 to 1. */
  readonly share: number;
  /** The same seed makes the same choices, in the order in which requests come. */
  readonly seed?: number;
}

/** What goes wrong on purpose: the faults that wait for their request, in order, for each operation; then, by chance, others. */
export class FaultPlan<Operation extends string, Fault> {
  readonly #planned = new Map<Operation, Fault[]>();
  readonly #chanceable: readonly Fault[];
  #chance: { readonly share: number; readonly random: () => number } | undefined;

  /** @param chanceable what may go wrong by chance, each as often as the others. */
  constructor(chanceable: readonly Fault[]) {
    this.#chanceable = chanceable;
  }

  add(operation: Operation, fault: Fault, times: number): void {
    const planned = this.#planned.get(operation) ?? [];
    this.#planned.set(operation, [...planned, ...Array.from({ length: times }, () => fault)]);
  }

  /** From now on, until it is told a share of 0. @throws {RangeError} for what is no share. */
  byChance({ share, seed = 1 }: FaultsByChance): void {
    this.#chance = { share: checkedShare('share', share), random: seededRandom(seed) };
  }

  take(operation: Operation): Fault | undefined {
    return this.#planned.get(operation)?.shift() ?? this.#takeByChance();
  }

  clear(): void {
    this.#planned.clear();
    this.#chance = undefined;
  }

  #takeByChance(): Fault | undefined {
    if (!this.#chance) return undefined;
    const { share, random } = this.#chance;
    const [happening, choosing] = [random(), random()];
    return happening < share ? this.#chanceable[Math.floor(choosing * this.#chanceable.length)] : undefined;
  }
}
