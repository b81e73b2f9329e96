import { type Currency, fromDecimal, isCurrency, toDecimal } from '../../money.js';
import type { FaultPlan } from '../faults.js';
import { send } from '../local-http.js';
import type { BankLedger, BankPayment, PaymentOrder } from './bank-ledger.js';
import type { BankOperation, Fault } from './faults.js';
import { type HttpExchange, HttpProblem, parseBody, sendJson } from './http-exchange.js';

/** What the merchant's server talks to. */
export interface BankApi {
  readonly apiKey: string;
  readonly ledger: BankLedger;
  readonly faults: FaultPlan<BankOperation, Fault>;
  readonly requests: Record<BankOperation, number>;
  readonly paymentUrl: (payment: BankPayment) => string;
}

interface Answer {
  readonly status: number;
  readonly json: unknown;
}

const ROUTES: readonly { method: string; path: RegExp; operation: BankOperation }[] = [
  { method: 'POST', path: /^\/payments$/, operation: 'createPayment' },
  { method: 'GET', path: /^\/payments$/, operation: 'findPayments' },
  { method: 'GET', path: /^\/payments\/([^/]+)$/, operation: 'getPayment' },
  { method: 'POST', path: /^\/payments\/([^/]+)\/cancel$/, operation: 'cancelPayment' },
];

const ANSWERS: Record<BankOperation, (api: BankApi, exchange: HttpExchange, id: string) => Answer> = {
  createPayment: create,
  findPayments: list,
  getPayment: get,
  cancelPayment: cancel,
};

/** Answers one request below `/payments`; how depends on the faults that are planned for it. */
export function answerApi(api: BankApi, exchange: HttpExchange): void {
  const { operation, id } = findRoute(exchange);
  api.requests[operation] += 1;
  const fault = api.faults.take(operation);
  if (fault && !fault.afterDoing) return misbehave(exchange, fault);
  if (exchange.request.headers.authorization !== `Bearer ${api.apiKey}`) {
    throw new HttpProblem(401, 'unauthorised');
  }
  const { status, json } = ANSWERS[operation](api, exchange, id);
  if (fault) return misbehave(exchange, fault);
  sendJson(exchange.response, status, json);
}

function findRoute({ method, url }: HttpExchange): { operation: BankOperation; id: string } {
  for (const route of ROUTES) {
    const match = route.method === method && route.path.exec(url.pathname);
    if (match) return { operation: route.operation, id: decodeURIComponent(match[1] ?? '') };
  }
  throw new HttpProblem(404, 'no_such_address');
}

function misbehave({ request, response }: HttpExchange, fault: Fault): void {
  switch (fault.kind) {
    case 'status':
      return send(response, fault.status, 'application/json', fault.body ?? '{}');
    case 'hang':
      return;
    case 'close':
      request.socket.resetAndDestroy();
  }
}

function create(api: BankApi, exchange: HttpExchange): Answer {
  const key = exchange.request.headers['idempotency-key'];
  const result = api.ledger.create(readOrder(parseBody(exchange)), typeof key === 'string' ? key : undefined);
  if (result.kind === 'refused') throw new HttpProblem(409, result.code);
  return { status: result.kind === 'created' ? 201 : 200, json: present(api, result.payment) };
}

function list(api: BankApi, { url }: HttpExchange): Answer {
  const payment = api.ledger.find(url.searchParams.get('reference') ?? '');
  return { status: 200, json: { payments: payment ? [present(api, payment)] : [] } };
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

function findOr404(api: BankApi, id: string): BankPayment {
  const payment = api.ledger.find(id);
  if (payment?.id !== id || payment === undefined) throw new HttpProblem(404, 'no_such_payment');
  return payment;
}

export function present(api: Pick<BankApi, 'paymentUrl'>, payment: BankPayment): object {
  return {
    id: payment.id,
    reference: payment.reference,
    status: payment.status,
    amount: toDecimal(payment.amount, payment.currency),
    currency: payment.currency,
    transfer_id: payment.transferId ?? null,
    payment_url: api.paymentUrl(payment),
  };
}

function readOrder(body: Record<string, unknown>): PaymentOrder {
  const currency = readCurrency(body['currency']);
  return {
    reference: readText(body, 'reference', /^[\w.-]{1,64}$/),
    amount: readAmount(body['amount'], currency),
    currency,
    description: readText(body, 'description', /^[^]{1,500}$/),
    returnUrl: readUrl(body, 'return_url'),
    notificationUrl: body['notification_url'] === undefined ? undefined : readUrl(body, 'notification_url'),
    locale: typeof body['locale'] === 'string' ? body['locale'] : 'en',
    expiresAt: readTime(body, 'expires_at'),
  };
}

function readText(body: Record<string, unknown>, field: string, pattern: RegExp): string {
  const value = body[field];
  if (typeof value !== 'string' || !pattern.test(value)) throw new HttpProblem(422, `bad_${field}`);
  return value;
}

function readUrl(body: Record<string, unknown>, field: string): string {
  const value = readText(body, field, /^https?:\/\/./);
  if (!URL.canParse(value)) throw new HttpProblem(422, `bad_${field}`);
  return value;
}

function readTime(body: Record<string, unknown>, field: string): Date {
  const time = new Date(readText(body, field, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/));
  if (Number.isNaN(time.getTime())) throw new HttpProblem(422, `bad_${field}`);
  return time;
}

function readCurrency(value: unknown): Currency {
  if (typeof value !== 'string' || !isCurrency(value)) throw new HttpProblem(422, 'bad_currency');
  return value;
}

function readAmount(value: unknown, currency: Currency): number {
  try {
    const amount = typeof value === 'string' ? fromDecimal(value, currency) : 0;
    if (amount > 0) return amount;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw new HttpProblem(422, 'bad_amount');
}
