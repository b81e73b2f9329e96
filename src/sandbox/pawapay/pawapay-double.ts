import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { FaultPlan } from '../faults.js';
import { type HttpExchange, HttpProblem, readExchange, sendJson } from '../http-exchange.js';
import { close, listen, sendPage } from '../local-http.js';
import { PendingWork } from '../pending-work.js';
import { CallbackSigner, type CallbackSigning } from './callback-signature.js';
import { answerControls } from './controls-over-http.js';
import { DepositLedger } from './deposit-ledger.js';
import { FAULTS_BY_CHANCE, PAWAPAY_OPERATIONS, type PawaPayOperation } from './faults.js';
import { MagicFaults } from './magic-amounts.js';
import { PageSessions } from './page-sessions.js';
import { answerApi, type PawaPayApi } from './pawapay-api.js';
import { PawaPayCallbacks, type PawaPayCallbacksOptions } from './pawapay-callbacks.js';
import { createControls, type PawaPayDoubleControls } from './pawapay-controls.js';
import { answerPaymentPage } from './payment-page.js';
import { answerPhone } from './phone-page.js';
import type { Wording } from './presentation.js';
import { RefundLedger } from './refund-ledger.js';
import { startPage } from './start-page.js';
import { OperatorStatuses } from './toolkit.js';
import { answerWave } from './wave-page.js';

export interface PawaPayDoubleOptions extends Partial<Wording> {
  /** On its front page. `PawaPay` unless told. */
  readonly displayName?: string;
  /** 0, the default: any free one. */
  readonly port?: number;
  readonly token: string;
  /** Asked at each callback, of deposits and of refunds. */
  readonly webhookUrl: () => string;
  /** What signatures say the address of the callbacks is. `webhookUrl` unless told. */
  readonly publicUrl?: () => string;
  /** false: not at all. With ECDSA over P-256, in DER, unless told. */
  readonly signCallbacks?: false | CallbackSigning;
  /** How long an operator takes to act by itself. A second unless told. */
  readonly decisionMilliseconds?: number;
  readonly firstRetryMilliseconds?: number;
  /** The oldest deposits are forgotten beyond this number, so that a long run does not fill the memory. */
  readonly maximumDeposits?: number;
  readonly now?: () => Date;
  readonly log?: (line: string) => void;
}

export interface PawaPayDouble extends PawaPayDoubleControls {
  readonly url: URL;
  /** Closes every connection and forgets all that was still to happen. May be called twice. */
  stop(): Promise<void>;
}

const DECISION_MILLISECONDS = 1000;
const MAXIMUM_DEPOSITS = 100_000;

/** PawaPay on this machine, version 2, over real HTTP and with real signatures. No money, no account, no key. */
export async function startPawaPayDouble(options: PawaPayDoubleOptions): Promise<PawaPayDouble> {
  const server = createServer();
  const url = await listen(server, options.port ?? 0);
  const work = new PendingWork();
  const api = openApi(options, url, work);
  const controls = createControls(api, work);
  const answer = createAnswer(options.displayName ?? 'PawaPay', api, controls);
  server.on('request', (request, response) => void answer(request, response));
  const stop = () => {
    work.stop();
    api.callbacks.stop();
    return close(server);
  };
  return { url, stop, ...controls };
}

function openApi(options: PawaPayDoubleOptions, url: URL, work: PendingWork): PawaPayApi {
  const { maximumDeposits = MAXIMUM_DEPOSITS, now = () => new Date() } = options;
  const signing = options.signCallbacks ?? { algorithm: 'ecdsa-p256-sha256' };
  const signer = signing === false ? undefined : new CallbackSigner(signing);
  const wording = wordingOf(options);
  const callbacks = openCallbacks(options, { signer, wording, now }, work);
  const statuses = new OperatorStatuses();
  return {
    ...openLedgers({ ...options, maximumDeposits, now }, callbacks, url, work),
    token: options.token,
    callbacks,
    signer,
    wording,
    pages: new PageSessions(maximumDeposits, now),
    faults: new FaultPlan(FAULTS_BY_CHANCE),
    magicFaults: new MagicFaults(),
    requests: noRequests(),
    configuration: () => ({
      companyName: options.displayName ?? 'PawaPay',
      signedCallbacks: signer !== undefined,
      callbackUrl: options.webhookUrl(),
      statuses,
    }),
    pageUrl: ({ token }) => new URL(`paywith?token=${token}`, url).href,
  };
}

function openLedgers(
  options: PawaPayDoubleOptions & Required<Pick<PawaPayDoubleOptions, 'maximumDeposits' | 'now'>>,
  callbacks: PawaPayCallbacks,
  url: URL,
  work: PendingWork,
): Pick<PawaPayApi, 'deposits' | 'refunds'> {
  const { maximumDeposits, now, decisionMilliseconds = DECISION_MILLISECONDS } = options;
  const later = (deed: () => void) => work.later(decisionMilliseconds, deed);
  const authorisationUrl = (depositId: string) => new URL(`wave/${depositId}`, url).href;
  return {
    deposits: new DepositLedger({
      now,
      maximumDeposits,
      later,
      authorisationUrl,
      onChange: (deposit) => callbacks.tell(deposit),
    }),
    refunds: new RefundLedger({
      now,
      maximumRefunds: maximumDeposits,
      later,
      onSettled: (refund) => callbacks.tellOfRefund(refund),
    }),
  };
}

function openCallbacks(
  { webhookUrl, publicUrl, firstRetryMilliseconds, log }: PawaPayDoubleOptions,
  how: Pick<PawaPayCallbacksOptions, 'signer' | 'wording' | 'now'>,
  work: PendingWork,
): PawaPayCallbacks {
  return new PawaPayCallbacks(
    {
      ...how,
      url: webhookUrl,
      publicUrl: publicUrl ?? webhookUrl,
      firstRetryMilliseconds,
      log: (line) => log?.(`pawapay: ${line}`),
    },
    work,
  );
}

function wordingOf(options: PawaPayDoubleOptions): Wording {
  return {
    clientReferenceInCallbacks: options.clientReferenceInCallbacks ?? false,
    depositIdInRefunds: options.depositIdInRefunds ?? false,
    refundRefusals: options.refundRefusals ?? 'failureReason',
  };
}

function noRequests(): Record<PawaPayOperation, number> {
  const none = PAWAPAY_OPERATIONS.map((operation) => [operation, 0] as const);
  return Object.fromEntries(none) as Record<PawaPayOperation, number>;
}

function createAnswer(displayName: string, api: PawaPayApi, controls: PawaPayDoubleControls) {
  const answerIn = async (area: string, exchange: HttpExchange): Promise<void> => {
    if (area === 'v2') return answerApi(api, exchange);
    if (area === 'paywith') return answerPaymentPage(api, exchange);
    if (area === 'phone') return answerPhone(api.deposits, exchange);
    if (area === 'wave') return answerWave(api.deposits, exchange);
    if (area === '_double') return answerControls(controls, exchange);
    if (area === '') return sendPage(exchange.response, 200, startPage(displayName));
    throw new HttpProblem(404, 'no_such_address');
  };
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const exchange = await readExchange(request, response);
      const [area = ''] = exchange.url.pathname.split('/').slice(1);
      await answerIn(area, exchange);
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
