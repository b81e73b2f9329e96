import { allowOnlySense, chanceOf } from '../control-request.js';
import { type HttpExchange, HttpProblem, parseBody, sendJson } from '../http-exchange.js';
import { PAWAPAY_OPERATIONS, type PawaPayFault, type PawaPayOperation } from './faults.js';
import type { PawaPayDoubleControls } from './pawapay-controls.js';

type Control = (double: PawaPayDoubleControls, exchange: HttpExchange, id: string) => unknown;

/**
 * The same controls over HTTP, for tests and benchmarks in other processes, each a `POST /_double/…` with a JSON body
 * or none, but the first three. `:` is the id, or the `clientReferenceId` of a deposit. What a control gives is
 * answered, else `{"ok":true}`.
 */
const CONTROLS: Readonly<Record<string, Control>> = {
  'GET counts': (double) => double.counts(),
  'GET deposits/:': (double, _exchange, id) => double.deposit(id),
  'GET refunds/:': (double, _exchange, id) => double.refund(id),
  'POST settled': (double) => double.settled(),
  'POST deposits/:/approve': (double, _exchange, id) => double.approve(id),
  'POST deposits/:/complete-late': (double, _exchange, id) => double.completeLate(id),
  'POST deposits/:/decline': (double, exchange, id) => double.decline(id, textIn(exchange, 'failureCode')),
  'POST deposits/:/reconcile': (double, _exchange, id) => double.reconcile(id),
  'POST deposits/:/submit-page': (double, exchange, id) => double.submitPage(id, bodyOf(exchange)),
  'POST deposits/:/pay-by-page': (double, exchange, id) => double.payByPage(id, bodyOf(exchange)),
  'POST deposits/:/refund': (double, exchange, id) => double.refundByStaff(id, amountIn(exchange)),
  'POST deposits/:/deliver-again': (double, _exchange, id) => double.deliverAgain(id),
  'POST deposits/:/forge': (double, exchange, id) => double.forge(id, bodyOf(exchange)),
  'POST refunds/hold': (double) => double.holdRefunds(),
  'POST refunds/release': (double) => double.holdRefunds(false),
  'POST refunds/:/complete': (double, _exchange, id) => double.settleRefund(id, 'complete'),
  'POST refunds/:/fail': (double, exchange, id) =>
    double.settleRefund(id, 'fail', textIn(exchange, 'failureCode')),
  'POST refunds/:/deliver-again': (double, _exchange, id) => double.deliverAgain(id),
  'POST operators/:/open': (double, _exchange, id) => double.setOperatorStatus(id, 'OPERATIONAL'),
  'POST operators/:/delay': (double, _exchange, id) => double.setOperatorStatus(id, 'DELAYED'),
  'POST operators/:/close': (double, _exchange, id) => double.setOperatorStatus(id, 'CLOSED'),
  'POST authorisation/at-once': (double) => double.setAuthorisationMode('AT_ONCE'),
  'POST authorisation/later': (double) => double.setAuthorisationMode('LATER'),
  'POST keys/rotate': (double) => double.rotateKey(),
  'POST webhooks/pause': (double) => double.pauseWebhooks(),
  'POST webhooks/resume': (double) => double.resumeWebhooks(),
  'POST webhooks/misbehave': (double, exchange) => allowOnlySense(() => double.misbehave(bodyOf(exchange))),
  'POST faults': (double, exchange) => planFault(double, bodyOf(exchange)),
  'POST faults-by-chance': (double, exchange) =>
    allowOnlySense(() => double.faultsByChance(chanceOf(exchange))),
};

export async function answerControls(double: PawaPayDoubleControls, exchange: HttpExchange): Promise<void> {
  const [subject = '', id, action] = exchange.url.pathname.split('/').slice(2).map(decodeURIComponent);
  const named = [subject, id].filter((step) => step !== undefined).join('/');
  const addressed = [subject, ':', action].filter((step) => step !== undefined).join('/');
  const control =
    (action === undefined ? CONTROLS[`${exchange.method} ${named}`] : undefined) ??
    CONTROLS[`${exchange.method} ${addressed}`];
  if (!control) throw new HttpProblem(404, 'no_such_control');
  sendJson(exchange.response, 200, (await control(double, exchange, id ?? '')) ?? { ok: true });
}

function bodyOf(exchange: HttpExchange): Record<string, unknown> {
  return exchange.body === '' ? {} : parseBody(exchange);
}

function textIn(exchange: HttpExchange, field: string): string | undefined {
  const value = bodyOf(exchange)[field];
  if (value === undefined || typeof value === 'string') return value;
  throw new HttpProblem(422, `bad_${field}`);
}

/** Minor units; undefined: all that is left. */
function amountIn(exchange: HttpExchange): number | undefined {
  const { amount } = bodyOf(exchange);
  if (amount === undefined || typeof amount === 'number') return amount;
  throw new HttpProblem(422, 'bad_amount');
}

function planFault(
  double: PawaPayDoubleControls,
  { operation, fault, times }: Record<string, unknown>,
): void {
  if (!PAWAPAY_OPERATIONS.includes(operation as PawaPayOperation))
    throw new HttpProblem(422, 'bad_operation');
  double.answerNext(
    operation as PawaPayOperation,
    fault as PawaPayFault,
    typeof times === 'number' ? times : 1,
  );
}
