import { v7 as uuidv7 } from 'uuid';
import { isCurrency } from '../money.js';
import type { DisputeMovement, ProviderOutcome } from '../providers/provider.js';
import { followBooks } from './books.js';
import type { Dispute, DisputeStatus } from './dispute.js';
import { movementsOf } from './disputed-money.js';
import { MoneyNotKnownYet } from './money-not-known-yet.js';
import type { Movement } from './movement.js';
import type { PaymentAttempt } from './payment-attempt.js';
import { addMovement, checkSoon, moveTo, record, type PaymentChange } from './payment-change.js';
import { review } from './review.js';
import type { ChangeCause } from './status-changed.js';

type DisputeOutcome = Extract<ProviderOutcome, { kind: 'dispute' }>;

const STATUS = { open: 'OPEN', appealed: 'OPEN', won: 'WON', lost: 'LOST' } as const;

/** Applies what a provider says of one dispute. Its decision and its money are told separately, and in any order. */
export function applyDispute(
  change: PaymentChange,
  attempt: PaymentAttempt,
  outcome: DisputeOutcome,
): string {
  if (change.intent.capturedAmount === 0) {
    throw new MoneyNotKnownYet('the payment that is disputed has not been told of yet');
  }
  const { dispute, news } = takeNews(change, attempt, outcome);
  const booking = bookMovements(change, dispute, outcome);
  if (booking === 'mismatch') {
    const noted = noteMismatch(change, attempt, outcome);
    if (news === null || noted !== 'nothing new') return noted;
  }
  if (news === null && booking !== 'booked') return 'nothing new';
  const cause = (kind: DisputeNews | 'DISPUTE_MONEY'): ChangeCause => ({
    kind,
    provider: dispute.provider,
    disputeReference: dispute.providerReference,
  });
  if (news === 'FIRST_HEARD_LOST') {
    // It is told like any other, and then that it is lost.
    if (!moveTo(change, 'DISPUTED', cause('DISPUTE_OPENED')))
      return followBooks(change, cause('DISPUTE_OPENED'));
    return followBooks(change, cause('DISPUTE_LOST'));
  }
  return followBooks(change, cause(news ?? 'DISPUTE_MONEY'));
}

type DisputeNews = 'DISPUTE_OPENED' | 'DISPUTE_WON' | 'DISPUTE_LOST';

interface TakenNews {
  readonly dispute: Dispute;
  /** Null: nothing that anybody has to hear of. */
  readonly news: DisputeNews | 'FIRST_HEARD_LOST' | null;
}

function takeNews(change: PaymentChange, attempt: PaymentAttempt, outcome: DisputeOutcome): TakenNews {
  const known = change.disputes.find(
    ({ provider, providerReference }) =>
      provider === attempt.provider && providerReference === outcome.providerDisputeReference,
  );
  const status = STATUS[outcome.status];
  if (!known) {
    const dispute = newDispute(change, attempt, outcome);
    writeDispute(change, dispute, status, outcome, 'dispute.opened', null);
    if (status === 'LOST') return { dispute, news: 'FIRST_HEARD_LOST' };
    return { dispute, news: status === 'OPEN' ? 'DISPUTE_OPENED' : 'DISPUTE_WON' };
  }
  if (!isNewer(change, known, outcome)) return { dispute: known, news: null };
  // An inquiry that has become a dispute is told like one that was opened.
  const isEscalated = status === 'OPEN' && known.refundable && !outcome.refundable;
  if (known.status === status && !isEscalated) {
    refreshDispute(change, known, outcome);
    return { dispute: known, news: null };
  }
  const action = status === 'OPEN' ? 'dispute.opened' : 'dispute.decided';
  writeDispute(change, known, status, outcome, action, summaryOfDispute(known));
  return { dispute: known, news: status === 'OPEN' ? 'DISPUTE_OPENED' : `DISPUTE_${status}` };
}

/**
 * Later news counts, and at the same second (which is as exact as providers are) a decision is later than what was open.
 * Where two decisions contradict each other and none is later, the provider is asked.
 */
function isNewer(change: PaymentChange, known: Dispute, outcome: DisputeOutcome): boolean {
  const { saidAt } = outcome;
  if (saidAt === null) return true;
  const difference = saidAt.getTime() - (known.saidAt?.getTime() ?? 0);
  if (difference !== 0 && known.saidAt !== null) return difference > 0;
  const status = STATUS[outcome.status];
  if (status === known.status) return known.saidAt === null || (known.refundable && !outcome.refundable);
  if (known.status === 'OPEN') return true;
  if (outcome.status !== 'open') checkSoon(change);
  return outcome.status === 'appealed';
}

