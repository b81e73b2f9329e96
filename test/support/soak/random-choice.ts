import { seededRandom } from '../../../src/sandbox/seeded-random.js';

/** The same choices for the same seed, whatever happens beside them. */
export class RandomChoice {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** An integer, both ends inclusive. */
  integer(from: number, to: number): number {
    return from + Math.floor(this.#random() * (to - from + 1));
  }

  /** One of them, each as often as its weight says. */
  of<Choice>(weighted: readonly (readonly [weight: number, choice: Choice])[]): Choice {
    let left = this.#random() * weighted.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, choice] of weighted) {
      left -= weight;
      if (left < 0) return choice;
    }
    return weighted.at(-1)![1];
  }
}
