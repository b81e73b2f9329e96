/** Counts what each address has open. */
export class OpenSockets {
  private readonly counts = new Map<string, number>();

  /** @param most for each address; 0: any number. */
  constructor(private readonly most: number) {}

  /** @returns whether one more may be opened; if so it is counted until `close`. */
  open(address: string): boolean {
    const count = this.counts.get(address) ?? 0;
    if (this.most > 0 && count >= this.most) return false;
    this.counts.set(address, count + 1);
    return true;
  }

  close(address: string): void {
    const left = (this.counts.get(address) ?? 0) - 1;
    if (left > 0) this.counts.set(address, left);
    else this.counts.delete(address);
  }
}
