import type { Provider } from '../providers/provider.js';
import type { WebhookEvent } from './webhook-event.js';

type KeptBody = Pick<WebhookEvent, 'payload' | 'rawBody'>;

/** The body as its row keeps it. Bytes that no text of PostgreSQL can hold are kept beside what can be read of them. */
export function keptBody(provider: Provider, rawBody: Buffer): KeptBody {
  const text = rawBody.toString('utf8');
  const payload = text.replaceAll('\0', '');
  // Such a provider's bytes may hold what must not be kept.
  if (provider.keepableBody) return { payload: provider.keepableBody(payload), rawBody: null };
  return { payload, rawBody: Buffer.from(payload).equals(rawBody) ? null : rawBody.toString('base64') };
}

/** The bytes to read again. */
export function bodyToRead({ payload, rawBody }: KeptBody): Buffer {
  return rawBody === null ? Buffer.from(payload) : Buffer.from(rawBody, 'base64');
}
