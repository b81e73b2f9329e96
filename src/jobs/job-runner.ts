import { Logger as WorkerLogger, run, type Task as WorkerTask } from 'graphile-worker';
import pg from 'pg';
import type { Logger } from 'pino';

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

/** Jobs are announced by the database; one whose announcement was lost is found by looking this often. */
const POLL_MILLISECONDS = 2_000;

/** Beside one connection for each job: to listen, and to take jobs. */
const MORE_CONNECTIONS = 2;

/**
 * Graphile Worker: jobs are rows in our own database, added in the transaction of what causes them. A job that fails is
 * tried again after e, e², e³ … seconds; after its last try it stays as it is, and operators are alerted.
 */
export async function startJobRunner(options: JobRunnerOptions): Promise<JobRunner> {
  const { databaseUrl, tasks, concurrency, log } = options;
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: concurrency + MORE_CONNECTIONS,
    application_name: 'quittance jobs',
  });
  pool.on('error', (error) => log.warn({ err: error }, 'a connection of the job runner was lost'));
  const runner = await run({
    pgPool: pool,
    concurrency,
    pollInterval: POLL_MILLISECONDS,
    // Whoever has started us tells us when to stop.
    noHandleSignals: true,
    taskList: Object.fromEntries(tasks.map((task) => [task.name, asWorkerTask(task)])),
    logger: workerLogger(log),
  });
  runner.events.on('job:failed', ({ job, error }) => {
    log.error(
      { err: error, job: job.id, task: job.task_identifier, tries: job.attempts },
      'a job was parked after its last try: a person has to look at it',
    );
  });
  let stopping: Promise<void> | undefined;
  return {
    stop: () => (stopping ??= runner.stop().then(() => pool.end())),
  };
}

function asWorkerTask(task: Task): WorkerTask {
  return (payload, helpers) => task.run(payload, helpers.abortSignal ?? new AbortController().signal);
}

/** Of its words for a level, those that somebody should read. */
const LEVELS: Readonly<Record<string, 'error' | 'warn'>> = { error: 'error', warning: 'warn' };

function workerLogger(log: Logger): WorkerLogger {
  return new WorkerLogger(() => (level, message, meta) => {
    const fields = { meta };
    log[LEVELS[level] ?? 'debug'](fields, message);
  });
}
