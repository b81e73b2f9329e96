import type { EntityManager } from 'typeorm';
import { writeAuditEntry } from '../../audit/write-audit-entry.js';
import { addJobs } from '../../jobs/add-jobs.js';
import { EmailError } from './email-error.js';
import type { EmailMessage } from './email-message.js';
import { findEmail } from './list-emails.js';
import { sendingJob } from './sending-job.js';

/**
 * Sends an e-mail again because a person wants it, with the facts of then in the templates of today. One that was sent
 * goes out as a new message, for whoever has received it drops a second one of the same id; one that waits for its next
 * try does not wait any longer. It stays in the audit log under whoever asked.
 * @throws {EmailError} EMAIL_NOT_FOUND
 */
export async function resendEmail(manager: EntityManager, actor: string, id: string): Promise<EmailMessage> {
  const email = await find(manager, id);
  await manager.transaction(async (transaction) => {
    const subject = await lockSubject(transaction, email);
    await transaction.query(
      `UPDATE email_message SET status = 'QUEUED', next_try_at = now(),
         edition = edition + (status = 'SENT')::integer,
         tries = CASE WHEN status = 'QUEUED' THEN tries ELSE 0 END
       WHERE id = $1`,
      [id],
    );
    await addJobs(transaction, [sendingJob(id)]);
    await writeAuditEntry(transaction, {
      subject,
      actor,
      action: 'email.resent',
      before: null,
      after: { email: id, template: email.template },
      reason: null,
    });
  });
  return find(manager, id);
}

/** The order first, as everywhere. Its row, or the endpoint's, also stands for its entries in the audit log. */
async function lockSubject(manager: EntityManager, { order, data }: EmailMessage): Promise<string> {
  if ('notification' in data) {
    const { webhookEventId } = data.notification;
    await manager.query('SELECT FROM webhook_event WHERE id = $1 FOR NO KEY UPDATE', [webhookEventId]);
    return `webhook-event:${webhookEventId}`;
  }
  const [table, subject] =
    'endpoint' in data
      ? (['webhook_endpoint', data.endpoint.reference] as const)
      : (['orders', order!.reference] as const);
  await manager.query(`SELECT FROM ${table} WHERE reference = $1 FOR NO KEY UPDATE`, [subject]);
  return subject;
}

async function find(manager: EntityManager, id: string): Promise<EmailMessage> {
  const email = await findEmail(manager, id);
  if (email) return email;
  throw new EmailError('EMAIL_NOT_FOUND', 'There is no such e-mail.');
}
