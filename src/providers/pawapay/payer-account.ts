import { textAt } from '../json-document.js';
import type { AttemptToInitiate } from '../provider.js';
import { callPawaPay, type PawaPayCall, unreadableAnswer } from './pawapay-exchange.js';
import { failure } from './pawapay-failures.js';
import type { PawaPayAccount } from './pawapay-options.js';

/** Where a payer has their money. */
export interface PayerAccount {
  /** Digits with the country's, as pawaPay wants them. */
  readonly phoneNumber: string;
  readonly operator: string;
}

/** The payer's own word for the operator, or else pawaPay's guess, which also mends the number. @throws {ProviderFailure} */
export async function findPayerAccount(
  account: PawaPayAccount,
  attempt: AttemptToInitiate,
): Promise<PayerAccount> {
  const { phoneNumber, operator } = attempt;
  const digits = /^\+([1-9]\d{6,14})$/.exec(phoneNumber ?? '')?.[1];
  if (digits === undefined) {
    throw failure(account, 'rejected', 'PHONE_NUMBER_MISSING', 'it needs the payer’s number, in E.164.');
  }
  return operator === undefined
    ? predictOperator(account, attempt, digits)
    : { phoneNumber: digits, operator };
}

async function predictOperator(
  account: PawaPayAccount,
  attempt: AttemptToInitiate,
  digits: string,
): Promise<PayerAccount> {
  const call: PawaPayCall = {
    method: 'POST',
    path: 'v2/predict-provider',
    isHarmless: true,
    body: { phoneNumber: digits },
  };
  const answer = await callPawaPay(account, call);
  const operator = textAt(answer, 'provider');
  const phoneNumber = textAt(answer, 'phoneNumber');
  if (operator === undefined) throw unreadableAnswer(account, call, 'no operator');
  if (!/^[1-9]\d{6,14}$/.test(phoneNumber ?? '')) throw unreadableAnswer(account, call, 'no phone number');
  refuseAnotherPayer(account, call, attempt, digits, { country: textAt(answer, 'country'), phoneNumber });
  return { operator, phoneNumber: phoneNumber ?? digits };
}

/** A number may be mended in its first digits, as those of Benin were in 2024. Its last ones are the payer's own. */
const OWN_DIGITS = 7;

/** @throws {ProviderFailure} when the guess is of another number, or of another country. */
function refuseAnotherPayer(
  account: PawaPayAccount,
  call: PawaPayCall,
  attempt: AttemptToInitiate,
  asked: string,
  {
    country,
    phoneNumber = asked,
  }: { readonly country: string | undefined; readonly phoneNumber: string | undefined },
): void {
  if (phoneNumber.slice(-OWN_DIGITS) !== asked.slice(-OWN_DIGITS)) {
    throw unreadableAnswer(account, call, 'another phone number');
  }
  const known = account.countries.find(({ alpha2 }) => alpha2 === attempt.country);
  if (known && country !== undefined && country !== known.alpha3) {
    const message = `it takes the payer’s number for one of ${country}, and not of ${known.alpha3}.`;
    throw failure(account, 'rejected', 'PHONE_NUMBER_NOT_SUPPORTED', message);
  }
}
