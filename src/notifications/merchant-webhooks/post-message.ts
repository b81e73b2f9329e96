import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { isAddressNotPublic, type ReceiverNetwork } from './receiver-network.js';

export interface OutgoingMessage {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** What came of it. A status without an error is a whole answer. */
export interface Answer {
  readonly status: number | null;
  /** How it begins. */
  readonly body: string | null;
  readonly retryAfter?: string;
  /** Why there was no whole answer. It goes to whoever may read deliveries, so it tells nothing of our network. */
  readonly error: string | null;
  readonly milliseconds: number;
}

/** We are stopping: it says nothing of the receiver. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}

/** Enough to see what a receiver complains of. */
const KEPT_BYTES = 2_048;

/** Whoever sends more has answered all the same. */
const MOST_READ_BYTES = 65_536;

class TimeIsUp extends Error {
  override readonly name = 'TimeIsUp';
}

/**
 * One exchange; redirects are not followed.
 * @param milliseconds for all of it, from the name's address to the last byte of the answer.
 * @throws {Stopped} when `stop` is what ended it.
 */
export async function postMessage(
  message: OutgoingMessage,
  network: ReceiverNetwork,
  milliseconds: number,
  stop: AbortSignal,
): Promise<Answer> {
  const startedAt = performance.now();
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(new TimeIsUp()), milliseconds);
  const onStop = () => end.abort(new Stopped());
  stop.addEventListener('abort', onStop, { once: true });
  if (stop.aborted) onStop();
  let response: IncomingMessage | undefined;
  const answer = (body: string | null, error: string | null): Answer => ({
    status: response?.statusCode ?? null,
    body,
    retryAfter: response?.headers['retry-after'],
    error,
    milliseconds: Math.round(performance.now() - startedAt),
  });
  try {
    response = await begin(message, network, end.signal);
    return answer(await readStart(response), null);
  } catch (error) {
    if (end.signal.reason instanceof Stopped) throw new Stopped('it was stopped', { cause: error });
    return answer(null, wordsFor(error, end.signal, response !== undefined));
  } finally {
    clearTimeout(timer);
    stop.removeEventListener('abort', onStop);
  }
}

function begin(
  { url, headers, text }: OutgoingMessage,
  network: ReceiverNetwork,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const target = new URL(url);
    const isSecure = target.protocol === 'https:';
    const outgoing = (isSecure ? https : http).request(target, {
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(text) },
      agent: isSecure ? network.httpsAgent : network.httpAgent,
      lookup: network.lookup,
      signal,
    });
    outgoing.on('response', resolve);
    outgoing.on('error', reject);
    // An answer that switches protocols ends the request without an error.
    outgoing.on('close', () => reject(new Error('it was closed without an answer')));
    outgoing.end(text);
  });
}

async function readStart(response: IncomingMessage): Promise<string> {
  const kept: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (bytes < KEPT_BYTES) kept.push(chunk);
    bytes += chunk.length;
    if (bytes > MOST_READ_BYTES) break;
  }
  const start = Buffer.concat(kept).subarray(0, KEPT_BYTES).toString('utf8');
  // PostgreSQL stores no U+0000.
  return start.replaceAll('\u0000', '\uFFFD');
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nobody listens at that address.',
  ECONNRESET: 'The connection was closed before the answer was whole.',
  EAI_AGAIN: 'The name server did not answer.',
  ENOTFOUND: 'The host name has no address.',
  CERT_HAS_EXPIRED: 'The certificate has expired.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'The certificate is for another host.',
};

function wordsFor(error: unknown, signal: AbortSignal, hasBegun: boolean): string {
  if (signal.reason instanceof TimeIsUp) {
    return hasBegun ? 'The answer was not whole in time.' : 'There was no answer in time.';
  }
  if (isAddressNotPublic(error)) return 'The host leads to an address that is not public.';
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string') return 'The connection failed.';
  return WORDS[code] ?? `The connection failed (${code}).`;
}
