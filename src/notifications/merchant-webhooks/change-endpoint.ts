import type { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { writeAuditEntry } from '../../audit/write-audit-entry.js';
import { newReference } from '../../references.js';
import { disableEndpoint } from './disable-endpoint.js';
import { refusalOfUrl } from './endpoint-url.js';
import { lockEndpoint } from './find-endpoint.js';
import type { MerchantWebhooks } from './merchant-webhook-context.js';
import { MerchantWebhookError } from './merchant-webhook-error.js';
import type {
  CreateWebhookEndpointInput,
  RotateWebhookEndpointSecretInput,
  UpdateWebhookEndpointInput,
  WebhookEndpointSecret,
} from './merchant-webhook-types.js';
import { WebhookEndpoint } from './webhook-endpoint.js';

/** @throws {MerchantWebhookError} WEBHOOK_URL_NOT_ALLOWED */
export async function createEndpoint(
  manager: EntityManager,
  webhooks: MerchantWebhooks,
  actor: string,
  { url, types }: CreateWebhookEndpointInput,
): Promise<WebhookEndpointSecret> {
  refuseUrl(url, webhooks);
  const id = uuidv7();
  const { secret, sealed } = webhooks.secrets.make(id);
  const reference = newReference('WHE');
  return manager.transaction(async (transaction) => {
    const row = { id, reference, url, messageTypes: types ?? null, status: 'ENABLED' as const };
    await transaction.insert(WebhookEndpoint, { ...row, sealedSecret: sealed });
    const webhookEndpoint = await lockEndpoint(transaction, reference);
    await recordAct(transaction, actor, 'created', reference, null, summaryOf(webhookEndpoint));
    return { webhookEndpoint, secret };
  });
}

/** @throws {MerchantWebhookError} WEBHOOK_ENDPOINT_NOT_FOUND, WEBHOOK_URL_NOT_ALLOWED */
export async function updateEndpoint(
  manager: EntityManager,
  webhooks: MerchantWebhooks,
  actor: string,
  { id: reference, url, types, enabled }: UpdateWebhookEndpointInput,
): Promise<WebhookEndpoint> {
  if (url) refuseUrl(url, webhooks);
  return manager.transaction(async (transaction) => {
    const endpoint = await lockEndpoint(transaction, reference);
    const { id, status } = endpoint;
    // Whatever was learnt of how it is doing was learnt of another one.
    const afresh = { firstFailedAt: null, restUntil: null };
    const changes = {
      ...(url && url !== endpoint.url && { url, ...afresh }),
      ...(types !== undefined && { messageTypes: types }),
      ...(enabled &&
        status === 'DISABLED' && { status: 'ENABLED' as const, disabledReason: null, ...afresh }),
    };
    if (Object.keys(changes).length > 0) {
      await transaction.update(WebhookEndpoint, { id }, changes);
      const after = summaryOf({ ...endpoint, ...changes });
      await recordAct(transaction, actor, 'updated', reference, summaryOf(endpoint), after);
    }
    if (enabled === false) await disableEndpoint(transaction, id, 'BY_HAND', actor);
    return transaction.findOneByOrFail(WebhookEndpoint, { id });
  });
}

/** With its deliveries. @throws {MerchantWebhookError} WEBHOOK_ENDPOINT_NOT_FOUND */
export async function deleteEndpoint(
  manager: EntityManager,
  actor: string,
  reference: string,
): Promise<string> {
  return manager.transaction(async (transaction) => {
    const endpoint = await lockEndpoint(transaction, reference);
    await transaction.delete(WebhookEndpoint, { id: endpoint.id });
    await recordAct(transaction, actor, 'deleted', reference, summaryOf(endpoint), null);
    return reference;
  });
}

/** A secret that is still valid beside the present one ends at once. @throws {MerchantWebhookError} WEBHOOK_ENDPOINT_NOT_FOUND */
export async function rotateSecret(
  manager: EntityManager,
  { secrets }: MerchantWebhooks,
  actor: string,
  { id: reference, overlapHours }: RotateWebhookEndpointSecretInput,
): Promise<WebhookEndpointSecret> {
  return manager.transaction(async (transaction) => {
    const { id, sealedSecret } = await lockEndpoint(transaction, reference);
    const { secret, sealed } = secrets.make(id);
    await transaction.update(
      WebhookEndpoint,
      { id },
      {
        sealedSecret: sealed,
        sealedPreviousSecret: overlapHours > 0 ? sealedSecret : null,
        previousSecretUntil: overlapHours > 0 ? () => `now() + interval '${overlapHours} hours'` : null,
      },
    );
    await recordAct(transaction, actor, 'secret_rotated', reference, null, { overlapHours });
    return { webhookEndpoint: await transaction.findOneByOrFail(WebhookEndpoint, { id }), secret };
  });
}

function refuseUrl(url: string, { allowPrivate }: MerchantWebhooks): void {
  const refusal = refusalOfUrl(url, allowPrivate);
  if (refusal !== null) throw new MerchantWebhookError('WEBHOOK_URL_NOT_ALLOWED', refusal);
}

function summaryOf({ url, messageTypes, status, disabledReason }: WebhookEndpoint): object {
  return { url, types: messageTypes, status, disabledReason };
}

function recordAct(
  manager: EntityManager,
  actor: string,
  act: string,
  subject: string,
  before: object | null,
  after: object | null,
): Promise<void> {
  return writeAuditEntry(manager, {
    subject,
    actor,
    action: `webhook_endpoint.${act}`,
    before,
    after,
    reason: null,
  });
}
