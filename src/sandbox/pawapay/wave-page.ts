import { formatMoney } from '../../money.js';
import { type HttpExchange, HttpProblem } from '../http-exchange.js';
import { redirect, sendPage } from '../local-http.js';
import { html, type Html } from '../pages/html.js';
import { link, page } from '../pages/layout.js';
import { type Deposit, type DepositLedger, isFinal } from './deposit-ledger.js';
import { decide, renderDecision } from './phone-page.js';

/** What the payer sees of an operator that asks on its own page: `/wave/<deposit id>`. */
export function answerWave(deposits: DepositLedger, exchange: HttpExchange): void {
  const [, id, action] = exchange.url.pathname.split('/').slice(1);
  const deposit = deposits.find(id ?? '');
  if (deposit?.authorisationUrl === undefined) throw new HttpProblem(404, 'no_such_payment');
  if (exchange.method === 'POST') decide(deposits, deposit, action);
  else if (action !== undefined) throw new HttpProblem(405, 'not_like_this');
  const onward = addressAfter(deposit);
  if (exchange.method === 'POST' && onward !== undefined) return redirect(exchange.response, onward);
  sendPage(exchange.response, 200, renderPage(deposit, onward));
}

function addressAfter({ status, successfulUrl, failedUrl }: Deposit): string | undefined {
  if (status === 'COMPLETED') return successfulUrl;
  return status === 'FAILED' ? failedUrl : undefined;
}

function renderPage(deposit: Deposit, onward: string | undefined): string {
  const { operator, amount, currency, customerMessage } = deposit;
  const shown = formatMoney(amount, currency, 'en');
  return page(
    `${operator.name} · ${shown}`,
    html`<h1>${operator.name}</h1>
      <p class="amount">${shown}</p>
      <p>${customerMessage ?? 'A payment'}</p>
      ${isFinal(deposit) ? renderEnd(deposit, onward) : renderButtons(deposit)}`,
  );
}

function renderButtons({ id }: Deposit): Html {
  return renderDecision((decision) => `/wave/${id}/${decision}`);
}

function renderEnd({ status }: Deposit, onward: string | undefined): Html {
  return html`<p>This payment is <strong>${status.toLowerCase()}</strong>.</p>
    ${onward === undefined ? html`` : link(onward, 'Back to the shop')}`;
}
