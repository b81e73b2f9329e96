import type { AttemptToInitiate, ProviderFailure } from '../provider.js';
import type { DepositTerms, NoTerms } from './active-configuration.js';
import { isWhole, readAmount, toPawaPayAmount } from './pawapay-amount.js';
import { failure } from './pawapay-failures.js';
import type { PawaPayAccount } from './pawapay-options.js';

/** Says what pawaPay would say too, but for the price of the attempt's id. @throws {ProviderFailure} */
export function refuseWhatTheOperatorWouldNot(
  account: PawaPayAccount,
  attempt: AttemptToInitiate,
  terms: DepositTerms,
): void {
  const refuse = (code: string, message: string) => {
    throw failure(account, 'rejected', code, message);
  };
  if (!account.countries.some(({ alpha3 }) => alpha3 === terms.country)) {
    refuse('COUNTRY_NOT_SUPPORTED', 'payments from the country of this phone number are not taken here.');
  }
  if (terms.isClosed) {
    throw failure(
      account,
      'unavailable',
      'OPERATOR_CLOSED',
      `${terms.name} takes no payments at the moment.`,
      { isAnswer: true },
    );
  }
  if (terms.authType === 'PREAUTH') {
    const message = `${terms.name} needs a code that the payer makes beforehand. Use the payment page (REDIRECT).`;
    refuse('OPERATOR_NEEDS_CODE', message);
  }
  if (terms.authType === 'REDIRECT_AUTH' && attempt.returnUrl === undefined) {
    refuse('RETURN_URL_MISSING', `${terms.name} needs an address to send the payer back to.`);
  }
  refuseAmount(account, attempt, terms);
}

function refuseAmount(account: PawaPayAccount, attempt: AttemptToInitiate, terms: DepositTerms): void {
  const { amount, currency } = attempt;
  const minimum = readAmount(terms.minimum, currency);
  const maximum = readAmount(terms.maximum, currency);
  if (terms.wholeAmountsOnly && !isWhole(toPawaPayAmount(amount, currency))) {
    const message = `${terms.name} takes whole amounts of ${currency} only.`;
    throw failure(account, 'rejected', 'AMOUNT_NOT_WHOLE', message);
  }
  if (amount < (minimum ?? 0) || amount > (maximum ?? Infinity)) {
    const message = `${terms.name} takes ${String(terms.minimum)} to ${String(terms.maximum)} ${currency} at once.`;
    throw failure(account, 'rejected', 'AMOUNT_OUT_OF_BOUNDS', message);
  }
}

export function refusalWithoutTerms(
  account: PawaPayAccount,
  operator: string,
  currency: string,
  code: NoTerms,
): ProviderFailure {
  const message =
    code === 'CURRENCY_NOT_SUPPORTED'
      ? `${operator} does not take ${currency}.`
      : `${operator} is not active on our account.`;
  return failure(account, 'rejected', code, message);
}
