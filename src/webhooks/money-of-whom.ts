import type { EntityManager } from 'typeorm';
import { ProviderFailure, type Provider, type ProviderEvent } from '../providers/provider.js';
import { NO_ATTEMPT_YET } from './new-webhook-event.js';
import { applyNotification, type WebhookDependencies } from './receive-notification.js';
import type { WebhookEvent } from './webhook-event.js';

/**
 * What is told of money (a dispute, a refund that somebody made at the provider) may come before we know of the money:
 * then only the provider can say whose it is.
 */
export function mayBeOurMoney(provider: Provider, [first]: readonly ProviderEvent[]): boolean {
  return (
    provider.attemptOfCapture !== undefined &&
    first?.captureReference !== undefined &&
    first.attemptReference === undefined
  );
}

/**
 * Asks the provider whose money it is, and applies what was told of it. What is not ours is ignored from then on.
 * @returns null when that is done; else why it has to wait.
 */
export async function applyToItsAttempt(
  manager: EntityManager,
  dependencies: WebhookDependencies,
  provider: Provider,
  event: WebhookEvent,
  events: readonly ProviderEvent[],
): Promise<string | null> {
  const captureReference = events[0]?.captureReference;
  if (captureReference === undefined || !provider.attemptOfCapture) return NO_ATTEMPT_YET;
  let attemptReference: string | null;
  try {
    attemptReference = await provider.attemptOfCapture(captureReference);
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    return `the provider did not say whose money it is: ${error.message}`;
  }
  if (attemptReference === null) {
    await ignore(manager, event);
    return null;
  }
  const named = { attemptReference };
  const marked = events.map((told) => ({ ...told, ...named }));
  const outcome = await applyNotification(manager, dependencies, provider, event, marked);
  return outcome === null ? NO_ATTEMPT_YET : null;
}

async function ignore(manager: EntityManager, { id }: WebhookEvent): Promise<void> {
  await manager.query(
    `UPDATE webhook_event SET status = 'IGNORED', outcome = 'the provider says that it is not ours',
       tries = tries + 1, next_try_at = NULL, processed_at = now()
     WHERE id = $1 AND status = 'WAITING'`,
    [id],
  );
}
