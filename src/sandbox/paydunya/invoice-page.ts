import { formatMoney } from '../../money.js';
import { type HttpExchange, HttpProblem } from '../http-exchange.js';
import { redirect, send, sendPage } from '../local-http.js';
import { html, type Html, NOTHING } from '../pages/html.js';
import { link, page } from '../pages/layout.js';
import { CARD_CHANNEL, type Invoice } from './invoice.js';
import { OPERATORS } from './operators.js';
import type { PayDunyaAccount } from './paydunya-account.js';
import { receiptPdf } from './receipt.js';

export interface PayerPages {
  readonly account: PayDunyaAccount;
  readonly displayName: string;
}

/** The hosted page `…/invoice/<token>`: the payer chooses a way to pay and how it ends, and comes back to the shop. */
export function answerInvoicePage(
  { account, displayName }: PayerPages,
  exchange: HttpExchange,
  token: string,
): void {
  const invoice = findOr404(account, token);
  if (exchange.method === 'GET') {
    return sendPage(exchange.response, 200, renderInvoice(account, displayName, invoice));
  }
  if (exchange.method !== 'POST') throw new HttpProblem(405, 'not_like_this');
  const sent = new URLSearchParams(exchange.body);
  act(account, invoice, sent.get('action'), sent.get('channel') ?? CARD_CHANNEL);
  redirect(exchange.response, addressAfterwards(account, invoice));
}

/** `…/receipt/pdf/<token>.pdf`, of what was paid. */
export function answerReceipt(
  { account, displayName }: PayerPages,
  exchange: HttpExchange,
  file: string,
): void {
  const invoice = findOr404(account, file.replace(/\.pdf$/, ''));
  if (!invoice.payment) throw new HttpProblem(404, 'not_paid');
  const { amount, customer, receiptIdentifier } = invoice.payment;
  const lines = [
    `${displayName} - sandbox, no real money`,
    `Receipt ${receiptIdentifier}`,
    `${amount} FCFA`,
    invoice.description,
    invoice.storeName,
    customer.name,
  ];
  send(exchange.response, 200, 'application/pdf', receiptPdf(lines));
}

/** Where the payer's browser goes once the invoice is over. Without an address of the shop's it stays. */
export function addressAfterwards({ urls }: PayDunyaAccount, invoice: Invoice): string {
  const address = addressOfShop(invoice);
  if (address === undefined) return urls.invoice(invoice);
  const url = new URL(address);
  url.searchParams.set('token', invoice.token);
  return url.href;
}

function addressOfShop({ status, actions }: Invoice): string | undefined {
  return status === 'cancelled' ? (actions.cancel_url ?? actions.return_url) : actions.return_url;
}

function findOr404({ ledger }: PayDunyaAccount, token: string): Invoice {
  const invoice = ledger.find(token);
  if (!invoice) throw new HttpProblem(404, 'no_such_invoice');
  return invoice;
}

function act(
  { ledger, payer }: PayDunyaAccount,
  invoice: Invoice,
  action: string | null,
  channel: string,
): void {
  switch (action) {
    case 'pay':
      return payer.pay(invoice, channel);
    case 'fail':
      return payer.decline(invoice, channel);
    case 'cancel':
      return ledger.cancel(invoice);
    default:
      throw new HttpProblem(404, 'no_such_action');
  }
}

function renderInvoice(account: PayDunyaAccount, displayName: string, invoice: Invoice): string {
  const due = invoice.payment?.amount ?? invoice.totalAmount + account.payer.feesOf(invoice);
  const amount = formatMoney(due, 'XOF', 'fr');
  return page(
    `${displayName} · ${amount}`,
    html`<h1>${invoice.storeName}</h1>
      <p class="amount">${amount}</p>
      <p>${invoice.description}</p>
      <p class="soft">${displayName}<br />${invoice.token}</p>
      ${invoice.status === 'pending' ? renderForm(account, invoice) : renderEnd(account, invoice)}`,
  );
}

function renderForm(account: PayDunyaAccount, invoice: Invoice): Html {
  const options = channelsOf(account, invoice).map(([channel, label]) => {
    return html`<option value="${channel}">${label}</option>`;
  });
  return html`<form method="post">
    <label for="channel">Way to pay</label>
    <select id="channel" name="channel">
      ${options}
    </select>
    <button class="pay" name="action" value="pay">Pay</button>
    <button class="fail" name="action" value="fail">Fail</button>
    <button class="cancel" name="action" value="cancel">Cancel</button>
  </form>`;
}

/** Those that the invoice asks for, else all; not those that were taken away. */
function channelsOf({ withdrawn }: PayDunyaAccount, { channels }: Invoice): (readonly [string, string])[] {
  const labels = new Map([[CARD_CHANNEL, 'Card']]);
  for (const { path, label } of OPERATORS) labels.set(channelOf(path), label);
  const taken = [...withdrawn].map(channelOf);
  return (channels.length === 0 ? [...labels.keys()] : channels)
    .filter((channel) => !taken.includes(channel))
    .map((channel) => [channel, labels.get(channel) ?? channel] as const);
}

/** Invoices call one operator otherwise than SoftPay does. */
function channelOf(operatorPath: string): string {
  return operatorPath.replace(/^new-/, '');
}

function renderEnd(account: PayDunyaAccount, invoice: Invoice): Html {
  const back =
    addressOfShop(invoice) === undefined
      ? NOTHING
      : link(addressAfterwards(account, invoice), 'Back to the shop');
  const receipt = invoice.payment ? link(account.urls.receipt(invoice), 'Receipt') : NOTHING;
  return html`<p>This invoice is <strong>${invoice.status}</strong>.</p>
    ${receipt} ${back}`;
}
