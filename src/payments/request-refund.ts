import { v7 as uuidv7 } from 'uuid';
import type { EntityManager } from 'typeorm';
import { AccessError } from '../access/access-error.js';
import type { NewAuditEntry } from '../audit/audit-entry.js';
import { writeAuditEntry } from '../audit/write-audit-entry.js';
import { databaseNow } from '../database/database-clock.js';
import { violatedConstraint } from '../database/statement.js';
import { IdempotencyKey } from '../idempotency/idempotency-key.js';
import {
  IdempotencyKeyReused,
  KEY_CONSTRAINT,
  keyExpiry,
  keyUse,
  type KeyUse,
} from '../idempotency/key-use.js';
import { newReference } from '../references.js';
import { loadPayment } from './loaded-payment.js';
import { changePayment, record } from './payment-change.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { PaymentError } from './payment-error.js';
import type { Refund } from './refund.js';
import { queueRefund, refundPayment, type RefundPayment } from './refund-payment.js';
import { RefundRequest } from './refund-request.js';

/** How long a request can be approved: until the other operator's next shift. */
const REQUEST_LIFETIME_MILLISECONDS = 24 * 60 * 60 * 1_000;

/**
 * Writes a refund down that another operator has to approve. It must be one that could be made now.
 * @throws what `refundPayment` throws, but for limits.
 */
export async function requestRefund(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  asked: RefundPayment,
): Promise<RefundRequest> {
  const { authority: _authority, ...input } = asked;
  const key = keyUse('requestRefund', input);
  const earlier = await requestOfKey(manager, key);
  if (earlier) return earlier;
  const payment = await loadPayment(manager, asked.intentReference);
  if (!payment) throw new PaymentError('PAYMENT_NOT_FOUND', 'There is no such payment.');
  // Only to know what it would be: this change is never written.
  const { amount, currency, reason, restock } = queueRefund(
    changePayment(payment, dependencies.actor),
    dependencies,
    asked,
  );
  const request = {
    id: uuidv7(),
    reference: newReference('RRQ'),
    intentId: payment.intent.id,
    ...{ amount, currency, reason, restock },
    askedBy: asked.caller,
    createdAt: payment.now,
    expiresAt: new Date(payment.now.getTime() + REQUEST_LIFETIME_MILLISECONDS),
  };
  try {
    await manager.transaction(async (transaction) => {
      await lockOrder(transaction, payment.order.id);
      await transaction.insert(RefundRequest, request);
      const expiresAt = keyExpiry(payment.now);
      await transaction.insert(IdempotencyKey, { ...key, resourceId: request.id, expiresAt });
      const entry = entryOf(asked.intentReference, dependencies.actor, 'refund.asked', request);
      await writeAuditEntry(transaction, entry);
    });
  } catch (error) {
    const same = violatedConstraint(error) === KEY_CONSTRAINT ? await requestOfKey(manager, key) : null;
    if (same) return same;
    throw error;
  }
  return manager.findOneByOrFail(RefundRequest, { id: request.id });
}

/**
 * Makes the refund that somebody else asked for: the decision and the refund are one write. The same said again, after a lost
 * answer, gives that refund.
 * @throws {PaymentError} REFUND_REQUEST_NOT_FOUND, REFUND_REQUEST_CLOSED, and what `refundPayment` throws
 * @throws {AccessError} FORBIDDEN: they asked for it themselves
 */
export async function approveRefund(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  reference: string,
  person: string,
): Promise<Refund> {
  const { paymentIntent, amount, reason, restock, askedBy } = await find(manager, reference);
  if (askedBy === person) {
    throw new AccessError('FORBIDDEN', 'You asked for this refund: another operator has to approve it.');
  }
  return refundPayment(manager, dependencies, {
    ...{ intentReference: paymentIntent.reference, amount, reason, restock },
    caller: 'refund-request',
    idempotencyKey: reference,
    authority: 'TWO_PEOPLE',
    approve: async (change) => {
      // Read after the order's version, with which each decision goes on: another one in between undoes this change.
      const { paymentIntent: _paymentIntent, ...request } = await findOpen(manager, reference);
      const approved = {
        ...request,
        decision: 'APPROVED' as const,
        decidedBy: person,
        decidedAt: change.now,
      };
      change.approvedRequests.push(approved);
      record(change, 'refund.approved', null, { after: summaryOfRequest(request) });
    },
  });
}

/** @throws {PaymentError} REFUND_REQUEST_NOT_FOUND, REFUND_REQUEST_CLOSED */
export async function declineRefund(
  manager: EntityManager,
  { actor }: PaymentDependencies,
  reference: string,
  person: string,
): Promise<RefundRequest> {
  const { id, paymentIntent } = await find(manager, reference);
  await manager.transaction(async (transaction) => {
    await lockOrder(transaction, paymentIntent.orderId);
    const request = await findOpen(transaction, reference);
    const decided = { decision: 'DECLINED' as const, decidedBy: person, decidedAt: () => 'now()' };
    await transaction.update(RefundRequest, { id }, decided);
    await writeAuditEntry(transaction, entryOf(paymentIntent.reference, actor, 'refund.declined', request));
  });
  return manager.findOneByOrFail(RefundRequest, { id });
}

/** The order first, as everywhere; whoever has read it before reads it again, and what is decided here with it. */
async function lockOrder(transaction: EntityManager, orderId: string): Promise<void> {
  await transaction.query('UPDATE orders SET version = version + 1 WHERE id = $1', [orderId]);
}

async function find(manager: EntityManager, reference: string) {
  const relations = { paymentIntent: true };
  const found = await manager.findOne(RefundRequest, { where: { reference }, relations });
  if (found?.paymentIntent) return { ...found, paymentIntent: found.paymentIntent };
  throw new PaymentError('REFUND_REQUEST_NOT_FOUND', 'There is no such request for a refund.', {
    field: 'id',
  });
}

/** @throws {PaymentError} REFUND_REQUEST_CLOSED: it was decided, or its time is up by the database's clock. */
async function findOpen(manager: EntityManager, reference: string) {
  const request = await find(manager, reference);
  if (request.decision) throw closed(`${String(request.decidedBy)} has decided: ${request.decision}`);
  if (request.expiresAt <= (await databaseNow(manager))) throw closed('it has expired: ask for it again');
  return request;
}

async function requestOfKey(
  manager: EntityManager,
  { caller, key, fingerprint }: KeyUse,
): Promise<RefundRequest | null> {
  const used = await manager.findOneBy(IdempotencyKey, { caller, key });
  if (!used) return null;
  if (used.fingerprint !== fingerprint) throw new IdempotencyKeyReused();
  return manager.findOneByOrFail(RefundRequest, { id: used.resourceId });
}

function summaryOfRequest({ reference: request, amount, currency }: Summarised): object {
  return { request, amount, currency };
}

type Summarised = Pick<RefundRequest, 'reference' | 'amount' | 'currency'>;

function entryOf(subject: string, actor: string, action: string, request: Summarised): NewAuditEntry {
  return { subject, actor, action, before: null, after: summaryOfRequest(request), reason: null };
}

function closed(why: string): PaymentError {
  return new PaymentError('REFUND_REQUEST_CLOSED', `Nothing more is decided about this request: ${why}.`, {
    field: 'id',
  });
}
