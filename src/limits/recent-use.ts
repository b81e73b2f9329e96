/** Of what was used, half is forgotten after so long: a burst counts against its client for some seconds. */
const HALF_LIFE_MILLISECONDS = 2_000;

/** Less is forgotten whole. */
const NEGLIGIBLE = 0.5;

/** How much each client has used of late, by this process's clock. */
export class RecentUse {
  private readonly used = new Map<string, number>();
  private halvedAt = performance.now();

  add(key: string, amount: number): void {
    this.halve();
    this.used.set(key, this.of(key) + amount);
  }

  of(key: string): number {
    return this.used.get(key) ?? 0;
  }

  private halve(): void {
    const now = performance.now();
    if (now - this.halvedAt < HALF_LIFE_MILLISECONDS) return;
    const share = 0.5 ** ((now - this.halvedAt) / HALF_LIFE_MILLISECONDS);
    this.halvedAt = now;
    for (const [key, amount] of this.used) {
      if (amount * share < NEGLIGIBLE) this.used.delete(key);
      else this.used.set(key, amount * share);
    }
  }
}
