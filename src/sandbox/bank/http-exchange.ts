import type { IncomingMessage, ServerResponse } from 'node:http';

/** One request to the double, as its routes see it. */
export interface HttpExchange {
  readonly method: string;
  readonly url: URL;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: string;
}

/** An answer that a route gives by throwing. */
export class HttpProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
  ) {
    super(code);
  }
}

const LONGEST_BODY_BYTES = 64 * 1024;

export async function readExchange(
  request: IncomingMessage,
  response: ServerResponse,
): Promise<HttpExchange> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.byteLength;
    if (length > LONGEST_BODY_BYTES) throw new HttpProblem(413, 'body_too_long');
    chunks.push(chunk);
  }
  return {
    method: request.method ?? 'GET',
    url: new URL(request.url ?? '/', 'http://double.invalid'),
    request,
    response,
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

export function parseBody(exchange: HttpExchange): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(exchange.body);
    if (typeof json === 'object' && json !== null) return json as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new HttpProblem(400, 'not_a_json_object');
}

export function sendJson(response: ServerResponse, status: number, json: unknown): void {
  send(response, status, 'application/json', JSON.stringify(json));
}

export function sendHtml(response: ServerResponse, status: number, html: string): void {
  send(response, status, 'text/html; charset=utf-8', html);
}

export function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { location, 'content-length': 0 }).end();
}

export function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text);
}
