import { recogniseAttemptReference } from '../../references.js';
import type { ListedPayment } from '../provider.js';
import { readCurrency } from '../written-amount.js';
import { readAmount, readAmountOrZero } from './bank-amount.js';
import { type BankCall, callBank, unreadableAnswer } from './bank-exchange.js';
import { comparableIdAt, identifierAt } from './bank-identifier.js';
import type { Bank } from './bank-options.js';

import { textAt, valueAt } from '../json-document.js';

/** Page by page; those in which no money moved are left out. @throws {ProviderFailure} */
export async function* listBankPayments(
  bank: Bank,
  since: Date,
  until: Date,
): AsyncGenerator<ListedPayment, void> {
  const cursorsSeen = new Set<string>();
  let cursor: string | undefined;
  do {
    const call = callForPage(bank, since, until, cursor);
    const page = await callBank(bank, call);
    const payments = valueAt(page, bank.api.listFields.payments);
    if (!Array.isArray(payments)) throw unreadableAnswer(bank, call, 'a page without payments');
    for (const payment of payments) {
      const listed = readListed(bank, call, payment);
      if (listed) yield listed;
    }
    cursor = readNextCursor(bank, call, page, cursorsSeen);
  } while (cursor !== undefined);
}

function callForPage({ api }: Bank, since: Date, until: Date, cursor: string | undefined): BankCall {
  const { listFields: at, addresses } = api;
  const query = new URLSearchParams({
    [at.since]: since.toISOString(),
    [at.until]: until.toISOString(),
    ...(cursor !== undefined && { [at.cursor]: cursor }),
  });
  return { method: 'GET', path: `${addresses.list}?${query.toString()}` };
}

function readNextCursor(bank: Bank, call: BankCall, page: unknown, seen: Set<string>): string | undefined {
  const { next_cursor: next } = bank.api.listFields;
  // It has to be there: a page without it would pass for the last one.
  if (valueAt(page, next) === null) return undefined;
  const cursor = identifierAt(page, next);
  if (cursor === undefined) throw unreadableAnswer(bank, call, 'a page that does not say what is next');
  if (seen.has(cursor)) throw unreadableAnswer(bank, call, 'pages without an end');
  seen.add(cursor);
  return cursor;
}

/** Undefined when no money moved. */
function readListed(bank: Bank, call: BankCall, json: unknown): ListedPayment | undefined {
  const { paymentFields: at } = bank.api;
  const { api: notation } = bank.amounts;
  const id = identifierAt(json, at.id);
  if (id === undefined) throw unreadableAnswer(bank, call, 'a listed payment without an id');
  const captureReference = comparableIdAt(json, at.transfer_id);
  if (captureReference === undefined) return undefined;
  const currency = readCurrency(valueAt(json, at.currency));
  if (currency === undefined) {
    throw unreadableAnswer(bank, call, `payment ${id} in no currency that we can count in`);
  }
  const capturedAmount = readAmount(valueAt(json, at.paid_amount), notation, currency);
  const refundedAmount = readAmountOrZero(valueAt(json, at.refunded_amount), notation, currency);
  const createdAt = new Date(textAt(json, at.created_at) ?? NaN);
  if (capturedAmount === undefined || refundedAmount === undefined || Number.isNaN(createdAt.getTime())) {
    throw unreadableAnswer(bank, call, `payment ${id} without exact amounts, or without its time`);
  }
  const reference = textAt(json, at.reference);
  const attemptReference = reference && (recogniseAttemptReference(reference) ?? reference);
  return {
    providerReference: id,
    ...(attemptReference !== undefined && { attemptReference }),
    captureReference,
    currency,
    capturedAmount,
    refundedAmount,
    createdAt,
  };
}
