import { In, type EntityManager } from 'typeorm';
import { AuditEntry } from '../audit/audit-entry.js';
import { formatMoney } from '../money.js';
import { WebhookEvent } from '../webhooks/webhook-event.js';
import { Movement, type MovementKind } from './movement.js';
import { PaymentAttempt } from './payment-attempt.js';
import type { PaymentIntent } from './payment-intent.js';
import { callInWords, emailInWords, inWords, kindOf, type TimelineKind } from './timeline-words.js';

/** One thing that happened to a payment. */
export interface TimelineEntry {
  readonly at: Date;
  readonly kind: TimelineKind;
  readonly summary: string;
  readonly actor: string | null;
  readonly details: object;
}

/** What can be told of a payment, from one table. */
type Source = (manager: EntityManager, intent: PaymentIntent) => Promise<TimelineEntry[]>;

/** Of what happened at the same moment, the cause stands first: this is that order. */
const SOURCES: readonly Source[] = [
  theIntent,
  attempts,
  providerCalls,
  notifications,
  movements,
  auditEntries,
  emails,
];

/** A payment's whole life, the first thing first. @param intent with its order. */
export async function paymentTimeline(
  manager: EntityManager,
  intent: PaymentIntent,
): Promise<TimelineEntry[]> {
  const told = await Promise.all(SOURCES.map((source) => source(manager, intent)));
  // Sorting is stable, so the order of the sources stays where the times are the same.
  return told.flat().sort((one, other) => one.at.getTime() - other.at.getTime());
}

async function theIntent(manager: EntityManager, intent: PaymentIntent): Promise<TimelineEntry[]> {
  const { amount, currency, captureMethod, expiresAt } = intent;
  const opened = await manager.findOne(AuditEntry, {
    where: { subject: intent.reference, action: 'payment.opened' },
  });
  const details = { amount, currency, captureMethod, expiresAt };
  const summary = `A payment of ${formatMoney(amount, currency, 'en')} was opened for ${intent.order!.reference}.`;
  return [{ at: intent.createdAt, kind: 'INTENT', summary, actor: opened?.actor ?? null, details }];
}

async function attempts(manager: EntityManager, intent: PaymentIntent): Promise<TimelineEntry[]> {
  const rows = await manager.find(PaymentAttempt, {
    where: { intentId: intent.id },
    order: { number: 'ASC' },
  });
  return rows.map((attempt) => {
    const { number, method, presentation, provider, providerReference, status, failureCode } = attempt;
    return {
      at: attempt.createdAt,
      kind: 'ATTEMPT',
      summary: `Attempt ${number} was begun: ${method} at ${provider}. It is now ${status}.`,
      actor: null,
      details: { number, method, presentation, provider, providerReference, status, failureCode },
    };
  });
}

interface ProviderCallRow {
  readonly id: string;
  readonly attempt: number;
  readonly provider: string;
  readonly operation: string;
  readonly refund: string | null;
  readonly outcome: string;
  readonly failureCode: string | null;
  readonly tries: number;
  readonly milliseconds: number;
  readonly at: Date;
}

/** From the table of the provider log, which knows payments, and not the other way round. */
async function providerCalls(manager: EntityManager, { id }: PaymentIntent): Promise<TimelineEntry[]> {
  const rows = await manager.query<ProviderCallRow[]>(
    // A call begins by our clock and its attempt by the database's: it must not stand before it.
    `SELECT c.id, a.number AS attempt, c.provider, c.operation, c.refund_reference AS refund, c.outcome,
       c.failure_code AS "failureCode", c.tries, c.milliseconds, greatest(c.started_at, a.created_at) AS at
     FROM provider_call c JOIN payment_attempt a ON a.id = c.attempt_id
     WHERE a.intent_id = $1 ORDER BY c.started_at, c.id`,
    [id],
  );
  return rows.map(({ at, id: providerCallId, ...call }) => ({
    at,
    kind: 'PROVIDER_CALL',
    summary: callInWords(call),
    actor: null,
    details: { providerCallId, ...call },
  }));
}

async function notifications(manager: EntityManager, { id }: PaymentIntent): Promise<TimelineEntry[]> {
  const rows = await manager.find(WebhookEvent, {
    where: { intentId: id },
    order: { receivedAt: 'ASC', id: 'ASC' },
  });
  return rows.map(({ id: webhookEventId, provider, eventId, type, status, outcome, tries, ...times }) => ({
    at: earlier(times.receivedAt, times.processedAt),
    kind: 'NOTIFICATION',
    summary: `${provider} sent ${type}: ${outcome ?? status}.`,
    actor: `provider:${provider}`,
    details: { webhookEventId, eventId, type, status, outcome, tries },
  }));
}

/** It came by our clock and was applied by the database's: between the two, what it caused must not stand before it. */
function earlier(receivedAt: Date, processedAt: Date | null): Date {
  return processedAt && processedAt < receivedAt ? processedAt : receivedAt;
}

const MOVED: Readonly<Record<MovementKind, string>> = {
  CAPTURE: 'was taken',
  REFUND: 'was given back',
  REFUND_REVERSAL: 'came back from a refund that failed',
  CHARGEBACK: 'was taken back by the payer’s bank',
  CHARGEBACK_REVERSAL: 'was returned by the payer’s bank',
};

async function movements(manager: EntityManager, intent: PaymentIntent): Promise<TimelineEntry[]> {
  const rows = await manager.find(Movement, {
    where: { intentId: intent.id },
    order: { createdAt: 'ASC', id: 'ASC' },
  });
  return rows.map(({ kind, amount, currency, provider, providerReference, createdAt }) => ({
    at: createdAt,
    kind: 'MOVEMENT',
    summary: `${formatMoney(amount, currency, 'en')} ${MOVED[kind]}, at ${provider}.`,
    actor: `provider:${provider}`,
    details: { kind, amount, currency, provider, providerReference },
  }));
}

interface EmailRow {
  readonly id: string;
  readonly template: string;
  readonly recipient: string;
  readonly status: string;
  readonly tries: number;
  readonly lastError: string | null;
  readonly at: Date;
}

/** From the table of the notifications, which know payments, and not the other way round. */
async function emails(manager: EntityManager, { id }: PaymentIntent): Promise<TimelineEntry[]> {
  const rows = await manager.query<EmailRow[]>(
    `SELECT id, template, recipient, status, tries, last_error AS "lastError", coalesce(sent_at, created_at) AS at
     FROM email_message WHERE intent_id = $1 ORDER BY created_at, id`,
    [id],
  );
  return rows.map(({ at, id: emailId, ...email }) => ({
    at,
    kind: 'EMAIL',
    summary: emailInWords(email),
    actor: null,
    details: { emailId, ...email },
  }));
}

async function auditEntries(manager: EntityManager, intent: PaymentIntent): Promise<TimelineEntry[]> {
  const entries = await manager.find(AuditEntry, {
    where: { subject: In([intent.reference, intent.order!.reference]) },
    order: { createdAt: 'ASC', id: 'ASC' },
  });
  return entries.flatMap((entry) => {
    const kind = kindOf(entry.action);
    if (!kind) return [];
    const { action, before, after, reason } = entry;
    const details = { action, before, after, reason };
    return [{ at: entry.createdAt, kind, summary: inWords(entry), actor: entry.actor, details }];
  });
}
