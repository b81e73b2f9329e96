import type { EntityManager } from 'typeorm';
import { run, statement } from '../database/statement.js';

/** Something to be done after the transaction that it is added in, and only if that is committed. */
export interface NewJob {
  /** The name of a task of the runner. */
  readonly task: string;
  readonly payload: object;
  /** A job with the same key that nobody has begun yet is replaced. */
  readonly key?: string;
  /** Not before then. Left out: at once. */
  readonly runAt?: Date;
  /** Then it is parked, and somebody is alerted. */
  readonly maxTries?: number;
  /** Jobs of one queue run one after the other. */
  readonly queue?: string;
}

const ADD_JOBS = statement(
  'add_jobs',
  `SELECT count(*) FROM graphile_worker.add_jobs((
     SELECT array_agg(ROW(task, payload, queue, run_at, max_tries, key, NULL, NULL)::graphile_worker.job_spec)
     FROM jsonb_to_recordset($1) AS job(
       task text, payload json, queue text, run_at timestamptz, max_tries smallint, key text)))`,
);

/** Adds jobs in the transaction of the manager, in one round trip. */
export async function addJobs(manager: EntityManager, jobs: readonly NewJob[]): Promise<void> {
  if (jobs.length === 0) return;
  const rows = jobs.map(({ task, payload, queue, runAt, maxTries, key }) => ({
    task,
    payload,
    queue,
    run_at: runAt,
    max_tries: maxTries,
    key,
  }));
  await run(manager, ADD_JOBS, [JSON.stringify(rows)]);
}
