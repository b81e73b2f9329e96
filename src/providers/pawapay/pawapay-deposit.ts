import { textAt, valueAt, wordAt } from '../json-document.js';
import { readPageUrl } from '../page-url.js';
import type { MoneyClaim, ProviderOutcome } from '../provider.js';
import { normalisedWord } from '../written-text.js';
import { readMoney } from './pawapay-amount.js';
import { askingCall, callPawaPay, unreadableAnswer } from './pawapay-exchange.js';
import { reasonOfFailure } from './pawapay-failures.js';
import type { PawaPayAccount } from './pawapay-options.js';

/** Undefined for a payment that pawaPay does not know: it has not been begun, or was never accepted. @throws {ProviderFailure} */
export function findDeposit(account: PawaPayAccount, depositId: string): Promise<unknown> {
  return findOperation(account, 'deposits', 'depositId', depositId);
}

/** @throws {ProviderFailure} */
export function findRefund(account: PawaPayAccount, refundId: string): Promise<unknown> {
  return findOperation(account, 'refunds', 'refundId', refundId);
}

async function findOperation(
  account: PawaPayAccount,
  operations: string,
  idName: string,
  id: string,
): Promise<unknown> {
  const call = askingCall(`v2/${operations}/${encodeURIComponent(id)}`);
  const json = await callPawaPay(account, call);
  const found = textAt(json, 'status');
  if (found === 'NOT_FOUND') return undefined;
  const data = valueAt(json, 'data');
  if (found !== 'FOUND') throw unreadableAnswer(account, call, 'neither FOUND nor NOT_FOUND');
  if (textAt(data, idName) !== id) throw unreadableAnswer(account, call, `another ${idName}`);
  return data;
}

/** Those of deposits and those of refunds. Every other word is one that we have never seen. */
export const STATUS_WORDS: ReadonlySet<string> = new Set([
  'ACCEPTED',
  'SUBMITTED',
  'ENQUEUED',
  'PROCESSING',
  'IN_RECONCILIATION',
  'COMPLETED',
  'FAILED',
  'REJECTED',
]);

export const FAILED_WORDS: ReadonlySet<string | undefined> = new Set(['FAILED', 'REJECTED']);

/**
 * How a payment stands, by a status or by a callback, which have the same form; or what is wrong with it. Until
 * pawaPay has to ask the operator what became of it (IN_RECONCILIATION), the payer may still have to approve: nothing
 * tells whether they did.
 */
export function readDepositOutcome(deposit: unknown): ProviderOutcome | string {
  const status = statusAt(deposit);
  switch (status) {
    case undefined:
      return 'a payment without a status';
    case 'ACCEPTED':
    case 'SUBMITTED':
    case 'ENQUEUED':
    case 'PROCESSING':
      return { kind: 'pending' };
    case 'COMPLETED':
      return readPaid(deposit);
    case 'FAILED':
    case 'REJECTED':
      return { kind: 'failed', ...reasonOfFailure(deposit) };
    default:
      return { kind: 'processing' };
  }
}

/** In pawaPay's capitals, however it was written. */
export function statusAt(operation: unknown): string | undefined {
  const word = wordAt(operation, 'status');
  return word && normalisedWord(word);
}

/** Whether an answer that could not be read says that money came. */
export function claimOf(deposit: unknown): MoneyClaim | undefined {
  return statusAt(deposit) === 'COMPLETED' ? 'PAYMENT' : undefined;
}

function readPaid(deposit: unknown): ProviderOutcome | string {
  const money = readMoney(valueAt(deposit, 'amount'), valueAt(deposit, 'currency'));
  const movementReference = textAt(deposit, 'depositId');
  if (!money || money.amount === 0) return 'a payment of no exact amount of a currency that we count in';
  if (movementReference === undefined) return 'a payment without its id';
  return { kind: 'paid', ...money, movementReference };
}

/** A page that payers may be sent to; undefined for what is none. */
export function pageUrlAt({ baseUrl }: PawaPayAccount, json: unknown, path: string): string | undefined {
  return readPageUrl(valueAt(json, path), baseUrl.protocol === 'https:');
}
