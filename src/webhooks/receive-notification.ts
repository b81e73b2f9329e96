import type { EntityManager } from 'typeorm';
import type { Logger } from 'pino';
import { fromRow, toRow } from '../database/rows.js';
import { run, statement, violatedConstraint } from '../database/statement.js';
import { findAttempt, isMoneyToProve } from '../payments/attempt-of-event.js';
import { loadPaymentOfProvider, type LoadedPayment } from '../payments/loaded-payment.js';
import { attemptReference } from '../payments/payment-attempt.js';
import { endPaymentsOfDeclined } from '../payments/declines.js';
import type { PaymentChange } from '../payments/payment-change.js';
import type { ParsedNotification, Provider, ProviderEvent } from '../providers/provider.js';
import { NotProvenYet } from '../payments/not-proven-yet.js';
import { writeEvents } from '../payments/write-events.js';
import type { FollowingDependencies } from '../subscriptions/subscription-dependencies.js';
import { contentDigestOf, type KeptNotification } from './content-digest.js';
import { keepUnreadable } from './keep-unreadable.js';
import { mayBeOurMoney } from './money-of-whom.js';
import { NO_ATTEMPT_YET, NOT_OURS, rowOf, type Notification } from './new-webhook-event.js';
import { pauseMillisecondsAfter } from './retry-schedule.js';
import type { WebhookEvent } from './webhook-event.js';

/** What came of a notification. The route says how each is answered. */
export type Reception =
  | { readonly kind: 'applied'; readonly outcome: string }
  | { readonly kind: 'ignored'; readonly outcome: string }
  | { readonly kind: 'duplicate' }
  /** Not proven, and about nothing of ours: nothing of it is kept. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'waiting'; readonly outcome: string }
  /** Genuine and not understood: it is kept, and a person is alerted. */
  | { readonly kind: 'unreadable'; readonly outcome: string }
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'malformed'; readonly detail: string };

export interface WebhookDependencies extends FollowingDependencies {
  /** The inbox has something to do at once. */
  readonly wakeInbox: () => void;
  /** Of cards, of one address and of one customer; 0: any number. */
  readonly declinesPerHour: number;
  /** The database's clock. */
  readonly now: () => Date;
  readonly log: Logger;
}

type AcceptedNotification = Extract<ParsedNotification, { verdict: 'accepted' }>;

/** To be asked about at once, whatever this machine's clock says. */
const KEEP_CONCERN = statement<{ id: string }>(
  'keep_concern',
  `INSERT INTO webhook_event
   SELECT * FROM jsonb_populate_record(NULL::webhook_event, $1::jsonb || jsonb_build_object('next_try_at', now()))
   ON CONFLICT (provider, event_id, content_digest) DO NOTHING RETURNING id`,
);

const INSERT_IF_NEW = statement<{ id: string }>(
  'insert_webhook_event_if_new',
  `INSERT INTO webhook_event SELECT * FROM jsonb_populate_record(NULL::webhook_event, $1)
   ON CONFLICT (provider, event_id, content_digest) DO NOTHING RETURNING id`,
);

const FIND_SAME = statement<{ row: Record<string, unknown> }>(
  'find_same_webhook_event',
  `SELECT to_jsonb(w) AS row FROM webhook_event w
   WHERE provider = $1 AND event_id = $2 AND content_digest = $3`,
);

/** However often a hint comes: its provider is asked about it once in so many seconds, and ever more rarely. */
const ASK_EVERY_SECONDS = 5;

/** A pause is this part of the time for which the hint has been coming: less than a hundred questions in a day. */
const PART_OF_ITS_AGE = 0.1;

/** Of a sender who has proven nothing. The longest true one has two thousand. */
const LONGEST_HINT_BYTES = 16 * 1_024;

/**
 * A hint that doesn't wait any more is asked about anew: whoever knows its form can send it before it is true, and must
 * not make a duplicate of the true one.
 */
const KEEP_HINT = statement<{ id: string }>(
  'keep_hint',
  `INSERT INTO webhook_event AS kept
   SELECT * FROM jsonb_populate_record(NULL::webhook_event, $1::jsonb || jsonb_build_object('next_try_at', now()))
   ON CONFLICT (provider, event_id, content_digest) DO UPDATE SET status = 'WAITING', tries = 0,
     outcome = excluded.outcome, type = excluded.type, payload = excluded.payload, headers = excluded.headers,
     next_try_at = greatest(now(), kept.processed_at + greatest(
       interval '${ASK_EVERY_SECONDS} seconds', ${PART_OF_ITS_AGE} * (kept.processed_at - kept.received_at)))
   WHERE kept.status <> 'WAITING' RETURNING id`,
);

/**
 * Verifies, stores and applies a provider's notification, all of the last two in one statement: after the answer it is
 * kept and applied, or kept to be applied later; before, nothing has happened.
 * @throws when the database can't store it: the provider must be told to send it again.
 */
