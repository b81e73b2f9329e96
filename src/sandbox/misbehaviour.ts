import { checkedShare, seededRandom } from './seeded-random.js';

/** What a sender of notifications does wrong on purpose. Shares are of all notifications, from 0 to 1. */
export interface Misbehaviour {
  /** Sent twice, with the same id. */
  readonly duplicate?: number;
  /** Never sent at all. */
  readonly drop?: number;
  /** Each goes as soon as its own delay is over, whatever of the same subject waits before it. */
  readonly reorder?: boolean;
  /** The longest of the random delays before a first try. 50 unless told when reordering, else 0. */
  readonly delayMilliseconds?: number;
  /** The same seed makes the same choices, in the order in which notifications come. */
  readonly seed?: number;
}

/** Reordering without any delay would reorder nothing. */
const REORDERING_DELAY_MILLISECONDS = 50;

/** The choices of a sender that misbehaves; none of them when nothing is asked of it. */
export class MisbehavingSender {
  readonly reorders: boolean;
  readonly #drop: number;
  readonly #duplicate: number;
  readonly #longestDelay: number;
  readonly #randomForCopies: () => number;
  readonly #randomForDelays: () => number;

  /** @throws {RangeError} for shares and delays that are none. */
  constructor({ duplicate = 0, drop = 0, reorder = false, delayMilliseconds, seed = 1 }: Misbehaviour = {}) {
    this.reorders = reorder;
    this.#drop = checkedShare('drop', drop);
    this.#duplicate = checkedShare('duplicate', duplicate);
    this.#longestDelay = delayMilliseconds ?? (reorder ? REORDERING_DELAY_MILLISECONDS : 0);
    if (!(this.#longestDelay >= 0 && Number.isFinite(this.#longestDelay))) {
      throw new RangeError('delayMilliseconds must be 0 or more');
    }
    // Two sources: how long things take does not change what is lost.
    this.#randomForCopies = seededRandom(seed);
    this.#randomForDelays = seededRandom(seed + 1);
  }

  /** How often the next notification is sent: 0, 1 or 2 times. */
  copies(): number {
    const [dropping, duplicating] = [this.#randomForCopies(), this.#randomForCopies()];
    if (dropping < this.#drop) return 0;
    return duplicating < this.#duplicate ? 2 : 1;
  }

  delayMilliseconds(): number {
    return this.#longestDelay === 0 ? 0 : this.#randomForDelays() * this.#longestDelay;
  }
}
