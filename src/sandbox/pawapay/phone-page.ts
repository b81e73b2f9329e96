import { formatMoney } from '../../money.js';
import { type HttpExchange, HttpProblem } from '../http-exchange.js';
import { redirect, sendPage } from '../local-http.js';
import { html, type Html } from '../pages/html.js';
import { link, page } from '../pages/layout.js';
import { type Deposit, type DepositLedger, hasPrompt } from './deposit-ledger.js';

const DECISIONS = ['approve', 'decline'] as const;

type Decision = (typeof DECISIONS)[number];

const LABELS = [
  ['approve', 'pay', 'Approve'],
  ['decline', 'decline', 'Decline'],
] as const;

/** Every phone on this machine: `/phone`, with the prompts that wait for somebody. */
export function answerPhone(deposits: DepositLedger, exchange: HttpExchange): void {
  const [, id, action] = exchange.url.pathname.split('/').slice(1);
  if (exchange.method === 'GET' && id === undefined) {
    return sendPage(exchange.response, 200, renderPhone(deposits.all().filter(hasPrompt)));
  }
  if (exchange.method !== 'POST') throw new HttpProblem(405, 'not_like_this');
  const deposit = deposits.find(id ?? '');
  if (!deposit || !hasPrompt(deposit)) throw new HttpProblem(404, 'no_such_prompt');
  decide(deposits, deposit, action);
  redirect(exchange.response, '/phone');
}

/** @throws {HttpProblem} 404 for anything but `approve` and `decline`. */
export function decide(deposits: DepositLedger, deposit: Deposit, action: string | undefined): void {
  if (!DECISIONS.includes(action as Decision)) throw new HttpProblem(404, 'no_such_action');
  if (action === 'approve') deposits.complete(deposit);
  else deposits.fail(deposit, 'PAYMENT_NOT_APPROVED');
}

/** @param addressOf where pressing one of them leads. */
export function renderDecision(addressOf: (decision: Decision) => string): Html {
  const forms = LABELS.map(([decision, style, label]) => {
    const button = html`<button class="${style}">${label}</button>`;
    return html`<form method="post" action="${addressOf(decision)}">${button}</form>`;
  });
  return html`${forms}`;
}

function renderPhone(prompts: readonly Deposit[]): string {
  return page(
    'The phone',
    html`<h1>The phone</h1>
      ${prompts.length === 0 ? html`<p>Nothing is waiting.</p>` : html`${prompts.map(renderPrompt)}`}
      ${link('/phone', 'Look again')}`,
  );
}

function renderPrompt({ id, operator, phoneNumber, amount, currency, customerMessage }: Deposit): Html {
  return html`<p class="soft">+${phoneNumber}, ${operator.name} ${operator.country.name.en}</p>
    <p class="amount">${formatMoney(amount, currency, 'en')}</p>
    <p>${customerMessage ?? 'Enter your PIN to confirm this payment.'}</p>
    ${renderDecision((decision) => `/phone/${id}/${decision}`)}`;
}
