import { textAt } from '../json-document.js';
import { NEVER_ACCEPTED, type ProviderEvent, type RefundToMake } from '../provider.js';
import { toPawaPayAmount } from './pawapay-amount.js';
import { findRefund } from './pawapay-deposit.js';
import { callPawaPay, type PawaPayCall, unreadableAnswer } from './pawapay-exchange.js';
import { failure, failureOfRejection } from './pawapay-failures.js';
import type { PawaPayAccount } from './pawapay-options.js';
import { readRefundOutcome, type RefundOutcome } from './pawapay-refund-outcome.js';

/** pawaPay knows one refund of each id, so asking again gives the same one. @throws {ProviderFailure} */
export async function makeRefund(account: PawaPayAccount, wanted: RefundToMake): Promise<ProviderEvent> {
  await refuseWhileAnotherIsOpen(account, wanted);
  const call = refundCall(wanted);
  const answer = await callPawaPay(account, call);
  const refundId = textAt(answer, 'refundId');
  if (refundId !== undefined && refundId !== wanted.idempotencyKey) {
    throw unreadableAnswer(account, call, 'another refundId');
  }
  switch (textAt(answer, 'status')) {
    case 'ACCEPTED':
      return eventOf(wanted, acceptedOutcome(wanted));
    case 'REJECTED':
      throw failureOfRejection(account, answer);
    case 'DUPLICATE_IGNORED':
      return eventOf(wanted, await readMadeBefore(account, call, wanted));
    default:
      throw unreadableAnswer(account, call, 'neither ACCEPTED nor REJECTED nor DUPLICATE_IGNORED');
  }
}

/** Asked beforehand, because the id of a refund that is rejected for this may be used up. */
async function refuseWhileAnotherIsOpen(account: PawaPayAccount, wanted: RefundToMake): Promise<void> {
  for (const { idempotencyKey, reference } of wanted.attempt.openRefunds) {
    if (idempotencyKey === wanted.idempotencyKey) continue;
    const other = await findRefund(account, idempotencyKey);
    if (other === undefined) continue;
    const outcome = readRefundOutcome(other, reference);
    if (typeof outcome === 'string' || outcome.status === 'pending') {
      throw failureOfRejection(account, { failureReason: { failureCode: 'REFUND_IN_PROGRESS' } });
    }
  }
}

function refundCall(wanted: RefundToMake): PawaPayCall {
  return {
    method: 'POST',
    path: 'v2/refunds',
    isHarmless: false,
    body: {
      refundId: wanted.idempotencyKey,
      depositId: wanted.captureReference,
      amount: toPawaPayAmount(wanted.amount, wanted.currency),
      currency: wanted.currency,
      clientReferenceId: wanted.reference,
      metadata: [{ refund: wanted.reference }, { attempt: wanted.attempt.reference }],
    },
  };
}

function acceptedOutcome({ reference, idempotencyKey, amount, currency }: RefundToMake): RefundOutcome {
  return {
    kind: 'refund',
    refundReference: reference,
    providerRefundReference: idempotencyKey,
    amount,
    currency,
    status: 'pending',
  };
}

async function readMadeBefore(
  account: PawaPayAccount,
  call: PawaPayCall,
  { idempotencyKey, reference, amount, currency }: RefundToMake,
): Promise<RefundOutcome> {
  const refund = await findRefund(account, idempotencyKey);
  if (refund === undefined) {
    // It has seen the id and holds no refund of it: that one was rejected, and the id is used up.
    const message = 'it never accepted this refund, and takes its id no more. Make a new one.';
    throw failure(account, 'rejected', NEVER_ACCEPTED, message, { coversEarlierCalls: true });
  }
  const outcome = readRefundOutcome(refund, reference);
  if (typeof outcome === 'string') throw unreadableAnswer(account, call, outcome, 'REFUND');
  if (outcome.amount !== amount || outcome.currency !== currency) {
    throw unreadableAnswer(account, call, 'a refund of another amount');
  }
  return outcome;
}

function eventOf({ attempt }: RefundToMake, outcome: RefundOutcome): ProviderEvent {
  return { providerReference: attempt.providerReference, attemptReference: attempt.reference, outcome };
}
