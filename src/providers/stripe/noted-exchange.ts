import { IncomingMessage } from 'node:http';
import { type Exchange, noteExchange } from '../current-call.js';
import type { HttpClient } from './tries.js';

type Request = Parameters<HttpClient['makeRequest']>;
type Response = Awaited<ReturnType<HttpClient['makeRequest']>>;

/**
 * Makes one request of the SDK's, and notes it for the provider log as soon as it is known how it went. The text of an
 * answer is noted while the SDK reads it.
 */
export async function noted(request: Request, make: () => Promise<Response>): Promise<Response> {
  const [host, port, path, method, , body, protocol] = request;
  const began = performance.now();
  const sinceThen = () => Math.round(performance.now() - began);
  const exchange: { -readonly [Name in keyof Exchange]: Exchange[Name] } = {
    method,
    url: `${protocol}://${host}:${port}${path}`,
    ...(body && { request: body }),
    milliseconds: 0,
  };
  try {
    const response = await make();
    exchange.status = response.getStatusCode();
    return readAlong(response, (text) => {
      exchange.answer = text;
      exchange.milliseconds = sinceThen();
    });
  } catch (error) {
    exchange.error = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
    throw error;
  } finally {
    exchange.milliseconds = sinceThen();
    noteExchange(exchange);
  }
}

/** The same response; `onText` hears its body when it was read to the end. */
function readAlong(response: Response, onText: (text: string) => void): Response {
  const raw = response.getRawResponse();
  if (!(raw instanceof IncomingMessage)) return response;
  const listen = () => {
    let text = '';
    // As the SDK does itself, so that both are given the same pieces.
    raw.setEncoding('utf8');
    raw.on('data', (piece: string) => (text += piece));
    raw.once('end', () => onText(text));
  };
  return {
    getStatusCode: () => response.getStatusCode(),
    getHeaders: () => response.getHeaders(),
    getRawResponse: () => raw,
    toStream: (onEnd) => response.toStream(onEnd),
    toJSON: () => {
      listen();
      return response.toJSON();
    },
    // Called for an answer after which the SDK tries again. Read to its end, it gives its connection back.
    dispose: () => {
      listen();
      raw.resume();
    },
  };
}
