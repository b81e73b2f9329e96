import type { NewJob } from '../../jobs/add-jobs.js';

export const SEND_EMAIL = 'send_email';

/** The job that says: this one is to be tried. Whether it is, its row says. */
export function sendingJob(emailId: string, runAt?: Date): NewJob {
  return { task: SEND_EMAIL, payload: { emailId }, key: `email:${emailId}`, runAt };
}
