import type { EntityManager } from 'typeorm';
import { run, statement } from '../database/statement.js';

/** A provider that was taken out of the configuration while something of it was not finished. */
export interface MissingProvider {
  readonly provider: string;
  /** How many of each are not finished. */
  readonly payments: number;
  readonly refunds: number;
  readonly notifications: number;
  readonly subscriptions: number;
}

const FIND = statement<MissingProvider>(
  'find_missing_providers',
  `SELECT provider, count(*) FILTER (WHERE kind = 'payment')::integer AS payments,
     count(*) FILTER (WHERE kind = 'refund')::integer AS refunds,
     count(*) FILTER (WHERE kind = 'notification')::integer AS notifications,
     count(*) FILTER (WHERE kind = 'subscription')::integer AS subscriptions
   FROM (
     SELECT a.provider, 'payment' AS kind FROM payment_intent i JOIN payment_attempt a ON a.intent_id = i.id
       WHERE i.next_check_at IS NOT NULL AND a.status IN ('PENDING', 'PROCESSING', 'UNKNOWN', 'AUTHORIZED')
     UNION ALL SELECT provider, 'refund' FROM refund WHERE next_check_at IS NOT NULL
     UNION ALL SELECT provider, 'notification' FROM webhook_event WHERE status = 'WAITING'
     UNION ALL SELECT provider, 'subscription' FROM recurring_subscription WHERE next_check_at IS NOT NULL
   ) AS unfinished
   WHERE NOT provider = ANY($1) GROUP BY provider ORDER BY provider`,
);

/** @param configured the names of those that are there. */
export function findMissingProviders(
  manager: EntityManager,
  configured: readonly string[],
): Promise<MissingProvider[]> {
  return run(manager, FIND, [configured]);
}
