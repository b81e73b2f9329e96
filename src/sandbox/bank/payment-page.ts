import { formatMoney } from '../../money.js';
import { type HttpExchange, HttpProblem } from '../http-exchange.js';
import { redirect, sendPage } from '../local-http.js';
import { html, type Html } from '../pages/html.js';
import { link, page } from '../pages/layout.js';
import { type BankLedger, type BankPayment, isOver } from './bank-ledger.js';

export interface PaymentPage {
  readonly displayName: string;
  readonly ledger: BankLedger;
}

const BUTTONS = [
  ['pay', 'Pay'],
  ['decline', 'Decline'],
  ['cancel', 'Cancel'],
] as const;

/** What the payer sees of the bank: `/pay/<id>`, with three buttons that each come back to the shop. */
export function answerPage(shown: PaymentPage, exchange: HttpExchange): void {
  const [, id = '', action] = exchange.url.pathname.split('/').slice(1);
  const payment = shown.ledger.find(id);
  if (payment?.id !== id || payment === undefined) throw new HttpProblem(404, 'no_such_payment');
  if (exchange.method === 'GET' && action === undefined) {
    return sendPage(exchange.response, 200, renderPage(shown.displayName, payment));
  }
  if (exchange.method !== 'POST') throw new HttpProblem(405, 'not_like_this');
  act(shown.ledger, payment, action);
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
  return page(
    `${bankName} · ${amount}`,
    html`<h1>${bankName}</h1>
      <p class="amount">${amount}</p>
      <p>${payment.description}</p>
      <p class="soft">Reference<br />${payment.reference}</p>
      ${isOver(payment) ? renderEnd(payment) : renderButtons(payment)}`,
  );
}

function renderButtons({ id }: BankPayment): Html {
  const forms = BUTTONS.map(([action, label]) => {
    const button = html`<button class="${action}">${label}</button>`;
    return html`<form method="post" action="/pay/${id}/${action}">${button}</form>`;
  });
  return html`${forms}`;
}

function renderEnd(payment: BankPayment): Html {
  return html`<p>This payment is <strong>${payment.status.toLowerCase()}</strong>.</p>
    ${link(addressToReturnTo(payment), 'Back to the shop')}`;
}
