import type { FaultPlan } from '../faults.js';
import { type HttpExchange, HttpProblem, sendJson } from '../http-exchange.js';
import { answerWithFault } from '../http-fault.js';
import type { CallbackSigner } from './callback-signature.js';
import type { DepositLedger } from './deposit-ledger.js';
import { inPawaPaysWords, type PawaPayFault, type PawaPayOperation } from './faults.js';
import type { MagicFaults } from './magic-amounts.js';
import { ANSWERS } from './operations.js';
import type { PageSession, PageSessions } from './page-sessions.js';
import type { PawaPayCallbacks } from './pawapay-callbacks.js';
import { badInput, PawaPayProblem, rejection } from './pawapay-problem.js';
import { refusalOf, type Wording } from './presentation.js';
import type { RefundLedger } from './refund-ledger.js';
import type { Fields } from './request-fields.js';
import type { ConfigurationShown } from './toolkit.js';

/** What the merchant's server talks to. */
export interface PawaPayApi {
  readonly token: string;
  readonly deposits: DepositLedger;
  readonly refunds: RefundLedger;
  readonly pages: PageSessions;
  readonly callbacks: PawaPayCallbacks;
  readonly signer: CallbackSigner | undefined;
  readonly faults: FaultPlan<PawaPayOperation, PawaPayFault>;
  readonly magicFaults: MagicFaults;
  readonly requests: Record<PawaPayOperation, number>;
  readonly wording: Wording;
  readonly configuration: () => ConfigurationShown;
  readonly pageUrl: (session: PageSession) => string;
}

/** One request to an operation, as its answer sees it. */
export interface PawaPayRequest {
  /** The last step of the path. */
  readonly id: string;
  readonly query: URLSearchParams;
  /** Empty for a GET. */
  readonly body: Fields;
}

interface Route {
  readonly method: string;
  readonly path: RegExp;
  readonly operation: PawaPayOperation;
}

const ROUTES: readonly Route[] = [
  { method: 'POST', path: /^\/v2\/deposits$/, operation: 'createDeposit' },
  { method: 'GET', path: /^\/v2\/deposits\/([^/]+)$/, operation: 'getDeposit' },
  {
    method: 'POST',
    path: /^\/v2\/deposits\/resend-callback\/([^/]+)$/,
    operation: 'resendDepositCallback',
  },
  { method: 'POST', path: /^\/v2\/paymentpage$/, operation: 'createPaymentPage' },
  { method: 'POST', path: /^\/v2\/refunds$/, operation: 'createRefund' },
  { method: 'GET', path: /^\/v2\/refunds\/([^/]+)$/, operation: 'getRefund' },
  {
    method: 'POST',
    path: /^\/v2\/refunds\/resend-callback\/([^/]+)$/,
    operation: 'resendRefundCallback',
  },
  { method: 'GET', path: /^\/v2\/active-conf$/, operation: 'readActiveConfiguration' },
  { method: 'GET', path: /^\/v2\/availability$/, operation: 'readAvailability' },
  { method: 'POST', path: /^\/v2\/predict-provider$/, operation: 'predictProvider' },
  { method: 'GET', path: /^\/v2\/public-key\/http$/, operation: 'readPublicKeys' },
];

/** Answers one request below `/v2`; how depends on the faults that are planned for it, and on magic amounts. */
export function answerApi(api: PawaPayApi, exchange: HttpExchange): void {
  const { operation, id } = findRoute(exchange);
  api.requests[operation] += 1;
  const planned = api.faults.take(operation);
  if (planned && planned.kind !== 'reject' && !planned.afterDoing)
    return answerWithFault(exchange, inPawaPaysWords(planned));
  try {
    checkToken(api, exchange);
    const body = exchange.method === 'POST' && id === '' ? parseJson(exchange.body) : {};
    const fault = planned ?? api.magicFaults.take(operation, body);
    answerWell(api, exchange, operation, { id, query: exchange.url.searchParams, body }, fault);
  } catch (error) {
    if (!(error instanceof PawaPayProblem)) throw error;
    sendJson(exchange.response, error.status, { failureReason: error.failureReason });
  }
}

function answerWell(
  api: PawaPayApi,
  exchange: HttpExchange,
  operation: PawaPayOperation,
  request: PawaPayRequest,
  fault: PawaPayFault | undefined,
): void {
  if (fault && fault.kind !== 'reject' && !fault.afterDoing)
    return answerWithFault(exchange, inPawaPaysWords(fault));
  const { status, json } = tryToAnswer(api, operation, request, fault);
  if (fault && fault.kind !== 'reject') return answerWithFault(exchange, inPawaPaysWords(fault));
  sendJson(exchange.response, status, json);
}

function tryToAnswer(
  api: PawaPayApi,
  operation: PawaPayOperation,
  request: PawaPayRequest,
  fault: PawaPayFault | undefined,
): { status: number; json: unknown } {
  try {
    if (fault?.kind === 'reject') throw rejection(fault.failureCode, 'Refused on purpose');
    return { status: 200, json: ANSWERS[operation](api, request) };
  } catch (error) {
    if (!(error instanceof PawaPayProblem)) throw error;
    return { status: error.status, json: refused(api, operation, request, error) };
  }
}

/** With the id that is refused, where there is one. */
function refused(
  api: PawaPayApi,
  operation: PawaPayOperation,
  { body }: PawaPayRequest,
  problem: PawaPayProblem,
): object {
  const { failureReason } = problem;
  const { depositId, refundId } = body;
  if (operation === 'createRefund') {
    return { refundId, status: 'REJECTED', ...refusalOf(failureReason, api.wording) };
  }
  if (operation !== 'createDeposit' && operation !== 'createPaymentPage') return { failureReason };
  // What makes no sense was never looked at; what was looked at and refused needs another id.
  const isTerminal = operation === 'createDeposit' && problem.status === 200;
  if (isTerminal && typeof depositId === 'string') api.deposits.reject(depositId, problem);
  return { depositId, status: 'REJECTED', failureReason };
}

function findRoute({ method, url }: HttpExchange): { operation: PawaPayOperation; id: string } {
  for (const route of ROUTES) {
    const match = route.method === method && route.path.exec(url.pathname);
    if (match) return { operation: route.operation, id: decodeURIComponent(match[1] ?? '') };
  }
  throw new HttpProblem(404, 'no_such_address');
}

function checkToken({ token }: PawaPayApi, { request }: HttpExchange): void {
  const { authorization } = request.headers;
  if (authorization === undefined) {
    throw new PawaPayProblem(401, 'NO_AUTHENTICATION', 'The request has no authorisation');
  }
  if (authorization !== `Bearer ${token}`) {
    throw new PawaPayProblem(403, 'AUTHENTICATION_ERROR', 'The token is not valid');
  }
}

function parseJson(body: string): Fields {
  try {
    const json: unknown = JSON.parse(body);
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Fields;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw badInput('INVALID_INPUT', 'The body is no JSON object');
}
