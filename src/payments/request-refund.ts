import { v7 as uuidv7 } from 'uuid';
import type { EntityManager } from 'typeorm';
import { AccessError } from '../access/access-error.js';
import { writeAuditEntry } from '../audit/write-audit-entry.js';
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
import { changePayment } from './payment-change.js';
import type { PaymentDependencies } from './payment-dependencies.js';
import { PaymentError } from './payment-error.js';
import type { Refund } from './refund.js';
import { queueRefund, refundPayment, type RefundPayment } from './refund-payment.js';
import { RefundRequest } from './refund-request.js';

/**
 * How long a request can be approved. Not longer than an idempotency key is kept: by it, approving twice makes one refund.
 */
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
      await record(transaction, dependencies, asked.intentReference, 'refund.asked', request);
    });
  } catch (error) {
    const same =
      key && violatedConstraint(error) === KEY_CONSTRAINT ? await requestOfKey(manager, key) : null;
    if (same) return same;
    throw error;
  }
  return manager.findOneByOrFail(RefundRequest, { id: request.id });
}

/**
 * Makes the refund that somebody else asked for. The same operator may say so again, and it stays one refund: also when the
 * first time was cut off between the decision and the refund.
 * @throws {PaymentError} REFUND_REQUEST_NOT_FOUND, REFUND_REQUEST_CLOSED, and what `refundPayment` throws
 * @throws {AccessError} FORBIDDEN: they asked for it themselves
 */
export async function approveRefund(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  reference: string,
  person: string,
): Promise<Refund> {
  const { request, intentReference } = await decide(manager, dependencies, reference, person, 'APPROVED');
  const { amount, reason, restock } = request;
  return refundPayment(manager, dependencies, {
    ...{ intentReference, amount, reason, restock },
    caller: 'refund-request',
    idempotencyKey: reference,
    authority: 'TWO_PEOPLE',
  });
}

/** @throws {PaymentError} REFUND_REQUEST_NOT_FOUND, REFUND_REQUEST_CLOSED */
export async function declineRefund(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  reference: string,
  person: string,
): Promise<RefundRequest> {
  return (await decide(manager, dependencies, reference, person, 'DECLINED')).request;
}

type Decision = NonNullable<RefundRequest['decision']>;

async function decide(
  manager: EntityManager,
  dependencies: PaymentDependencies,
  reference: string,
  person: string,
  decision: Decision,
): Promise<{ request: RefundRequest; intentReference: string }> {
  return manager.transaction(async (transaction) => {
    const { paymentIntent } = await find(transaction, reference);
    await lockOrder(transaction, paymentIntent.orderId);
    const { request, isExpired } = await lockRequest(transaction, reference);
    const intentReference = paymentIntent.reference;
    if (decision === 'APPROVED' && request.askedBy === person) {
      throw new AccessError('FORBIDDEN', 'You asked for this refund: another operator has to approve it.');
    }
    if (isExpired) throw closed('it has expired: ask for it again');
    if (request.decision === decision && request.decidedBy === person) return { request, intentReference };
    if (request.decision) throw closed(`${String(request.decidedBy)} has decided: ${request.decision}`);
    await transaction.update(
      RefundRequest,
      { id: request.id },
      { decision, decidedBy: person, decidedAt: () => 'now()' },
    );
    const action = decision === 'APPROVED' ? 'refund.approved' : 'refund.declined';
    await record(transaction, dependencies, intentReference, action, request);
    return {
      request: await transaction.findOneByOrFail(RefundRequest, { id: request.id }),
      intentReference,
    };
  });
}

/** The order first, as everywhere: its row stands for its payments. */
async function lockOrder(transaction: EntityManager, orderId: string): Promise<void> {
  await transaction.query('SELECT 1 FROM orders WHERE id = $1 FOR NO KEY UPDATE', [orderId]);
}

async function lockRequest(
  transaction: EntityManager,
  reference: string,
): Promise<{ request: RefundRequest; isExpired: boolean }> {
  const request = await transaction.findOneByOrFail(RefundRequest, { reference });
  const [row]: { isExpired: boolean }[] = await transaction.query(
    'SELECT expires_at <= now() AS "isExpired" FROM refund_request WHERE id = $1 FOR UPDATE',
    [request.id],
  );
  return { request, isExpired: row!.isExpired };
}

async function find(manager: EntityManager, reference: string) {
  const relations = { paymentIntent: true };
  const found = await manager.findOne(RefundRequest, { where: { reference }, relations });
  if (found?.paymentIntent) return { ...found, paymentIntent: found.paymentIntent };
  throw new PaymentError('REFUND_REQUEST_NOT_FOUND', 'There is no such request for a refund.', {
    field: 'id',
  });
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

/** @param manager of a transaction that holds the order's row. */
async function record(
  manager: EntityManager,
  { actor }: PaymentDependencies,
  subject: string,
  action: string,
  { reference: request, amount, currency }: Pick<RefundRequest, 'reference' | 'amount' | 'currency'>,
): Promise<void> {
  const after = { request, amount, currency };
  await writeAuditEntry(manager, { subject, actor, action, before: null, after, reason: null });
}

function closed(why: string): PaymentError {
  return new PaymentError('REFUND_REQUEST_CLOSED', `Nothing more is decided about this request: ${why}.`, {
    field: 'id',
  });
}
