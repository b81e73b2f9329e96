import type { EntityManager } from 'typeorm';
import { narrow, readPage } from '../paging/read-page.js';
import { ProviderCallEntry } from './provider-call-entry.js';
import type { ProviderCallConnection, ProviderCallFilter, ProviderCallsArgs } from './provider-call-types.js';

/** The newest first. @throws {PagingError} CURSOR_UNKNOWN */
export function listProviderCalls(
  manager: EntityManager,
  { filter, ...page }: ProviderCallsArgs,
): Promise<ProviderCallConnection> {
  const query = manager
    .createQueryBuilder(ProviderCallEntry, 'call')
    .leftJoinAndSelect('call.attempt', 'attempt')
    .leftJoinAndSelect('attempt.intent', 'intent');
  narrow(query, CONDITIONS, filter);
  return readPage(query, { by: 'startedAt', cursor: 'id' }, page);
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
