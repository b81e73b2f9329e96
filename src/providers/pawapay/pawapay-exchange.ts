import { exchange, kindWithoutAnswer, type ProviderAnswer } from '../exchange.js';
import { parseJson } from '../json-document.js';
import { type MoneyClaim, ProviderFailure, type ProviderFailureKind } from '../provider.js';
import { failure, failureCodeIn, meaningOfCode } from './pawapay-failures.js';
import type { PawaPayAccount } from './pawapay-options.js';

/** What is lost with the answer to a call. */
type Stake = Pick<PawaPayCall, 'isHarmless' | 'begins'>;

export interface PawaPayCall {
  readonly method: 'GET' | 'POST';
  /** Below the base URL, without a leading slash. */
  readonly path: string;
  readonly body?: object;
  /** Whether nothing can have changed when the answer is lost. */
  readonly isHarmless: boolean;
  /** The id of the deposit that this call begins: what is to be asked about when its answer is lost. */
  readonly begins?: string;
}

/** One request, and the JSON of its 2xx answer; REJECTED is such an answer too. @throws {ProviderFailure} */
export async function callPawaPay(account: PawaPayAccount, call: PawaPayCall): Promise<unknown> {
  const { status, text } = await ask(account, call);
  const json = parseJson(text);
  if (status < 200 || status >= 300) throw failureOfStatus(account, call, status, json);
  if (json === undefined) throw unreadableAnswer(account, call, `status ${status} without readable JSON`);
  return json;
}

/** An answer that says nothing sure. @param claims of what money it speaks all the same. */
export function unreadableAnswer(
  account: PawaPayAccount,
  call: Stake,
  detail: string,
  claims?: MoneyClaim,
): ProviderFailure {
  const message = `it gave an answer that could not be understood: ${detail}.`;
  return failureWithoutAnswer(account, call, 'ANSWER_UNREADABLE', message, claims);
}

export function askingCall(path: string): PawaPayCall {
  return { method: 'GET', path, isHarmless: true };
}

async function ask(account: PawaPayAccount, call: PawaPayCall): Promise<ProviderAnswer> {
  try {
    return await exchange({
      provider: account.name,
      displayName: account.displayName,
      method: call.method,
      url: new URL(`${account.baseUrl.href.replace(/\/+$/, '')}/${call.path}`),
      headers: headersOf(account, call),
      body: call.body && JSON.stringify(call.body),
      timeoutMilliseconds: account.timeoutMilliseconds,
      isHarmless: call.isHarmless,
    });
  } catch (error) {
    if (!(error instanceof ProviderFailure) || error.kind !== 'outcomeUnknown') throw error;
    const { provider, kind, code, message, cause } = error;
    throw new ProviderFailure(provider, kind, code, message, { cause, providerReference: call.begins });
  }
}

function headersOf({ token }: PawaPayAccount, call: PawaPayCall): Record<string, string> {
  return {
    accept: 'application/json',
    authorization: `Bearer ${token}`,
    ...(call.body && { 'content-type': 'application/json' }),
  };
}

/** By the code rather than by the status: which of 401 and 403 pawaPay answers with isn't sure. */
function failureOfStatus(
  account: PawaPayAccount,
  call: PawaPayCall,
  status: number,
  json: unknown,
): ProviderFailure {
  const code = failureCodeIn(json);
  const said = `it answered ${status}${code ? ` (${code})` : ''}.`;
  // 408: it, or a proxy before it, gave up waiting; nobody knows what had arrived by then.
  const isRefusal = status >= 400 && status < 500 && status !== 408 && code !== 'UNKNOWN_ERROR';
  if (!isRefusal) return failureWithoutAnswer(account, call, code ?? `HTTP_${status}`, said);
  const meaning = meaningOfCode(code);
  const kind: ProviderFailureKind = status === 429 ? 'unavailable' : (meaning?.kind ?? 'rejected');
  const isAnswer = kind !== 'unavailable' || (meaning !== undefined && status !== 429);
  return failure(account, kind, code ?? `HTTP_${status}`, meaning?.message ?? said, { isAnswer });
}

function failureWithoutAnswer(
  account: PawaPayAccount,
  call: Stake,
  code: string,
  message: string,
  claims?: MoneyClaim,
): ProviderFailure {
  const kind = kindWithoutAnswer(call);
  const known = kind === 'outcomeUnknown' ? { providerReference: call.begins } : {};
  return failure(account, kind, code, message, { ...known, claims });
}