export async function receiveNotification(
  manager: EntityManager,
  dependencies: WebhookDependencies,
  provider: Provider,
  notification: Notification,
): Promise<Reception> {
  const { rawBody, headers, receivedAt } = notification;
  const parsed = await provider.parseNotification(rawBody, headers, receivedAt);
  return takeNotification(manager, dependencies, provider, notification, parsed);
}

/**
 * What `receiveNotification` does once a notification has been read: here by its signature, elsewhere because the
 * provider itself listed it. @throws when the database can't store it.
 */
export async function takeNotification(
  manager: EntityManager,
  dependencies: WebhookDependencies,
  provider: Provider,
  notification: Notification,
  parsed: ParsedNotification,
): Promise<Reception> {
  switch (parsed.verdict) {
    case 'refused':
      return { kind: 'refused', detail: `${parsed.reason}: ${parsed.detail}` };
    case 'malformed':
      return parsed.keep
        ? keepUnreadable(manager, dependencies, provider, notification, parsed.keep, parsed.detail)
        : { kind: 'malformed', detail: parsed.detail };
    case 'ignored':
      if (parsed.proof === 'NONE') return { kind: 'unknown' };
      return store(manager, newEvent(provider, notification, parsed), 'IGNORED', parsed.reason);
    case 'accepted':
      return parsed.proof === 'SIGNED'
        ? applyOrKeep(manager, dependencies, provider, notification, parsed)
        : keepHint(manager, dependencies, provider, notification, parsed);
    case 'concerns':
      return keepConcern(manager, dependencies, newEvent(provider, notification, parsed));
    default:
      return parsed satisfies never;
  }
}

/** It only says that something changed. The provider is asked how it stands, and the sender doesn't wait for that. */
async function keepConcern(
  manager: EntityManager,
  { wakeInbox }: WebhookDependencies,
  event: WebhookEvent,
): Promise<Reception> {
  const outcome = 'the provider is asked how it stands';
  const row = { ...event, outcome };
  const inserted = await run(manager, KEEP_CONCERN, [JSON.stringify(toRow(row))]);
  if (inserted.length === 0) return { kind: 'duplicate' };
  wakeInbox();
  return { kind: 'waiting', outcome };
}

/**
 * What is not signed is believed of nobody: it is kept, and the inbox asks the provider itself. Of a sender who has proven
 * nothing at all, only what names a payment of ours is kept, or anybody could fill our tables.
 */
async function keepHint(
  manager: EntityManager,
  dependencies: WebhookDependencies,
  provider: Provider,
  notification: Notification,
  parsed: AcceptedNotification,
): Promise<Reception> {
  if (parsed.proof === 'NONE' && notification.rawBody.length > LONGEST_HINT_BYTES) {
    return { kind: 'malformed', detail: 'it proves nothing, and is longer than any that is true' };
  }
  const payment = await loadPaymentOfEvents(manager, provider, parsed.events);
  if (!payment && parsed.proof === 'NONE') return { kind: 'unknown' };
  const event = newEvent(provider, notification, parsed);
  if (!payment && !parsed.markedAsOurs) return store(manager, event, 'IGNORED', NOT_OURS);
  const outcome = 'a hint: the provider is asked';
  const row = { ...event, ...(payment && identityOfHint(provider, payment, parsed)), outcome };
  const kept = await run(manager, KEEP_HINT, [JSON.stringify(toRow(row))]);
  if (kept.length === 0) return { kind: 'duplicate' };
  dependencies.wakeInbox();
  return { kind: 'waiting', outcome };
}

/**
 * Where the provider is asked by the attempt's own reference whatever a hint says, all hints about an attempt are one:
 * whoever makes up ids and statuses makes neither rows nor questions.
 */
function identityOfHint(
  provider: Provider,
  payment: LoadedPayment,
  { events: [event] }: AcceptedNotification,
): Pick<WebhookEvent, 'eventId' | 'contentDigest'> | null {
  const attempt = event && findAttempt(payment, event, provider.name);
  if (!attempt || !provider.keyIsReference) return null;
  const reference = attemptReference(payment.intent.reference, attempt.number);
  return { eventId: `hint:${reference}`, contentDigest: '' };
}

