import type { InitiatedAttempt, ProviderEvent, RefundToMake } from '../provider.js';
import { type BankCall, unreadableAnswer } from './bank-exchange.js';
import type { Bank } from './bank-options.js';
import { comparableIdAt, identifierAt } from './bank-identifier.js';
import { readRefundOutcome, type RefundOutcome } from './bank-refund-outcome.js';
import { textAt, valueAt, wordAt } from '../json-document.js';
import { isSameWord } from '../written-text.js';

/** The bank's answer to our wish to give money back, if it is about exactly what we asked for. @throws {ProviderFailure} */
export function readRefundMade(
  bank: Bank,
  call: BankCall,
  json: unknown,
  { reference, attempt, amount, currency }: RefundToMake,
): ProviderEvent {
  const event = readRefund(bank, call, json, attempt);
  const { outcome } = event;
  if (!isSameWord(outcome.refundReference, reference)) {
    throw unreadableAnswer(bank, call, 'a refund with another reference');
  }
  if (outcome.amount !== amount || outcome.currency !== currency) {
    throw unreadableAnswer(bank, call, 'a refund of another amount');
  }
  return { ...event, outcome: { ...outcome, refundReference: reference } };
}

/** Each refund of a payment, however it was made. A bank that has none to tell of may leave the list out. @throws {ProviderFailure} */
export function readRefunds(
  bank: Bank,
  call: BankCall,
  json: unknown,
  attempt: InitiatedAttempt,
): ProviderEvent[] {
  const refunds = valueAt(json, bank.api.paymentFields.refunds) ?? [];
  if (!Array.isArray(refunds)) throw unreadableAnswer(bank, call, 'refunds that are no list');
  return refunds.map((refund) => readRefund(bank, call, refund, attempt));
}

function readRefund(
  bank: Bank,
  call: BankCall,
  json: unknown,
  attempt: InitiatedAttempt,
): ProviderEvent & { readonly outcome: RefundOutcome } {
  const { refundFields: at } = bank.api;
  if (identifierAt(json, at.payment_id) !== attempt.providerReference) {
    throw unreadableAnswer(bank, call, 'a refund of another payment');
  }
  const reading = readRefundOutcome(
    {
      id: comparableIdAt(json, at.id),
      reference: textAt(json, at.reference),
      status: wordAt(json, at.status),
      amount: valueAt(json, at.amount),
      notation: bank.amounts.api,
      currency: valueAt(json, at.currency),
    },
    bank.refundStatusWords,
  );
  if (!reading.readable) throw unreadableAnswer(bank, call, reading.detail, 'REFUND');
  return {
    providerReference: attempt.providerReference,
    attemptReference: attempt.reference,
    outcome: reading.outcome,
  };
}
