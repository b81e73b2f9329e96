import { v7 as uuidv7 } from 'uuid';
import { isCurrency } from '../money.js';
import type { ProviderOutcome } from '../providers/provider.js';
import { followBooks } from './books.js';
import type { Dispute } from './dispute.js';
import { MoneyNotKnownYet } from './money-not-known-yet.js';
import type { PaymentAttempt } from './payment-attempt.js';
import { addMovement, record, type PaymentChange } from './payment-change.js';
import { review } from './review.js';

type DisputeOutcome = Extract<ProviderOutcome, { kind: 'dispute' }>;

const STATUS = { open: 'OPEN', won: 'WON', lost: 'LOST' } as const;

/** Applies what a provider says of one dispute. Its status and its money are told separately, and in any order. */
export function applyDispute(
  change: PaymentChange,
  attempt: PaymentAttempt,
  outcome: DisputeOutcome,
): string {
  if (change.intent.capturedAmount === 0) {
    throw new MoneyNotKnownYet('the payment that is disputed has not been told of yet');
  }
  const statusChanged = takeStatus(change, attempt, outcome);
  const moneyMoved = takeMoney(change, attempt, outcome);
  if (typeof moneyMoved === 'string') return moneyMoved;
  return statusChanged || moneyMoved ? followBooks(change) : 'nothing new';
}

function takeStatus(change: PaymentChange, attempt: PaymentAttempt, outcome: DisputeOutcome): boolean {
  const status = STATUS[outcome.status];
  const known = change.disputes.find(
    ({ provider, providerReference }) =>
      provider === attempt.provider && providerReference === outcome.providerDisputeReference,
  );
  // What is decided stays: notifications come in any order.
  if (known && (known.status !== 'OPEN' || status === 'OPEN')) return false;
  const dispute = known ?? newDispute(change, attempt, outcome);
  const before = known ? summaryOfDispute(known) : null;
  dispute.status = status;
  dispute.settledAt = status === 'OPEN' ? null : change.now;
  change.changedDisputes.add(dispute.id);
  const action = known ? 'dispute.decided' : 'dispute.opened';
  record(change, action, before, { after: summaryOfDispute(dispute) });
  return true;
}

function newDispute(change: PaymentChange, attempt: PaymentAttempt, outcome: DisputeOutcome): Dispute {
  const dispute: Dispute = {
    id: uuidv7(),
    intentId: change.intent.id,
    attemptId: attempt.id,
    amount: outcome.amount,
    currency: isCurrency(outcome.currency) ? outcome.currency : change.intent.currency,
    status: 'OPEN',
    reason: outcome.reason,
    provider: attempt.provider,
    providerReference: outcome.providerDisputeReference,
    respondByAt: outcome.respondBy ?? null,
    createdAt: change.now,
    settledAt: null,
  };
  change.disputes.push(dispute);
  return dispute;
}

/** Whether money moved; a text when it can't be put into the books. */
function takeMoney(
  change: PaymentChange,
  attempt: PaymentAttempt,
  { money, amount, currency, providerDisputeReference }: DisputeOutcome,
): boolean | string {
  if (money === 'unmoved') return false;
  const { intent } = change;
  const knows = (kind: 'CHARGEBACK' | 'CHARGEBACK_REVERSAL') =>
    change.movements.some(
      (movement) =>
        movement.provider === attempt.provider &&
        movement.kind === kind &&
        movement.providerReference === providerDisputeReference,
    );
  const move = (kind: 'CHARGEBACK' | 'CHARGEBACK_REVERSAL') =>
    addMovement(change, {
      intentId: intent.id,
      attemptId: attempt.id,
      kind,
      amount,
      currency: intent.currency,
      provider: attempt.provider,
      providerReference: providerDisputeReference,
    });
  const withdrawn = knows('CHARGEBACK');
  if (!withdrawn) {
    if (currency !== intent.currency || amount > intent.capturedAmount - intent.disputedAmount) {
      return review(change, {
        code: 'DISPUTE_MISMATCH',
        message: `${amount} ${currency} taken back of ${intent.capturedAmount}.`,
        about: `${attempt.provider}:${providerDisputeReference}`,
      });
    }
    move('CHARGEBACK');
  }
  // Returned is told of money that was withdrawn before, also when we hear of it first.
  const returned = money === 'returned' && !knows('CHARGEBACK_REVERSAL');
  if (returned) move('CHARGEBACK_REVERSAL');
  return !withdrawn || returned;
}

function summaryOfDispute({ providerReference, amount, currency, status, reason }: Dispute): object {
  return { dispute: providerReference, amount, currency, status, reason };
}
