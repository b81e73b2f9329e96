import type { JsonObject } from './invoice.js';
import { randomName } from './invoice-ledger.js';
import { type Consent, currencyOf, findOperator, type Operator } from './operators.js';
import type { PayDunyaAccount } from './paydunya-account.js';
import type { Prompt } from './phone.js';
import { readText } from './read-invoice.js';
import { Refused } from './refused.js';
import { readSoftpayRequest, type SoftpayRequest } from './softpay-fields.js';
import { payableInvoice, payFromAccount } from './wallet-payments.js';

/** One request of SoftPay, read. */
interface Begun extends SoftpayRequest {
  readonly account: PayDunyaAccount;
  readonly operator: Operator;
  readonly about: Omit<Prompt, 'id'>;
}

const CONSENTS: Record<Consent, (begun: Begun) => JsonObject | Promise<JsonObject>> = {
  PHONE: askPhone,
  PHONE_WHILE_WAITING: askPhoneAndWait,
  PAGE: showPage,
  CODE_BEFORE: takeCode,
  CODE_AFTER: sendCode,
  PASSWORD: takePassword,
};

const WIZALL = 'wizall-money-senegal';

/** `POST softpay/<operator>`: mostly only initiated; what becomes of it, the invoice says. @throws {Refused} */
export async function beginSoftpay(
  account: PayDunyaAccount,
  body: JsonObject,
  path: string,
): Promise<JsonObject> {
  const operator = operatorAt(account, path);
  const request = readSoftpayRequest(operator, body);
  const invoice = payableInvoice(account, request.token);
  const about = { invoice, channel: path, customer: request.customer, code: undefined };
  const consent = request.otp === undefined ? operator.consent : 'CODE_BEFORE';
  const answer = await CONSENTS[consent]({ ...request, account, operator, about });
  const fees = account.payer.feesOf(invoice);
  const currency = currencyOf(operator);
  return {
    success: true,
    ...answer,
    ...(fees > 0 && { fees, currency }),
    ...(currency !== 'XOF' && { currency }),
  };
}

/** `POST softpay/wizall-money-senegal/confirm`, with the code that the payer was sent. @throws {Refused} */
export function confirmSoftpay(account: PayDunyaAccount, body: JsonObject): JsonObject {
  operatorAt(account, WIZALL);
  const prompt = account.phone.find(readText(body, 'transaction_id'));
  if (prompt?.channel !== WIZALL || prompt.customer.phone !== readText(body, 'phone_number')) {
    throw new Refused('There is no such transaction');
  }
  payableInvoice(account, prompt.invoice.token);
  if (readText(body, 'authorization_code') !== prompt.code) throw new Refused('The code is wrong');
  account.phone.approve(prompt);
  return { success: true, message: 'The payment was confirmed.' };
}

function operatorAt({ simulatesOperators, withdrawn }: PayDunyaAccount, path: string): Operator {
  const operator = findOperator(path);
  if (!operator) throw new Refused(`There is no operator ${path}`);
  if (!simulatesOperators) throw new Refused('Operators are not simulated in the sandbox');
  if (withdrawn.has(path)) throw new Refused(`${operator.label} is not available to this merchant`);
  return operator;
}

function askPhone({ account, operator, about, customer }: Begun): JsonObject {
  const { id } = account.phone.ask(about);
  return {
    message: 'The customer approves on their phone.',
    ...(operator.path === 'free-money-senegal' && {
      data: {
        status: 'PENDING',
        amount: about.invoice.totalAmount,
        currency: currencyOf(operator),
        customermsisdn: customer.phone,
        transactionid: id,
        externaltransactionid: about.invoice.token,
      },
    }),
  };
}

async function askPhoneAndWait({ account, about }: Begun): Promise<JsonObject> {
  const decision = await account.phone.askAndWait(about, account.approvalWindowMilliseconds);
  if (decision === 'APPROVED') return { message: 'The payment was approved.' };
  const why = decision === 'DECLINED' ? 'did not approve' : 'did not approve in time';
  throw new Refused(`The customer ${why}.`);
}

function showPage({ account, operator, about }: Begun): JsonObject {
  const url = account.urls.wallet(account.phone.ask(about).id);
  const isOrange = operator.path === 'new-orange-money-senegal';
  return {
    message: 'The customer approves at the address.',
    url,
    ...(isOrange && { other_url: { om_url: url, maxit_url: url } }),
  };
}

/** Any code will do but one of zeros. */
function takeCode({ account, about, customer, otp = '' }: Begun): JsonObject {
  if (!/^\d{4,8}$/.test(otp) || /^0+$/.test(otp)) throw new Refused('The code is wrong');
  account.payer.pay(about.invoice, about.channel, customer);
  return { message: 'The payment was initiated.' };
}

function sendCode({ account, about }: Begun): JsonObject {
  const { id } = account.phone.ask({ ...about, code: randomCode() });
  return { message: 'The customer was sent a code.', data: { TransactionID: id } };
}

function takePassword({ account, about, customer, password = '' }: Begun): JsonObject {
  const { phone, email } = customer;
  payFromAccount(account, about.invoice, about.channel, { phone, email, password });
  return { message: 'The payment was made.' };
}

/** Six digits, and not only zeros. */
export function randomCode(): string {
  return String(100_000 + (parseInt(randomName().slice(0, 8), 16) % 900_000));
}