async function applyOrKeep(
  manager: EntityManager,
  dependencies: WebhookDependencies,
  provider: Provider,
  notification: Notification,
  parsed: AcceptedNotification,
): Promise<Reception> {
  const event = newEvent(provider, notification, parsed);
  try {
    const outcome = await applyOnce(manager, dependencies, provider, event, parsed.events);
    if (outcome === DUPLICATE) return { kind: 'duplicate' };
    if (outcome !== null) return { kind: 'applied', outcome };
  } catch (error) {
    if (error instanceof NotProvenYet) return store(manager, event, 'WAITING', error.message);
    dependencies.log.error(
      { err: error, provider: provider.name, event: event.eventId },
      'could not apply a notification',
    );
    // A fault of ours must not lose a genuine notification. If the database is the fault, this throws too.
    return store(manager, event, 'WAITING', `failed: ${String(error)}`);
  }
  if (mayBeOurMoney(provider, parsed.events)) return keepConcern(manager, dependencies, event);
  return parsed.markedAsOurs
    ? store(manager, event, 'WAITING', NO_ATTEMPT_YET)
    : store(manager, event, 'IGNORED', NOT_OURS);
}

const DUPLICATE = Symbol('duplicate');

/** One that came before, was kept, and has changed nothing so far, is applied when it comes again. */
async function applyOnce(
  manager: EntityManager,
  dependencies: WebhookDependencies,
  provider: Provider,
  event: WebhookEvent,
  events: readonly ProviderEvent[],
): Promise<string | null | typeof DUPLICATE> {
  try {
    return await applyNotification(manager, dependencies, provider, event, events);
  } catch (error) {
    if (violatedConstraint(error) !== 'webhook_event_once') throw error;
    const [same] = await run(manager, FIND_SAME, [event.provider, event.eventId, event.contentDigest]);
    const kept = same && fromRow<WebhookEvent>(same.row);
    if (!kept || kept.status === 'APPLIED') return DUPLICATE;
    return applyNotification(manager, dependencies, provider, kept, events);
  }
}

/**
 * Applies the events and writes the webhook event's row, together.
 * @returns what came of it, or null, with nothing written, when there is no such payment.
 */
export async function applyNotification(
  manager: EntityManager,
  { wakeRelay, declinesPerHour }: WebhookDependencies,
  provider: Provider,
  webhookEvent: WebhookEvent,
  events: readonly ProviderEvent[],
): Promise<string | null> {
  const written = await writeEvents(
    manager,
    {
      actor: `provider:${provider.name}`,
      provider: provider.name,
      canRefund: provider.refund !== undefined,
      events,
      load: () => loadProvenPayment(manager, provider, events),
    },
    (change, outcome) => keepApplied(change, webhookEvent, outcome),
  );
  if (!written) return null;
  const { change, result } = written;
  if (change.outboxEvents.length > 0) wakeRelay();
  if (change.hasNewDecline) {
    const actor = `provider:${provider.name}`;
    await endPaymentsOfDeclined(manager, actor, change.intent, change.order.customerId, declinesPerHour);
  }
  return result;
}

/** The payment that the events of one notification are about. */
export function loadPaymentOfEvents(
  manager: EntityManager,
  { name }: Provider,
  [first]: readonly ProviderEvent[],
): Promise<LoadedPayment | null> {
  if (!first) throw new Error(`${name} accepted a notification without events`);
  return loadPaymentOfProvider(manager, name, first);
}

/** @throws {NotProvenYet} when the provider has to be asked before any of it is believed. */
export async function loadProvenPayment(
  manager: EntityManager,
  provider: Provider,
  events: readonly ProviderEvent[],
): Promise<LoadedPayment | null> {
  const payment = await loadPaymentOfEvents(manager, provider, events);
  if (payment && events.some((event) => isMoneyToProve(payment, event, provider.name))) {
    throw new NotProvenYet('money that our mark alone ties to the attempt: the provider is asked');
  }
  return payment;
}

/** Puts the webhook event's row, as it will be, beside what came of it. */
export function keepApplied(change: PaymentChange, webhookEvent: WebhookEvent, outcome: string): string {
  change.newWebhookEvents.push({
    ...webhookEvent,
    intentId: change.intent.id,
    status: 'APPLIED',
    outcome,
    tries: webhookEvent.tries + 1,
    nextTryAt: null,
    processedAt: change.now,
  });
  return outcome;
}

async function store(
  manager: EntityManager,
  event: WebhookEvent,
  status: 'IGNORED' | 'WAITING',
  outcome: string,
): Promise<Reception> {
  const row: WebhookEvent =
    status === 'WAITING'
      ? {
          ...event,
          status,
          outcome,
          tries: 1,
          nextTryAt: new Date(event.receivedAt.getTime() + pauseMillisecondsAfter(1)),
        }
      : { ...event, status, outcome, tries: 1, processedAt: event.receivedAt };
  const inserted = await run(manager, INSERT_IF_NEW, [JSON.stringify(toRow(row))]);
  if (inserted.length === 0) return { kind: 'duplicate' };
  return { kind: status === 'WAITING' ? 'waiting' : 'ignored', outcome };
}

function newEvent(provider: Provider, notification: Notification, parsed: KeptNotification): WebhookEvent {
  return { ...rowOf(provider, notification, parsed), contentDigest: contentDigestOf(parsed) };
}
