import type { EntityManager } from 'typeorm';
import { toRow } from '../database/rows.js';
import { run, statement, violatedConstraint } from '../database/statement.js';
import { NOTIFICATION_UNREADABLE, type UnreadablePayload } from '../outbox/topics.js';
import { loadPaymentOfProvider } from '../payments/loaded-payment.js';
import { checkSoon, type PaymentChange } from '../payments/payment-change.js';
import { note, review } from '../payments/review.js';
import { writeChange } from '../payments/write-change.js';
import type { Provider, UnreadableNotification } from '../providers/provider.js';
import { digestOfBytes } from './content-digest.js';
import { NOT_OURS, rowOf, type Notification } from './new-webhook-event.js';
import type { Reception, WebhookDependencies } from './receive-notification.js';
import type { WebhookEvent } from './webhook-event.js';

/** Its alert is written with it, for the e-mail that tells of it. */
const KEEP = statement<{ id: string }>(
  'keep_unreadable_webhook_event',
  `WITH kept AS (
     INSERT INTO webhook_event SELECT * FROM jsonb_populate_record(NULL::webhook_event, $1)
     ON CONFLICT (provider, event_id, content_digest) DO NOTHING RETURNING id, status
   ), alert AS (
     INSERT INTO outbox_event (topic, key, version, payload)
     SELECT '${NOTIFICATION_UNREADABLE}', id, 1, $2::jsonb FROM kept WHERE status = 'UNREADABLE'
   )
   SELECT id FROM kept`,
);

/**
 * Keeps a genuine notification that can't be read, so that nothing that may be money is lost, and lets somebody know: next
 * to the payment that it names, or by itself. One about somebody else's payment is nothing to worry about.
 * @throws when the database can't store it.
 */
export async function keepUnreadable(
  manager: EntityManager,
  dependencies: WebhookDependencies,
  provider: Provider,
  notification: Notification,
  found: UnreadableNotification,
  detail: string,
): Promise<Reception> {
  const event: WebhookEvent = {
    ...rowOf(provider, notification, found),
    contentDigest: digestOfBytes(notification.rawBody),
    status: 'UNREADABLE',
    outcome: detail,
    tries: 1,
    processedAt: notification.receivedAt,
  };
  // A forged hint must not put a payment under review.
  if (found.proof !== 'SIGNED') return keepByItself(manager, dependencies, event, found.mayBeOurs);
  try {
    const outcome = await keepBesidePayment(manager, dependencies, provider, event, found);
    if (outcome !== null) return { kind: 'unreadable', outcome };
  } catch (error) {
    if (violatedConstraint(error) === 'webhook_event_once') return { kind: 'duplicate' };
    dependencies.log.error(
      { err: error, provider: provider.name, event: event.eventId },
      'could not note a notification on its payment',
    );
    // A fault of ours must not lose it. If the database is the fault, this throws too.
    return keepByItself(manager, dependencies, event, true);
  }
  return keepByItself(manager, dependencies, event, found.mayBeOurs);
}

/** Null: it names no payment of ours. */
async function keepBesidePayment(
  manager: EntityManager,
  { wakeRelay }: WebhookDependencies,
  { name }: Provider,
  event: WebhookEvent,
  { about, claims }: UnreadableNotification,
): Promise<string | null> {
  const written = await writeChange(
    manager,
    `provider:${name}`,
    () => loadPaymentOfProvider(manager, name, about),
    (change) => noteOnPayment(change, event, claims),
  );
  if (!written) return null;
  wakeRelay();
  return written.result;
}

/** The provider is asked at once, too: its answer may be readable. */
function noteOnPayment(
  change: PaymentChange,
  event: WebhookEvent,
  claims: UnreadableNotification['claims'],
): string {
  const { provider, eventId } = event;
  const problem = {
    code: 'NOTIFICATION_UNREADABLE',
    message: `${provider} sent a notification that could not be read (${event.outcome}). It is kept in webhookEvents.`,
    about: `${provider}:notification:${eventId}`,
  };
  const noted = claims === 'PAYMENT' ? review(change, problem) : note(change, problem);
  checkSoon(change);
  const outcome = `${event.outcome}; ${noted === 'nothing new' ? noted : `noted on ${change.intent.reference}`}`;
  change.newWebhookEvents.push({ ...event, intentId: change.intent.id, outcome, processedAt: change.now });
  return outcome;
}

async function keepByItself(
  manager: EntityManager,
  { wakeRelay }: WebhookDependencies,
  event: WebhookEvent,
  mayBeOurs: boolean,
): Promise<Reception> {
  const row: WebhookEvent = mayBeOurs ? event : { ...event, status: 'IGNORED', outcome: NOT_OURS };
  const payload: UnreadablePayload = {
    webhookEventId: event.id,
    provider: event.provider,
    eventId: event.eventId,
    type: event.type,
    problem: event.outcome!,
    receivedAt: event.receivedAt.toISOString(),
  };
  const kept = await run(manager, KEEP, [JSON.stringify(toRow(row)), JSON.stringify(payload)]);
  if (kept.length === 0) return { kind: 'duplicate' };
  wakeRelay();
  return mayBeOurs ? { kind: 'unreadable', outcome: event.outcome! } : { kind: 'ignored', outcome: NOT_OURS };
}
