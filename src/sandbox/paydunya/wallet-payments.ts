import type { FictitiousAccount } from './accounts.js';
import type { Invoice, JsonObject } from './invoice.js';
import type { PayDunyaAccount } from './paydunya-account.js';
import { Refused } from './refused.js';
import { readText } from './read-invoice.js';

const WALLET_CHANNEL = 'paydunya';

const DEFAULT_PHONE_FIELD = 'phone_phone';

/** `POST softpay/checkout/make-payment`: in the sandbox alone, a fictitious customer pays. @throws {Refused} */
export function makePayment(account: PayDunyaAccount, body: JsonObject): JsonObject {
  const phoneField = account.dialect.sandboxPhoneField ?? DEFAULT_PHONE_FIELD;
  const names = [phoneField, 'customer_email', 'password', 'invoice_token'];
  for (const name of Object.keys(body)) {
    if (!names.includes(name)) throw new Refused(`make-payment knows no ${name}`);
  }
  const [phone, email, password, token] = names.map((name) => readText(body, name)) as [
    string,
    string,
    string,
    string,
  ];
  payFromAccount(account, payableInvoice(account, token), WALLET_CHANNEL, { phone, email, password });
  return { success: true, message: 'Paiement effectué avec succès' };
}

/** @throws {Refused} for an invoice that there is not, or that is over. */
export function payableInvoice({ ledger }: PayDunyaAccount, token: string): Invoice {
  const invoice = ledger.find(token);
  if (!invoice) throw new Refused('There is no such invoice');
  if (invoice.status !== 'pending') throw new Refused(`The invoice is already ${invoice.status}`);
  return invoice;
}

/** @throws {Refused} for a customer who is not fictitious, or whose password is another. */
export function payFromAccount(
  account: PayDunyaAccount,
  invoice: Invoice,
  channel: string,
  said: Pick<FictitiousAccount, 'phone' | 'email' | 'password'>,
): void {
  const customer = account.accounts.find(said.phone);
  if (customer?.email !== said.email || customer.password !== said.password) {
    throw new Refused('There is no such test account');
  }
  payFrom(account, invoice, channel, customer);
}

/** @throws {Refused} when there is too little in the account, or it fails otherwise. */
export function payFrom(
  { accounts, payer }: PayDunyaAccount,
  invoice: Invoice,
  channel: string,
  customer: FictitiousAccount,
): void {
  if (accounts.balanceOf(customer) < invoice.totalAmount + payer.feesOf(invoice)) {
    throw new Refused('The balance is too low');
  }
  const { name, phone, email } = customer;
  payer.pay(invoice, channel, { name, phone, email });
  if (!invoice.payment) throw new Refused('The payment failed');
  accounts.add(customer, -invoice.payment.amount);
}
