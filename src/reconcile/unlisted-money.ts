import type { EntityManager } from 'typeorm';
import { run, statement } from '../database/statement.js';
import type { AttemptStatus } from '../payments/payment-attempt.js';
import type { TimeRange } from './time-range.js';

/** An attempt of ours that has money, or says so, and that the provider did not list. */
export interface UnlistedMoney {
  readonly attemptId: string;
  readonly intentReference: string;
  readonly attemptReference: string;
  readonly orderReference: string;
  readonly status: AttemptStatus;
  readonly currency: string;
  /** Null when there is no money in our books either. */
  readonly captureReference: string | null;
  readonly capturedAmount: number | null;
  readonly at: Date;
}

const PAGE = 200;

const REMEMBER = statement(
  'remember_listed_captures',
  `INSERT INTO listed_capture SELECT unnest($1::text[]) ON CONFLICT DO NOTHING`,
);

const UNLISTED = statement<UnlistedMoney>(
  'unlisted_money',
  `SELECT a.id AS "attemptId", i.reference AS "intentReference", i.reference || '-' || a.number AS "attemptReference",
     o.reference AS "orderReference", a.status, i.currency, m.provider_reference AS "captureReference",
     m.amount AS "capturedAmount", coalesce(m.created_at, a.created_at) AS at
   FROM payment_attempt a JOIN payment_intent i ON i.id = a.intent_id JOIN orders o ON o.id = i.order_id
     LEFT JOIN movement m ON m.intent_id = a.intent_id AND m.attempt_id = a.id AND m.kind = 'CAPTURE'
   WHERE a.provider = $1 AND (m.id IS NOT NULL OR a.status = 'SUCCEEDED')
     AND coalesce(m.created_at, a.created_at) >= $2 AND coalesce(m.created_at, a.created_at) < $3
     AND NOT EXISTS (SELECT FROM listed_capture l WHERE l.reference = m.provider_reference)
     AND (a.id, coalesce(m.provider_reference, '')) > ($4, $5)
   ORDER BY a.id, coalesce(m.provider_reference, '') LIMIT ${PAGE}`,
);

const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

/** What a provider has listed, kept in a table of this connection alone: there may be millions. */
export class ListedCaptures {
  private constructor(private readonly manager: EntityManager) {}

  /** @param manager of a query runner, so that everything goes over one connection. */
  static async begin(manager: EntityManager): Promise<ListedCaptures> {
    // These read whole tables on purpose, and may take their time.
    await manager.query('SET statement_timeout = 0; SET enable_seqscan = on');
    await manager.query('CREATE TEMP TABLE IF NOT EXISTS listed_capture (reference text PRIMARY KEY)');
    await manager.query('TRUNCATE listed_capture');
    return new ListedCaptures(manager);
  }

  async remember(references: readonly string[]): Promise<void> {
    await run(this.manager, REMEMBER, [references]);
  }

  /** What of our money in this time was not among them. */
  async *others(
    provider: string,
    { since, until }: TimeRange,
  ): AsyncGenerator<UnlistedMoney, void, undefined> {
    let last: UnlistedMoney | undefined;
    do {
      const after = [last?.attemptId ?? BEFORE_ALL, last?.captureReference ?? ''];
      const page = await run(this.manager, UNLISTED, [provider, since, until, ...after]);
      yield* page;
      last = page.length < PAGE ? undefined : page.at(-1);
    } while (last);
  }
}
