import type { EntityManager } from 'typeorm';
import { run, statement } from '../database/statement.js';
import { ProviderFailure, type ListedNotification, type Provider } from '../providers/provider.js';
import { identityOf, type NotificationIdentity } from '../webhooks/content-digest.js';
import { takeNotification, type WebhookDependencies } from '../webhooks/receive-notification.js';
import { claimList, continueFrom, releaseList } from './list-claim.js';

/** A provider that keeps a list of its notifications. */
export type ListingProvider = Provider & Required<Pick<Provider, 'listNotifications'>>;

export function listsNotifications(provider: Provider): provider is ListingProvider {
  return provider.listNotifications !== undefined;
}

/** Read again each time: what the provider made in one second it may list in different ones. */
const OVERLAP_MILLISECONDS = 60_000;

/** So many are looked up, stored, and then never read again. */
const BATCH = 100;

const STORED = statement<NotificationIdentity>(
  'stored_webhook_events',
  `SELECT event_id AS "eventId", content_digest AS "contentDigest" FROM webhook_event WHERE provider = $1 AND event_id = ANY($2)`,
);

/**
 * Reads what the provider lists since it was last read, and takes those notifications that never came: after a night of
 * downtime, all of the night's. A provider that doesn't answer is asked again in the next round.
 * @param graceMilliseconds younger ones are left for their webhook to bring.
 * @returns how many were caught up; 0 as well when another node is reading.
 */
export async function readNotificationList(
  manager: EntityManager,
  dependencies: WebhookDependencies,
  provider: ListingProvider,
  graceMilliseconds: number,
): Promise<number> {
  const readUntil = await claimList(manager, provider.name);
  if (!readUntil) return 0;
  const { log } = dependencies;
  let caughtUp = 0;
  try {
    for await (const batch of batchesOf(
      provider,
      readUntil,
      dependencies.now().getTime() - graceMilliseconds,
    )) {
      caughtUp += await takeMissed(manager, dependencies, provider, batch, readUntil);
      await continueFrom(manager, provider.name, batch.at(-1)!.createdAt);
    }
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    log.warn(
      { err: error, provider: provider.name },
      'could not read the list of notifications; it is tried again',
    );
  } finally {
    await releaseList(manager, provider.name);
    if (caughtUp > 0) {
      log.info({ provider: provider.name, caughtUp }, 'caught up with notifications that had not come');
    }
  }
  return caughtUp;
}

async function* batchesOf(
  provider: ListingProvider,
  readUntil: Date,
  newest: number,
): AsyncGenerator<ListedNotification[], void, undefined> {
  let batch: ListedNotification[] = [];
  for await (const listed of provider.listNotifications(
    new Date(readUntil.getTime() - OVERLAP_MILLISECONDS),
  )) {
    if (listed.createdAt.getTime() > newest) break;
    batch.push(listed);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** @returns how many of them had not come. */
async function takeMissed(
  manager: EntityManager,
  dependencies: WebhookDependencies,
  provider: ListingProvider,
  batch: readonly ListedNotification[],
  readUntil: Date,
): Promise<number> {
  const readable = batch.flatMap((listed) => {
    const parsed = provider.readKeptNotification(listed.body, {});
    const identity = identityOf(parsed, listed.body);
    if (identity) return [{ body: listed.body, parsed, identity }];
    // In the overlap it has been said already.
    if (listed.createdAt > readUntil) {
      dependencies.log.warn({ provider: provider.name, ...parsed }, 'a listed notification can’t be read');
    }
    return [];
  });
  const stored = await storedAmong(
    manager,
    provider,
    readable.map(({ identity }) => identity.eventId),
  );
  let taken = 0;
  for (const { body, parsed, identity } of readable) {
    if (stored.has(nameOf(identity))) continue;
    const notification = { rawBody: body, headers: {}, receivedAt: dependencies.now() };
    const { kind } = await takeNotification(manager, dependencies, provider, notification, parsed);
    // Its webhook may come at this very moment.
    if (kind !== 'duplicate') taken += 1;
  }
  return taken;
}

async function storedAmong(
  manager: EntityManager,
  { name }: Provider,
  eventIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await run(manager, STORED, [name, eventIds]);
  return new Set(rows.map(nameOf));
}

function nameOf({ eventId, contentDigest }: NotificationIdentity): string {
  return `${eventId} ${contentDigest}`;
}
