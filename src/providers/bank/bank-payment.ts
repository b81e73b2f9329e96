import type { AttemptToInitiate, Initiated, InitiatedAttempt, ProviderEvent } from '../provider.js';
import { type BankCall, unreadableAnswer } from './bank-exchange.js';
import type { Bank } from './bank-options.js';
import { readAmount, readOutcome } from './bank-outcome.js';
import { textAt, valueAt } from './json-document.js';

/** It becomes part of a URL: no slash, and no `..`. */
const PAYMENT_ID = /^\w[\w.:-]*$/;

/** The bank's answer to our wish to be paid, if it is about exactly what we asked for. @throws {ProviderFailure} */
export function readInitiated(
  bank: Bank,
  call: BankCall,
  json: unknown,
  attempt: AttemptToInitiate,
): Initiated {
  const providerReference = readPaymentId(bank, call, json, attempt.reference);
  const currency = textAt(json, 'currency');
  if (currency !== attempt.currency) throw unreadableAnswer(bank, call, 'a payment in another currency');
  if (readAmount(valueAt(json, 'amount'), 'DECIMAL', attempt.currency) !== attempt.amount) {
    throw unreadableAnswer(bank, call, 'a payment of another amount');
  }
  return { providerReference, nextAction: { type: 'RedirectToUrl', url: readPaymentUrl(bank, call, json) } };
}

/**
 * What the bank says of the payment now. A paid amount or currency that differs from ours is told as it is: whoever
 * asked has to know. @throws {ProviderFailure}
 */
export function readState(
  bank: Bank,
  call: BankCall,
  json: unknown,
  attempt: InitiatedAttempt,
): ProviderEvent {
  const providerReference = readPaymentId(bank, call, json, attempt.reference);
  if (providerReference !== attempt.providerReference) {
    throw unreadableAnswer(bank, call, 'another payment than the one we asked about');
  }
  const status = textAt(json, 'status');
  if (status === undefined) throw unreadableAnswer(bank, call, 'a payment without a status');
  const reading = readOutcome(
    {
      status,
      amount: valueAt(json, 'amount'),
      amountFormat: 'DECIMAL',
      currency: valueAt(json, 'currency'),
      movementReference: textAt(json, bank.movementReferencePath),
    },
    bank.statusWords,
  );
  if (!reading.readable) throw unreadableAnswer(bank, call, reading.detail);
  return { providerReference, attemptReference: attempt.reference, outcome: reading.outcome };
}

function readPaymentId(bank: Bank, call: BankCall, json: unknown, reference: string): string {
  const id = textAt(json, 'id');
  if (id === undefined || !PAYMENT_ID.test(id)) throw unreadableAnswer(bank, call, 'a payment without an id');
  if (textAt(json, 'reference') !== reference) {
    throw unreadableAnswer(bank, call, 'a payment with another reference');
  }
  return id;
}

function readPaymentUrl(bank: Bank, call: BankCall, json: unknown): string {
  const url = valueAt(json, 'payment_url');
  // A bank that is reached securely must not send payers to an insecure page, or to `javascript:`.
  const protocols = bank.baseUrl.protocol === 'https:' ? ['https:'] : ['https:', 'http:'];
  if (typeof url !== 'string' || !URL.canParse(url) || !protocols.includes(new URL(url).protocol)) {
    throw unreadableAnswer(bank, call, 'a payment without a page to pay on');
  }
  return url;
}
