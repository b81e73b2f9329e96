import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { EntityManager } from 'typeorm';
import { AuditCheckpoint, headOf } from './audit-checkpoint.js';
import type { CheckpointKey } from './checkpoint-key.js';
import { digestEntries } from './digest-entries.js';

/** "auditchk" in ASCII, as a signed 64-bit integer: of several nodes, one writes at a time. */
const CHECKPOINT_LOCK = '7022629598041172075';

/** For a transaction of one that writes into the log. If it takes longer, the next round comes by. */
const WAIT_FOR_WRITERS_MILLISECONDS = 10_000;
const POLL_MILLISECONDS = 100;

/** Of one checkpoint: a fault is found within so many, and the transaction stays short. */
const MAX_ENTRIES = 10_000;

/**
 * Signs how the audit log stands, into the database and into our own log: kept elsewhere, that log also proves that the
 * newest entries were not cut off together with their checkpoints. Several nodes may do so.
 */
export class CheckpointWriter {
  /** The newest that this process has seen: if it isn't there any more, somebody took it away. */
  private seen: Pick<AuditCheckpoint, 'number' | 'mac'> | null = null;

  constructor(
    private readonly manager: EntityManager,
    private readonly key: CheckpointKey,
    private readonly log: Logger,
    private readonly maxEntries = MAX_ENTRIES,
  ) {}

  /** Covers everything that was committed when it began. */
  async write(): Promise<void> {
    const lastId = await lastSettledEntry(this.manager);
    if (lastId === null) return;
    for (;;) {
      const written = await this.manager.transaction((transaction) => this.writeNext(transaction, lastId));
      if (!written) return;
      const { number, keyId, lastEntryId, entries, mac } = written;
      this.seen = { number, mac };
      this.log.info(
        { auditCheckpoint: { number, keyId, lastEntryId, entries, mac } },
        'the audit log was signed',
      );
    }
  }

  private async writeNext(manager: EntityManager, lastId: number): Promise<AuditCheckpoint | null> {
    const [lock] = await manager.query<{ ours: boolean }[]>(
      'SELECT pg_try_advisory_xact_lock($1::bigint) AS ours',
      [CHECKPOINT_LOCK],
    );
    if (!lock?.ours) return null;
    const previous = await newestCheckpoint(manager);
    await this.alertOfAltered(manager, previous);
    const { lastEntryId: afterId = 0, head: previousHead = '', entries: before = 0 } = previous ?? {};
    if (lastId <= afterId) return null;
    const { count, digest, lastId: reached } = await digestEntries(manager, afterId, lastId, this.maxEntries);
    if (reached === null) return null;
    const [clock] = await manager.query<{ now: Date }[]>('SELECT now()');
    const said = {
      number: (previous?.number ?? 0) + 1,
      keyId: this.key.id,
      lastEntryId: reached,
      entries: before + count,
      digest,
      createdAt: clock!.now,
    };
    const head = headOf(previousHead, said);
    const checkpoint = { ...said, head, mac: this.key.sign(head) };
    await manager.insert(AuditCheckpoint, checkpoint);
    return checkpoint;
  }

  /** What can be seen at no cost; all of it is found by `npm run audit:verify`. */
  private async alertOfAltered(manager: EntityManager, newest: AuditCheckpoint | null): Promise<void> {
    const why = await whatWasAltered(manager, this.key, this.seen, newest);
    this.seen = newest && { number: newest.number, mac: newest.mac };
    if (why === null) return;
    this.log.error(
      { checkpoint: newest?.number ?? null },
      `${why}: run "npm run audit:verify -- --log" with a log that was kept elsewhere`,
    );
  }
}

/** @returns what is wrong, in words; null when nothing is. */
async function whatWasAltered(
  manager: EntityManager,
  key: CheckpointKey,
  seen: Pick<AuditCheckpoint, 'number' | 'mac'> | null,
  newest: AuditCheckpoint | null,
): Promise<string | null> {
  // Said once, and not each minute: what was seen is what this process has judged already.
  if (seen !== null && seen.number === newest?.number && seen.mac === newest.mac) {
    return (await isEntryThere(manager, newest)) ? null : ENTRIES_GONE;
  }
  if (seen !== null && !(await manager.existsBy(AuditCheckpoint, { ...seen }))) {
    return 'a checkpoint of the audit log was removed or exchanged';
  }
  if (newest === null) return null;
  if (newest.keyId === key.id && !key.hasSigned(newest.head, newest.mac)) {
    return 'the newest checkpoint of the audit log was not signed by us';
  }
  return (await isEntryThere(manager, newest)) ? null : ENTRIES_GONE;
}

const ENTRIES_GONE = 'the newest entry of the audit log that was signed is not there any more';

async function isEntryThere(manager: EntityManager, { lastEntryId }: AuditCheckpoint): Promise<boolean> {
  const found = await manager.query<unknown[]>('SELECT 1 FROM audit_log WHERE id = $1', [lastEntryId]);
  return found.length > 0;
}

export async function newestCheckpoint(manager: EntityManager): Promise<AuditCheckpoint | null> {
  const [newest] = await manager.find(AuditCheckpoint, { order: { number: 'DESC' }, take: 1 });
  return newest ?? null;
}

/**
 * The newest entry before which none can appear any more. Ids are drawn in order and committed in any: whoever has drawn a
 * lower one holds the table's lock of writers until their transaction ends.
 */
async function lastSettledEntry(manager: EntityManager): Promise<number | null> {
  const [newest] = await manager.query<{ id: number | null }[]>('SELECT max(id) AS id FROM audit_log');
  if (!newest || newest.id === null) return null;
  const before = await writers(manager);
  const deadline = Date.now() + WAIT_FOR_WRITERS_MILLISECONDS;
  for (let left = before; left.size > 0; left = common(before, await writers(manager))) {
    if (Date.now() > deadline) return null;
    await sleep(POLL_MILLISECONDS);
  }
  return newest.id;
}

async function writers(manager: EntityManager): Promise<ReadonlySet<string>> {
  const found = await manager.query<{ writer: string }[]>(`
    SELECT virtualtransaction AS writer FROM pg_locks
    WHERE locktype = 'relation' AND relation = 'audit_log'::regclass AND mode = 'RowExclusiveLock'
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`);
  return new Set(found.map(({ writer }) => writer));
}

function common(some: ReadonlySet<string>, others: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...some].filter((one) => others.has(one)));
}
