import { randomUUID } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { NewAuditEntry } from '../audit/audit-entry.js';
import type { Booking } from '../orders/booking.js';
import { newHold, type Holder, type NewStockHold } from '../orders/hold-limits.js';
import type { Order, OrderStatus } from '../orders/order.js';
import type { SoldOut } from '../orders/sold-out.js';
import type { StockStep } from '../orders/stock.js';
import type { HoldLimits } from '../limits/limits.js';
import { newReference } from '../references.js';
import type { NewOutboxEvent } from '../outbox/topics.js';
import type { CaptureMethod, Provider } from '../providers/provider.js';
import type { WebhookEvent } from '../webhooks/webhook-event.js';
import type { IdempotencyKey } from '../idempotency/idempotency-key.js';
import { firstAskAfter } from './ask-again-schedule.js';
import { nextCheckOf } from './check-schedule.js';
import type { Dispute } from './dispute.js';
import type { LoadedPayment } from './loaded-payment.js';
import type { Movement } from './movement.js';
import { hasEndedWithoutMoney, isLive, type PaymentAttempt } from './payment-attempt.js';
import type { PaymentIntent } from './payment-intent.js';
import type { Refund } from './refund.js';
import type { RefundRequest } from './refund-request.js';
import { statusChanged, type ChangeCause } from './status-changed.js';
import { isOpen, mayMove, type PaymentStatus } from './transitions.js';

/** A change of an order and one of its intents, prepared in memory and written at once by `commitChange`. */
export interface PaymentChange {
  /** Who wants it: for the audit log. */
  readonly actor: string;
  readonly now: Date;
  readonly orderId: string;
  /** The order's version when it was read. If it has moved on, nothing of the change is written. */
  readonly orderVersion: number;
  order: Order;
  intent: PaymentIntent;
  attempts: PaymentAttempt[];
  movements: Movement[];
  refunds: Refund[];
  disputes: Dispute[];
  /** The order's, once it is made. */
  booking: Booking | null;
  readonly otherIsOpen: boolean;
  readonly newMovements: Movement[];
  readonly changedAttempts: Set<string>;
  readonly changedRefunds: Set<string>;
  readonly changedDisputes: Set<string>;
  bookingChanged: boolean;
  intentChanged: boolean;
  /** A card was declined, and nobody had said so before. */
  hasNewDecline: boolean;
  orderStatus: OrderStatus | null;
  /** Whether `refundedAt` or `restockedAt` of the order changed. */
  orderMarked: boolean;
  stockStep: StockStep | null;
  /** Who holds the stock, with HOLD; null: nobody is counted. */
  newHold: NewStockHold | null;
  /** Undefined: leave as it is. */
  reservedUntil: Date | null | undefined;
  /** Set when the database has just refused to take it again for late money. */
  readonly soldOut: SoldOut | null;
  /** The provider whose news is applied, where it has no call to give money back: then a person has to. */
  providerWithoutRefunds: string | null;
  readonly outboxEvents: NewOutboxEvent[];
  readonly newWebhookEvents: WebhookEvent[];
  readonly newKeys: IdempotencyKey[];
  /** Requests for a refund that this change approves, as they are from then on. */
  readonly approvedRequests: RefundRequest[];
  readonly auditEntries: NewAuditEntry[];
}

/** Starts a change of a payment that exists. The loaded rows stay as they are; the change works on copies. */
export function changePayment(
  loaded: LoadedPayment,
  actor: string,
  soldOut: SoldOut | null = null,
): PaymentChange {
  return {
    actor,
    now: loaded.now,
    orderId: loaded.order.id,
    orderVersion: loaded.order.version,
    order: { ...loaded.order },
    intent: { ...loaded.intent },
    attempts: loaded.attempts.map((attempt) => ({ ...attempt })),
    movements: [...loaded.movements],
    refunds: loaded.refunds.map((refund) => ({ ...refund })),
    otherIsOpen: loaded.otherIsOpen,
    disputes: loaded.disputes.map((dispute) => ({ ...dispute })),
    booking: loaded.booking && { ...loaded.booking },
    newMovements: [],
    changedAttempts: new Set(),
    changedRefunds: new Set(),
    changedDisputes: new Set(),
    bookingChanged: false,
    intentChanged: false,
    hasNewDecline: false,
    orderStatus: null,
    orderMarked: false,
    stockStep: null,
    newHold: null,
    reservedUntil: undefined,
    soldOut,
    providerWithoutRefunds: null,
    outboxEvents: [],
    newWebhookEvents: [],
    newKeys: [],
    approvedRequests: [],
    auditEntries: [],
  };
}

