import type { EntityManager } from 'typeorm';
import { writeAuditEntry } from '../audit/write-audit-entry.js';
import { JobError } from './job-error.js';
import type { Job, JobStatus } from './job-types.js';

const STATUS = `CASE WHEN locked_at IS NOT NULL THEN 'RUNNING'
  WHEN attempts >= max_attempts THEN 'PARKED' WHEN attempts > 0 THEN 'FAILING' ELSE 'WAITING' END`;

const COLUMNS = `id::text, task_identifier AS task, ${STATUS} AS status, attempts AS tries,
  max_attempts AS "maxTries", last_error AS "lastError", run_at AS "runAt", created_at AS "createdAt"`;

/** The newest first. */
export function listJobs(
  manager: EntityManager,
  { status, task, first }: { readonly status?: JobStatus; readonly task?: string; readonly first: number },
): Promise<Job[]> {
  return manager.query<Job[]>(
    `SELECT ${COLUMNS} FROM graphile_worker.jobs
     WHERE ($1::text IS NULL OR ${STATUS} = $1) AND ($2::text IS NULL OR task_identifier = $2)
     ORDER BY id DESC LIMIT $3`,
    [status ?? null, task ?? null, first],
  );
}

/** Tries a job anew, as if it had never failed. It stays in the audit log. @throws {JobError} JOB_NOT_FOUND */
export function retryJob(manager: EntityManager, actor: string, id: string): Promise<Job> {
  return manager.transaction(async (transaction) => {
    const [before] = /^\d{1,18}$/.test(id)
      ? await transaction.query<Job[]>(
          `SELECT ${COLUMNS} FROM graphile_worker.jobs WHERE id = $1 AND locked_at IS NULL`,
          [id],
        )
      : [];
    // One that runs is not to be tried beside itself.
    if (!before) throw new JobError('JOB_NOT_FOUND', 'There is no such job, or it is running or done.');
    const [rescheduled] = await transaction.query<Pick<Job, 'runAt'>[]>(
      `SELECT run_at AS "runAt"
       FROM graphile_worker.reschedule_jobs(ARRAY[$1]::bigint[], run_at := now(), attempts := 0)`,
      [id],
    );
    const after = { ...before, ...rescheduled, status: 'WAITING' as const, tries: 0 };
    const entry = { actor, action: 'job.retried', before, after, reason: null };
    await writeAuditEntry(transaction, { ...entry, subject: `job:${id}` });
    return after;
  });
}
