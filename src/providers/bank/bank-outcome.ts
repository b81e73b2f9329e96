import type { ProviderOutcome } from '../provider.js';
import { readCurrency } from '../written-amount.js';
import { meaningOfWord } from '../written-text.js';
import { type AmountNotation, readAmount } from './bank-amount.js';
import type { StatusMeaning, StatusWords } from './bank-options.js';

/** What a bank says of a payment, in its API or in a notification, before any of it is understood. */
export interface BankReport {
  readonly status: string;
  readonly amount: unknown;
  readonly notation: AmountNotation;
  readonly currency: unknown;
  readonly movementReference: string | undefined;
}

export type Reading<Outcome extends ProviderOutcome = ProviderOutcome> =
  { readonly readable: true; readonly outcome: Outcome } | Unreadable;

interface Unreadable {
  readonly readable: false;
  readonly detail: string;
}

/** Only a paid report needs an amount; one that cannot be read exactly makes the whole report unreadable. */
export function readOutcome(report: BankReport, words: StatusWords): Reading {
  const meaning = meaningOf(report.status, words);
  switch (meaning) {
    case 'pending':
    case 'processing':
      return { readable: true, outcome: { kind: meaning } };
    case 'failed':
      return {
        readable: true,
        outcome: { kind: 'failed', code: report.status, message: 'The bank did not make the payment.' },
      };
    case 'cancelled':
      return { readable: true, outcome: { kind: 'cancelled', reason: report.status } };
    case 'paid':
      return readPaid(report);
  }
}

function meaningOf(status: string, words: StatusWords): StatusMeaning {
  return meaningOfWord(status, words) ?? 'processing';
}

function readPaid({ amount, notation, currency, movementReference }: BankReport): Reading {
  if (movementReference === undefined) return unreadable('paid, and no id of the movement');
  const known = readCurrency(currency);
  if (known === undefined) return unreadable('paid, and no currency that we can count in');
  const minorUnits = readAmount(amount, notation, known);
  if (minorUnits === undefined) return unreadable(`paid, and no exact amount of ${known}`);
  return {
    readable: true,
    outcome: { kind: 'paid', amount: minorUnits, currency: known, movementReference },
  };
}

export function unreadable(detail: string): Unreadable {
  return { readable: false, detail };
}
