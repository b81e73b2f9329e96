import { allowOnlySense, chanceOf } from '../control-request.js';
import { type HttpExchange, HttpProblem, parseBody, sendJson } from '../http-exchange.js';
import type { HttpFault } from '../http-fault.js';
import type { BankDoubleControls } from './bank-controls.js';
import { BANK_OPERATIONS, type BankOperation } from './faults.js';

/**
 * The same controls over HTTP, for tests and benchmarks in other processes:
 * `GET /_double/counts`, `GET /_double/movements`, `POST /_double/settled`, `POST /_double/webhooks/pause|resume`,
 * `POST /_double/webhooks/misbehave` with a `Misbehaviour`,
 * `POST /_double/writing` with a `BankWriting`,
 * `POST /_double/payments/<id|reference>/pay|pay-late|authorise|decline|cancel|deliver-again`,
 * `POST /_double/payments/<id|reference>/refund`, with `{ amount }` in minor units or without a body,
 * `POST /_double/refunds/hold|release`, `POST /_double/refunds/<id|reference>/book|reject|deliver-again`,
 * `POST /_double/faults` with `{ operation, fault, times? }`,
 * `POST /_double/faults-by-chance` with `{ share, seed? }`.
 */
export async function answerControls(double: BankDoubleControls, exchange: HttpExchange): Promise<void> {
  const [subject, ...rest] = exchange.url.pathname.split('/').slice(2).map(decodeURIComponent);
  const wanted = `${exchange.method} ${subject}`;
  if (wanted === 'GET counts') return sendJson(exchange.response, 200, double.counts());
  if (wanted === 'GET movements') return sendJson(exchange.response, 200, double.movements());
  if (wanted === 'POST settled') await double.settled();
  else if (wanted === 'POST webhooks') controlWebhooks(double, rest[0], exchange);
  else if (wanted === 'POST payments') actOnPayment(double, rest[0] ?? '', rest[1], exchange);
  else if (wanted === 'POST refunds') actOnRefund(double, rest[0] ?? '', rest[1]);
  else if (wanted === 'POST writing') double.write(parseBody(exchange));
  else if (wanted === 'POST faults') planFault(double, parseBody(exchange));
  else if (wanted === 'POST faults-by-chance')
    allowOnlySense(() => double.faultsByChance(chanceOf(exchange)));
  else throw new HttpProblem(404, 'no_such_control');
  sendJson(exchange.response, 200, { ok: true });
}

function controlWebhooks(double: BankDoubleControls, to: string | undefined, exchange: HttpExchange): void {
  switch (to) {
    case 'pause':
      return double.pauseWebhooks();
    case 'resume':
      return double.resumeWebhooks();
    case 'misbehave':
      return allowOnlySense(() => double.misbehave(parseBody(exchange)));
    default:
      throw new HttpProblem(404, 'no_such_control');
  }
}

function actOnPayment(
  double: BankDoubleControls,
  idOrReference: string,
  action: string | undefined,
  exchange: HttpExchange,
): void {
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
    case 'refund':
      return void double.refundAtBank(idOrReference, amountOf(exchange));
    case 'deliver-again':
      return double.deliverAgain(idOrReference);
    default:
      throw new HttpProblem(404, 'no_such_control');
  }
}

function actOnRefund(double: BankDoubleControls, idOrReference: string, action: string | undefined): void {
  if (action === undefined && idOrReference === 'hold') return double.holdRefunds();
  if (action === undefined && idOrReference === 'release') return double.holdRefunds(false);
  if (action === 'book' || action === 'reject') return double.settleRefund(idOrReference, action);
  if (action === 'deliver-again') return double.deliverAgain(idOrReference);
  throw new HttpProblem(404, 'no_such_control');
}

function amountOf(exchange: HttpExchange): number | undefined {
  if (exchange.body === '') return undefined;
  const { amount } = parseBody(exchange);
  if (amount !== undefined && typeof amount !== 'number') throw new HttpProblem(422, 'bad_amount');
  return amount;
}

function planFault(double: BankDoubleControls, { operation, fault, times }: Record<string, unknown>): void {
  if (!BANK_OPERATIONS.includes(operation as BankOperation)) throw new HttpProblem(422, 'bad_operation');
  double.answerNext(operation as BankOperation, fault as HttpFault, typeof times === 'number' ? times : 1);
}
