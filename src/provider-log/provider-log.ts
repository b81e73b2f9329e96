import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { EntityManager } from 'typeorm';
import type { ProviderCall, ProviderOperation } from '../providers/provider-call.js';
import { insertProviderCalls, type ProviderCallRow, toRow } from './insert-provider-calls.js';

/** Between two rounds. An operator who looks waits no longer than that for the newest call. */
const PAUSE_MILLISECONDS = 250;

/** Redacted at once, in some 10 ms in which nobody else gets a turn, and written by one statement. */
const BATCH = 100;

/** Of those that wait for the database. A call is a few thousand bytes: with all of them, some 20 MB. */
const MOST_WAITING = 5_000;

/** For a database that is away while everything stops. */
const CLOSING_MILLISECONDS = 3_000;

/** Asked every few seconds, and of an answer nothing is left to find out: what it says stands elsewhere. */
const ONLY_KEPT_WHEN_FAILED: ReadonlySet<ProviderOperation> = new Set<ProviderOperation>([
  'listNotifications',
  'readAvailability',
]);

/**
 * Keeps what was said to providers, and what they answered. No payment waits for it: it writes later, and while the
 * database is away, what doesn't fit is dropped.
 */
export class ProviderLog {
  readonly #added: ProviderCall[] = [];
  /** Redacted, and not known to be written. */
  readonly #rows: ProviderCallRow[] = [];
  readonly #timer: NodeJS.Timeout;
  #round: Promise<void> | undefined;
  /** Told once, until a batch is written. */
  #toldFailure = false;
  #toldFull = false;

  constructor(
    private readonly manager: EntityManager,
    private readonly log: Pick<Logger, 'warn' | 'error'>,
    private readonly mostWaiting = MOST_WAITING,
  ) {
    this.#timer = setInterval(() => void this.#wake(), PAUSE_MILLISECONDS);
  }

  /** Cheap, and never throws. */
  add(call: ProviderCall): void {
    if (isNoise(call)) return;
    if (this.#waiting < this.mostWaiting) {
      this.#added.push(call);
    } else if (!this.#toldFull) {
      this.#toldFull = true;
      this.log.warn(
        { waiting: this.#waiting },
        'the provider log is full: calls are dropped until it is written',
      );
    }
  }

  /** Writes what is left, and stops. To be called after everything that calls providers has stopped. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    const endsAt = performance.now() + CLOSING_MILLISECONDS;
    await this.#wake();
    while (this.#waiting > 0 && performance.now() < endsAt) {
      await sleep(PAUSE_MILLISECONDS);
      await this.#wake();
    }
    if (this.#waiting > 0)
      this.log.error({ calls: this.#waiting }, 'the end of the provider log was not written');
  }

  get #waiting(): number {
    return this.#added.length + this.#rows.length;
  }

  #wake(): Promise<void> {
    this.#round ??= this.#write().finally(() => (this.#round = undefined));
    return this.#round;
  }

  async #write(): Promise<void> {
    try {
      while (this.#waiting > 0) {
        this.#rows.push(...this.#added.splice(0, BATCH).flatMap((call) => this.#redacted(call)));
        const batch = this.#rows.slice(0, BATCH);
        await this.#insert(batch);
        this.#rows.splice(0, batch.length);
        this.#toldFailure = this.#toldFull = false;
      }
    } catch (error) {
      // Nothing is lost: the next round tries again.
      if (!this.#toldFailure)
        this.log.warn({ err: error }, 'the provider log could not be written; it is tried again');
      this.#toldFailure = true;
    }
  }

  /** What the database refuses by itself is found by halves, and dropped: it must not hold up the others. */
  async #insert(rows: readonly ProviderCallRow[]): Promise<void> {
    try {
      await insertProviderCalls(this.manager, rows);
    } catch (error) {
      if (!isFaultOfData(error)) throw error;
      if (rows.length === 1) {
        const { provider, operation } = rows[0]!;
        this.log.error({ err: error, provider, operation }, 'a call of a provider could not be kept');
        return;
      }
      const half = Math.ceil(rows.length / 2);
      await this.#insert(rows.slice(0, half));
      await this.#insert(rows.slice(half));
    }
  }

  #redacted(call: ProviderCall): ProviderCallRow[] {
    try {
      return [toRow(call)];
    } catch (error) {
      const { provider, operation } = call;
      this.log.error(
        { err: error, provider, operation },
        'a call of a provider could not be redacted, nor kept',
      );
      return [];
    }
  }
}

/** Nothing went wrong, and either nobody was asked (the answer was known) or it is one of those. */
function isNoise({ outcome, operation, exchanges }: ProviderCall): boolean {
  return outcome === 'OK' && (exchanges.length === 0 || ONLY_KEPT_WHEN_FAILED.has(operation));
}

/** Classes 22 and 23 of the SQLSTATE codes: the values are at fault, and would be another time. */
function isFaultOfData(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^2[23]/.test(String(error.code));
}
