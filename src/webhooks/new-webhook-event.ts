import { v7 as uuidv7 } from 'uuid';
import type { NotificationHeaders, Provider } from '../providers/provider.js';
import { keptBody } from './kept-body.js';
import type { WebhookEvent } from './webhook-event.js';

export interface Notification {
  readonly rawBody: Buffer;
  readonly headers: NotificationHeaders;
  readonly receivedAt: Date;
}

/** The outcome of a notification that waits for the attempt that it names. */
export const NO_ATTEMPT_YET = 'no such attempt yet';

/** The outcome of a notification about somebody else's payment. */
export const NOT_OURS = 'not a payment of ours';

/** What its row is, but for the digest of its content. */
export function rowOf(
  provider: Provider,
  { rawBody, headers, receivedAt }: Notification,
  { eventId, type, proof }: Pick<WebhookEvent, 'eventId' | 'type' | 'proof'>,
): WebhookEvent {
  return {
    id: uuidv7(),
    provider: provider.name,
    // What proves nothing must not stand in the way of what does.
    eventId: proof === 'SIGNED' ? eventId : `hint:${eventId}`,
    contentDigest: '',
    proof,
    type,
    ...keptBody(provider, rawBody),
    headers: keptHeaders(provider, headers),
    intentId: null,
    status: 'WAITING',
    outcome: null,
    tries: 0,
    nextTryAt: null,
    receivedAt,
    processedAt: null,
  };
}

function keptHeaders(
  { notificationHeaders }: Provider,
  headers: NotificationHeaders,
): Record<string, string | string[]> {
  const kept = notificationHeaders.map((name) => [name, headers[name]] as const);
  return Object.fromEntries(
    kept.filter((entry): entry is [string, string | string[]] => entry[1] !== undefined),
  );
}
