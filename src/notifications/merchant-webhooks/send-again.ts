import type { EntityManager } from 'typeorm';
import { writeAuditEntry } from '../../audit/write-audit-entry.js';
import { databaseNow } from '../../database/database-clock.js';
import { lockEndpoint, refuseDisabled } from './find-endpoint.js';
import { findDelivery } from './list-deliveries.js';
import type { MerchantWebhooks } from './merchant-webhook-context.js';
import { MerchantWebhookError } from './merchant-webhook-error.js';
import { testMessage } from './message.js';
import type { ReplayWebhookDeliveriesInput } from './merchant-webhook-types.js';
import { insertDeliveries, newDelivery } from './new-delivery.js';
import type { WebhookDelivery } from './webhook-delivery.js';
import type { WebhookEndpoint } from './webhook-endpoint.js';

/** The schedule begins again; the message keeps its id, by which a receiver knows that it has seen it. */
const SEND_AGAIN = `status = 'PENDING', tries = CASE WHEN status = 'PENDING' THEN tries ELSE 0 END, next_try_at = now()`;

/** @throws {MerchantWebhookError} WEBHOOK_ENDPOINT_NOT_FOUND, WEBHOOK_ENDPOINT_DISABLED */
export async function sendTest(
  manager: EntityManager,
  { wakeCourier }: MerchantWebhooks,
  actor: string,
  endpointReference: string,
): Promise<WebhookDelivery> {
  const messageId = await manager.transaction(async (transaction) => {
    const endpoint = await lockEndpoint(transaction, endpointReference);
    refuseDisabled(endpoint);
    const delivery = newDelivery(
      endpoint,
      null,
      testMessage(endpointReference, await databaseNow(transaction)),
    );
    await insertDeliveries(transaction, [delivery]);
    await recordAct(transaction, actor, endpoint, 'webhook_endpoint.tested', {
      delivery: delivery.messageId,
    });
    return delivery.messageId;
  });
  wakeCourier();
  return find(manager, messageId);
}

/**
 * Sends one again, whatever became of it. One that is being sent already does not wait for its next try.
 * @throws {MerchantWebhookError} WEBHOOK_DELIVERY_NOT_FOUND, WEBHOOK_ENDPOINT_DISABLED
 */
export async function replayDelivery(
  manager: EntityManager,
  { wakeCourier }: MerchantWebhooks,
  actor: string,
  messageId: string,
): Promise<WebhookDelivery> {
  const { endpoint: ofDelivery } = await find(manager, messageId);
  await manager.transaction(async (transaction) => {
    const endpoint = await lockEndpoint(transaction, ofDelivery!.reference);
    refuseDisabled(endpoint);
    await transaction.query(`UPDATE webhook_delivery SET ${SEND_AGAIN} WHERE message_id = $1`, [messageId]);
    await recordAct(transaction, actor, endpoint, 'webhook_delivery.replayed', { delivery: messageId });
  });
  wakeCourier();
  return find(manager, messageId);
}

/**
 * @returns how many. Those that are being sent anyway are left to it.
 * @throws {MerchantWebhookError} WEBHOOK_ENDPOINT_NOT_FOUND, WEBHOOK_ENDPOINT_DISABLED
 */
export async function replayDeliveries(
  manager: EntityManager,
  { wakeCourier }: MerchantWebhooks,
  actor: string,
  { endpointId, since, until, status }: ReplayWebhookDeliveriesInput,
): Promise<number> {
  const count = await manager.transaction(async (transaction) => {
    const endpoint = await lockEndpoint(transaction, endpointId);
    refuseDisabled(endpoint);
    const [, affected] = await transaction.query<[unknown[], number]>(
      `UPDATE webhook_delivery SET ${SEND_AGAIN}
       WHERE endpoint_id = $1 AND created_at >= $2 AND created_at < $3 AND status <> 'PENDING'
         AND status = coalesce($4, status)`,
      [endpoint.id, since, until, status ?? null],
    );
    const range = { since, until, status: status ?? null, count: affected };
    await recordAct(transaction, actor, endpoint, 'webhook_deliveries.replayed', range);
    return affected;
  });
  wakeCourier();
  return count;
}

async function find(manager: EntityManager, messageId: string): Promise<WebhookDelivery> {
  const delivery = await findDelivery(manager, messageId);
  if (delivery) return delivery;
  throw new MerchantWebhookError('WEBHOOK_DELIVERY_NOT_FOUND', 'There is no such delivery.');
}

function recordAct(
  manager: EntityManager,
  actor: string,
  { reference: subject }: WebhookEndpoint,
  action: string,
  after: object,
): Promise<void> {
  return writeAuditEntry(manager, { subject, actor, action, before: null, after, reason: null });
}
