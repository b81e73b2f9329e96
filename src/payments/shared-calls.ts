/** Calls under way in this process, by what they are about: whoever needs the same answer waits for it. */
export class SharedCalls<Answer> {
  readonly #calls = new Map<string, Promise<Answer>>();

  /** Waits for the call that is under way, or else begins one. @throws what the call throws, to all who wait for it. */
  join(key: string, begin: () => Promise<Answer>): Promise<Answer> {
    const others = this.#calls.get(key);
    if (others) return others;
    const call = begin().finally(() => this.#calls.delete(key));
    this.#calls.set(key, call);
    return call;
  }

  /** The call that is under way, if there is one. */
  find(key: string): Promise<Answer> | undefined {
    return this.#calls.get(key);
  }
}
