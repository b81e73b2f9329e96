import type { EntityManager } from 'typeorm';
import { followSavedMethods } from '../customers/follow-saved-methods.js';
import type { Concern } from '../providers/concern.js';
import { ProviderFailure, type Provider } from '../providers/provider.js';
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
  const outcome = await outcomeOf(manager, dependencies, read);
  if (outcome === null && read.markedAsOurs) return 'nothing of ours has this reference yet';
  const followed: Followed =
    outcome === null
      ? { status: 'IGNORED', outcome: 'it is nothing of ours' }
      : typeof outcome === 'string'
        ? { status: 'APPLIED', outcome }
        : outcome;
  await writeFollowed(manager, event, followed);
  return followed;
}

/** Writes down that a kept notification is done with. */
export async function writeFollowed(
  manager: EntityManager,
  { id }: Pick<WebhookEvent, 'id'>,
  { status, outcome }: Followed,
): Promise<void> {
  await manager.query(
    `UPDATE webhook_event SET status = $2, outcome = $3, tries = tries + 1, next_try_at = NULL, processed_at = now()
     WHERE id = $1`,
    [id, status, outcome],
  );
}

/** What the provider itself does not have will not be there in an hour either: another account's, or deleted since. */
async function outcomeOf(
  manager: EntityManager,
  dependencies: FollowingDependencies,
  read: ReadConcern,
): Promise<string | Followed | null> {
  try {
    return await follow(manager, dependencies, read);
  } catch (error) {
    if (!(error instanceof ProviderFailure && error.missing === 'object')) throw error;
    return { status: 'IGNORED', outcome: `${read.provider.name} has no such object (${error.code})` };
  }
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
