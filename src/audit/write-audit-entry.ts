import type { EntityManager } from 'typeorm';
import type { NewAuditEntry } from './audit-entry.js';

/**
 * Writes down an act that no change of a payment carries.
 * @param manager of a transaction that holds the row of the subject: each entry is chained to the one before, so two of
 * one subject must not be written at once.
 */
export async function writeAuditEntry(
  manager: EntityManager,
  { subject, actor, action, before, after, reason }: NewAuditEntry,
): Promise<void> {
  await manager.query(
    `INSERT INTO audit_log (subject, actor, action, before, after, reason) VALUES ($1, $2, $3, $4, $5, $6)`,
    [subject, actor, action, asJson(before), asJson(after), reason],
  );
}

function asJson(value: object | null): string | null {
  return value && JSON.stringify(value);
}
