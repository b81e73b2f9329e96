import type { Provider, ProviderEvent } from '../providers/provider.js';
import type { WebhookEvent } from './webhook-event.js';

export interface ReadNotification {
  readonly provider: Provider;
  readonly events: readonly ProviderEvent[];
}

/** What a kept notification says. A text says why it can't be told any more. */
export function readAgain(
  providers: ReadonlyMap<string, Provider>,
  { provider: name, payload, headers }: WebhookEvent,
): ReadNotification | string {
  const provider = providers.get(name);
  if (!provider) return `the provider ${name} is not configured any more`;
  const parsed = provider.readKeptNotification(Buffer.from(payload), headers);
  return parsed.verdict === 'accepted'
    ? { provider, events: parsed.events }
    : `read again, it is ${parsed.verdict}`;
}
