import { formatMoney } from '../../money.js';
import { type BankLedger, type BankPayment, isOver } from './bank-ledger.js';
import { type HttpExchange, HttpProblem, redirect, sendHtml } from './http-exchange.js';

export interface PaymentPage {
  readonly displayName: string;
  readonly ledger: BankLedger;
}

/** What the payer sees of the bank: `/pay/<id>`, with three buttons that each come back to the shop. */
export function answerPage(page: PaymentPage, exchange: HttpExchange): void {
  const [, id = '', action] = exchange.url.pathname.split('/').slice(1);
  const payment = page.ledger.find(id);
  if (payment?.id !== id || payment === undefined) throw new HttpProblem(404, 'no_such_payment');
  if (exchange.method === 'GET' && action === undefined) {
    return sendHtml(exchange.response, 200, renderPage(page.displayName, payment));
  }
  if (exchange.method !== 'POST') throw new HttpProblem(405, 'not_like_this');
  act(page.ledger, payment, action);
  redirect(exchange.response, addressToReturnTo(payment));
}

function act(ledger: BankLedger, payment: BankPayment, action: string | undefined): void {
  switch (action) {
    case 'pay':
      return ledger.pay(payment);
    case 'decline':
      return ledger.decline(payment);
    case 'cancel':
      return ledger.cancel(payment);
    default:
      throw new HttpProblem(404, 'no_such_action');
  }
}

function addressToReturnTo(payment: BankPayment): string {
  const address = new URL(payment.returnUrl);
  address.searchParams.set('reference', payment.reference);
  return address.href;
}

function renderPage(bankName: string, payment: BankPayment): string {
  const amount = formatMoney(payment.amount, payment.currency, payment.locale);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(bankName)} · ${escapeHtml(amount)}</title>
<style>${STYLE}</style>
<p class="banner">Sandbox – no real money</p>
<main>
  <h1>${escapeHtml(bankName)}</h1>
  <p class="amount">${escapeHtml(amount)}</p>
  <p>${escapeHtml(payment.description)}</p>
  <p class="reference">Reference <code>${escapeHtml(payment.reference)}</code></p>
  ${isOver(payment) ? renderEnd(payment) : renderButtons(payment)}
</main>
</html>
`;
}

function renderButtons(payment: BankPayment): string {
  const button = (action: string, label: string) =>
    `<form method="post" action="/pay/${escapeHtml(payment.id)}/${action}"><button class="${action}">${label}</button></form>`;
  return `${button('pay', 'Pay')}${button('decline', 'Decline')}${button('cancel', 'Cancel')}`;
}

function renderEnd(payment: BankPayment): string {
  const status = payment.status.toLowerCase();
  return `<p class="end">This payment is <strong>${status}</strong>.</p>
  <p><a href="${escapeHtml(addressToReturnTo(payment))}">Back to the shop</a></p>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const STYLE = `
  * { box-sizing: border-box; }
  body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: #1c2430; background: #eef1f5; }
  .banner { margin: 0; padding: .5rem; text-align: center; background: #ffd65c; font-weight: 600; }
  main { max-width: 24rem; margin: 3rem auto; padding: 2rem; background: #fff; border-radius: 1rem;
         box-shadow: 0 .5rem 2rem #1c24301f; text-align: center; }
  h1 { margin: 0; font-size: 1.1rem; color: #5a6675; }
  .amount { margin: .5rem 0; font-size: 2.2rem; font-weight: 700; }
  .reference { color: #5a6675; font-size: .85rem; overflow-wrap: anywhere; }
  form { margin-top: .75rem; }
  button { width: 100%; padding: .8rem; border: 1px solid #c9d1db; border-radius: .6rem; background: #fff;
           font: inherit; font-weight: 600; cursor: pointer; }
  button.pay { border-color: #14724a; background: #14724a; color: #fff; }
  button:hover { filter: brightness(.95); }
  button:focus-visible { outline: 3px solid #6aa6ff; outline-offset: 2px; }
`;