interface NewIntent {
  readonly expiresAt: Date;
  /** Of the payer's address; null: nobody is counted. */
  readonly clientDigest?: string | null;
  readonly holdLimits?: HoldLimits;
  readonly captureMethod: CaptureMethod;
}

/** Starts the change that gives an order a new intent, PENDING at version 1, with its stock held until then. */
export function openIntent(order: Order, actor: string, now: Date, terms: NewIntent): PaymentChange {
  const change = newIntent(order, actor, now, terms);
  holdStock(change, terms);
  return change;
}

/** For an order that costs nothing: its new intent is PAID, and the order CONFIRMED, in the change that opens it. */
export function openPaidIntent(order: Order, actor: string, now: Date, terms: NewIntent): PaymentChange {
  if (order.amount !== 0) throw new Error(`${order.reference} costs ${order.amount}, and nobody has paid it`);
  const change = newIntent(order, actor, now, terms);
  moveTo(change, 'PAID');
  confirmOrder(change);
  return change;
}

function newIntent(
  order: Order,
  actor: string,
  now: Date,
  { expiresAt, captureMethod, clientDigest = null }: NewIntent,
): PaymentChange {
  const intent: PaymentIntent = {
    id: uuidv7(),
    reference: newReference('TXN'),
    orderId: order.id,
    amount: order.amount,
    currency: order.currency,
    capturedAmount: 0,
    refundedAmount: 0,
    disputedAmount: 0,
    captureMethod,
    status: 'PENDING',
    version: 1,
    failureCode: null,
    failureMessage: null,
    clientDigest,
    declines: 0,
    declinedAt: null,
    notedProblems: [],
    expiresAt,
    nextCheckAt: nextCheckOf(now, now),
    askedAt: null,
    endAgainAt: null,
    paidAt: null,
    createdAt: now,
  };
  const nothing = {
    attempts: [],
    movements: [],
    refunds: [],
    disputes: [],
    booking: null,
    otherIsOpen: false,
  };
  const change = changePayment({ now, order, intent, ...nothing }, actor);
  change.intentChanged = true;
  change.outboxEvents.push(statusChanged(change, null));
  record(change, 'payment.opened', null);
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
    refunds: change.refunds,
    disputes: change.disputes,
    booking: change.booking,
    otherIsOpen: change.otherIsOpen,
  };
}

/**
 * The one place where a payment intent takes a step. Answers whether it was taken: the same status again is nothing
 * at all, and a step that the table forbids is refused.
 */
export function moveTo(
  change: PaymentChange,
  status: PaymentStatus,
  cause: ChangeCause | null = null,
): boolean {
  const previousStatus = change.intent.status;
  if (!mayMove(previousStatus, status)) return false;
  const before = summaryOf(change.intent);
  change.intent.status = status;
  change.intent.nextCheckAt = isOpen(status)
    ? nextCheckOf(change.now, change.intent.createdAt)
    : stillWanted(change);
  if (status === 'PAID') change.intent.paidAt ??= change.now;
  tell(change, previousStatus, { cause });
  record(change, 'payment.status', before);
  watchWhatIsLeft(change);
  return true;
}

/** A payment that is over is looked at no more, unless something was heard that has to be asked about. */
function stillWanted({ intent, now }: PaymentChange): Date | null {
  return intent.nextCheckAt !== null && intent.nextCheckAt <= now ? intent.nextCheckAt : null;
}

/** Money moved, or something is wrong with it, and the status stayed: watchers hear of it as of a change of status. */
export function tellAgain(
  change: PaymentChange,
  why: { readonly noted?: string; readonly cause?: ChangeCause } = {},
): void {
  const before = summaryOf(change.intent);
  tell(change, change.intent.status, why);
  // Each version has its entry: by the last one the log is known to be whole.
  record(change, 'payment.told', before);
}

