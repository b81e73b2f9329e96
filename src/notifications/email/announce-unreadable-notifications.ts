import { v7 as uuidv7 } from 'uuid';
import type { Consequence } from '../../outbox/relay.js';
import { NOTIFICATION_UNREADABLE, type UnreadablePayload } from '../../outbox/topics.js';
import { insertEmails, type QueueSettings } from './queue-emails.js';

/**
 * Writes to the merchant that a provider sends what can't be read. One e-mail for each provider and day: a provider that
 * has changed its format sends nothing else.
 */
export function announceUnreadableNotifications({ merchant }: QueueSettings): Consequence {
  return async (manager, events) => {
    if (!merchant) return;
    const unreadable = events.filter(({ topic }) => topic === NOTIFICATION_UNREADABLE);
    await insertEmails(
      manager,
      unreadable.map(({ payload }) => {
        const notification = payload as UnreadablePayload;
        const { provider, receivedAt } = notification;
        return {
          id: uuidv7(),
          order_id: null,
          intent_id: null,
          template: 'NOTIFICATION_UNREADABLE',
          transition: `${NOTIFICATION_UNREADABLE}:${provider}:${receivedAt.slice(0, 10)}`,
          recipient: merchant.address,
          locale: merchant.locale,
          data: { notification },
        };
      }),
    );
  };
}
