import type { EntityManager } from 'typeorm';
import { writeAuditEntry } from '../audit/write-audit-entry.js';
import { isDatabaseUnavailable } from '../database/unavailable.js';
import { applyProviderEvent } from '../payments/apply-provider-event.js';
import { foreseeChange } from '../payments/foresee-change.js';
import type { LoadedPayment } from '../payments/loaded-payment.js';
import { record, type PaymentChange } from '../payments/payment-change.js';
import type { PaymentDependencies } from '../payments/payment-dependencies.js';
import { PaymentError } from '../payments/payment-error.js';
import { writeChange } from '../payments/write-change.js';
import { findWebhookEvent } from './list-webhook-events.js';
import { followConcern, type ReadConcern } from './follow-concern.js';
import { readAgain, type ReadNotification } from './read-again.js';
import { NO_ATTEMPT_YET } from './new-webhook-event.js';
import { keepApplied, loadPaymentOfEvents } from './receive-notification.js';
import { WebhookError } from './webhook-error.js';
import type { WebhookEvent } from './webhook-event.js';
import type { WebhookReplay } from './webhook-types.js';
import { whatChanged } from './what-changed.js';

type ReplayDependencies = Pick<PaymentDependencies, 'providers' | 'wakeRelay' | 'seal' | 'log' | 'actor'>;
type Result = Pick<WebhookReplay, 'applied' | 'outcome' | 'changes'>;

/**
 * Reads a kept notification again and applies it, whatever became of it before: a payment takes no step twice. It stays
 * in the audit log under whoever asked. A dry run decides in the same way, and writes nothing.
 * @throws {WebhookError} WEBHOOK_EVENT_NOT_FOUND @throws {PaymentError} CHANGED_TOO_OFTEN
 */
export async function replayWebhookEvent(
  manager: EntityManager,
  dependencies: ReplayDependencies,
  id: string,
  dryRun: boolean,
): Promise<WebhookReplay> {
  const event = await find(manager, id);
  const result = await replay(manager, dependencies, event, dryRun);
  if (dryRun) return { ...result, dryRun, webhookEvent: event };
  if (!result.applied) await recordByItself(manager, dependencies.actor, event, result.outcome);
  return { ...result, dryRun, webhookEvent: await find(manager, id) };
}

async function replay(
  manager: EntityManager,
  dependencies: ReplayDependencies,
  event: WebhookEvent,
  dryRun: boolean,
): Promise<Result> {
  try {
    const read = await readAgain(manager, dryRun ? null : dependencies, dependencies.providers, event);
    if (typeof read === 'string') return notApplied(read);
    if ('ignored' in read) return notApplied(`read again, it is ignored: ${read.ignored}`);
    if ('concern' in read) return await followAgain(manager, dependencies, event, read, dryRun);
    return await apply(manager, dependencies, event, read, dryRun ? foreseeChange : writeChange);
  } catch (error) {
    // Those two say nothing of the notification: asking again may help.
    if (error instanceof PaymentError || isDatabaseUnavailable(error)) throw error;
    dependencies.log.error({ err: error, webhookEvent: event.id, dryRun }, 'could not replay a notification');
    return notApplied(`failed: ${String(error)}`);
  }
}

/** What it would change is only known once the provider is asked, so a dry run can't say. */
async function followAgain(
  manager: EntityManager,
  dependencies: ReplayDependencies,
  event: WebhookEvent,
  read: ReadConcern,
  dryRun: boolean,
): Promise<Result> {
  if (dryRun) return notApplied('the provider would be asked how it stands');
  const followed = await followConcern(manager, dependencies, event, read);
  if (typeof followed === 'string') return notApplied(followed);
  if (followed.status === 'IGNORED') return notApplied(followed.outcome);
  await recordByItself(manager, dependencies.actor, event, followed.outcome);
  return { applied: true, outcome: followed.outcome, changes: [] };
}

async function apply(
  manager: EntityManager,
  { actor, wakeRelay }: ReplayDependencies,
  event: WebhookEvent,
  { provider, events }: ReadNotification,
  change: typeof writeChange | typeof foreseeChange,
): Promise<Result> {
  let before: LoadedPayment | null = null;
  const load = async () => (before = await loadPaymentOfEvents(manager, provider, events));
  const prepared = await change(manager, actor, load, (draft) => {
    const outcome = events.map((one) => applyProviderEvent(draft, one, provider.name)).join('; ');
    keepApplied(draft, { ...event, intent: null }, outcome);
    recordReplay(draft, event, outcome);
    return { outcome, changes: whatChanged(before!, draft) };
  });
  if (!prepared) return notApplied(NO_ATTEMPT_YET);
  if (prepared.change.outboxEvents.length > 0) wakeRelay();
  const { outcome, changes } = prepared.result;
  const ofEvent = { what: 'notification status', before: event.status, after: 'APPLIED' };
  return { applied: true, outcome, changes: event.status === 'APPLIED' ? changes : [...changes, ofEvent] };
}

function recordReplay(change: PaymentChange, event: WebhookEvent, outcome: string): void {
  const after = { ...summaryOf(event), status: 'APPLIED', outcome };
  record(change, 'webhook.replayed', summaryOf(event), { after });
}

/** There was no payment to be written with, so it is an entry of its own. */
async function recordByItself(
  manager: EntityManager,
  actor: string,
  event: WebhookEvent,
  reason: string,
): Promise<void> {
  const summary = summaryOf(event);
  await manager.transaction(async (transaction) => {
    await transaction.query('SELECT 1 FROM webhook_event WHERE id = $1 FOR NO KEY UPDATE', [event.id]);
    const subject = `webhook-event:${event.id}`;
    const entry = { subject, actor, action: 'webhook.replayed', before: summary, after: summary, reason };
    await writeAuditEntry(transaction, entry);
  });
}

function summaryOf({ provider, eventId, type, status, outcome }: WebhookEvent): object {
  return { provider, eventId, type, status, outcome };
}

function notApplied(outcome: string): Result {
  return { applied: false, outcome, changes: [] };
}

async function find(manager: EntityManager, id: string): Promise<WebhookEvent> {
  const event = await findWebhookEvent(manager, id);
  if (event) return event;
  throw new WebhookError('WEBHOOK_EVENT_NOT_FOUND', 'There is no such notification.');
}
