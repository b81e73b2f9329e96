import type { EntityManager } from 'typeorm';
import { writeAuditEntry } from '../audit/write-audit-entry.js';

/** Whoever asks for a token can act as the payer, so it stays in the audit log who did. */
export async function recordNewOrderToken(
  manager: EntityManager,
  reference: string,
  actor: string,
): Promise<void> {
  await manager.transaction(async (transaction) => {
    await transaction.query('SELECT 1 FROM orders WHERE reference = $1 FOR NO KEY UPDATE', [reference]);
    const entry = { subject: reference, actor, before: null, after: null, reason: null };
    await writeAuditEntry(transaction, { ...entry, action: 'order.token_created' });
  });
}
