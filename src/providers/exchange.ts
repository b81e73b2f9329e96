import { millisecondsLeft, noteExchange } from './current-call.js';
import { ProviderFailure, type ProviderFailureKind } from './provider.js';
import { decodeText } from './written-text.js';

/** One HTTP request to a provider. */
export interface ProviderRequest {
  readonly provider: string;
  /** For the messages that people read. */
  readonly displayName: string;
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For the whole exchange: connecting, asking, and reading the answer. */
  readonly timeoutMilliseconds: number;
  /**
   * Whether nothing can have changed when the answer is lost: the request only asks, or what it makes can harm nobody.
   * Then no answer is `unavailable`; else it is `outcomeUnknown`.
   */
  readonly isHarmless: boolean;
}

export interface ProviderAnswer {
  readonly status: number;
  readonly text: string;
}

/** A payment is a few hundred bytes, and so is each refund of it; of either there may be a long list. */
const LONGEST_ANSWER_BYTES = 1024 * 1024;

/** Asks, and reads the answer, whatever its status. @throws {ProviderFailure} when there was no answer */
export async function exchange(request: ProviderRequest): Promise<ProviderAnswer> {
  const began = performance.now();
  const note = (came: Partial<ProviderAnswer> & { readonly error?: string }) =>
    noteExchange({
      method: request.method,
      url: request.url.href,
      request: request.body,
      status: came.status,
      answer: came.text,
      error: came.error,
      milliseconds: Math.round(performance.now() - began),
    });
  let status: number | undefined;
  const timeout = Math.min(request.timeoutMilliseconds, millisecondsLeft());
  try {
    if (timeout === 0) throw new DOMException('The call is over.', 'TimeoutError');
    const response = await fetch(request.url, {
      method: request.method,
      headers: request.headers,
      body: request.body,
      signal: AbortSignal.timeout(timeout),
      // A redirect could carry our keys to another host.
      redirect: 'manual',
    });
    ({ status } = response);
    const answer = { status, text: await readText(response) };
    note(answer);
    return answer;
  } catch (error) {
    const failure = failureOfBrokenExchange({ ...request, timeoutMilliseconds: timeout }, error);
    note({ status, error: failure.code });
    throw failure;
  }
}

/** What an answer that says nothing sure means for the money. */
export function kindWithoutAnswer({ isHarmless }: Pick<ProviderRequest, 'isHarmless'>): ProviderFailureKind {
  return isHarmless ? 'unavailable' : 'outcomeUnknown';
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
  return decodeText(Buffer.concat(chunks), response.headers.get('content-type') ?? undefined);
}

function failureOfBrokenExchange(request: ProviderRequest, error: unknown): ProviderFailure {
  const failure = (kind: ProviderFailureKind, code: string, what: string) =>
    new ProviderFailure(request.provider, kind, code, `${request.displayName} ${what}.`, { cause: error });
  if (neverConnected(error)) return failure('unavailable', 'UNREACHABLE', 'could not be reached');
  if (propertiesOf(error)['name'] === 'TimeoutError') {
    const what = `did not answer in ${request.timeoutMilliseconds} ms`;
    return failure(kindWithoutAnswer(request), 'TIMEOUT', what);
  }
  return failure(kindWithoutAnswer(request), 'CONNECTION_LOST', 'closed the connection before it answered');
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
 * Whether it is certain that the provider never saw the request. Judged by the system call that failed rather than by
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
