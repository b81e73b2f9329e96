import { type Currency, fromDecimal } from '../../money.js';
import { type Operator, findOperator } from './operators.js';
import { badInput, rejection } from './pawapay-problem.js';
import { isNumberOf } from './phone-numbers.js';
import {
  allowOnly,
  checkCurrency,
  type Fields,
  readAmount,
  readCustomerMessage,
  readMetadata,
  readText,
  readUrl,
  requireObject,
  requireText,
} from './request-fields.js';

export interface DepositOrder {
  readonly operator: Operator;
  readonly phoneNumber: string;
  /** Minor units. */
  readonly amount: number;
  readonly currency: Currency;
  readonly customerMessage: string | undefined;
  readonly clientReferenceId: string | undefined;
  readonly metadata: Readonly<Record<string, string>> | undefined;
  /** Where the page of a REDIRECT_AUTH operator sends the payer. */
  readonly successfulUrl?: string | undefined;
  readonly failedUrl?: string | undefined;
}

const FIELDS = [
  'depositId',
  'payer',
  'amount',
  'currency',
  'preAuthorisationCode',
  'clientReferenceId',
  'customerMessage',
  'successfulUrl',
  'failedUrl',
  'metadata',
];

/** What is refused as senseless comes first, then what is refused as impossible. @throws {PawaPayProblem} */
export function readDepositOrder(body: Fields): DepositOrder {
  allowOnly(body, FIELDS);
  const payer = readPayer(body);
  const [amount, currency] = [requireText(body, 'amount', /^/), requireText(body, 'currency', /^/)];
  const operator = findOperator(payer.provider);
  const details = {
    customerMessage: readCustomerMessage(body),
    clientReferenceId: readText(body, 'clientReferenceId', /^[^]{1,100}$/),
    metadata: readMetadata(body),
    successfulUrl: readUrl(body, 'successfulUrl'),
    failedUrl: readUrl(body, 'failedUrl'),
  };
  const code = readText(body, 'preAuthorisationCode', /^[^]{1,36}$/);
  if (!operator) throw rejection('INVALID_PROVIDER', `There is no provider ${payer.provider}`);
  if (operator.authType === 'PREAUTH' && code === undefined) {
    throw badInput('MISSING_PARAMETER', 'Missing parameter: preAuthorisationCode');
  }
  if (operator.authType !== 'REDIRECT_AUTH') refuseReturnUrls(details);
  return { ...details, ...checkMoney(operator, payer.phoneNumber, amount, currency) };
}

/** Who pays, and how much: all that a payer may also get wrong on the payment page. @throws {PawaPayProblem} */
export function checkMoney(
  operator: Operator,
  phoneNumber: string,
  decimal: string,
  currencyCode: string,
): Pick<DepositOrder, 'operator' | 'phoneNumber' | 'amount' | 'currency'> {
  if (!isNumberOf(operator, phoneNumber)) {
    throw rejection('INVALID_PHONE_NUMBER', `${phoneNumber} is no number of ${operator.code}`);
  }
  const currency = checkCurrency(currencyCode, operator.currencies);
  const amount = readAmount(decimal, currency);
  const { minimum, maximum } = operator;
  const inMinorUnits = (limit: number) => fromDecimal(String(limit), currency);
  if (amount < inMinorUnits(minimum) || amount > inMinorUnits(maximum)) {
    throw rejection('AMOUNT_OUT_OF_BOUNDS', `The amount must be from ${minimum} to ${maximum}`);
  }
  return { operator, phoneNumber, amount, currency };
}

function readPayer(body: Fields): { phoneNumber: string; provider: string } {
  const payer = requireObject(body, 'payer');
  allowOnly(payer, ['type', 'accountDetails']);
  requireText(payer, 'type', /^MMO$/);
  const account = requireObject(payer, 'accountDetails');
  allowOnly(account, ['phoneNumber', 'provider']);
  return {
    phoneNumber: readPhoneNumber(account),
    provider: requireText(account, 'provider', /^[A-Z0-9_]+$/),
  };
}

/** Whether it is anybody's number is not asked here, only that it is written at all. */
function readPhoneNumber(account: Fields): string {
  const phoneNumber = requireText(account, 'phoneNumber', /^/);
  if (/^[1-9]\d{5,14}$/.test(phoneNumber)) return phoneNumber;
  throw rejection('INVALID_PHONE_NUMBER', 'A phone number is digits alone, with the country code');
}

function refuseReturnUrls({ successfulUrl, failedUrl }: Partial<DepositOrder>): void {
  if (successfulUrl === undefined && failedUrl === undefined) return;
  throw badInput('UNSUPPORTED_PARAMETER', 'successfulUrl and failedUrl are for REDIRECT_AUTH only');
}
