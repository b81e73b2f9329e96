import type { EntityManager } from 'typeorm';
import { MerchantWebhookError } from './merchant-webhook-error.js';
import { WebhookEndpoint } from './webhook-endpoint.js';

export async function listEndpoints(manager: EntityManager): Promise<WebhookEndpoint[]> {
  return manager.find(WebhookEndpoint, { order: { createdAt: 'ASC', id: 'ASC' } });
}

/**
 * Locked: what is done to an endpoint stands in the audit log, one act after the other.
 * @param manager of a transaction. @throws {MerchantWebhookError} WEBHOOK_ENDPOINT_NOT_FOUND
 */
export async function lockEndpoint(manager: EntityManager, reference: string): Promise<WebhookEndpoint> {
  const endpoint = await manager.findOne(WebhookEndpoint, {
    where: { reference },
    lock: { mode: 'for_no_key_update' },
  });
  if (endpoint) return endpoint;
  throw new MerchantWebhookError('WEBHOOK_ENDPOINT_NOT_FOUND', 'There is no such endpoint of webhooks.');
}

/** @throws {MerchantWebhookError} WEBHOOK_ENDPOINT_DISABLED */
export function refuseDisabled({ status }: WebhookEndpoint): void {
  if (status === 'ENABLED') return;
  throw new MerchantWebhookError(
    'WEBHOOK_ENDPOINT_DISABLED',
    'Nothing is sent to this endpoint, for it is disabled. Enable it with updateWebhookEndpoint.',
  );
}
