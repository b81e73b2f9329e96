import type { JsonObject } from './invoice.js';
import { randomName } from './invoice-ledger.js';
import type { PayDunyaAccount } from './paydunya-account.js';
import { presentInvoice } from './presentation.js';
import { readFrancs, readInvoiceOrder, readObject, readText } from './read-invoice.js';
import { Refused } from './refused.js';
import { randomCode } from './softpay.js';
import { payableInvoice, payFrom } from './wallet-payments.js';

const ONSITE_CHANNEL = 'opr';

/** `POST opr/create`: a customer of PayDunya's gets a code, with which the merchant charges them. @throws {Refused} */
export function createOnsiteInvoice(account: PayDunyaAccount, body: JsonObject): JsonObject {
  const order = readInvoiceOrder(readObject(body, 'invoice_data'));
  const customer = findCustomer(account, readText(readObject(body, 'opr_data'), 'account_alias'));
  const invoice = account.ledger.create(order);
  const { name, phone, email } = customer;
  const prompt = account.phone.ask({
    invoice,
    channel: ONSITE_CHANNEL,
    customer: { name, phone, email },
    code: randomCode(),
  });
  return {
    response_code: '00',
    response_text: 'OPR Token Created',
    description: `${name} was sent a code.`,
    token: prompt.id,
    invoice_token: invoice.token,
  };
}

/** `POST opr/charge`. @throws {Refused} */
export function chargeOnsiteInvoice(account: PayDunyaAccount, body: JsonObject): JsonObject {
  const prompt = account.phone.find(readText(body, 'token'));
  if (prompt?.channel !== ONSITE_CHANNEL) throw new Refused('There is no such OPR token');
  const invoice = payableInvoice(account, prompt.invoice.token);
  if (readText(body, 'confirm_token') !== prompt.code) throw new Refused('The confirmation token is wrong');
  payFrom(account, invoice, ONSITE_CHANNEL, findCustomer(account, prompt.customer.phone));
  return {
    response_code: '00',
    response_text: 'Transaction completed',
    description: 'Transaction completed',
    invoice_data: presentInvoice(account, invoice),
  };
}

/** `POST direct-pay/credit-account`. @throws {Refused} */
export function creditAccount(account: PayDunyaAccount, body: JsonObject): JsonObject {
  const customer = findCustomer(account, readText(body, 'account_alias'));
  const amount = readFrancs(body, 'amount');
  account.accounts.add(customer, amount);
  return {
    response_code: '00',
    response_text: 'Transaction completed',
    description: `${customer.name} was credited with ${amount} FCFA.`,
    transaction_id: randomName(),
  };
}

function findCustomer({ accounts }: PayDunyaAccount, alias: string) {
  const customer = accounts.find(alias);
  if (!customer) throw new Refused('There is no such account');
  return customer;
}
