import type { EntityManager } from 'typeorm';
import { writeAuditEntry } from '../../audit/write-audit-entry.js';
import type { DisabledReason } from './webhook-endpoint.js';

/** What there is to tell of an endpoint that was disabled just now. */
export interface DisabledEndpoint {
  readonly reference: string;
  readonly url: string;
  readonly reason: DisabledReason;
  /** When it was disabled at the latest. */
  readonly failingSince: Date;
  readonly disabledAt: Date;
}

/**
 * Sends nothing more to an endpoint. What waits for it has failed, and can be replayed once it is enabled again.
 * @param manager of a transaction.
 * @returns null when it was disabled before, or is gone.
 */
export async function disableEndpoint(
  manager: EntityManager,
  endpointId: string,
  reason: DisabledReason,
  actor: string,
): Promise<DisabledEndpoint | null> {
  const [[endpoint]] = await manager.query<[Omit<DisabledEndpoint, 'reason'>[], number]>(
    `UPDATE webhook_endpoint SET status = 'DISABLED', disabled_reason = $2, rest_until = NULL
     WHERE id = $1 AND status = 'ENABLED'
     RETURNING reference, url, coalesce(first_failed_at, now()) AS "failingSince", now() AS "disabledAt"`,
    [endpointId, reason],
  );
  if (!endpoint) return null;
  await manager.query(
    `UPDATE webhook_delivery SET status = 'FAILED', next_try_at = NULL WHERE endpoint_id = $1 AND status = 'PENDING'`,
    [endpointId],
  );
  await writeAuditEntry(manager, {
    subject: endpoint.reference,
    actor,
    action: 'webhook_endpoint.disabled',
    before: { status: 'ENABLED' },
    after: { status: 'DISABLED', disabledReason: reason },
    reason: null,
  });
  return { ...endpoint, reason };
}
