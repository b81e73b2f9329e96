import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { startWorkers, type Workers } from './graphile-workers.js';

/** What the runner can do: one kind of job. */
export interface Task {
  readonly name: string;
  /** Throws to be tried again, with growing pauses. It may run more often than once, whatever it does. */
  run(payload: unknown, signal: AbortSignal): Promise<void>;
}

export interface JobRunner {
  /** Lets the jobs under way finish, and takes no others. What can't finish soon is taken up by whoever comes next. */
  stop(): Promise<void>;
}

export interface JobRunnerOptions {
  readonly databaseUrl: string;
  readonly tasks: readonly Task[];
  /** How many run side by side. */
  readonly concurrency: number;
  readonly log: Logger;
}

const PAUSE_MILLISECONDS = 1_000;

/**
 * Graphile Worker: jobs are rows in our own database, added in the transaction of what causes them. A job that fails is
 * tried again after e, e², e³ … seconds; after its last try it stays as it is, and operators are alerted.
 *
 * A worker of Graphile's that loses the database while it takes or does a job may never do another: so all of them are
 * begun anew then, and what they had locked is free.
 */
export async function startJobRunner(options: JobRunnerOptions): Promise<JobRunner> {
  const stopping = new AbortController();
  const stopped = new Promise<void>((resolve) =>
    stopping.signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  let workers: Workers | null = await startWorkers(options, []);
  const watch = async (): Promise<void> => {
    while (workers) {
      await Promise.race([workers.lost, stopped]);
      await stopQuietly(workers, options.log);
      workers = await replace(workers, options, stopping.signal);
    }
  };
  const watched = watch();
  return {
    stop() {
      stopping.abort();
      return watched;
    },
  };
}

/** @returns null once nobody wants them any more. */
async function replace(
  { ids }: Workers,
  options: JobRunnerOptions,
  stopping: AbortSignal,
): Promise<Workers | null> {
  for (;;) {
    // Aborted: then it ends. Without a pause, what fails each time would be begun anew without end.
    await sleep(PAUSE_MILLISECONDS, undefined, { signal: stopping }).catch(() => undefined);
    if (stopping.aborted) return null;
    try {
      const workers = await startWorkers(options, ids);
      options.log.warn('the job runner had lost the database, and goes on');
      return workers;
    } catch (error) {
      options.log.warn(
        { why: String(error) },
        `jobs wait for the database; next try in ${PAUSE_MILLISECONDS} ms`,
      );
    }
  }
}

/** Without a database they may not be able to say what they leave behind: their jobs are freed later. */
async function stopQuietly(workers: Workers, log: Logger): Promise<void> {
  try {
    await workers.stop();
  } catch (error) {
    log.warn({ why: String(error) }, 'workers could not give back their jobs');
  }
}
