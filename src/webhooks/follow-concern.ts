import type { EntityManager } from 'typeorm';
import { followSavedMethods } from '../customers/follow-saved-methods.js';
import type { Concern } from '../providers/concern.js';
import type { Provider } from '../providers/provider.js';
import { followDeletedCustomer } from '../subscriptions/follow-deleted-customer.js';
import { followInvoice } from '../subscriptions/follow-invoice.js';
import { followSubscription } from '../subscriptions/follow-subscription.js';
import type { FollowingDependencies } from '../subscriptions/subscription-dependencies.js';
import type { WebhookEvent } from './webhook-event.js';

/** A notification of something of ours that is no payment, read. */
export interface ReadConcern {
  readonly provider: Provider;
  readonly concern: Concern;
  /** Whether it must be one of ours. */
  readonly markedAsOurs: boolean;
}

/** What following it has led to. */
export interface Followed {
  readonly status: 'APPLIED' | 'IGNORED';
  readonly outcome: string;
}

/**
 * Asks how something stands, and writes that down. It is always the present that is written, and nothing is counted
 * twice: to follow a notification again, after a crash or a duplicate, changes nothing.
 * @returns a text that says why not yet. @throws what asking throws
 */
export async function followConcern(
  manager: EntityManager,
  dependencies: FollowingDependencies,
  event: Pick<WebhookEvent, 'id'>,
  read: ReadConcern,
): Promise<Followed | string> {
  const outcome = await follow(manager, dependencies, read);
  if (outcome === null && read.markedAsOurs) return 'nothing of ours has this reference yet';
  const followed: Followed =
    outcome === null
      ? { status: 'IGNORED', outcome: 'it is nothing of ours' }
      : { status: 'APPLIED', outcome };
  await manager.query(
    `UPDATE webhook_event SET status = $2, outcome = $3, tries = tries + 1, next_try_at = NULL, processed_at = now()
     WHERE id = $1`,
    [event.id, followed.status, followed.outcome],
  );
  return followed;
}

function follow(
  manager: EntityManager,
  dependencies: FollowingDependencies,
  { provider, concern }: ReadConcern,
): Promise<string | null> {
  switch (concern.kind) {
    case 'savedMethods':
      return followSavedMethods(manager, provider, concern);
    case 'subscription':
      return followSubscription(manager, dependencies, provider, concern);
    case 'invoice':
      return followInvoice(manager, dependencies, provider, concern);
    case 'deletedCustomer':
      return followDeletedCustomer(manager, dependencies, provider, concern);
    default:
      return concern satisfies never;
  }
}
