import { exchange, kindWithoutAnswer, type ProviderAnswer } from '../exchange.js';
import { type MoneyClaim, ProviderFailure, type ProviderFailureKind } from '../provider.js';
import type { Bank } from './bank-options.js';
import { parseJson, textAt } from '../json-document.js';

export interface BankCall {
  readonly method: 'GET' | 'POST';
  /** Below the bank's base URL, without a leading slash. */
  readonly path: string;
  readonly body?: object;
  readonly idempotencyKey?: string;
  /** Statuses beside 2xx whose answer is an answer, not a failure. */
  readonly alsoReads?: readonly number[];
}

/** One request to the bank, and the JSON that it answered. @throws {ProviderFailure} */
export async function callBank(bank: Bank, call: BankCall): Promise<unknown> {
  const { status, text } = await ask(bank, call);
  const json = parseJson(text);
  if ((status >= 200 && status < 300) || call.alsoReads?.includes(status)) {
    if (json === undefined) throw unreadableAnswer(bank, call, `status ${status} without readable JSON`);
    return json;
  }
  throw failureOfStatus(bank, call, status, textAt(json, 'error.code'));
}

/**
 * An answer that says nothing sure. After a POST the bank may well have done what it was asked.
 * @param claims of what money it speaks all the same.
 */
export function unreadableAnswer(
  bank: Bank,
  call: BankCall,
  detail: string,
  claims?: MoneyClaim,
): ProviderFailure {
  return new ProviderFailure(
    bank.name,
    kindWithoutAnswer({ isHarmless: isHarmless(call) }),
    'ANSWER_UNREADABLE',
    `${bank.displayName} gave an answer that could not be understood: ${detail}.`,
    { claims },
  );
}

function ask(bank: Bank, call: BankCall): Promise<ProviderAnswer> {
  return exchange({
    provider: bank.name,
    displayName: bank.displayName,
    method: call.method,
    url: addressOf(bank, call),
    headers: headersOf(bank, call),
    body: call.body && JSON.stringify(call.body),
    timeoutMilliseconds: bank.timeoutMilliseconds,
    isHarmless: isHarmless(call),
  });
}

/** Asking again does no harm; ordering again might. */
function isHarmless(call: BankCall): boolean {
  return call.method === 'GET';
}

function addressOf(bank: Bank, call: BankCall): URL {
  return new URL(`${bank.baseUrl.href.replace(/\/+$/, '')}/${call.path}`);
}

function headersOf({ api: { keyHeader }, apiKey }: Bank, call: BankCall): Record<string, string> {
  const name = keyHeader.toLowerCase();
  return {
    accept: 'application/json',
    [name]: name === 'authorization' ? `Bearer ${apiKey}` : apiKey,
    ...(call.body && { 'content-type': 'application/json' }),
    ...(call.idempotencyKey && { 'idempotency-key': call.idempotencyKey }),
  };
}

/** By contract the bank says these only after it has looked for the reference and not found it. */
const SAID_OF_UNKNOWN_REFERENCES: ReadonlySet<string> = new Set([
  'already_expired',
  'not_paid',
  'another_transfer',
  'more_than_was_paid',
]);

function failureOfStatus(bank: Bank, call: BankCall, status: number, bankCode?: string): ProviderFailure {
  const message = `${bank.displayName} answered ${status}${bankCode ? ` (${bankCode})` : ''}.`;
  return new ProviderFailure(bank.name, kindOfStatus(call, status), bankCode ?? `HTTP_${status}`, message, {
    coversEarlierCalls: bankCode !== undefined && SAID_OF_UNKNOWN_REFERENCES.has(bankCode),
  });
}

function kindOfStatus(call: BankCall, status: number): ProviderFailureKind {
  if (status === 402) return 'declined';
  if (status === 429) return 'unavailable';
  // 408: the bank, or a proxy before it, gave up waiting; nobody knows what had arrived by then.
  if (status >= 400 && status < 500 && status !== 408) return 'rejected';
  return kindWithoutAnswer({ isHarmless: isHarmless(call) });
}
