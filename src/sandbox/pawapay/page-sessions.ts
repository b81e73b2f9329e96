import { randomUUID } from 'node:crypto';
import { BoundedMap } from '../bounded-map.js';
import { checkMoney, type DepositOrder } from './deposit-order.js';
import { COUNTRIES, findOperator, type Operator, OPERATORS } from './operators.js';
import { badInput, rejection } from './pawapay-problem.js';
import { predictOperator } from './phone-numbers.js';
import {
  allowOnly,
  checkCurrency,
  type Fields,
  readAmount,
  readCustomerMessage,
  readId,
  readMetadata,
  readObject,
  readText,
  readUrl,
  requireText,
} from './request-fields.js';

/** Somebody who may pay on pawaPay's own page. There is no deposit until they have said with what. */
export interface PageSession {
  readonly token: string;
  readonly depositId: string;
  readonly returnUrl: string;
  readonly amount: { readonly decimal: string; readonly currency: string } | undefined;
  readonly phoneNumber: string | undefined;
  readonly operators: readonly Operator[];
  readonly reason: string | undefined;
  readonly customerMessage: string | undefined;
  readonly metadata: Readonly<Record<string, string>> | undefined;
  readonly expiresAt: Date;
}

const FIELDS = [
  'depositId',
  'returnUrl',
  'amountDetails',
  'phoneNumber',
  'country',
  'language',
  'customerMessage',
  'reason',
  'metadata',
];

/** providers.md D.4. */
const LIFETIME_MILLISECONDS = 15 * 60 * 1000;

/** The pages that were asked for: for the same deposit the same one, as long as it lives. */
export class PageSessions {
  readonly #byToken: Map<string, PageSession>;
  readonly #byDepositId: Map<string, PageSession>;
  readonly #now: () => Date;

  constructor(maximumSessions: number, now: () => Date) {
    this.#byToken = new BoundedMap(maximumSessions);
    this.#byDepositId = new BoundedMap(maximumSessions);
    this.#now = now;
  }

  /** @throws {PawaPayProblem} */
  open(body: Fields): PageSession {
    const depositId = readId(body, 'depositId').toLowerCase();
    const wanted = readPage(body);
    const known = this.#byDepositId.get(depositId);
    if (known && this.isOpen(known)) return known;
    const expiresAt = new Date(this.#now().getTime() + LIFETIME_MILLISECONDS);
    const session = { ...wanted, depositId, token: randomUUID(), expiresAt };
    this.#byToken.set(session.token, session);
    this.#byDepositId.set(depositId, session);
    return session;
  }

  find(tokenOrDepositId: string): PageSession | undefined {
    return this.#byToken.get(tokenOrDepositId) ?? this.#byDepositId.get(tokenOrDepositId.toLowerCase());
  }

  isOpen({ expiresAt }: PageSession): boolean {
    return this.#now() < expiresAt;
  }
}

/** What the payer says on the page. Each empty where the page has it already. */
export interface PagePayer {
  readonly provider: string;
  readonly phoneNumber: string;
  readonly amount?: string | undefined;
}

/** @throws {PawaPayProblem} for what the payer got wrong. */
export function orderOfPayer(session: PageSession, payer: PagePayer): DepositOrder {
  const operator = findOperator(payer.provider);
  if (!operator || !session.operators.includes(operator)) {
    throw rejection('INVALID_PROVIDER', 'Choose one of the operators');
  }
  const phoneNumber = session.phoneNumber ?? cleaned(payer.phoneNumber);
  const decimal = session.amount?.decimal ?? payer.amount ?? '';
  const currency = session.amount?.currency ?? operator.currencies[0] ?? '';
  return {
    ...checkMoney(operator, phoneNumber, decimal, currency),
    customerMessage: session.customerMessage,
    clientReferenceId: undefined,
    metadata: session.metadata,
    successfulUrl: addressToReturnTo(session),
    failedUrl: addressToReturnTo(session),
  };
}

export function addressToReturnTo({ returnUrl, depositId }: PageSession): string {
  const address = new URL(returnUrl);
  address.searchParams.set('depositId', depositId);
  return address.href;
}

function readPage(body: Fields): Omit<PageSession, 'token' | 'depositId' | 'expiresAt'> {
  allowOnly(body, FIELDS);
  requireText(body, 'returnUrl', /^/);
  readText(body, 'language', /^(EN|FR)$/);
  const amount = readAmountDetails(body);
  const phoneNumber = readText(body, 'phoneNumber', /^[1-9]\d{5,14}$/);
  const country = readText(body, 'country', /^[A-Z]{3}$/);
  if (amount && phoneNumber === undefined && country === undefined) {
    throw badInput('MISSING_PARAMETER', 'A fixed amount needs the country or the phoneNumber');
  }
  const operators = operatorsFor(country, phoneNumber, amount?.currency);
  if (amount) checkAmount(amount, operators);
  return {
    returnUrl: readUrl(body, 'returnUrl') ?? '',
    amount,
    phoneNumber,
    operators,
    reason: readText(body, 'reason', /^[^]{1,50}$/),
    customerMessage: readCustomerMessage(body),
    metadata: readMetadata(body),
  };
}

function readAmountDetails(body: Fields): PageSession['amount'] {
  const details = readObject(body, 'amountDetails');
  if (!details) return undefined;
  allowOnly(details, ['amount', 'currency']);
  return { decimal: requireText(details, 'amount', /^/), currency: requireText(details, 'currency', /^/) };
}

function operatorsFor(
  country: string | undefined,
  phoneNumber: string | undefined,
  currency: string | undefined,
): readonly Operator[] {
  if (country !== undefined && !COUNTRIES.some(({ code }) => code === country)) {
    throw badInput('INVALID_PARAMETER', `There is no country ${country}`);
  }
  const ofPhone = phoneNumber === undefined ? undefined : predictOperator(phoneNumber)?.operator.country.code;
  if (phoneNumber !== undefined && ofPhone === undefined) {
    throw rejection('INVALID_PHONE_NUMBER', `${phoneNumber} is no number that is known`);
  }
  const found = OPERATORS.filter(
    (operator) =>
      [undefined, operator.country.code].includes(country) &&
      [undefined, operator.country.code].includes(ofPhone),
  );
  const fitting = found.filter(({ currencies }) => currencies.some((one) => (currency ?? one) === one));
  if (fitting.length === 0) throw rejection('INVALID_CURRENCY', `Nobody there pays in ${currency}`);
  return fitting;
}

function checkAmount(
  { decimal, currency }: { decimal: string; currency: string },
  operators: readonly Operator[],
) {
  readAmount(
    decimal,
    checkCurrency(
      currency,
      operators.flatMap(({ currencies }) => currencies),
    ),
  );
}

function cleaned(phoneNumber: string): string {
  return predictOperator(phoneNumber)?.phoneNumber ?? phoneNumber.replace(/[^\d]/g, '');
}