function tell(
  change: PaymentChange,
  previousStatus: PaymentStatus,
  why: { readonly noted?: string; readonly cause?: ChangeCause | null },
): void {
  change.intent.version += 1;
  change.intentChanged = true;
  change.outboxEvents.push(statusChanged(change, previousStatus, why));
}

/** An act, for the audit log, with the payment as it was before and as it is after. */
export function record(
  change: PaymentChange,
  action: string,
  before: object | null,
  { reason = null, after }: { readonly reason?: string | null; readonly after?: object } = {},
): void {
  const { intent, actor } = change;
  change.auditEntries.push({
    subject: intent.reference,
    actor,
    action,
    before,
    after: after ?? summaryOf(intent),
    reason,
  });
}

export function summaryOf(intent: PaymentIntent): object {
  const { status, version, amount, currency, capturedAmount, refundedAmount, disputedAmount } = intent;
  return { status, version, amount, currency, capturedAmount, refundedAmount, disputedAmount };
}

/** The provider is to be asked, or told to end what is left, as soon as the job comes by. */
export function checkSoon(change: PaymentChange): void {
  change.intent.nextCheckAt = change.now;
  change.intentChanged = true;
}

/** An attempt that lives on beside the end of its payment could still bring money: it is to be ended. */
export function watchWhatIsLeft(change: PaymentChange): void {
  const { status } = change.intent;
  if (!isOpen(status) && status !== 'REVIEW' && change.attempts.some(isLive)) checkSoon(change);
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
  if (values.status !== undefined) noteEnd(change, attempt);
  change.changedAttempts.add(attempt.id);
}

/** Of an attempt that ended without money, the provider is asked again whether money came after all. */
function noteEnd({ now }: PaymentChange, attempt: PaymentAttempt): void {
  if (!hasEndedWithoutMoney(attempt)) {
    Object.assign(attempt, { endedAt: null, askAgainAt: null });
    return;
  }
  attempt.endedAt ??= now;
  attempt.askAgainAt ??= attempt.providerReference === null ? null : firstAskAfter(attempt.endedAt);
}

/** What the payer, or routing for them, has chosen. */
export type NewAttempt = Pick<
  PaymentAttempt,
  'provider' | 'method' | 'presentation' | 'returnUrl' | 'phoneNumber' | 'country' | 'operator' | 'fallbackOf'
> &
  Partial<Pick<PaymentAttempt, 'customerReference' | 'methodReference' | 'offSession'>>;

/** A new try at a provider, with the key that its call will use, for the intent's present amount. */
export function addAttempt(
  change: PaymentChange,
  way: NewAttempt,
  { keyIsReference = false }: Pick<Provider, 'keyIsReference'>,
): PaymentAttempt {
  const id = uuidv7();
  const idempotencyKey = randomUUID();
  const attempt: PaymentAttempt = {
    id,
    intentId: change.intent.id,
    number: change.attempts.length + 1,
    provider: way.provider,
    method: way.method,
    presentation: way.presentation,
    amount: change.intent.amount,
    captureAmount: null,
    providerReference: keyIsReference ? idempotencyKey : null,
    idempotencyKey,
    status: 'PENDING',
    sealedNextAction: null,
    returnUrl: way.returnUrl,
    phoneNumber: way.phoneNumber,
    country: way.country,
    operator: way.operator,
    fallbackOf: way.fallbackOf,
    customerReference: way.customerReference ?? null,
    methodReference: way.methodReference ?? null,
    offSession: way.offSession ?? false,
    failureCode: null,
    failureMessage: null,
    endedAt: null,
    askAgainAt: null,
    createdAt: change.now,
  };
  change.attempts.push(attempt);
  change.changedAttempts.add(id);
  return attempt;
}

const EFFECTS = {
  CAPTURE: ['capturedAmount', 1],
  REFUND: ['refundedAmount', 1],
  REFUND_REVERSAL: ['refundedAmount', -1],
  CHARGEBACK: ['disputedAmount', 1],
  CHARGEBACK_REVERSAL: ['disputedAmount', -1],
} as const;

