import type { EntityManager } from 'typeorm';

/** A place where the log is not as it was written. */
export interface AuditFault {
  readonly subject: string;
  /** Of the entry within its subject; null where it is about what is missing at the end. */
  readonly position: number | null;
  readonly fault: string;
}

/** What a page of a check found, and where the next one begins. */
export interface CheckedPage {
  readonly checked: number;
  readonly faults: readonly AuditFault[];
}

interface EntriesPage {
  checked: number;
  last_subject: string | null;
  last_position: number | null;
  faults: AuditFault[];
}

/**
 * Each entry's own hash, and its tie to the one before. The one before is looked up, so that a page needs nothing of the
 * page before it.
 */
const ENTRIES = `
  WITH page AS MATERIALIZED (
    SELECT a AS entry FROM audit_log a WHERE (a.subject, a.position) > ($1::text, $2::integer)
    ORDER BY a.subject, a.position LIMIT $3
  ),
  found AS (
    SELECT (entry).subject, (entry).position, CASE
      WHEN audit_hash(entry) <> (entry).hash THEN 'was altered: its hash is not that of what it says'
      WHEN before_it.hash IS NULL AND (entry).position > 1 THEN 'is there, and the one before it is missing'
      WHEN (entry).previous_hash IS DISTINCT FROM before_it.hash THEN 'does not follow the one before it, which was altered or exchanged'
    END AS fault
    FROM page LEFT JOIN audit_log before_it
      ON before_it.subject = (entry).subject AND before_it.position = (entry).position - 1
  )
  SELECT (SELECT count(*)::integer FROM page) AS checked,
    (SELECT (entry).subject FROM page ORDER BY (entry).subject DESC LIMIT 1) AS last_subject,
    (SELECT (entry).position FROM page ORDER BY (entry).subject DESC, (entry).position DESC LIMIT 1) AS last_position,
    coalesce((SELECT jsonb_agg(to_jsonb(found) ORDER BY subject, position) FROM found WHERE fault IS NOT NULL),
      '[]') AS faults`;

interface PaymentsPage {
  checked: number;
  last_id: string | null;
  faults: AuditFault[];
}

/**
 * A chain can't show that its own end was cut off, but the payment can: the last entry that says how it stands must say
 * what the payment's row says; and refunds and disputes, which have entries of their own, must have their last.
 */
const PAYMENTS = `
  WITH page AS MATERIALIZED (
    SELECT * FROM payment_intent WHERE id > $1::uuid ORDER BY id LIMIT $2
  ),
  told AS (
    SELECT page.*, (
      SELECT after FROM audit_log a WHERE a.subject = page.reference AND a.after ? 'version' AND a.after ? 'capturedAmount'
      ORDER BY a.position DESC LIMIT 1) AS last_summary
    FROM page
  ),
  found AS (
    SELECT reference AS subject, NULL::integer AS position,
      format('ends with %s at version %s, and the payment is %s at version %s: entries are missing, or the payment was altered',
        coalesce(last_summary ->> 'status', 'nothing'), coalesce(last_summary ->> 'version', '0'), status, version) AS fault
    FROM told
    WHERE last_summary IS NULL OR NOT last_summary @> jsonb_build_object('status', status, 'version', version,
      'capturedAmount', captured_amount, 'refundedAmount', refunded_amount, 'disputedAmount', disputed_amount)
    UNION ALL
    SELECT page.reference, NULL, format('has no entry that refund %s is %s', r.reference, r.status)
    FROM page JOIN refund r ON r.intent_id = page.id
    WHERE NOT EXISTS (SELECT 1 FROM audit_log a WHERE a.subject = page.reference
      AND a.after @> jsonb_build_object('refund', r.reference, 'status', r.status))
    UNION ALL
    SELECT page.reference, NULL, format('has no entry that dispute %s is %s', d.provider_reference, d.status)
    FROM page JOIN dispute d ON d.intent_id = page.id
    WHERE NOT EXISTS (SELECT 1 FROM audit_log a WHERE a.subject = page.reference
      AND a.after @> jsonb_build_object('dispute', d.provider_reference, 'status', d.status))
  )
  SELECT (SELECT count(*)::integer FROM page) AS checked,
    (SELECT id FROM page ORDER BY id DESC LIMIT 1) AS last_id,
    coalesce((SELECT jsonb_agg(to_jsonb(found) ORDER BY subject) FROM found), '[]') AS faults`;

const LOWEST_UUID = '00000000-0000-0000-0000-000000000000';

/** Checks every entry, page by page. */
export async function* checkEntries(manager: EntityManager, pageSize: number): AsyncGenerator<CheckedPage> {
  let subject = '';
  let position = 0;
  for (;;) {
    const [page] = await manager.query<EntriesPage[]>(ENTRIES, [subject, position, pageSize]);
    if (!page || page.last_subject === null) return;
    yield page;
    subject = page.last_subject;
    position = page.last_position!;
  }
}

/** Checks, page by page, that no payment's log was cut off at its end. */
export async function* checkPaymentEnds(
  manager: EntityManager,
  pageSize: number,
): AsyncGenerator<CheckedPage> {
  let id = LOWEST_UUID;
  for (;;) {
    const [page] = await manager.query<PaymentsPage[]>(PAYMENTS, [id, pageSize]);
    if (!page || page.last_id === null) return;
    yield page;
    id = page.last_id;
  }
}
