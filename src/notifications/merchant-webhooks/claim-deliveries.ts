import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { run, statement } from '../../database/statement.js';
import type { SealedSecrets } from './endpoint-secrets.js';

/** A delivery that is ours to try, with all that its try needs. */
export interface ClaimedDelivery extends SealedSecrets {
  readonly id: string;
  readonly claim: string;
  readonly messageId: string;
  readonly payload: string;
  /** Steps of the schedule that are used up. */
  readonly tries: number;
  readonly url: string;
}

/** A try is over long before; what a process that died had claimed is tried again after it. */
const CLAIM_SECONDS = 60;

/**
 * An endpoint that fails gets one try at a time, so that any number of them takes few of our places; and those that
 * don't fail come first.
 */
const CLAIM = statement<ClaimedDelivery>(
  'claim_webhook_deliveries',
  `WITH due AS (
     SELECT d.id, e.url, ARRAY[e.sealed_secret] || ARRAY(
       SELECT earlier ->> 'sealed'
       FROM jsonb_array_elements(e.earlier_secrets) WITH ORDINALITY AS listed (earlier, place)
       WHERE (earlier ->> 'until')::timestamptz > now() ORDER BY place) AS sealed_secrets
     FROM webhook_endpoint e CROSS JOIN LATERAL (
       SELECT id FROM webhook_delivery
       WHERE endpoint_id = e.id AND status = 'PENDING' AND next_try_at <= now()
         AND (claimed_until IS NULL OR claimed_until < now())
       ORDER BY next_try_at
       LIMIT greatest(0, CASE WHEN e.first_failed_at IS NULL THEN $4::integer ELSE 1 END
         - coalesce(($1::jsonb ->> e.id::text)::integer, 0))
       FOR NO KEY UPDATE SKIP LOCKED
     ) d
     WHERE e.status = 'ENABLED' AND (e.rest_until IS NULL OR e.rest_until <= now())
     ORDER BY e.first_failed_at IS NOT NULL
     LIMIT $2)
   UPDATE webhook_delivery d SET claim = $3, claimed_until = now() + interval '${CLAIM_SECONDS} seconds'
   FROM due WHERE d.id = due.id
   RETURNING d.id, d.claim, d.endpoint_id AS "endpointId", d.message_id AS "messageId", d.payload, d.tries, due.url,
     due.sealed_secrets AS "sealedSecrets"`,
);

/**
 * Claims what is due, so that nobody else tries it at the same time.
 * @param underWay how many tries are under way on this node, by the id of the endpoint.
 * @param lane how many there may be of one endpoint.
 * @param places how many may be claimed.
 */
export function claimDeliveries(
  manager: EntityManager,
  underWay: ReadonlyMap<string, number>,
  lane: number,
  places: number,
): Promise<ClaimedDelivery[]> {
  return run(manager, CLAIM, [JSON.stringify(Object.fromEntries(underWay)), places, randomUUID(), lane]);
}

const GIVE_BACK = statement(
  'give_back_webhook_delivery',
  'UPDATE webhook_delivery SET claim = NULL, claimed_until = NULL WHERE id = $1 AND claim = $2',
);

/** It was not tried to its end, and is due as before. */
export async function giveBack(
  manager: EntityManager,
  { id, claim }: Pick<ClaimedDelivery, 'id' | 'claim'>,
): Promise<void> {
  await run(manager, GIVE_BACK, [id, claim]);
}
