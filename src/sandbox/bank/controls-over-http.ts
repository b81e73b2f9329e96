import type { BankDoubleControls } from './bank-controls.js';
import { BANK_OPERATIONS, type BankOperation, type Fault } from './faults.js';
import { type HttpExchange, HttpProblem, parseBody, sendJson } from './http-exchange.js';

/**
 * The same controls over HTTP, for tests and benchmarks in other processes:
 * `GET /_double/counts`, `POST /_double/settled`, `POST /_double/webhooks/pause|resume`,
 * `POST /_double/payments/<id|reference>/pay|pay-late|authorise|decline|cancel|deliver-again`,
 * `POST /_double/faults` with `{ operation, fault, times? }`.
 */
export async function answerControls(double: BankDoubleControls, exchange: HttpExchange): Promise<void> {
  const [subject, ...rest] = exchange.url.pathname.split('/').slice(2).map(decodeURIComponent);
  const wanted = `${exchange.method} ${subject}`;
  if (wanted === 'GET counts') return sendJson(exchange.response, 200, double.counts());
  if (wanted === 'POST settled') await double.settled();
  else if (wanted === 'POST webhooks') switchWebhooks(double, rest[0]);
  else if (wanted === 'POST payments') actOnPayment(double, rest[0] ?? '', rest[1]);
  else if (wanted === 'POST faults') planFault(double, parseBody(exchange));
  else throw new HttpProblem(404, 'no_such_control');
  sendJson(exchange.response, 200, { ok: true });
}

function switchWebhooks(double: BankDoubleControls, to: string | undefined): void {
  if (to === 'pause') return double.pauseWebhooks();
  if (to === 'resume') return double.resumeWebhooks();
  throw new HttpProblem(404, 'no_such_control');
}

function actOnPayment(double: BankDoubleControls, idOrReference: string, action: string | undefined): void {
  switch (action) {
    case 'pay':
      return double.pay(idOrReference);
    case 'pay-late':
      return double.payLate(idOrReference);
    case 'authorise':
      return double.authorise(idOrReference);
    case 'decline':
      return double.decline(idOrReference);
    case 'cancel':
      return double.cancel(idOrReference);
    case 'deliver-again':
      return double.deliverAgain(idOrReference);
    default:
      throw new HttpProblem(404, 'no_such_control');
  }
}

function planFault(double: BankDoubleControls, { operation, fault, times }: Record<string, unknown>): void {
  if (!BANK_OPERATIONS.includes(operation as BankOperation)) throw new HttpProblem(422, 'bad_operation');
  double.answerNext(operation as BankOperation, fault as Fault, typeof times === 'number' ? times : 1);
}
