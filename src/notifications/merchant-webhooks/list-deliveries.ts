import { In, type EntityManager, type SelectQueryBuilder } from 'typeorm';
import { WebhookError } from '../../webhooks/webhook-error.js';
import type {
  WebhookDeliveriesArgs,
  WebhookDeliveryConnection,
  WebhookDeliveryFilter,
} from './merchant-webhook-types.js';
import { WebhookDeliveryTry } from './webhook-delivery-try.js';
import { WebhookDelivery } from './webhook-delivery.js';

/** The newest first, each with its tries. @throws {WebhookError} CURSOR_UNKNOWN */
export async function listDeliveries(
  manager: EntityManager,
  { filter, first, after }: WebhookDeliveriesArgs,
): Promise<WebhookDeliveryConnection> {
  const query = withEndpoint(manager)
    .orderBy('delivery.createdAt', 'DESC')
    .addOrderBy('delivery.id', 'DESC')
    // One more than is shown tells whether there is a next page.
    .limit(first + 1);
  narrow(query, filter ?? {});
  if (after) await beginAfter(manager, query, after);
  const found = await query.getMany();
  const shown = found.slice(0, first);
  await addTries(manager, shown);
  const edges = shown.map((node) => ({ cursor: node.messageId, node }));
  return {
    edges,
    pageInfo: { hasNextPage: found.length > first, endCursor: edges.at(-1)?.cursor ?? null },
  };
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

function narrow(query: SelectQueryBuilder<WebhookDelivery>, filter: WebhookDeliveryFilter): void {
  for (const [name, condition] of Object.entries(CONDITIONS)) {
    const value = filter[name as keyof WebhookDeliveryFilter];
    if (value !== undefined && value !== null) query.andWhere(condition, { [name]: value });
  }
}

/** A cursor is the id of the last delivery that was shown. It may have been deleted since, because of its age. */
async function beginAfter(
  manager: EntityManager,
  query: SelectQueryBuilder<WebhookDelivery>,
  after: string,
): Promise<void> {
  if (!(await manager.existsBy(WebhookDelivery, { messageId: after }))) {
    throw new WebhookError('CURSOR_UNKNOWN', 'There is no such cursor. Begin again without one.');
  }
  query.andWhere(
    `(delivery.createdAt, delivery.id) <
       (SELECT d.created_at, d.id FROM webhook_delivery d WHERE d.message_id = :after)`,
    { after },
  );
}