function writeDispute(
  change: PaymentChange,
  dispute: Dispute,
  status: DisputeStatus,
  outcome: DisputeOutcome,
  action: string,
  before: object | null,
): void {
  Object.assign(dispute, detailsOf(dispute, outcome));
  dispute.status = status;
  dispute.settledAt = status === 'OPEN' ? null : change.now;
  change.changedDisputes.add(dispute.id);
  record(change, action, before, { after: summaryOfDispute(dispute) });
}

function refreshDispute(change: PaymentChange, dispute: Dispute, outcome: DisputeOutcome): void {
  const { saidAt, refundable, respondByAt } = detailsOf(dispute, outcome);
  const isSame =
    refundable === dispute.refundable &&
    saidAt?.getTime() === dispute.saidAt?.getTime() &&
    respondByAt?.getTime() === dispute.respondByAt?.getTime();
  if (isSame) return;
  Object.assign(dispute, { saidAt, refundable, respondByAt });
  change.changedDisputes.add(dispute.id);
}

function detailsOf(
  dispute: Dispute,
  { saidAt, refundable, respondBy }: DisputeOutcome,
): Pick<Dispute, 'saidAt' | 'refundable' | 'respondByAt'> {
  return {
    // What was asked for is as old as the question, by another clock: the time of the last notification stays.
    saidAt: saidAt ?? dispute.saidAt,
    refundable,
    respondByAt: respondBy ?? dispute.respondByAt,
  };
}

function newDispute(change: PaymentChange, attempt: PaymentAttempt, outcome: DisputeOutcome): Dispute {
  const dispute: Dispute = {
    id: uuidv7(),
    intentId: change.intent.id,
    attemptId: attempt.id,
    amount: outcome.amount,
    currency: isCurrency(outcome.currency) ? outcome.currency : change.intent.currency,
    status: 'OPEN',
    saidAt: null,
    refundable: outcome.refundable,
    reason: outcome.reason,
    provider: attempt.provider,
    providerReference: outcome.providerDisputeReference,
    respondByAt: null,
    createdAt: change.now,
    settledAt: null,
  };
  change.disputes.push(dispute);
  return dispute;
}

const KINDS = { withdrawn: 'CHARGEBACK', reinstated: 'CHARGEBACK_REVERSAL' } as const;

/** Books what is not in the books yet, all of it or nothing. */
function bookMovements(
  change: PaymentChange,
  dispute: Dispute,
  { movements, currency }: DisputeOutcome,
): 'booked' | 'nothing' | 'mismatch' {
  const { intent } = change;
  const missing = (['withdrawn', 'reinstated'] as const).flatMap((kind) =>
    notBooked(
      movementsOf(change, dispute).filter((movement) => movement.kind === KINDS[kind]),
      dispute,
      movements.filter((movement) => movement.kind === kind),
    ),
  );
  if (missing.length === 0) return 'nothing';
  const disputed = missing.reduce(
    (sum, { kind, amount }) => (kind === 'withdrawn' ? sum + amount : sum - amount),
    intent.disputedAmount,
  );
  if (currency !== intent.currency || !isPlausible(disputed, intent.capturedAmount)) return 'mismatch';
  for (const { kind, amount, reference } of missing) {
    addMovement(change, {
      intentId: intent.id,
      attemptId: dispute.attemptId,
      kind: KINDS[kind],
      amount,
      currency: intent.currency,
      provider: dispute.provider,
      providerReference: reference ?? dispute.providerReference,
      disputeReference: dispute.providerReference,
    });
  }
  return 'booked';
}

/**
 * Of the told movements of one kind, those that the books don't hold. A booked one that bears the dispute's own id was
 * told without an id of its own: it is the oldest that was told with one.
 */
function notBooked(
  booked: readonly Movement[],
  dispute: Dispute,
  told: readonly DisputeMovement[],
): DisputeMovement[] {
  let unnamed = booked.filter(
    ({ providerReference }) => providerReference === dispute.providerReference,
  ).length;
  return told.filter(({ reference }) => {
    if (reference === null) return booked.length === 0;
    if (booked.some(({ providerReference }) => providerReference === reference)) return false;
    if (unnamed === 0) return true;
    unnamed -= 1;
    return false;
  });
}

/** Exchange rates make it a little more than was captured; twice as much is an error. The database refuses it, too. */
function isPlausible(disputed: number, captured: number): boolean {
  return disputed >= -captured && disputed <= 2 * captured;
}

function noteMismatch(
  change: PaymentChange,
  { provider }: PaymentAttempt,
  { amount, currency, providerDisputeReference }: DisputeOutcome,
): string {
  return review(change, {
    code: 'DISPUTE_MISMATCH',
    message: `${amount} ${currency} taken back of ${change.intent.capturedAmount}.`,
    about: `${provider}:${providerDisputeReference}`,
  });
}

function summaryOfDispute({
  providerReference,
  amount,
  currency,
  status,
  reason,
  refundable,
}: Dispute): object {
  return { dispute: providerReference, amount, currency, status, reason, refundable };
}
