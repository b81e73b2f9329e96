import {
  NEVER_ACCEPTED,
  type InitiatedAttempt,
  type ProviderEvent,
  type ProviderOutcome,
} from '../provider.js';
import { claimOf, findDeposit, findRefund, readDepositOutcome } from './pawapay-deposit.js';
import { unreadableAnswer } from './pawapay-exchange.js';
import { failure } from './pawapay-failures.js';
import type { PawaPayAccount } from './pawapay-options.js';
import { readRefundOutcome } from './pawapay-refund-outcome.js';

/** After this, no order of ours can be on its way any more. */
const SURELY_ARRIVED_MILLISECONDS = 60_000;

/** A payment page lives about 15 minutes, by what is known; a payment that is begun at its end takes some time. */
const PAGE_IS_GONE_MILLISECONDS = 30 * 60_000;

const ASKED = { isHarmless: true };

/** @throws {ProviderFailure} */
export async function verifyDeposit(
  account: PawaPayAccount,
  attempt: InitiatedAttempt,
): Promise<ProviderEvent[]> {
  const about = { providerReference: attempt.providerReference, attemptReference: attempt.reference };
  const events: ProviderEvent[] = [{ ...about, outcome: await readPayment(account, attempt) }];
  for (const { reference, idempotencyKey } of attempt.openRefunds) {
    const refund = await findRefund(account, idempotencyKey);
    if (refund === undefined) continue;
    const outcome = readRefundOutcome(refund, reference);
    if (typeof outcome === 'string') throw unreadableAnswer(account, ASKED, outcome, 'REFUND');
    events.push({ ...about, outcome });
  }
  return events;
}

async function readPayment(account: PawaPayAccount, attempt: InitiatedAttempt): Promise<ProviderOutcome> {
  // Its id is the attempt's key, so any other deposit is somebody else's money.
  if (attempt.providerReference !== attempt.idempotencyKey) {
    throw failure(account, 'rejected', 'NOT_THIS_PAYMENT', 'that is not the payment of this attempt.');
  }
  const deposit = await findDeposit(account, attempt.providerReference);
  if (deposit === undefined) return outcomeOfUnknown(attempt);
  const outcome = readDepositOutcome(deposit);
  if (typeof outcome === 'string') throw unreadableAnswer(account, ASKED, outcome, claimOf(deposit));
  return outcome;
}

/** A page is no payment before the payer has begun one on it; an order to a phone is one, or never was accepted. */
function outcomeOfUnknown({ presentation, begunAt, now = new Date() }: InitiatedAttempt): ProviderOutcome {
  const age = now.getTime() - begunAt.getTime();
  if (presentation === 'REDIRECT') {
    return age < PAGE_IS_GONE_MILLISECONDS
      ? { kind: 'pending' }
      : { kind: 'cancelled', reason: 'PAGE_EXPIRED' };
  }
  if (age < SURELY_ARRIVED_MILLISECONDS) return { kind: 'pending' };
  return { kind: 'failed', code: NEVER_ACCEPTED, message: 'pawaPay never accepted this payment.' };
}
