import type { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { writeAuditEntry } from '../../audit/write-audit-entry.js';
import { violatedConstraint } from '../../database/statement.js';
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
  { url: given, types }: CreateWebhookEndpointInput,
): Promise<WebhookEndpointSecret> {
  const url = readUrl(given, webhooks);
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
  { id: reference, url: given, types, enabled }: UpdateWebhookEndpointInput,
): Promise<WebhookEndpoint> {
  const url = given ? readUrl(given, webhooks) : null;
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

/** The present secret becomes an earlier one, and those whose time is over go. */
const ROTATE = `
  UPDATE webhook_endpoint SET sealed_secret = $2, earlier_secrets = coalesce((
    SELECT jsonb_agg(earlier ORDER BY place)
    FROM jsonb_array_elements(
      jsonb_build_array(jsonb_build_object('sealed', sealed_secret, 'until', now() + make_interval(hours => $3)))
        || earlier_secrets) WITH ORDINALITY AS listed (earlier, place)
    WHERE (earlier ->> 'until')::timestamptz > now()), '[]')
  WHERE id = $1`;

/**
 * The present secret signs on for `overlapHours`, and earlier ones as long as they were promised to.
 * @throws {MerchantWebhookError} WEBHOOK_ENDPOINT_NOT_FOUND, TOO_MANY_SECRETS
 */
export async function rotateSecret(
  manager: EntityManager,
  { secrets }: MerchantWebhooks,
  actor: string,
  { id: reference, overlapHours }: RotateWebhookEndpointSecretInput,
): Promise<WebhookEndpointSecret> {
  return manager.transaction(async (transaction) => {
    const { id } = await lockEndpoint(transaction, reference);
    const { secret, sealed } = secrets.make(id);
    try {
      await transaction.query(ROTATE, [id, sealed, overlapHours]);
    } catch (error) {
      if (violatedConstraint(error) === 'webhook_endpoint_earlier_secrets_few') throw tooManySecrets(error);
      throw error;
    }
    await recordAct(transaction, actor, 'secret_rotated', reference, null, { overlapHours });
    return { webhookEndpoint: await transaction.findOneByOrFail(WebhookEndpoint, { id }), secret };
  });
}

function tooManySecrets(cause: unknown): MerchantWebhookError {
  return new MerchantWebhookError(
    'TOO_MANY_SECRETS',
    'Five earlier secrets of this endpoint are still valid. Rotate with overlapHours: 0, or once one of them has ended.',
    { cause },
  );
}

/** As it was understood, so that what is shown is where it goes. */
function readUrl(url: string, { allowPrivate }: MerchantWebhooks): string {
  const refusal = refusalOfUrl(url, allowPrivate);
  if (refusal !== null) throw new MerchantWebhookError('WEBHOOK_URL_NOT_ALLOWED', refusal);
  return new URL(url).href;
}

type Summarized = Pick<WebhookEndpoint, 'url' | 'messageTypes' | 'status' | 'disabledReason'>;

function summaryOf({ url, messageTypes, status, disabledReason }: Summarized): object {
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
