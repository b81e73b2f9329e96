import { EventEmitter } from 'node:events';
import { Logger as WorkerLogger, run, type Task as WorkerTask, type WorkerEvents } from 'graphile-worker';
import pg from 'pg';
import type { Logger } from 'pino';
import type { JobRunnerOptions, Task } from './job-runner.js';

/** Graphile Worker's workers, from their beginning until they are stopped or one of them is lost. */
export interface Workers {
  /** Resolves once one of them has ended though nobody has stopped it, or could not take a job. */
  readonly lost: Promise<void>;
  /** What their jobs are locked by. */
  readonly ids: readonly string[];
  /** Lets the jobs under way finish, and takes no others. */
  stop(): Promise<void>;
}

/** Jobs are announced by the database; one whose announcement was lost is found by looking this often. */
const POLL_MILLISECONDS = 2_000;

/** Beside one connection for each job: to listen, and to take jobs. */
const MORE_CONNECTIONS = 2;

/** @param dead whose jobs are free again. @throws when the database is not there. */
export async function startWorkers(
  { databaseUrl, tasks, concurrency, log }: JobRunnerOptions,
  dead: readonly string[],
): Promise<Workers> {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: concurrency + MORE_CONNECTIONS,
    application_name: 'quittance jobs',
  });
  // Graphile stops listening at a connection's first error. A second one that nobody hears would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  // Its own words alone: the error carries the whole connection.
  pool.on('error', ({ message }) => log.warn({ why: message }, 'a connection of the job runner was lost'));
  const events: WorkerEvents = new EventEmitter();
  const ids: string[] = [];
  events.on('worker:create', ({ worker }) => ids.push(worker.workerId));
  const lost = new Promise<void>((resolve) => {
    events.on('worker:stop', () => resolve());
    // It would look again, but in vain if it was just learning which tasks there are: Graphile keeps that failure for
    // good. And a job that it took without hearing of it would stay locked for hours.
    events.on('worker:getJob:error', () => resolve());
  });
  try {
    if (dead.length > 0) await pool.query('SELECT graphile_worker.force_unlock_workers($1)', [dead]);
    const runner = await run({
      pgPool: pool,
      concurrency,
      pollInterval: POLL_MILLISECONDS,
      // Whoever has started us tells us when to stop.
      noHandleSignals: true,
      taskList: Object.fromEntries(tasks.map((task) => [task.name, asWorkerTask(task)])),
      logger: workerLogger(log),
      events,
    });
    alertOfParkedJobs(events, log);
    return { lost, ids, stop: () => runner.stop().finally(() => pool.end()) };
  } catch (error) {
    await pool.end();
    throw error;
  }
}

function alertOfParkedJobs(events: WorkerEvents, log: Logger): void {
  events.on('job:failed', ({ job, error }) => {
    log.error(
      { err: error, job: job.id, task: job.task_identifier, tries: job.attempts },
      'a job was parked after its last try: a person has to look at it',
    );
  });
}

function asWorkerTask(task: Task): WorkerTask {
  return (payload, helpers) => task.run(payload, helpers.abortSignal ?? new AbortController().signal);
}

/** Of its words for a level, those that somebody should read. */
const LEVELS: Readonly<Record<string, 'error' | 'warn'>> = { error: 'error', warning: 'warn' };

function workerLogger(log: Logger): WorkerLogger {
  return new WorkerLogger(() => (level, message) => {
    log[LEVELS[level] ?? 'debug'](message);
  });
}