type NewMovement = Omit<Movement, 'id' | 'createdAt' | 'disputeReference'> &
  Partial<Pick<Movement, 'disputeReference'>>;

/** Writes money into the books and into the intent's totals, together. */
export function addMovement(change: PaymentChange, movement: NewMovement): Movement {
  const row: Movement = { disputeReference: null, ...movement, id: uuidv7(), createdAt: change.now };
  change.movements.push(row);
  change.newMovements.push(row);
  const before = summaryOf(change.intent);
  const [total, sign] = EFFECTS[row.kind];
  change.intent[total] += sign * row.amount;
  change.intentChanged = true;
  const { kind, amount, currency, provider, providerReference } = row;
  record(change, 'money.moved', before, {
    after: { ...summaryOf(change.intent), movement: { kind, amount, currency, provider, providerReference } },
  });
  return row;
}

function holdStock(change: PaymentChange, { expiresAt: until, clientDigest, holdLimits }: NewIntent): void {
  if (change.order.reservedUntil === null) {
    change.stockStep = 'HOLD';
    const holder: Holder | null = clientDigest && holdLimits ? { clientDigest, limits: holdLimits } : null;
    change.newHold = holder && newHold(change.order, holder, change.now);
  }
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

/** Confirms the order, takes its stock (what was held, or, for late money, what is free), and makes its booking. */
export function confirmOrder(change: PaymentChange): void {
  change.stockStep = change.order.reservedUntil === null ? 'TAKE_FREE' : 'TAKE_HELD';
  change.order.status = 'CONFIRMED';
  change.order.confirmedAt = change.now;
  change.order.reservedUntil = null;
  change.orderStatus = 'CONFIRMED';
  change.reservedUntil = null;
  makeBooking(change);
}

/** What the order asked for; nothing where it asked for nothing. */
function makeBooking(change: PaymentChange): void {
  const { id: orderId, bookingStartsAt: startsAt, bookingEndsAt: endsAt, bookingDetails } = change.order;
  if (!startsAt || !endsAt) return;
  change.booking = {
    id: uuidv7(),
    reference: newReference('BKG'),
    orderId,
    status: 'CONFIRMED',
    startsAt,
    endsAt,
    details: bookingDetails ?? {},
    createdAt: change.now,
    cancelledAt: null,
  };
  change.bookingChanged = true;
  record(change, 'booking.confirmed', null, { after: summaryOfBooking(change.booking) });
}

/** Cancels what was booked, and frees its places. What is cancelled stays so: its places may be somebody else's. */
export function cancelBooking(change: PaymentChange): void {
  const { booking } = change;
  if (booking?.status !== 'CONFIRMED') return;
  const before = summaryOfBooking(booking);
  Object.assign(booking, { status: 'CANCELLED', cancelledAt: change.now } satisfies Partial<Booking>);
  change.bookingChanged = true;
  record(change, 'booking.cancelled', before, { after: summaryOfBooking(booking) });
}

/** Without its details, which may be personal. */
function summaryOfBooking({ reference, status, startsAt, endsAt }: Booking): object {
  return { booking: reference, status, startsAt, endsAt };
}

/** Sold pieces go back into the stock. */
export function returnStock(change: PaymentChange): void {
  change.stockStep = 'RETURN';
  change.order.restockedAt = change.now;
  change.orderMarked = true;
}

export function markRefunded(change: PaymentChange, at: Date | null): void {
  change.order.refundedAt = at;
  change.orderMarked = true;
}

/** Whether there is anything to write. */
export function isEmpty(change: PaymentChange): boolean {
  return (
    !change.intentChanged &&
    change.changedAttempts.size === 0 &&
    change.newMovements.length === 0 &&
    change.changedRefunds.size === 0 &&
    change.changedDisputes.size === 0 &&
    change.auditEntries.length === 0 &&
    !change.bookingChanged &&
    !change.orderMarked &&
    change.orderStatus === null &&
    change.reservedUntil === undefined &&
    change.newWebhookEvents.length === 0 &&
    change.newKeys.length === 0
  );
}
