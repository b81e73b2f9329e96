import { MoreThan, type EntityManager } from 'typeorm';
import { AuditCheckpoint, headOf } from './audit-checkpoint.js';
import type { AuditFault } from './audit-faults.js';
import type { CheckpointKey } from './checkpoint-key.js';
import { digestEntries } from './digest-entries.js';
import type { LoggedCheckpoint } from './logged-checkpoints.js';

export interface CheckedCheckpoints {
  readonly checked: number;
  readonly faults: readonly AuditFault[];
  /** What a person should know though it is no fault. */
  readonly notes: readonly string[];
}

const PAGE = 1_000;

/** A running server signs each minute. */
const UNSIGNED_MINUTES = 10;

/**
 * Checks that the entries are those that were signed. A signature also covers all checkpoints before its own, so one by a
 * known key vouches for those of keys that are not known any more.
 * @param keys the present one first. @param logged checkpoints that are known from elsewhere.
 */
export async function checkCheckpoints(
  manager: EntityManager,
  keys: readonly CheckpointKey[],
  logged: readonly LoggedCheckpoint[],
): Promise<CheckedCheckpoints> {
  const check = new Check(manager, keys, logged);
  for (;;) {
    const after = check.newest?.number ?? 0;
    const page = await manager.find(AuditCheckpoint, {
      where: { number: MoreThan(after) },
      order: { number: 'ASC' },
      take: PAGE,
    });
    for (const checkpoint of page) await check.add(checkpoint);
    if (page.length < PAGE) return check.end();
  }
}

class Check {
  newest: AuditCheckpoint | null = null;
  private checked = 0;
  private lastProven = 0;
  private readonly unknown: AuditCheckpoint[] = [];
  private readonly faults: AuditFault[] = [];
  private readonly notes: string[] = [];
  private readonly keys: ReadonlyMap<string, CheckpointKey>;
  private readonly logged: ReadonlyMap<number, ReadonlySet<string>>;

  constructor(
    private readonly manager: EntityManager,
    keys: readonly CheckpointKey[],
    logged: readonly LoggedCheckpoint[],
  ) {
    this.keys = new Map(keys.map((key) => [key.id, key]));
    const macs = new Map<number, Set<string>>();
    for (const { number, mac } of logged) macs.set(number, (macs.get(number) ?? new Set()).add(mac));
    this.logged = macs;
  }

  async add(checkpoint: AuditCheckpoint): Promise<void> {
    const { number, lastEntryId, entries, digest, head, mac } = checkpoint;
    const {
      number: before = 0,
      lastEntryId: afterId = 0,
      entries: known = 0,
      head: previousHead = '',
    } = this.newest ?? {};
    if (number !== before + 1) this.fault(number, 'is there, and the one before it is missing');
    const found = await digestEntries(this.manager, afterId, lastEntryId);
    if (found.count !== entries - known || found.digest !== digest) {
      const [from, to, signed] = [afterId + 1, lastEntryId, entries - known];
      this.fault(
        number,
        `the entries with the ids ${from} to ${to} are not those that were signed: ${found.count} are there, and were ${signed}`,
      );
    }
    if (headOf(previousHead, checkpoint) !== head) this.fault(number, 'was altered, or the one before it');
    const key = this.keys.get(checkpoint.keyId);
    if (!key) this.unknown.push(checkpoint);
    else if (key.hasSigned(head, mac)) this.lastProven = number;
    else this.fault(number, 'was not signed with our secret: it was forged or altered');
    const macs = this.logged.get(number);
    if (macs && (macs.size > 1 || !macs.has(mac))) this.fault(number, 'is another one than in the log');
    this.newest = checkpoint;
    this.checked += 1;
  }

  async end(): Promise<CheckedCheckpoints> {
    this.judgeUnknownKeys();
    const last = this.newest?.number ?? 0;
    const gone = Math.max(0, ...this.logged.keys());
    if (gone > last) {
      this.fault(gone, `is in the log and not here: the newest checkpoints were removed, down to ${last}`);
    }
    await this.judgeUnsigned();
    return { checked: this.checked, faults: this.faults, notes: this.notes };
  }

  private judgeUnknownKeys(): void {
    const proven = this.unknown.filter(({ number }) => number < this.lastProven);
    const [first, last] = [proven[0], proven.at(-1)];
    if (first && last) {
      this.notes.push(
        `Checkpoints ${first.number} to ${last.number} hold signatures by another QUITTANCE_SECRET (key ${last.keyId}); ` +
          `checkpoint ${this.lastProven} vouches for them. FORMER_QUITTANCE_SECRETS checks them themselves.`,
      );
    }
    const unproven = this.unknown.at(-1);
    if (unproven && unproven.number > this.lastProven) {
      this.fault(
        unproven.number,
        `was signed with a secret that is not given (key ${unproven.keyId}): was QUITTANCE_SECRET changed? ` +
          'Give the earlier ones in FORMER_QUITTANCE_SECRETS, or start the server, which signs with the new one',
      );
    }
  }

  private async judgeUnsigned(): Promise<void> {
    const [unsigned] = await this.manager.query<{ count: number; old: boolean | null }[]>(
      `SELECT count(*)::integer AS count, min(created_at) < now() - make_interval(mins => $2) AS old
       FROM audit_log WHERE id > $1`,
      [this.newest?.lastEntryId ?? 0, UNSIGNED_MINUTES],
    );
    if (!unsigned || unsigned.count === 0) return;
    const words = `${unsigned.count} of the newest entries are not signed yet`;
    // Somebody who takes away checkpoints leaves entries that are older than a minute and signed by none.
    if (unsigned.old) this.fault(null, `${words}, and are old: a running server signs each minute`);
    else this.notes.push(`${words}: the server signs each minute.`);
  }

  private fault(number: number | null, fault: string): void {
    const subject = number === null ? 'checkpoints' : `checkpoint ${number}`;
    this.faults.push({ subject, position: null, fault });
  }
}
