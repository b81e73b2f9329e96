import type { EntityManager, SelectQueryBuilder } from 'typeorm';
import { isUuid } from '../database/uuid.js';
import { narrow, readPage } from '../paging/read-page.js';
import { WebhookEvent } from './webhook-event.js';
import type { WebhookEventConnection, WebhookEventFilter, WebhookEventsArgs } from './webhook-types.js';

/** @throws {PagingError} CURSOR_UNKNOWN */
export function listWebhookEvents(
  manager: EntityManager,
  { filter, ...page }: WebhookEventsArgs,
): Promise<WebhookEventConnection> {
  const query = withPayment(manager);
  // What is looked for is a text, and no pattern.
  narrow(query, CONDITIONS, { ...filter, text: filter?.text?.replace(/[\\%_]/g, '\\$&') });
  return readPage(query, { by: 'receivedAt', cursor: 'id' }, page);
}

/** With its payment. Null when there is none with this id. */
export async function findWebhookEvent(manager: EntityManager, id: string): Promise<WebhookEvent | null> {
  return isUuid(id) ? withPayment(manager).where('event.id = :id', { id }).getOne() : null;
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
