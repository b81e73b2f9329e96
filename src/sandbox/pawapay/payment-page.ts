import { formatMoney, fromDecimal, isCurrency } from '../../money.js';
import { type HttpExchange, HttpProblem } from '../http-exchange.js';
import { redirect, sendPage } from '../local-http.js';
import { html, type Html, NOTHING } from '../pages/html.js';
import { link, page } from '../pages/layout.js';
import { type Deposit, hasPrompt, isFinal } from './deposit-ledger.js';
import { acceptDeposit } from './operations.js';
import { addressToReturnTo, orderOfPayer, type PagePayer, type PageSession } from './page-sessions.js';
import type { PawaPayApi } from './pawapay-api.js';
import { PawaPayProblem } from './pawapay-problem.js';
import { decide, renderDecision } from './phone-page.js';

/**
 * pawaPay's own page: `/paywith?token=…`. The payer says who they are, confirms on their phone, and goes back to the
 * shop; or walks away, and there never was a deposit.
 */
export function answerPaymentPage(api: PawaPayApi, exchange: HttpExchange): void {
  const session = api.pages.find(exchange.url.searchParams.get('token') ?? '');
  if (!session) throw new HttpProblem(404, 'no_such_page');
  const [, action] = exchange.url.pathname.split('/').slice(1);
  if (exchange.method === 'GET' && action === undefined) return showPage(api, exchange, session);
  if (exchange.method !== 'POST') throw new HttpProblem(405, 'not_like_this');
  if (action === undefined) return submit(api, exchange, session);
  const deposit = api.deposits.find(session.depositId);
  if (!deposit || !hasPrompt(deposit)) throw new HttpProblem(404, 'no_such_prompt');
  decide(api.deposits, deposit, action);
  redirect(exchange.response, addressToReturnTo(session));
}

/** The payer has said with what they pay. @throws {PawaPayProblem} when that can't be, or when it is too late. */
export function payOnPage(api: PawaPayApi, session: PageSession, payer: PagePayer): Deposit {
  const known = api.deposits.find(session.depositId);
  if (known) return known;
  if (!api.pages.isOpen(session)) throw new PawaPayProblem(410, 'INVALID_STATE', 'This page has expired');
  return acceptDeposit(api, session.depositId, orderOfPayer(session, payer));
}

function submit(api: PawaPayApi, exchange: HttpExchange, session: PageSession): void {
  const form = new URLSearchParams(exchange.body);
  try {
    payOnPage(api, session, {
      provider: form.get('provider') ?? '',
      phoneNumber: form.get('phoneNumber') ?? '',
      amount: form.get('amount') ?? undefined,
    });
  } catch (error) {
    if (!(error instanceof PawaPayProblem)) throw error;
    return showPage(api, exchange, session, error.message);
  }
  redirect(exchange.response, api.pageUrl(session));
}

function showPage(api: PawaPayApi, exchange: HttpExchange, session: PageSession, problem?: string): void {
  const deposit = api.deposits.find(session.depositId);
  if (deposit?.authorisationUrl !== undefined && !isFinal(deposit)) {
    return redirect(exchange.response, deposit.authorisationUrl);
  }
  const amount = amountFor(session);
  const content = deposit
    ? renderDeposit(deposit, session)
    : api.pages.isOpen(session)
      ? renderForm(session, problem)
      : html`<p>This page has expired.</p>`;
  const text = page(
    `pawaPay · ${amount}`,
    html`<h1>pawaPay</h1>
      <p class="amount">${amount}</p>
      <p>${session.reason ?? session.customerMessage ?? 'A payment'}</p>
      ${content} ${link(addressToReturnTo(session), deposit ? 'Back to the shop' : 'Walk away')}`,
  );
  sendPage(exchange.response, 200, text);
}

function renderForm(session: PageSession, problem: string | undefined): Html {
  const { operators, phoneNumber, token, amount } = session;
  const options = operators.map(
    ({ code, name, country }) => html`<option value="${code}">${name} ${country.name.en}</option>`,
  );
  const phone =
    phoneNumber === undefined
      ? html`<input
          id="phoneNumber"
          name="phoneNumber"
          inputmode="tel"
          required
          placeholder="${operators[0] ? `+${operators[0].country.prefix} …` : ''}"
        />`
      : html`<input id="phoneNumber" value="+${phoneNumber}" disabled />`;
  return html`${problem === undefined ? NOTHING : html`<p class="problem">${problem}</p>`}
    <form method="post" action="/paywith?token=${token}">
      ${amount ? NOTHING : field('amount', 'Amount', html`<input id="amount" name="amount" required />`)}
      ${field(
        'provider',
        'Operator',
        html`<select id="provider" name="provider">
          ${options}
        </select>`,
      )}
      ${field('phoneNumber', 'Phone number', phone)}
      <button class="pay">Pay</button>
    </form>`;
}

function field(id: string, label: string, input: Html): Html {
  return html`<p><label for="${id}">${label}</label>${input}</p>`;
}

function renderDeposit(deposit: Deposit, { token }: PageSession): Html {
  if (isFinal(deposit)) return html`<p>This payment is <strong>${deposit.status.toLowerCase()}</strong>.</p>`;
  const again = link(`/paywith?token=${token}`, 'Look again');
  if (!hasPrompt(deposit))
    return html`<p>Waiting for +${deposit.phoneNumber}.</p>
      ${again}`;
  return html`<p>Confirm on your phone, +${deposit.phoneNumber}:</p>
    ${renderDecision((decision) => `/paywith/${decision}?token=${token}`)} ${again}`;
}

function amountFor({ amount }: PageSession): string {
  if (!amount || !isCurrency(amount.currency)) return 'Any amount';
  return formatMoney(fromDecimal(amount.decimal, amount.currency), amount.currency, 'en');
}
