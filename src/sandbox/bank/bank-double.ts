import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { FaultPlan } from '../faults.js';
import { HttpProblem, readExchange, sendJson } from '../http-exchange.js';
import { FAULTS_BY_CHANCE } from '../http-fault.js';
import { close, listen, sendPage } from '../local-http.js';
import { frontPage } from '../pages/front-page.js';
import { answerApi, type BankApi } from './bank-api.js';
import { type BankDoubleControls, createControls } from './bank-controls.js';
import { BankLedger } from './bank-ledger.js';
import { BankNotifications } from './bank-notifications.js';
import { answerControls } from './controls-over-http.js';
import { type BankDialect, CONTRACT_DIALECT, understand } from './dialect.js';
import { answerPage } from './payment-page.js';
import { RefundLedger } from './refund-ledger.js';
import { BankHand } from './writing.js';

export interface BankDoubleOptions {
  readonly name: string;
  readonly displayName: string;
  /** 0, the default: any free one. */
  readonly port?: number;
  readonly apiKey: string;
  readonly webhookSecret: string;
  /** Asked at each notification that the payment gave no `notification_url` for. */
  readonly webhookUrl: () => string;
  /** false: never notify anybody. */
  readonly webhooks?: boolean;
  readonly webhookDelayMilliseconds?: number;
  readonly firstRetryMilliseconds?: number;
  /** The oldest payments are forgotten beyond this number, so that a long run does not fill the memory. */
  readonly maximumPayments?: number;
  /** Of the list of payments. */
  readonly paymentsPerPage?: number;
  /** Where it differs from the default contract. */
  readonly dialect?: Partial<BankDialect>;
  readonly now?: () => Date;
  readonly log?: (line: string) => void;
}

export interface BankDouble extends BankDoubleControls {
  readonly name: string;
  readonly url: URL;
  /** Closes every connection and forgets every retry. May be called twice. */
  stop(): Promise<void>;
}

const PAYMENTS_PER_PAGE = 100;

const HOW_TO_PAY = 'Payers pay on the page that createPaymentIntent sends them to.';

/** A bank on this machine that speaks real HTTP with real signatures. No money, no account, no key. */
export async function startBankDouble(options: BankDoubleOptions): Promise<BankDouble> {
  const server = createServer();
  const url = await listen(server, options.port ?? 0);
  const dialect = { ...CONTRACT_DIALECT, ...options.dialect };
  const hand = new BankHand();
  const { notifications, ...books } = openBooks(options, dialect, hand);
  const api: BankApi = {
    dialect,
    hand,
    apiKey: options.apiKey,
    ...books,
    faults: new FaultPlan(FAULTS_BY_CHANCE),
    requests: {
      createPayment: 0,
      getPayment: 0,
      findPayments: 0,
      listPayments: 0,
      cancelPayment: 0,
      createRefund: 0,
    },
    paymentUrl: (payment) => new URL(`pay/${payment.id}`, url).href,
    paymentsPerPage: options.paymentsPerPage ?? PAYMENTS_PER_PAGE,
  };
  const controls = createControls(api, notifications);
  const answer = createAnswer(options.displayName, api, controls);
  server.on('request', (request, response) => void answer(request, response));
  const stop = () => {
    notifications.stop();
    return close(server);
  };
  return { name: options.name, url, stop, ...controls };
}

interface Books {
  readonly ledger: BankLedger;
  readonly refunds: RefundLedger;
  readonly notifications: BankNotifications;
}

function openBooks(options: BankDoubleOptions, dialect: BankDialect, hand: BankHand): Books {
  const now = options.now ?? (() => new Date());
  const maximumPayments = options.maximumPayments ?? 100_000;
  const notifications = new BankNotifications({
    dialect,
    hand,
    webhookSecret: options.webhookSecret,
    webhookUrl: options.webhookUrl,
    webhooks: options.webhooks ?? true,
    webhookDelayMilliseconds: options.webhookDelayMilliseconds,
    firstRetryMilliseconds: options.firstRetryMilliseconds,
    maximumPayments,
    now,
    log: (line) => options.log?.(`${options.name}: ${line}`),
  });
  const ledger = new BankLedger({ now, maximumPayments, onChange: (payment) => notifications.tell(payment) });
  const refunds = new RefundLedger({
    maximumRefunds: maximumPayments,
    onSettled: (payment, refund) => notifications.tellOfRefund(payment, refund),
  });
  return { ledger, refunds, notifications };
}

function createAnswer(displayName: string, api: BankApi, controls: BankDoubleControls) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const exchange = understand(api.dialect, await readExchange(request, response));
      const [area] = exchange.url.pathname.split('/').slice(1);
      if (area === 'payments') answerApi(api, exchange);
      else if (area === 'pay') answerPage({ displayName, ledger: api.ledger }, exchange);
      else if (area === '_double') await answerControls(controls, exchange);
      else if (area === '') sendPage(response, 200, frontPage(displayName, HOW_TO_PAY));
      else throw new HttpProblem(404, 'no_such_address');
    } catch (error) {
      answerProblem(request, response, error);
    }
  };
}

function answerProblem(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  // The sender left before its request was whole; there is nobody to answer.
  if (request.socket.destroyed) return;
  const { status, code } = problemOf(error);
  sendJson(response, status, { error: { code } });
}

function problemOf(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof URIError) return new HttpProblem(400, 'bad_address');
  return new HttpProblem(500, `fault of the double: ${String(error)}`);
}
