import type { EntityManager } from 'typeorm';

/** What time it is to the database; in a transaction, when that began. */
export async function databaseNow(manager: EntityManager): Promise<Date> {
  const [clock]: { now: Date }[] = await manager.query('SELECT now() AS now');
  return clock!.now;
}

/**
 * The database's clock without a question for each look at it: this machine's, corrected by how far it was off when both
 * were last compared. To within the time that a question takes.
 */
export class DatabaseClock {
  #offMilliseconds = 0;

  /** @param machine this machine's clock, in milliseconds since 1970. */
  constructor(
    private readonly manager: EntityManager,
    private readonly machine: () => number = Date.now,
  ) {}

  /** Compares both clocks. */
  async compare(): Promise<void> {
    const before = this.machine();
    const now = await databaseNow(this.manager);
    this.#offMilliseconds = now.getTime() - (before + this.machine()) / 2;
  }

  now(): Date {
    return new Date(this.machine() + this.#offMilliseconds);
  }
}
