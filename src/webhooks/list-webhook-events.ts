import type { EntityManager, SelectQueryBuilder } from 'typeorm';
import { WebhookError } from './webhook-error.js';
import { WebhookEvent } from './webhook-event.js';
import type { WebhookEventConnection, WebhookEventFilter, WebhookEventsArgs } from './webhook-types.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** @throws {WebhookError} CURSOR_UNKNOWN */
export async function listWebhookEvents(
  manager: EntityManager,
  { filter, first, after }: WebhookEventsArgs,
): Promise<WebhookEventConnection> {
  const query = withPayment(manager)
    .orderBy('event.receivedAt', 'DESC')
    .addOrderBy('event.id', 'DESC')
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

/** With its payment. Null when there is none with this id. */
export async function findWebhookEvent(manager: EntityManager, id: string): Promise<WebhookEvent | null> {
  return UUID.test(id) ? withPayment(manager).where('event.id = :id', { id }).getOne() : null;
}

function withPayment(manager: EntityManager): SelectQueryBuilder<WebhookEvent> {
  return manager.createQueryBuilder(WebhookEvent, 'event').leftJoinAndSelect('event.intent', 'intent');
}

const CONDITIONS: Readonly<Record<keyof WebhookEventFilter, string>> = {
  provider: 'event.provider = :provider',
  status: 'event.status = :status',
  type: 'event.type = :type',
  eventId: 'event.eventId = :eventId',
  paymentIntentId:
    'event.intentId = (SELECT i.id FROM payment_intent i WHERE i.reference = :paymentIntentId)',
  text: `event.payload ILIKE '%' || :text || '%'`,
};

function narrow(query: SelectQueryBuilder<WebhookEvent>, filter: WebhookEventFilter): void {
  const wanted = { ...filter, text: filter.text?.replace(/[\\%_]/g, '\\$&') };
  for (const [name, condition] of Object.entries(CONDITIONS)) {
    const value = wanted[name as keyof WebhookEventFilter];
    if (value !== undefined && value !== null) query.andWhere(condition, { [name]: value });
  }
}

/** A cursor is the id of the last notification that was shown, and the database knows when that one came. */
async function beginAfter(
  manager: EntityManager,
  query: SelectQueryBuilder<WebhookEvent>,
  after: string,
): Promise<void> {
  const isKnown = UUID.test(after) && (await manager.existsBy(WebhookEvent, { id: after }));
  if (!isKnown) {
    throw new WebhookError('CURSOR_UNKNOWN', 'There is no such cursor. Begin again without one.');
  }
  query.andWhere(
    '(event.receivedAt, event.id) < ((SELECT w.received_at FROM webhook_event w WHERE w.id = :after), :after::uuid)',
    { after },
  );
}
