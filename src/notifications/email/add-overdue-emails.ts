import type { EntityManager } from 'typeorm';
import { run, statement } from '../../database/statement.js';
import { addJobs } from '../../jobs/add-jobs.js';
import { sendingJob } from './sending-job.js';

const BATCH = 500;

/** Its job has come and gone by then, or waits its turn; it does no harm to add it again. */
const OVERDUE_SECONDS = 5;

const OVERDUE = statement<{ id: string }>(
  'overdue_email_messages',
  `SELECT id FROM email_message
   WHERE next_try_at < now() - make_interval(secs => $1) AND (claimed_until IS NULL OR claimed_until < now())
   ORDER BY next_try_at LIMIT ${BATCH}`,
);

/**
 * A job that was killed in mid-work stays locked for hours. The e-mail does not wait for that: it gets a new one.
 * @returns how many.
 */
export async function addOverdueEmails(manager: EntityManager): Promise<number> {
  const overdue = await run(manager, OVERDUE, [OVERDUE_SECONDS]);
  await addJobs(
    manager,
    overdue.map(({ id }) => sendingJob(id)),
  );
  return overdue.length;
}
