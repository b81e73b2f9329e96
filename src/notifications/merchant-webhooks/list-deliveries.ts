import { In, type EntityManager, type SelectQueryBuilder } from 'typeorm';
import { narrow, readPage } from '../../paging/read-page.js';
import type {
  WebhookDeliveriesArgs,
  WebhookDeliveryConnection,
  WebhookDeliveryFilter,
} from './merchant-webhook-types.js';
import { WebhookDeliveryTry } from './webhook-delivery-try.js';
import { WebhookDelivery } from './webhook-delivery.js';

/** The newest first, each with its tries. @throws {PagingError} CURSOR_UNKNOWN */
export async function listDeliveries(
  manager: EntityManager,
  { filter, ...wanted }: WebhookDeliveriesArgs,
): Promise<WebhookDeliveryConnection> {
  const query = withEndpoint(manager);
  narrow(query, CONDITIONS, filter);
  const page = await readPage(query, { by: 'createdAt', cursor: 'messageId' }, wanted);
  await addTries(
    manager,
    page.edges.map(({ node }) => node),
  );
  return page;
}

/** With its tries. Null when there is none with this id. */
export async function findDelivery(
  manager: EntityManager,
  messageId: string,
): Promise<WebhookDelivery | null> {
  const delivery = await withEndpoint(manager)
    .where('delivery.messageId = :messageId', { messageId })
    .getOne();
  if (delivery) await addTries(manager, [delivery]);
  return delivery;
}

function withEndpoint(manager: EntityManager): SelectQueryBuilder<WebhookDelivery> {
  return manager
    .createQueryBuilder(WebhookDelivery, 'delivery')
    .innerJoinAndSelect('delivery.endpoint', 'endpoint');
}

async function addTries(manager: EntityManager, deliveries: readonly WebhookDelivery[]): Promise<void> {
  const byId = new Map(deliveries.map((delivery) => [delivery.id, delivery]));
  for (const delivery of deliveries) delivery.history = [];
  const tries = await manager.find(WebhookDeliveryTry, {
    where: { deliveryId: In([...byId.keys()]) },
    order: { startedAt: 'ASC', id: 'ASC' },
  });
  for (const each of tries) byId.get(each.deliveryId)?.history?.push(each);
}

const CONDITIONS: Readonly<Record<keyof WebhookDeliveryFilter, string>> = {
  endpointId: 'endpoint.reference = :endpointId',
  status: 'delivery.status = :status',
  type: 'delivery.type = :type',
  since: 'delivery.createdAt >= :since',
  until: 'delivery.createdAt < :until',
};
