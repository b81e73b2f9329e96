import { exchange, kindWithoutAnswer } from '../exchange.js';
import { isPlainText, parseJson, textAt, valueAt } from '../json-document.js';
import { readPageUrl } from '../page-url.js';
import { type MoneyClaim, ProviderFailure, type ProviderFailureKind } from '../provider.js';
import { type PayDunya, withoutSecrets } from './paydunya-options.js';

export interface PayDunyaCall {
  readonly method: 'GET' | 'POST';
  /** Below the base URL, without a leading slash. */
  readonly path: string;
  readonly body?: object;
  /** Whether nothing can have changed for anybody when the answer is lost. */
  readonly isHarmless: boolean;
  /** How much longer than usual PayDunya may need to answer. */
  readonly patienceMilliseconds?: number;
}

export interface PayDunyaAnswer {
  readonly status: number;
  /** Undefined when it was no JSON. */
  readonly json: unknown;
}

/** One request, and the JSON of its success. @throws {ProviderFailure} */
export async function callPayDunya(paydunya: PayDunya, call: PayDunyaCall): Promise<unknown> {
  const { status, json } = await askPayDunya(paydunya, call);
  const code = responseCodeOf(json);
  if (status >= 500 || status === 408 || status === 429 || code === undefined) {
    throw failureOfStatus(paydunya, call, { status, json });
  }
  // Failures come with status 200, and of their codes there is no official list: whatever is not 00 is one.
  if (code !== '00') throw rejection(paydunya, code, textAt(json, 'response_text'));
  return json;
}

/** A text by its documentation; a number can only be one of a failure. */
export function responseCodeOf(json: unknown): string | undefined {
  const code = valueAt(json, 'response_code');
  return typeof code === 'number' ? String(code) : textAt(json, 'response_code');
}

/** One request, whatever it is answered. @throws {ProviderFailure} when there was no answer */
export async function askPayDunya(paydunya: PayDunya, call: PayDunyaCall): Promise<PayDunyaAnswer> {
  const { status, text } = await exchange({
    provider: paydunya.name,
    displayName: paydunya.displayName,
    method: call.method,
    url: new URL(`${paydunya.baseUrl}/${call.path}`),
    headers: {
      accept: 'application/json',
      'content-type': 'application/json',
      'paydunya-master-key': paydunya.masterKey,
      'paydunya-private-key': paydunya.privateKey,
      'paydunya-token': paydunya.token,
    },
    body: call.body && JSON.stringify(call.body),
    timeoutMilliseconds: paydunya.timeoutMilliseconds + (call.patienceMilliseconds ?? 0),
    isHarmless: call.isHarmless,
  });
  return { status, json: parseJson(text) };
}

/** An answer without a `response_code`. */
export function failureOfStatus(
  paydunya: PayDunya,
  call: PayDunyaCall,
  { status, json }: PayDunyaAnswer,
): ProviderFailure {
  if (status >= 200 && status < 300) {
    const what = json === undefined ? 'no JSON' : 'no response code';
    return unreadableAnswer(paydunya, call, what);
  }
  return new ProviderFailure(
    paydunya.name,
    kindOfStatus(call, { status, json }),
    `HTTP_${status}`,
    `${paydunya.displayName} answered ${status}.`,
  );
}

function kindOfStatus(call: PayDunyaCall, { status, json }: PayDunyaAnswer): ProviderFailureKind {
  if (status === 429) return 'unavailable';
  // A refusal of PayDunya's own is JSON; a page is one of what stands before it, and of a passing trouble.
  if (status >= 400 && status < 500 && status !== 408 && json !== undefined) return 'rejected';
  return kindWithoutAnswer(call);
}

/** An answer that says nothing sure. @param claims of what money it speaks all the same. */
export function unreadableAnswer(
  paydunya: PayDunya,
  call: PayDunyaCall,
  detail: string,
  claims?: MoneyClaim,
): ProviderFailure {
  return new ProviderFailure(
    paydunya.name,
    kindWithoutAnswer(call),
    'ANSWER_UNREADABLE',
    `${paydunya.displayName} gave an answer that could not be understood: ${detail}.`,
    { claims },
  );
}

export function rejection(paydunya: PayDunya, code: string, text = 'no reason given'): ProviderFailure {
  const message = `${paydunya.displayName} refused: ${text} (${code})`;
  return new ProviderFailure(
    paydunya.name,
    'rejected',
    withoutSecrets(paydunya, code),
    `${withoutSecrets(paydunya, message)}.`,
  );
}

/** A page that payers may be sent to; undefined for what is none. */
export function pageOf(paydunya: PayDunya, url: unknown): string | undefined {
  return readPageUrl(url, paydunya.baseUrl.startsWith('https:'));
}

/** An invoice's token becomes part of a URL: no slash, and no `..`. */
export function isInvoiceToken(token: unknown): token is string {
  return isPlainText(token) && /^\w[\w-]*$/.test(token);
}
