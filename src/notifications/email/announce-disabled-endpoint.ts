import { v7 as uuidv7 } from 'uuid';
import type { EntityManager } from 'typeorm';
import type { DisabledEndpoint } from '../merchant-webhooks/disable-endpoint.js';
import { insertEmails, type QueueSettings } from './queue-emails.js';

/**
 * Writes to the merchant that an endpoint was disabled by itself: who has asked for it knows.
 * @param manager of the transaction that disables it, so that it is written once for each time.
 */
export async function announceDisabledEndpoint(
  manager: EntityManager,
  { merchant }: QueueSettings,
  { reference, url, reason, failingSince, disabledAt }: DisabledEndpoint,
): Promise<void> {
  if (!merchant || reason === 'BY_HAND') return;
  const endpoint = {
    reference,
    url: withoutSecrets(url),
    reason,
    failingSince: failingSince.toISOString(),
    disabledAt: disabledAt.toISOString(),
  };
  await insertEmails(manager, [
    {
      id: uuidv7(),
      order_id: null,
      intent_id: null,
      template: 'ENDPOINT_DISABLED',
      transition: `webhook_endpoint.disabled:${reference}:${endpoint.disabledAt}`,
      recipient: merchant.address,
      locale: merchant.locale,
      data: { endpoint },
    },
  ]);
}

/** Some put a token into the query: mails are read by more people than settings are. */
function withoutSecrets(url: string): string {
  const { origin, pathname, search } = new URL(url);
  return `${origin}${pathname}${search && '?…'}`;
}
