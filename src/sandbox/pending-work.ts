/** What the double still has to do by itself: deliveries, retries, things that happen later. Knows when all is done, and can be stopped. */
export class PendingWork {
  private readonly timers = new Set<NodeJS.Timeout>();
  private pieces = 0;
  private waiting: (() => void)[] = [];
  private stopped = false;

  /** Does it after a while; never once stopped. */
  later(milliseconds: number, work: () => void): void {
    if (this.stopped) return;
    const finish = this.begin();
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      try {
        work();
      } finally {
        finish();
      }
    }, milliseconds);
    this.timers.add(timer);
  }

  /** Counts as one piece of work until the function that it returns is called. */
  begin(): () => void {
    this.pieces += 1;
    let finished = false;
    return () => {
      if (finished || this.stopped) return;
      finished = true;
      this.pieces -= 1;
      this.wakeIfDone();
    };
  }

  get count(): number {
    return this.pieces;
  }

  settled(): Promise<void> {
    if (this.pieces === 0) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  stop(): void {
    this.stopped = true;
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    this.pieces = 0;
    this.wakeIfDone();
  }

  private wakeIfDone(): void {
    if (this.pieces > 0) return;
    const waiting = this.waiting;
    this.waiting = [];
    for (const wake of waiting) wake();
  }
}
