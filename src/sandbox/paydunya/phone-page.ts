import { formatMoney } from '../../money.js';
import { type HttpExchange, HttpProblem } from '../http-exchange.js';
import { redirect, sendPage } from '../local-http.js';
import { html, type Html } from '../pages/html.js';
import { link, page } from '../pages/layout.js';
import { addressAfterwards } from './invoice-page.js';
import { findOperator } from './operators.js';
import type { PayDunyaAccount } from './paydunya-account.js';
import type { Phone, Prompt } from './phone.js';

/** `/phone`: what waits on every payer's phone. `POST /phone/<id>` with `decision=approve|decline`. */
export function answerPhonePage({ phone }: PayDunyaAccount, exchange: HttpExchange, id: string): void {
  if (exchange.method === 'GET' && id === '') {
    return sendPage(exchange.response, 200, renderPhone(phone.prompts()));
  }
  if (exchange.method !== 'POST') throw new HttpProblem(405, 'not_like_this');
  decide(phone, findOr404(phone, id), new URLSearchParams(exchange.body).get('decision'));
  redirect(exchange.response, '/phone');
}

/** `/wallet/<id>`: the same question on a page of the operator's, as Wave has it; afterwards back to the shop. */
export function answerWalletPage(account: PayDunyaAccount, exchange: HttpExchange, id: string): void {
  const prompt = findOr404(account.phone, id);
  if (exchange.method === 'GET') {
    return sendPage(exchange.response, 200, page('Approve', renderPrompt(prompt, `/wallet/${id}`)));
  }
  if (exchange.method !== 'POST') throw new HttpProblem(405, 'not_like_this');
  decide(account.phone, prompt, new URLSearchParams(exchange.body).get('decision'));
  redirect(exchange.response, addressAfterwards(account, prompt.invoice));
}

/** @throws {HttpProblem} for anything but `approve` and `decline`; a code is for typing in, and can't be approved. */
export function decide(phone: Phone, prompt: Prompt, decision: string | null): void {
  if (decision === 'decline') return phone.decline(prompt);
  if (decision !== 'approve') throw new HttpProblem(404, 'no_such_decision');
  if (prompt.code !== undefined) throw new HttpProblem(409, 'a_code_is_no_question');
  phone.approve(prompt);
}

function findOr404(phone: Phone, id: string): Prompt {
  const prompt = phone.find(id);
  if (prompt?.invoice.status !== 'pending') throw new HttpProblem(404, 'no_such_prompt');
  return prompt;
}

function renderPhone(prompts: readonly Prompt[]): string {
  const waiting = prompts.map((prompt) => renderPrompt(prompt, `/phone/${prompt.id}`));
  return page(
    'The phone',
    html`<h1>The phone</h1>
      ${waiting.length === 0 ? html`<p>Nothing is waiting.</p>` : waiting} ${link('/phone', 'Look again')}`,
  );
}

function renderPrompt({ channel, customer, invoice, code }: Prompt, address: string): Html {
  const label = findOperator(channel)?.label ?? 'PayDunya';
  const approve = html`<button class="pay" name="decision" value="approve">Approve</button>`;
  return html`<p class="soft">${customer.phone}, ${label}</p>
    <p class="amount">${formatMoney(invoice.totalAmount, 'XOF', 'fr')}</p>
    <p>${invoice.storeName}<br />${invoice.description}</p>
    <form method="post" action="${address}">
      ${code === undefined ? approve : html`<p>Your code is <strong>${code}</strong></p>`}
      <button class="decline" name="decision" value="decline">Decline</button>
    </form>`;
}
