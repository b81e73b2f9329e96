/**
 * An answer that holds for a while. Whoever wants it while it is being fetched waits for that same fetch. A failure is
 * not kept: the next one who wants the answer fetches again.
 */
export class KeptAnswer<Answer> {
  readonly #fetchAnswer: () => Promise<Answer>;
  readonly #now: () => number;
  #kept: { readonly answer: Answer; readonly asOf: number } | undefined;
  #underWay: Promise<Answer> | undefined;

  /** @param now in milliseconds. */
  constructor(fetchAnswer: () => Promise<Answer>, now: () => number = () => performance.now()) {
    this.#fetchAnswer = fetchAnswer;
    this.#now = now;
  }

  /** @throws what the fetch throws. */
  async read(oldestMilliseconds: number): Promise<Answer> {
    if (this.#kept && this.#now() - this.#kept.asOf <= oldestMilliseconds) return this.#kept.answer;
    this.#underWay ??= this.#fetch().finally(() => (this.#underWay = undefined));
    return this.#underWay;
  }

  async #fetch(): Promise<Answer> {
    const asOf = this.#now();
    const answer = await this.#fetchAnswer();
    this.#kept = { answer, asOf };
    return answer;
  }
}
