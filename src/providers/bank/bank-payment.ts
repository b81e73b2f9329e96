import { decimalShift, shiftInWords } from '../../money.js';
import type { AttemptToInitiate, Initiated, InitiatedAttempt, ProviderEvent } from '../provider.js';
import { readAmount } from './bank-amount.js';
import { type BankCall, unreadableAnswer } from './bank-exchange.js';
import { comparableIdAt, identifierAt } from './bank-identifier.js';
import type { Bank } from './bank-options.js';
import { readOutcome } from './bank-outcome.js';
import { textAt, valueAt, wordAt } from '../json-document.js';
import { readPageUrl } from '../page-url.js';
import { readCurrency } from '../written-amount.js';
import { isSameWord } from '../written-text.js';

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
  const { paymentFields: at } = bank.api;
  const currency = readCurrency(valueAt(json, at.currency));
  if (currency !== attempt.currency) throw unreadableAnswer(bank, call, 'a payment in another currency');
  const amount = readAmount(valueAt(json, at.amount), bank.amounts.api, attempt.currency);
  if (amount !== attempt.amount) {
    throw unreadableAnswer(bank, call, `a payment of another amount${inWords(amount, attempt)}`);
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
  const { paymentFields: at } = bank.api;
  const status = wordAt(json, at.status);
  if (status === undefined) throw unreadableAnswer(bank, call, 'a payment without a status');
  const reading = readOutcome(
    {
      status,
      amount: valueAt(json, at.amount),
      notation: bank.amounts.api,
      currency: valueAt(json, at.currency),
      movementReference: comparableIdAt(json, at.transfer_id),
    },
    bank.statusWords,
  );
  if (!reading.readable) throw unreadableAnswer(bank, call, reading.detail, 'PAYMENT');
  return { providerReference, attemptReference: attempt.reference, outcome: reading.outcome };
}

function readPaymentId(bank: Bank, call: BankCall, json: unknown, reference: string): string {
  const { paymentFields: at } = bank.api;
  const id = identifierAt(json, at.id);
  if (id === undefined || !PAYMENT_ID.test(id)) throw unreadableAnswer(bank, call, 'a payment without an id');
  if (!isSameWord(textAt(json, at.reference), reference)) {
    throw unreadableAnswer(bank, call, 'a payment with another reference');
  }
  return id;
}

/** Behind "another amount": what may be wrong, where it can be seen. */
function inWords(amount: number | undefined, wanted: Pick<AttemptToInitiate, 'amount' | 'currency'>): string {
  const shift = amount === undefined ? undefined : decimalShift(amount, wanted.amount);
  return shift === undefined ? '' : `, ${shiftInWords(shift, wanted.currency)}; check AMOUNT_EXPONENTS`;
}

function readPaymentUrl(bank: Bank, call: BankCall, json: unknown): string {
  const given = valueAt(json, bank.api.paymentFields.payment_url);
  const url = readPageUrl(given, bank.baseUrl.protocol === 'https:');
  if (url === undefined) throw unreadableAnswer(bank, call, 'a payment without a page to pay on');
  return url;
}
