import { ProviderFailure, type ProviderFailureKind } from '../provider.js';
import type { Bank } from './bank-options.js';
import { textAt } from './json-document.js';

export interface BankCall {
  readonly method: 'GET' | 'POST';
  /** Below the bank's base URL, without a leading slash. */
  readonly path: string;
  readonly body?: object;
  readonly idempotencyKey?: string;
  /** Statuses beside 2xx whose answer is an answer, not a failure. */
  readonly alsoReads?: readonly number[];
}

/** A payment is a few hundred bytes, and so is each refund of it; of either there may be a long list. */
const LONGEST_ANSWER_BYTES = 1024 * 1024;

/** One request to the bank, and the JSON that it answered. @throws {ProviderFailure} */
export async function callBank(bank: Bank, call: BankCall): Promise<unknown> {
  const { status, text } = await exchange(bank, call);
  const json = parseJson(text);
  if ((status >= 200 && status < 300) || call.alsoReads?.includes(status)) {
    if (json === undefined) throw unreadableAnswer(bank, call, `status ${status} without readable JSON`);
    return json;
  }
  throw failureOfStatus(bank, call, status, textAt(json, 'error.code'));
}

/** An answer that says nothing sure. After a POST the bank may well have done what it was asked. */
export function unreadableAnswer(bank: Bank, call: BankCall, detail: string): ProviderFailure {
  return new ProviderFailure(
    bank.name,
    kindWithoutAnswer(call),
    'ANSWER_UNREADABLE',
    `${bank.displayName} gave an answer that could not be understood: ${detail}.`,
  );
}

async function exchange(bank: Bank, call: BankCall): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(addressOf(bank, call), {
      method: call.method,
      headers: headersOf(bank, call),
      body: call.body && JSON.stringify(call.body),
      signal: AbortSignal.timeout(bank.timeoutMilliseconds),
      // A redirect could carry the API key to another host.
      redirect: 'manual',
    });
    return { status: response.status, text: await readText(response) };
  } catch (error) {
    throw failureOfBrokenExchange(bank, call, error);
  }
}

function addressOf(bank: Bank, call: BankCall): string {
  return `${bank.baseUrl.href.replace(/\/+$/, '')}/${call.path}`;
}

function headersOf(bank: Bank, call: BankCall): Record<string, string> {
  return {
    accept: 'application/json',
    authorization: `Bearer ${bank.apiKey}`,
    ...(call.body && { 'content-type': 'application/json' }),
    ...(call.idempotencyKey && { 'idempotency-key': call.idempotencyKey }),
  };
}

/** The whole body; of one that is too long, nothing, which no reader takes for an answer. */
async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength;
    // Leaving the loop closes the stream, and with it the connection.
    if (length > LONGEST_ANSWER_BYTES) return '';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
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
  return kindWithoutAnswer(call);
}

function failureOfBrokenExchange(bank: Bank, call: BankCall, error: unknown): ProviderFailure {
  const failure = (kind: ProviderFailureKind, code: string, what: string) =>
    new ProviderFailure(bank.name, kind, code, `${bank.displayName} ${what}.`, { cause: error });
  if (neverConnected(error)) return failure('unavailable', 'UNREACHABLE', 'could not be reached');
  if (propertiesOf(error)['name'] === 'TimeoutError') {
    return failure(kindWithoutAnswer(call), 'TIMEOUT', `did not answer in ${bank.timeoutMilliseconds} ms`);
  }
  return failure(kindWithoutAnswer(call), 'CONNECTION_LOST', 'closed the connection before it answered');
}

/** Asking again does no harm; ordering again might. */
function kindWithoutAnswer(call: BankCall): ProviderFailureKind {
  return call.method === 'GET' ? 'unavailable' : 'outcomeUnknown';
}

/** Found during the handshake, before a byte of the request is sent. */
const CERTIFICATE_PROBLEMS = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/**
 * Whether it is certain that the bank never saw the request. Judged by the system call that failed rather than by
 * its error code: a connection that was made and then lost can fail with the codes of one that never was.
 */
function neverConnected(error: unknown): boolean {
  const { syscall, code, errors, cause } = propertiesOf(error);
  // One error for each address that the name stands for.
  if (Array.isArray(errors) && errors.length > 0) return errors.every(neverConnected);
  if (syscall === 'connect' || syscall === 'getaddrinfo') return true;
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || CERTIFICATE_PROBLEMS.has(String(code))) return true;
  return cause !== undefined && neverConnected(cause);
}

function propertiesOf(error: unknown): Record<string, unknown> {
  return typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : {};
}
