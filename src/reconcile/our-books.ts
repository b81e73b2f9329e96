import type { EntityManager } from 'typeorm';
import { run, statement } from '../database/statement.js';
import { parseAttemptReference } from '../payments/payment-attempt.js';
import type { ListedPayment } from '../providers/provider.js';
import type { OurAttempt } from './our-attempt.js';
import type { TimeRange } from './time-range.js';

/** What of a refund's money has really gone back, for one capture `m`. A refund that no row tells of is that capture's too. */
const REFUNDED = `(
  SELECT coalesce(sum(CASE x.kind WHEN 'REFUND' THEN x.amount ELSE -x.amount END), 0)
  FROM movement x LEFT JOIN refund r ON r.provider = x.provider AND r.provider_reference = x.provider_reference
  WHERE x.intent_id = m.intent_id AND x.attempt_id = m.attempt_id AND x.kind IN ('REFUND', 'REFUND_REVERSAL')
    AND coalesce(r.capture_reference, m.provider_reference) = m.provider_reference)`;

const REFUND_UNDER_WAY = `(
  SELECT coalesce(sum(r.amount), 0) FROM refund r
  WHERE r.intent_id = m.intent_id AND r.provider = m.provider AND r.capture_reference = m.provider_reference
    AND r.status IN ('QUEUED', 'SUBMITTED'))`;

const DISPUTES = `(
  SELECT coalesce(jsonb_agg(jsonb_build_object('reference', d.provider_reference, 'status', d.status, 'amount', (
    SELECT coalesce(sum(CASE x.kind WHEN 'CHARGEBACK' THEN x.amount ELSE -x.amount END), 0) FROM movement x
    WHERE x.intent_id = d.intent_id AND x.provider = d.provider AND x.kind IN ('CHARGEBACK', 'CHARGEBACK_REVERSAL')
      AND coalesce(x.dispute_reference, x.provider_reference) = d.provider_reference))), '[]')
  FROM dispute d WHERE d.attempt_id = m.attempt_id AND d.provider = m.provider)`;

const CAPTURES_OF_ORDER = `(
  SELECT coalesce(jsonb_agg(jsonb_build_object(
    'attemptReference', ci.reference || '-' || ca.number, 'provider', m.provider,
    'providerReference', m.provider_reference, 'amount', m.amount,
    'refundedAmount', ${REFUNDED}, 'refundUnderWayAmount', ${REFUND_UNDER_WAY}, 'disputes', ${DISPUTES}) ORDER BY m.id), '[]')
  FROM payment_intent ci JOIN movement m ON m.intent_id = ci.id AND m.kind = 'CAPTURE'
    JOIN payment_attempt ca ON ca.id = m.attempt_id
  WHERE ci.order_id = i.order_id)`;

/** By our mark first, then by the provider's id of the attempt, then by its id of the money. */
const ATTEMPTS = statement<{ position: number; attempt: OurAttempt }>(
  'attempts_of_listed_payments',
  `SELECT t.position, jsonb_build_object(
       'attemptReference', i.reference || '-' || a.number,
       'orderReference', o.reference, 'status', a.status, 'currency', i.currency,
       'isOfSubscription', o.recurring_subscription_id IS NOT NULL,
       'capturesOfOrder', ${CAPTURES_OF_ORDER}) AS attempt
   FROM jsonb_to_recordset($2) AS t(
       position integer, intent text, number integer, reference text, capture text)
     JOIN LATERAL (
       SELECT 1 AS preference, a.id FROM payment_intent i JOIN payment_attempt a ON a.intent_id = i.id
         WHERE i.reference = t.intent AND a.number = t.number AND a.provider = $1
       UNION ALL
       SELECT 2, id FROM payment_attempt WHERE provider = $1 AND provider_reference = t.reference
       UNION ALL
       SELECT 3, attempt_id FROM movement
         WHERE provider = $1 AND provider_reference = t.capture AND kind = 'CAPTURE'
       ORDER BY preference LIMIT 1) found ON true
     JOIN payment_attempt a ON a.id = found.id
     JOIN payment_intent i ON i.id = a.intent_id JOIN orders o ON o.id = i.order_id`,
);

/** For each of the provider's payments, in their order, the attempt in our books that it belongs to. */
export async function findOurAttempts(
  manager: EntityManager,
  provider: string,
  theirs: readonly ListedPayment[],
): Promise<(OurAttempt | undefined)[]> {
  const questions = theirs.map(({ attemptReference, providerReference, captureReference }, position) => {
    const mark = parseAttemptReference(attemptReference ?? '');
    return {
      position,
      intent: mark?.intentReference,
      number: mark?.number,
      reference: providerReference,
      capture: captureReference,
    };
  });
  const ours: (OurAttempt | undefined)[] = theirs.map(() => undefined);
  const found = await run(manager, ATTEMPTS, [provider, JSON.stringify(questions)]);
  for (const { position, attempt } of found) ours[position] = attempt;
  return ours;
}

const COUNT = statement<{ count: number }>(
  'count_captures',
  `SELECT count(*) AS count FROM movement
   WHERE provider = $1 AND kind = 'CAPTURE' AND created_at >= $2 AND created_at < $3`,
);

/** About as many as the provider will list. */
export async function countOurCaptures(
  manager: EntityManager,
  provider: string,
  { since, until }: TimeRange,
): Promise<number> {
  const [row] = await run(manager, COUNT, [provider, since, until]);
  return row!.count;
}

const ELSEWHERE = statement<{ provider: string; attempts: number }>(
  'attempts_elsewhere',
  `SELECT provider, count(*)::integer AS attempts FROM payment_attempt
   WHERE NOT provider = ANY($1) AND created_at >= $2 AND created_at < $3 GROUP BY provider ORDER BY provider`,
);

/** Attempts at other providers than these. */
export function attemptsElsewhere(
  manager: EntityManager,
  providers: readonly string[],
  { since, until }: TimeRange,
): Promise<{ provider: string; attempts: number }[]> {
  return run(manager, ELSEWHERE, [providers, since, until]);
}
