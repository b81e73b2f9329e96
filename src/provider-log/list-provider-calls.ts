import type { EntityManager, SelectQueryBuilder } from 'typeorm';
import { WebhookError } from '../webhooks/webhook-error.js';
import { ProviderCallEntry } from './provider-call-entry.js';
import type { ProviderCallConnection, ProviderCallFilter, ProviderCallsArgs } from './provider-call-types.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The newest first. @throws {WebhookError} CURSOR_UNKNOWN */
export async function listProviderCalls(
  manager: EntityManager,
  { filter, first, after }: ProviderCallsArgs,
): Promise<ProviderCallConnection> {
  const query = manager
    .createQueryBuilder(ProviderCallEntry, 'call')
    .leftJoinAndSelect('call.attempt', 'attempt')
    .leftJoinAndSelect('attempt.intent', 'intent')
    .orderBy('call.startedAt', 'DESC')
    .addOrderBy('call.id', 'DESC')
    // One more than is shown tells whether there is a next page.
    .limit(first + 1);
  narrow(query, filter ?? {});
  if (after) await beginAfter(manager, query, after);
  const found = await query.getMany();
  const edges = found.slice(0, first).map((node) => ({ cursor: node.id, node }));
  return {
    edges,
    pageInfo: { hasNextPage: found.length > first, endCursor: edges.at(-1)?.cursor ?? null },
  };
}

const CONDITIONS: Readonly<Record<keyof ProviderCallFilter, string>> = {
  provider: 'call.provider = :provider',
  operation: 'call.operation = :operation',
  outcome: 'call.outcome = :outcome',
  paymentIntentId: `call.attemptId IN (
    SELECT a.id FROM payment_attempt a JOIN payment_intent i ON i.id = a.intent_id WHERE i.reference = :paymentIntentId)`,
  since: 'call.startedAt >= :since',
  until: 'call.startedAt < :until',
};

function narrow(query: SelectQueryBuilder<ProviderCallEntry>, filter: ProviderCallFilter): void {
  for (const [name, condition] of Object.entries(CONDITIONS)) {
    const value = filter[name as keyof ProviderCallFilter];
    if (value !== undefined && value !== null) query.andWhere(condition, { [name]: value });
  }
}

/** A cursor is the id of the last call that was shown. It may have been deleted since, because of its age. */
async function beginAfter(
  manager: EntityManager,
  query: SelectQueryBuilder<ProviderCallEntry>,
  after: string,
): Promise<void> {
  const isKnown = UUID.test(after) && (await manager.existsBy(ProviderCallEntry, { id: after }));
  if (!isKnown) {
    throw new WebhookError('CURSOR_UNKNOWN', 'There is no such cursor. Begin again without one.');
  }
  query.andWhere(
    '(call.startedAt, call.id) < ((SELECT c.started_at FROM provider_call c WHERE c.id = :after), :after::uuid)',
    { after },
  );
}
