import type { DataSource, EntityManager } from 'typeorm';
import type { Logger } from 'pino';
import { run, statement } from '../database/statement.js';

/** An outbox event on its way out. */
export interface TellableEvent {
  readonly id: number;
  readonly topic: string;
  readonly key: string;
  readonly version: number;
  readonly payload: object;
}

/**
 * What else events cause: rows and jobs, written in the transaction that marks the events as told. So each event causes
 * it exactly once, whatever crashes.
 */
export type Consequence = (manager: EntityManager, events: readonly TellableEvent[]) => Promise<void>;

export interface Relay {
  /** There is something to tell. Cheap: while a round is under way, any number of calls is one more round. */
  wake(): void;
  /** Tells what is written so far, and stops. */
  stop(): Promise<void>;
}

/** Events written by a process that died, or by another one, are found by looking this often. */
const POLL_MILLISECONDS = 1_000;

const BATCH = 500;

const UNTOLD = statement<TellableEvent>(
  'untold_outbox_events',
  `SELECT id, topic, key, version, payload FROM outbox_event WHERE told_at IS NULL ORDER BY id LIMIT ${BATCH}`,
);

const MARK_TOLD = statement<{ id: number }>(
  'mark_outbox_events_told',
  'UPDATE outbox_event SET told_at = now() WHERE id = ANY($1) AND told_at IS NULL RETURNING id',
);

/**
 * Tells the world what was committed. An event is marked after it was told, so a crash in between tells it twice and
 * never not at all; listeners drop what they have seen, by its version.
 */
export function startRelay(
  dataSource: DataSource,
  tell: (event: TellableEvent) => void,
  consequences: readonly Consequence[],
  log: Logger,
): Relay {
  let wanted = false;
  let stopped = false;
  let round: Promise<void> | null = null;

  const goOn = async (): Promise<void> => {
    while (wanted) {
      wanted = false;
      try {
        if (await tellBatch(dataSource, tell, consequences)) wanted = true;
      } catch (error) {
        // The next poll tries again: nothing was marked, so nothing is lost.
        log.error({ err: error }, 'the relay could not tell; it tries again in a moment');
      }
    }
  };

  const wake = (): void => {
    wanted = true;
    round ??= goOn().finally(() => {
      round = null;
      if (wanted && !stopped) wake();
    });
  };

  const poll = setInterval(wake, POLL_MILLISECONDS);
  wake();
  return {
    wake: () => {
      if (!stopped) wake();
    },
    async stop() {
      stopped = true;
      clearInterval(poll);
      wake();
      await round;
    },
  };
}

/** @returns whether there may be more. */
async function tellBatch(
  dataSource: DataSource,
  tell: (event: TellableEvent) => void,
  consequences: readonly Consequence[],
): Promise<boolean> {
  const events = await run(dataSource.manager, UNTOLD, []);
  if (events.length === 0) return false;
  // Watchers first: nothing that is written keeps them waiting.
  for (const event of events) tell(event);
  await markTold(dataSource, events, consequences);
  return events.length === BATCH;
}

/** Of several nodes that have told the same event, the first one writes what it causes. */
async function markTold(
  dataSource: DataSource,
  events: readonly TellableEvent[],
  consequences: readonly Consequence[],
): Promise<void> {
  const ids = events.map(({ id }) => id);
  if (consequences.length === 0) {
    await run(dataSource.manager, MARK_TOLD, [ids]);
    return;
  }
  await dataSource.transaction(async (manager) => {
    const marked = new Set((await run(manager, MARK_TOLD, [ids])).map(({ id }) => Number(id)));
    const mine = events.filter(({ id }) => marked.has(Number(id)));
    for (const consequence of consequences) await consequence(manager, mine);
  });
}
