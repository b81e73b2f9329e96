import type { EntityManager } from 'typeorm';
import type { Logger } from 'pino';
import { writeAuditEntry } from './write-audit-entry.js';

const WINDOW_MILLISECONDS = 60_000;

/** In one minute. A flood from many addresses is one entry more, and not one for each. */
const MOST_ENTRIES = 50;

interface Refused {
  readonly address: string;
  readonly reason: string;
  times: number;
}

/**
 * Refused tokens and keys, in the audit log: for each address and reason one entry at once, and after a minute one more that says
 * how often it came again. A request doesn't wait for it.
 */
export class RefusedLogIns {
  private window = new Map<string, Refused>();
  private beyond = 0;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly manager: EntityManager,
    private readonly log: Logger,
    /** Reasons that nobody needs to hear of. */
    private readonly passedOver: ReadonlySet<string>,
  ) {}

  /** @param reason why it was refused; it repeats nothing of what was sent. */
  note(address: string, reason: string): void {
    if (this.passedOver.has(reason)) return;
    const key = `${address} ${reason}`;
    const known = this.window.get(key);
    if (known) known.times += 1;
    else if (this.window.size >= MOST_ENTRIES) this.beyond += 1;
    else {
      this.window.set(key, { address, reason, times: 1 });
      this.write(address, { reason, times: 1 });
    }
    this.timer ??= setTimeout(() => this.endWindow(), WINDOW_MILLISECONDS).unref();
  }

  /** Writes what was only counted so far. */
  async close(): Promise<void> {
    clearTimeout(this.timer);
    this.endWindow();
    await this.writing;
  }

  private endWindow(): void {
    for (const { address, reason, times } of this.window.values()) {
      if (times > 1) this.write(address, { reason, times: times - 1 });
    }
    if (this.beyond > 0) this.write('many', { reason: 'from other addresses', times: this.beyond });
    this.window = new Map();
    this.beyond = 0;
    this.timer = undefined;
  }

  /** One after the other: each entry is chained to the one before it. */
  private write(address: string, after: { readonly reason: string; readonly times: number }): void {
    const entry = { subject: `address:${address}`, actor: 'anonymous', before: null, after, reason: null };
    this.writing = this.writing
      .then(() =>
        this.manager.transaction(async (transaction) => {
          // Other nodes may write of the same address.
          await transaction.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [entry.subject]);
          await writeAuditEntry(transaction, { ...entry, action: 'log_in.refused' });
        }),
      )
      .catch((error: unknown) =>
        this.log.warn({ err: error, address }, 'a refused log-in could not be audited'),
      );
  }
}
