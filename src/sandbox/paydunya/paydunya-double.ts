import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { FaultPlan } from '../faults.js';
import { type HttpExchange, HttpProblem, readExchange, sendJson } from '../http-exchange.js';
import { FAULTS_BY_CHANCE } from '../http-fault.js';
import { close, listen, sendPage } from '../local-http.js';
import { Accounts, FICTITIOUS_ACCOUNTS, type FictitiousAccount } from './accounts.js';
import { Clock } from './clock.js';
import { answerControls } from './controls-over-http.js';
import { checkedDialect, type Dialect } from './dialect.js';
import { FaultsOfAmounts } from './faults-of-amounts.js';
import type { Invoice } from './invoice.js';
import { InvoiceLedger } from './invoice-ledger.js';
import { answerInvoicePage, answerReceipt } from './invoice-page.js';
import { magicOf } from './magic-amounts.js';
import { Notifications } from './notifications.js';
import { PAYDUNYA_OPERATIONS, type PayDunyaOperation } from './operations.js';
import type { PayDunyaAccount, PayDunyaUrls } from './paydunya-account.js';
import { answerApi } from './paydunya-api.js';
import { createControls, type PayDunyaDoubleControls } from './paydunya-controls.js';
import { Payer } from './payer.js';
import { Phone } from './phone.js';
import { answerPhonePage, answerWalletPage } from './phone-page.js';
import { startPage } from './start-page.js';

export interface PayDunyaDoubleOptions {
  readonly masterKey: string;
  readonly privateKey: string;
  readonly token: string;
  /** Decides the prefix of tokens, the addresses, and what answers say. `test` unless told. */
  readonly mode?: 'test' | 'live';
  /** `PayDunya` unless told. */
  readonly displayName?: string;
  /** 0, the default: any free one. */
  readonly port?: number;
  /** Where notifications go whose invoice named no `callback_url`: the dashboard's setting. */
  readonly webhookUrl?: () => string;
  readonly firstRetryMilliseconds?: number;
  /** Where documentation and experience differ. As documented unless told. */
  readonly dialect?: Dialect;
  /** The real sandbox simulates no operator of SoftPay; false: neither does this one. */
  readonly simulateOperators?: boolean;
  /** How long PayDunya waits for whoever has to approve while it does (Moov Côte d’Ivoire). 30 000 unless told. */
  readonly approvalWindowMilliseconds?: number;
  readonly accounts?: readonly FictitiousAccount[];
  /** The oldest invoices are forgotten beyond this number, so that a long run does not fill the memory. */
  readonly maximumInvoices?: number;
  readonly now?: () => Date;
  readonly log?: (line: string) => void;
}

export interface PayDunyaDouble extends PayDunyaDoubleControls {
  /** Of the API, without a slash at the end: `http://127.0.0.1:…/sandbox-api/v1`. */
  readonly url: URL;
  /** For people. */
  readonly pageUrl: URL;
  /** Closes every connection and forgets every retry. May be called twice. */
  stop(): Promise<void>;
}

interface Addresses {
  readonly api: string;
  readonly checkout: string;
}

const ADDRESSES: Record<'test' | 'live', Addresses> = {
  test: { api: '/sandbox-api/v1', checkout: '/sandbox-checkout' },
  live: { api: '/api/v1', checkout: '/checkout' },
};

const TOKEN_PREFIXES = { test: 'test_', live: '' };

const DISPLAY_NAME = 'PayDunya';
const APPROVAL_WINDOW_MILLISECONDS = 30_000;
const MAXIMUM_INVOICES = 100_000;

/** PayDunya on this machine, over real HTTP with its real weak hash. No money, no account, no key. */
export async function startPayDunyaDouble(options: PayDunyaDoubleOptions): Promise<PayDunyaDouble> {
  const server = createServer();
  const pageUrl = await listen(server, options.port ?? 0);
  const addresses = ADDRESSES[options.mode ?? 'test'];
  const clock = new Clock(options.now ?? (() => new Date()));
  const { account, notifications } = openAccount(options, urlsAt(pageUrl, addresses), clock);
  const controls = createControls(account, notifications, clock);
  const answer = createAnswer(options.displayName ?? DISPLAY_NAME, addresses, account, controls);
  server.on('request', (request, response) => void answer(request, response));
  const stop = () => {
    notifications.stop();
    account.phone.stop();
    return close(server);
  };
  return { url: new URL(addresses.api, pageUrl), pageUrl, stop, ...controls };
}

