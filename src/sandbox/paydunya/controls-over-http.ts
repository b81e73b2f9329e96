import { allowOnlySense, chanceOf } from '../control-request.js';
import { type HttpExchange, HttpProblem, parseBody, sendJson } from '../http-exchange.js';
import type { HttpFault } from '../http-fault.js';
import { PAYDUNYA_OPERATIONS, type PayDunyaOperation } from './operations.js';
import type { PayDunyaDoubleControls } from './paydunya-controls.js';

/**
 * The same controls over HTTP, for tests and benchmarks in other processes:
 * `GET /_double/counts`, `GET /_double/prompts`, `GET /_double/invoices/<token|attempt>`, `POST /_double/settled`,
 * `POST /_double/invoices/<token|attempt>/pay` with `{ amount? }` or without a body,
 * `POST /_double/invoices/<token|attempt>/pay-late|fail|cancel|approve|decline|deliver-again`,
 * `POST /_double/invoices/<token|attempt>/forge` with a `Forgery` or without a body,
 * `POST /_double/webhooks/pause|resume`, `POST /_double/webhooks/misbehave` with a `Misbehaviour`,
 * `POST /_double/time-forward` with `{ milliseconds }`, `POST /_double/dialect` with a `Dialect`,
 * `POST /_double/payer-bears-fees` with `{ share }`, `POST /_double/operators/<path>/withdraw|restore`,
 * `POST /_double/faults` with `{ operation, fault, times? }`,
 * `POST /_double/faults-by-chance` with `{ share, seed? }`.
 */
export async function answerControls(double: PayDunyaDoubleControls, exchange: HttpExchange): Promise<void> {
  const [subject = '', name = '', action = ''] = exchange.url.pathname
    .split('/')
    .slice(2)
    .map(decodeURIComponent);
  if (exchange.method === 'GET') return sendJson(exchange.response, 200, look(double, subject, name));
  if (exchange.method !== 'POST') throw new HttpProblem(405, 'not_like_this');
  if (subject === 'settled') await double.settled();
  else allowOnlySense(() => act(double, exchange, subject, name, action));
  sendJson(exchange.response, 200, { ok: true });
}

function look(double: PayDunyaDoubleControls, subject: string, name: string): unknown {
  switch (subject) {
    case 'counts':
      return double.counts();
    case 'prompts':
      return double.prompts();
    case 'invoices':
      return double.invoice(name);
    default:
      throw new HttpProblem(404, 'no_such_control');
  }
}

function act(
  double: PayDunyaDoubleControls,
  exchange: HttpExchange,
  subject: string,
  name: string,
  action: string,
): void {
  switch (subject) {
    case 'invoices':
      return actOnInvoice(double, exchange, name, action);
    case 'webhooks':
      return controlWebhooks(double, exchange, name);
    case 'operators':
      return actOnOperator(double, name, action);
    case 'time-forward':
      return double.playTimeForward(Number(parseBody(exchange)['milliseconds']));
    case 'dialect':
      return double.speak(parseBody(exchange));
    case 'payer-bears-fees':
      return double.payerBearsFees(Number(parseBody(exchange)['share']));
    case 'faults':
      return planFault(double, parseBody(exchange));
    case 'faults-by-chance':
      return double.faultsByChance(chanceOf(exchange));
    default:
      throw new HttpProblem(404, 'no_such_control');
  }
}

function actOnInvoice(
  double: PayDunyaDoubleControls,
  exchange: HttpExchange,
  tokenOrAttempt: string,
  action: string,
): void {
  switch (action) {
    case 'pay':
      return double.pay(tokenOrAttempt, optionalBody(exchange));
    case 'pay-late':
      return double.payLate(tokenOrAttempt);
    case 'fail':
      return double.fail(tokenOrAttempt);
    case 'cancel':
      return double.cancel(tokenOrAttempt);
    case 'approve':
      return double.approve(tokenOrAttempt);
    case 'decline':
      return double.decline(tokenOrAttempt);
    case 'deliver-again':
      return double.deliverAgain(tokenOrAttempt);
    case 'forge':
      return double.forge(tokenOrAttempt, optionalBody(exchange));
    default:
      throw new HttpProblem(404, 'no_such_control');
  }
}

function controlWebhooks(double: PayDunyaDoubleControls, exchange: HttpExchange, to: string): void {
  switch (to) {
    case 'pause':
      return double.pauseWebhooks();
    case 'resume':
      return double.resumeWebhooks();
    case 'misbehave':
      return double.misbehave(parseBody(exchange));
    default:
      throw new HttpProblem(404, 'no_such_control');
  }
}

function actOnOperator(double: PayDunyaDoubleControls, path: string, action: string): void {
  if (action !== 'withdraw' && action !== 'restore') throw new HttpProblem(404, 'no_such_control');
  double.withdrawOperator(path, action === 'withdraw');
}

function optionalBody(exchange: HttpExchange): Record<string, unknown> {
  return exchange.body === '' ? {} : parseBody(exchange);
}

function planFault(
  double: PayDunyaDoubleControls,
  { operation, fault, times }: Record<string, unknown>,
): void {
  if (!PAYDUNYA_OPERATIONS.includes(operation as PayDunyaOperation))
    throw new HttpProblem(422, 'bad_operation');
  double.answerNext(
    operation as PayDunyaOperation,
    fault as HttpFault,
    typeof times === 'number' ? times : 1,
  );
}
