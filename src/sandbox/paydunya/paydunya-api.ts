import { type HttpExchange, HttpProblem, sendJson } from '../http-exchange.js';
import { answerWithFault, type HttpFault } from '../http-fault.js';
import type { JsonObject } from './invoice.js';
import { chargeOnsiteInvoice, createOnsiteInvoice, creditAccount } from './onsite.js';
import type { PayDunyaOperation } from './operations.js';
import type { PayDunyaAccount } from './paydunya-account.js';
import { presentInvoice } from './presentation.js';
import { readInvoiceOrder } from './read-invoice.js';
import { Refused, WRONG_KEYS } from './refused.js';
import { beginSoftpay, confirmSoftpay } from './softpay.js';
import { makePayment } from './wallet-payments.js';

interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: RegExp;
  readonly operation: PayDunyaOperation;
  readonly inTestModeOnly?: boolean;
}

/** The first that fits. */
const ROUTES: readonly Route[] = [
  { method: 'POST', path: /^checkout-invoice\/create$/, operation: 'createInvoice' },
  { method: 'GET', path: /^checkout-invoice\/confirm\/([^/]+)$/, operation: 'confirmInvoice' },
  {
    method: 'POST',
    path: /^softpay\/checkout\/make-payment$/,
    operation: 'makePayment',
    inTestModeOnly: true,
  },
  { method: 'POST', path: /^softpay\/wizall-money-senegal\/confirm$/, operation: 'confirmSoftpay' },
  { method: 'POST', path: /^softpay\/([^/]+)$/, operation: 'softpay' },
  { method: 'POST', path: /^opr\/create$/, operation: 'createOnsiteInvoice' },
  { method: 'POST', path: /^opr\/charge$/, operation: 'chargeOnsiteInvoice' },
  { method: 'POST', path: /^direct-pay\/credit-account$/, operation: 'creditAccount' },
];

type Answer = (
  account: PayDunyaAccount,
  body: JsonObject,
  parameter: string,
) => JsonObject | Promise<JsonObject>;

const ANSWERS: Record<PayDunyaOperation, Answer> = {
  createInvoice,
  confirmInvoice,
  softpay: beginSoftpay,
  confirmSoftpay,
  makePayment,
  createOnsiteInvoice,
  chargeOnsiteInvoice,
  creditAccount,
};

/** Those whose answers say `success`; all others have a `response_code`. */
const SOFTPAY: readonly PayDunyaOperation[] = ['softpay', 'confirmSoftpay', 'makePayment'];

/**
 * Answers one request to the API; how depends on the faults that are planned for it, and on its amount.
 * @param path below the base, without a slash in front.
 */
export async function answerApi(
  account: PayDunyaAccount,
  exchange: HttpExchange,
  path: string,
): Promise<void> {
  const { operation, parameter } = findRoute(account, exchange, path);
  account.requests[operation] += 1;
  const fault = account.faults.take(operation) ?? faultOfAmount(account, operation, exchange);
  if (fault && !fault.afterDoing) return answerWithFault(exchange, fault);
  const answer = await answerWell(account, exchange, operation, parameter);
  if (fault) return answerWithFault(exchange, fault);
  sendJson(exchange.response, 200, answer);
}

function faultOfAmount(
  { faultsOfAmounts }: PayDunyaAccount,
  operation: PayDunyaOperation,
  { body }: HttpExchange,
): HttpFault | undefined {
  return operation === 'createInvoice' ? faultsOfAmounts.take(body) : undefined;
}

function findRoute({ mode }: PayDunyaAccount, { method }: HttpExchange, path: string) {
  for (const route of ROUTES) {
    if (route.inTestModeOnly && mode !== 'test') continue;
    const match = route.method === method && route.path.exec(path);
    if (match) return { operation: route.operation, parameter: decodeURIComponent(match[1] ?? '') };
  }
  throw new HttpProblem(404, 'no_such_address');
}

async function answerWell(
  account: PayDunyaAccount,
  exchange: HttpExchange,
  operation: PayDunyaOperation,
  parameter: string,
): Promise<JsonObject> {
  try {
    checkKeys(account, exchange);
    const body = exchange.method === 'GET' ? {} : readJson(exchange);
    return await ANSWERS[operation](account, body, parameter);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { message, code } = error;
    if (!SOFTPAY.includes(operation)) return { response_code: code, response_text: message };
    return { success: false, message, errors: { message, description: message } };
  }
}

function checkKeys({ keys, log }: PayDunyaAccount, { request }: HttpExchange): void {
  const expected = {
    'paydunya-master-key': keys.masterKey,
    'paydunya-private-key': keys.privateKey,
    'paydunya-token': keys.token,
  };
  const wrong = Object.entries(expected).find(([name, key]) => request.headers[name] !== key);
  if (!wrong) return;
  log(`the header ${wrong[0]} is missing or wrong`);
  // The only text that is known of this code, whichever key is wrong.
  throw new Refused('Invalid Masterkey Specified', WRONG_KEYS);
}

function readJson(exchange: HttpExchange): JsonObject {
  const { request, body } = exchange;
  if (!request.headers['content-type']?.startsWith('application/json')) {
    throw new Refused('The content type must be application/json');
  }
  try {
    const json: unknown = JSON.parse(body);
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as JsonObject;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Refused('The body must be a JSON object');
}

function createInvoice({ ledger, urls }: PayDunyaAccount, body: JsonObject): JsonObject {
  const invoice = ledger.create(readInvoiceOrder(body));
  return {
    response_code: '00',
    response_text: urls.invoice(invoice),
    description: 'Checkout Invoice Created',
    token: invoice.token,
  };
}

function confirmInvoice(account: PayDunyaAccount, _body: JsonObject, token: string): JsonObject {
  const invoice = account.ledger.find(token);
  if (!invoice) throw new Refused('Invoice Not Found');
  return presentInvoice(account, invoice);
}
