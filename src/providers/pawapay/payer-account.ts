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
  { phoneNumber, operator }: AttemptToInitiate,
): Promise<PayerAccount> {
  const digits = /^\+([1-9]\d{6,14})$/.exec(phoneNumber ?? '')?.[1];
  if (digits === undefined) {
    throw failure(account, 'rejected', 'PHONE_NUMBER_MISSING', 'it needs the payer’s number, in E.164.');
  }
  return operator === undefined ? predictOperator(account, digits) : { phoneNumber: digits, operator };
}

async function predictOperator(account: PawaPayAccount, digits: string): Promise<PayerAccount> {
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
  return { operator, phoneNumber: phoneNumber ?? digits };
}