function urlsAt(pageUrl: URL, { checkout }: Addresses): PayDunyaUrls {
  const at = (path: string) => new URL(path, pageUrl).href;
  return {
    invoice: ({ token }) => at(`${checkout}/invoice/${token}`),
    receipt: ({ token }) => at(`${checkout}/receipt/pdf/${token}.pdf`),
    wallet: (promptId) => at(`/wallet/${promptId}`),
  };
}

function openAccount(options: PayDunyaDoubleOptions, urls: PayDunyaUrls, clock: Clock) {
  const { masterKey, privateKey, token, mode = 'test', maximumInvoices = MAXIMUM_INVOICES } = options;
  const log = (line: string) => options.log?.(`paydunya: ${line}`);
  const { webhookUrl, firstRetryMilliseconds } = options;
  const notifications = new Notifications({ webhookUrl, firstRetryMilliseconds, maximumInvoices, log });
  const now = () => clock.now();
  const ledger = new InvoiceLedger({
    tokenPrefix: TOKEN_PREFIXES[mode],
    now,
    maximumInvoices,
    onCreate: (invoice) => lieAboutMagic(notifications, account, invoice),
    onChange: (invoice) => notifications.tell(account, invoice),
  });
  const payer = new Payer(ledger);
  const account: PayDunyaAccount = {
    keys: { masterKey, privateKey, token },
    mode,
    ledger,
    payer,
    phone: new Phone(payer, now),
    accounts: new Accounts(options.accounts ?? FICTITIOUS_ACCOUNTS),
    faults: new FaultPlan(FAULTS_BY_CHANCE),
    faultsOfAmounts: new FaultsOfAmounts(),
    requests: Object.fromEntries(PAYDUNYA_OPERATIONS.map((operation) => [operation, 0])) as Record<
      PayDunyaOperation,
      number
    >,
    urls,
    withdrawn: new Set(),
    simulatesOperators: options.simulateOperators ?? true,
    approvalWindowMilliseconds: options.approvalWindowMilliseconds ?? APPROVAL_WINDOW_MILLISECONDS,
    log,
    dialect: checkedDialect({ ...options.dialect }),
  };
  return { account, notifications };
}

function lieAboutMagic(notifications: Notifications, account: PayDunyaAccount, invoice: Invoice): void {
  if (magicOf(invoice.totalAmount).notifying === 'LIES_AT_ONCE') notifications.forge(account, invoice, {});
}

type Area = readonly [prefix: string, answer: (exchange: HttpExchange, rest: string) => void | Promise<void>];

/** The first that fits. */
function areasOf(
  displayName: string,
  { api, checkout }: Addresses,
  account: PayDunyaAccount,
  controls: PayDunyaDoubleControls,
): readonly Area[] {
  const pages = { account, displayName };
  return [
    [`${api}/`, (exchange, path) => answerApi(account, exchange, path)],
    [`${checkout}/invoice/`, (exchange, token) => answerInvoicePage(pages, exchange, token)],
    [`${checkout}/receipt/pdf/`, (exchange, file) => answerReceipt(pages, exchange, file)],
    ['/wallet/', (exchange, id) => answerWalletPage(account, exchange, id)],
    ['/phone', (exchange, rest) => answerPhonePage(account, exchange, rest.slice(1))],
    ['/_double/', (exchange) => answerControls(controls, exchange)],
  ];
}

function createAnswer(
  displayName: string,
  addresses: Addresses,
  account: PayDunyaAccount,
  controls: PayDunyaDoubleControls,
) {
  const areas = areasOf(displayName, addresses, account, controls);
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const exchange = await readExchange(request, response);
      const path = exchange.url.pathname;
      if (path === '/') return sendPage(response, 200, startPage(displayName, account));
      const area = areas.find(([prefix]) => path.startsWith(prefix));
      if (!area) throw new HttpProblem(404, 'no_such_address');
      const [prefix, answer] = area;
      await answer(exchange, path.slice(prefix.length));
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
