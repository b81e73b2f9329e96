import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { readBody, redirect, send, sendPage } from '../local-http.js';
import { findControl } from './controls.js';
import type { FaultyAnswer } from './faults.js';
import { parseForm } from './form-body.js';
import type { DoubleParts } from './observations.js';
import { showPage } from './pages/pages.js';
import { StripeDoubleError } from './stripe-error.js';

/** Longer than the SDK's agent keeps idle connections, so that it never finds one just closed. */
const KEEP_ALIVE_MILLISECONDS = 65_000;

/** The double's HTTP: `/v1` is Stripe's API, `/_double` its controls, and the rest pages for a browser. */
export function createDoubleServer(parts: DoubleParts): Server {
  const server = createServer((request, response) => {
    handle(parts, request, response).catch((error: unknown) => answerBug(response, error));
  });
  server.keepAliveTimeout = KEEP_ALIVE_MILLISECONDS;
  return server;
}

async function handle(parts: DoubleParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
  const body = await readBody(request);
  if (path.startsWith('/v1/')) return handleApi(parts, request, response, path, query, body);
  const method = request.method ?? 'GET';
  const control = findControl(method, path);
  if (control)
    return handleControl(response, () => control(parts, parseForm(method === 'GET' ? query : body)));
  const page = showPage(parts.account, { method, path, query, body });
  if (!page) return send(response, 404, 'text/plain', 'There is nothing here.');
  if (page.kind === 'redirect') return redirect(response, page.url);
  sendPage(response, page.status, page.html);
}

function handleApi(
  { api }: DoubleParts,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: string,
  body: string,
): void {
  const outcome = api.handle(request, path, query, body);
  response.once('close', outcome.finished);
  response.setHeader('request-id', outcome.requestId);
  if (outcome.fault) return misbehave(response, outcome.fault.answer);
  send(response, outcome.answer.status, 'application/json', outcome.answer.body);
}

function misbehave(response: ServerResponse, answer: FaultyAnswer): void {
  switch (answer.kind) {
    case 'hang':
      return;
    case 'close':
      response.destroy();
      return;
    case 'notJson':
      return send(response, 200, 'text/html', '<h1>Welcome to the airport WiFi</h1>');
    case 'status': {
      const { status, code, shouldRetry } = answer;
      if (shouldRetry !== undefined) response.setHeader('stripe-should-retry', String(shouldRetry));
      const error = {
        type: 'api_error',
        message: `Injected ${status}.`,
        ...(code !== undefined && { code }),
      };
      return send(response, status, 'application/json', JSON.stringify({ error }));
    }
    default:
      return answer satisfies never;
  }
}

async function handleControl(response: ServerResponse, control: () => unknown): Promise<void> {
  try {
    send(response, 200, 'application/json', JSON.stringify(await control()));
  } catch (error) {
    if (!(error instanceof StripeDoubleError)) throw error;
    send(response, error.status, 'application/json', JSON.stringify({ error: error.body }));
  }
}

/** A fault of the double itself: say so loudly, as Stripe would with a 500. */
function answerBug(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return;
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  send(response, 500, 'application/json', JSON.stringify({ error: { type: 'api_error', message } }));
}
