/** The double's own time: the real one, and what was played forward. */
export class Clock {
  readonly #realNow: () => Date;
  #aheadMilliseconds = 0;

  constructor(realNow: () => Date) {
    this.#realNow = realNow;
  }

  now(): Date {
    return new Date(this.#realNow().getTime() + this.#aheadMilliseconds);
  }

  /** @throws {RangeError} for what would be the past. */
  playForward(milliseconds: number): void {
    if (!(milliseconds >= 0 && Number.isFinite(milliseconds))) {
      throw new RangeError('milliseconds must be 0 or more');
    }
    this.#aheadMilliseconds += milliseconds;
  }
}
