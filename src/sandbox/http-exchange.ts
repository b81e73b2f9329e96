import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody, send } from './local-http.js';

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

export async function readExchange(
  request: IncomingMessage,
  response: ServerResponse,
): Promise<HttpExchange> {
  return {
    method: request.method ?? 'GET',
    url: new URL(request.url ?? '/', 'http://double.invalid'),
    request,
    response,
    body: await readBody(request),
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
