import type { FaultPlan } from '../faults.js';
import { type HttpExchange, HttpProblem, parseBody, sendJson } from '../http-exchange.js';
import { answerWithFault, type HttpFault } from '../http-fault.js';
import type { BankLedger, BankPayment } from './bank-ledger.js';
import type { BankDialect } from './dialect.js';
import type { BankOperation } from './faults.js';
import { presentPayment, presentRefund } from './presentation.js';
import type { RefundLedger } from './refund-ledger.js';
import { readOrder, readRefundOrder, readTime } from './request-fields.js';
import type { BankHand } from './writing.js';

/** What the merchant's server talks to. */
export interface BankApi {
  readonly dialect: BankDialect;
  readonly hand: BankHand;
  readonly apiKey: string;
  readonly ledger: BankLedger;
  readonly refunds: RefundLedger;
  readonly faults: FaultPlan<BankOperation, HttpFault>;
  readonly requests: Record<BankOperation, number>;
  readonly paymentUrl: (payment: BankPayment) => string;
  readonly paymentsPerPage: number;
}

interface Answer {
  readonly status: number;
  readonly json: unknown;
}

interface Route {
  readonly method: string;
  readonly path: RegExp;
  /** The query has to name it. */
  readonly parameter?: string;
  readonly operation: BankOperation;
}

/** The first that fits. */
const ROUTES: readonly Route[] = [
  { method: 'POST', path: /^\/payments$/, operation: 'createPayment' },
  { method: 'GET', path: /^\/payments$/, parameter: 'since', operation: 'listPayments' },
  { method: 'GET', path: /^\/payments$/, operation: 'findPayments' },
  { method: 'GET', path: /^\/payments\/([^/]+)$/, operation: 'getPayment' },
  { method: 'POST', path: /^\/payments\/([^/]+)\/cancel$/, operation: 'cancelPayment' },
  { method: 'POST', path: /^\/payments\/([^/]+)\/refunds$/, operation: 'createRefund' },
];

const ANSWERS: Record<BankOperation, (api: BankApi, exchange: HttpExchange, id: string) => Answer> = {
  createPayment: create,
  findPayments: find,
  listPayments: list,
  getPayment: get,
  cancelPayment: cancel,
  createRefund: refund,
};

/** Answers one request below `/payments`; how depends on the faults that are planned for it. */
export function answerApi(api: BankApi, exchange: HttpExchange): void {
  const { operation, id } = findRoute(exchange);
  api.requests[operation] += 1;
  const fault = api.faults.take(operation);
  if (fault && !fault.afterDoing) return answerWithFault(exchange, fault);
  if (api.dialect.keyOf(exchange.request.headers) !== api.apiKey) {
    throw new HttpProblem(401, 'unauthorised');
  }
  const { status, json } = ANSWERS[operation](api, exchange, id);
  if (fault) return answerWithFault(exchange, fault);
  sendJson(exchange.response, status, api.hand.answer(api.dialect.answer(json)));
}

function findRoute({ method, url }: HttpExchange): { operation: BankOperation; id: string } {
  for (const route of ROUTES) {
    if (route.parameter !== undefined && !url.searchParams.has(route.parameter)) continue;
    const match = route.method === method && route.path.exec(url.pathname);
    if (match) return { operation: route.operation, id: decodeURIComponent(match[1] ?? '') };
  }
  throw new HttpProblem(404, 'no_such_address');
}

function create(api: BankApi, exchange: HttpExchange): Answer {
  const result = api.ledger.create(readOrder(parseBody(exchange)), idempotencyKeyOf(exchange));
  if (result.kind === 'refused') throw new HttpProblem(409, result.code);
  return { status: result.kind === 'created' ? 201 : 200, json: present(api, result.payment) };
}

function find(api: BankApi, { url }: HttpExchange): Answer {
  const payment = api.ledger.find(url.searchParams.get('reference') ?? '');
  return { status: 200, json: { payments: payment ? [present(api, payment)] : [] } };
}

/** Those created in this time, `until` exclusive, oldest first. The cursor is the number of the last one shown. */
function list(api: BankApi, { url }: HttpExchange): Answer {
  const parameters = Object.fromEntries(url.searchParams);
  const [since, until] = [readTime(parameters, 'since'), readTime(parameters, 'until')];
  const cursor = parameters['cursor'] ?? '0';
  if (!/^\d{1,15}$/.test(cursor)) throw new HttpProblem(422, 'bad_cursor');
  const found = api.ledger.created(since, until, Number(cursor));
  const page = found.slice(0, api.paymentsPerPage);
  const next = found.length > page.length ? String(page.at(-1)?.number) : null;
  return { status: 200, json: { payments: page.map((payment) => present(api, payment)), next_cursor: next } };
}

function get(api: BankApi, _exchange: HttpExchange, id: string): Answer {
  return { status: 200, json: present(api, findOr404(api, id)) };
}

/** 409 with the payment as it is, when it cannot be cancelled any more. */
function cancel(api: BankApi, _exchange: HttpExchange, id: string): Answer {
  const payment = findOr404(api, id);
  api.ledger.cancel(payment);
  const tooLate = payment.status === 'BOOKED' || payment.status === 'AUTHORISING';
  return { status: tooLate ? 409 : 200, json: present(api, payment) };
}

function refund(api: BankApi, exchange: HttpExchange, id: string): Answer {
  const payment = findOr404(api, id);
  const body = parseBody(exchange);
  const { transferId } = payment;
  const isOwn = transferId !== undefined && body['transfer_id'] === api.hand.written(transferId);
  const order = readRefundOrder(isOwn ? { ...body, transfer_id: transferId } : body, payment.currency);
  const result = api.refunds.create(payment, order, idempotencyKeyOf(exchange));
  if (result.kind === 'refused') throw new HttpProblem(409, result.code);
  return { status: result.kind === 'made' ? 201 : 200, json: presentRefund(payment, result.refund) };
}

function findOr404(api: BankApi, id: string): BankPayment {
  const payment = api.ledger.find(id);
  if (payment?.id !== id || payment === undefined) throw new HttpProblem(404, 'no_such_payment');
  return payment;
}

function present(api: BankApi, payment: BankPayment): object {
  return presentPayment(payment, api.paymentUrl(payment));
}

function idempotencyKeyOf({ request }: HttpExchange): string | undefined {
  const key = request.headers['idempotency-key'];
  return typeof key === 'string' ? key : undefined;
}
