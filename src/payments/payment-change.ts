import { v7 as uuidv7 } from 'uuid';
import type { Order, OrderStatus } from '../orders/order.js';
import type { StockStep } from '../orders/stock.js';
import { newReference } from '../references.js';
import type { NewOutboxEvent } from '../outbox/topics.js';
import type { WebhookEvent } from '../webhooks/webhook-event.js';
import type { IdempotencyKey } from '../idempotency/idempotency-key.js';
import type { LoadedPayment } from './loaded-payment.js';
import type { Movement } from './movement.js';
import type { PaymentAttempt } from './payment-attempt.js';
import type { PaymentIntent } from './payment-intent.js';
import { statusChanged } from './status-changed.js';
import { mayMove, type PaymentStatus } from './transitions.js';

/** A change of an order and one of its intents, prepared in memory and written at once by `commitChange`. */
export interface PaymentChange {
  readonly now: Date;
  readonly orderId: string;
  /** The order's version when it was read. If it has moved on, nothing of the change is written. */
  readonly orderVersion: number;
  order: Order;
  intent: PaymentIntent;
  attempts: PaymentAttempt[];
  movements: Movement[];
  readonly newMovements: Movement[];
  readonly changedAttempts: Set<string>;
  intentChanged: boolean;
  orderStatus: OrderStatus | null;
  stockStep: StockStep | null;
  /** Undefined: leave as it is. */
  reservedUntil: Date | null | undefined;
  /** Set when the database has just refused to take the order's stock again for late money. */
  readonly stockIsGone: boolean;
  readonly outboxEvents: NewOutboxEvent[];
  readonly newWebhookEvents: WebhookEvent[];
  readonly newKeys: IdempotencyKey[];
}

/** Starts a change of a payment that exists. The loaded rows stay as they are; the change works on copies. */
export function changePayment(loaded: LoadedPayment, stockIsGone = false): PaymentChange {
  return {
    now: loaded.now,
    orderId: loaded.order.id,
    orderVersion: loaded.order.version,
    order: { ...loaded.order },
    intent: { ...loaded.intent },
    attempts: loaded.attempts.map((attempt) => ({ ...attempt })),
    movements: [...loaded.movements],
    newMovements: [],
    changedAttempts: new Set(),
    intentChanged: false,
    orderStatus: null,
    stockStep: null,
    reservedUntil: undefined,
    stockIsGone,
    outboxEvents: [],
    newWebhookEvents: [],
    newKeys: [],
  };
}

/** Starts the change that gives an order a new intent, PENDING at version 1, with its stock held until then. */
export function openIntent(order: Order, now: Date, expiresAt: Date): PaymentChange {
  const intent: PaymentIntent = {
    id: uuidv7(),
    reference: newReference('TXN'),
    orderId: order.id,
    amount: order.amount,
    currency: order.currency,
    capturedAmount: 0,
    refundedAmount: 0,
    status: 'PENDING',
    version: 1,
    failureCode: null,
    failureMessage: null,
    expiresAt,
    nextCheckAt: null,
    paidAt: null,
    createdAt: now,
  };
  const change = changePayment({ now, order, intent, attempts: [], movements: [] });
  change.intentChanged = true;
  holdStock(change, expiresAt);
  change.outboxEvents.push(statusChanged(change, null));
  return change;
}

/** What the payment is once the change has been written, if there was anything to write: a further change can start from it. */
export function afterCommit(change: PaymentChange): LoadedPayment {
  return {
    now: change.now,
    order: { ...change.order, version: change.orderVersion + (isEmpty(change) ? 0 : 1) },
    intent: change.intent,
    attempts: change.attempts,
    movements: change.movements,
  };
}

/**
 * The one place where a payment intent takes a step. Answers whether it was taken: the same status again is nothing
 * at all, and a step that the table forbids is refused.
 */
export function moveTo(change: PaymentChange, status: PaymentStatus): boolean {
  const previousStatus = change.intent.status;
  if (!mayMove(previousStatus, status)) return false;
  change.intent.status = status;
  change.intent.version += 1;
  change.intent.nextCheckAt = null;
  if (status === 'PAID') change.intent.paidAt ??= change.now;
  change.intentChanged = true;
  change.outboxEvents.push(statusChanged(change, previousStatus));
  return true;
}

export function setFailure(change: PaymentChange, code: string | null, message: string | null): void {
  change.intent.failureCode = code;
  change.intent.failureMessage = message;
  change.intentChanged = true;
}

export function changeAttempt(
  change: PaymentChange,
  attempt: PaymentAttempt,
  values: Partial<PaymentAttempt>,
): void {
  Object.assign(attempt, values);
  change.changedAttempts.add(attempt.id);
}

/** A new try at a provider, with the key that its call will use, for the intent's present amount. */
export function addAttempt(
  change: PaymentChange,
  way: Pick<PaymentAttempt, 'provider' | 'method' | 'presentation' | 'returnUrl'>,
): PaymentAttempt {
  const id = uuidv7();
  const attempt: PaymentAttempt = {
    id,
    intentId: change.intent.id,
    number: change.attempts.length + 1,
    provider: way.provider,
    method: way.method,
    presentation: way.presentation,
    amount: change.intent.amount,
    providerReference: null,
    idempotencyKey: `attempt_${id}`,
    status: 'PENDING',
    sealedNextAction: null,
    returnUrl: way.returnUrl,
    failureCode: null,
    failureMessage: null,
    createdAt: change.now,
  };
  change.attempts.push(attempt);
  change.changedAttempts.add(id);
  return attempt;
}

/** Writes money into the books and into the intent's totals, together. */
export function addMovement(change: PaymentChange, movement: Omit<Movement, 'id' | 'createdAt'>): void {
  const row: Movement = { ...movement, id: uuidv7(), createdAt: change.now };
  change.movements.push(row);
  change.newMovements.push(row);
  if (row.kind === 'CAPTURE') change.intent.capturedAmount += row.amount;
  if (row.kind === 'REFUND') change.intent.refundedAmount += row.amount;
  change.intentChanged = true;
}

export function holdStock(change: PaymentChange, until: Date): void {
  if (change.order.reservedUntil === null) change.stockStep = 'HOLD';
  change.order.reservedUntil = until;
  change.reservedUntil = until;
}

/** Gives the held stock back; nothing where none is held. */
export function releaseStock(change: PaymentChange): void {
  if (change.order.reservedUntil === null) return;
  change.stockStep = 'RELEASE';
  change.order.reservedUntil = null;
  change.reservedUntil = null;
}

/** Confirms the order and takes its stock: what was held, or, for late money, what is free. */
export function confirmOrder(change: PaymentChange): void {
  change.stockStep = change.order.reservedUntil === null ? 'TAKE_FREE' : 'TAKE_HELD';
  change.order.status = 'CONFIRMED';
  change.order.confirmedAt = change.now;
  change.order.reservedUntil = null;
  change.orderStatus = 'CONFIRMED';
  change.reservedUntil = null;
}

/** Whether there is anything to write. */
export function isEmpty(change: PaymentChange): boolean {
  return (
    !change.intentChanged &&
    change.changedAttempts.size === 0 &&
    change.newMovements.length === 0 &&
    change.orderStatus === null &&
    change.reservedUntil === undefined &&
    change.newWebhookEvents.length === 0 &&
    change.newKeys.length === 0
  );
}
