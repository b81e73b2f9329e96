import { textAt } from '../json-document.js';
import { type AttemptToInitiate, type Initiated, ProviderFailure } from '../provider.js';
import { languageOf } from './approve-on-phone.js';
import { toPawaPayAmount } from './pawapay-amount.js';
import { FAILED_WORDS, findDeposit, pageUrlAt } from './pawapay-deposit.js';
import { callPawaPay, type PawaPayCall, unreadableAnswer } from './pawapay-exchange.js';
import { failure, failureOfEndedDeposit, failureOfRejection } from './pawapay-failures.js';
import type { PawaPayAccount } from './pawapay-options.js';
import { customerMessage, pageReason } from './what-is-told.js';

/** All pages that are made for an attempt are for the one deposit with its id. @throws {ProviderFailure} */
export async function initiateOnPage(
  account: PawaPayAccount,
  attempt: AttemptToInitiate,
): Promise<Initiated> {
  const call = pageCall(account, attempt);
  const answer = await askForPage(account, call, attempt.idempotencyKey);
  if (answer instanceof ProviderFailure) throw await whyThereIsNoPage(account, attempt, answer);
  return {
    providerReference: attempt.idempotencyKey,
    nextAction: { type: 'RedirectToUrl', url: answer },
  };
}

function pageCall(account: PawaPayAccount, attempt: AttemptToInitiate): PawaPayCall {
  return {
    method: 'POST',
    path: 'v2/paymentpage',
    // A page of which nobody got the address charges nobody.
    isHarmless: true,
    body: {
      depositId: attempt.idempotencyKey,
      returnUrl: attempt.returnUrl,
      amountDetails: {
        amount: toPawaPayAmount(attempt.amount, attempt.currency),
        currency: attempt.currency,
      },
      ...whereThePayerIs(account, attempt),
      language: languageOf(attempt.locale).toUpperCase(),
      reason: pageReason(attempt.description),
      customerMessage: customerMessage(attempt.description),
      metadata: [{ attempt: attempt.reference }],
    },
  };
}

function whereThePayerIs(
  account: PawaPayAccount,
  { country, phoneNumber, currency, returnUrl }: AttemptToInitiate,
): object {
  const refusal = (code: string, message: string) => failure(account, 'rejected', code, message);
  if (returnUrl === undefined) {
    throw refusal('RETURN_URL_MISSING', 'it needs an address to send the payer back to.');
  }
  if (country === undefined) {
    if (phoneNumber !== undefined) return { phoneNumber: phoneNumber.replace(/^\+/, '') };
    throw refusal('COUNTRY_MISSING', 'it needs the payer’s country.');
  }
  const known = account.countries.find(({ alpha2 }) => alpha2 === country);
  if (!known) throw refusal('COUNTRY_NOT_SUPPORTED', `payments from ${country} are not taken here.`);
  if (!known.currencies.includes(currency)) {
    throw refusal('CURRENCY_NOT_SUPPORTED', `it does not take ${currency} in ${country}.`);
  }
  return { country: known.alpha3 };
}

/** The page's address, or why it was refused. */
async function askForPage(
  account: PawaPayAccount,
  call: PawaPayCall,
  depositId: string,
): Promise<string | ProviderFailure> {
  let answer: unknown;
  try {
    answer = await callPawaPay(account, call);
  } catch (error) {
    if (error instanceof ProviderFailure && error.kind !== 'unavailable') return error;
    throw error;
  }
  const url = pageUrlAt(account, answer, 'redirectUrl');
  if (url !== undefined) return url;
  switch (textAt(answer, 'status')) {
    case 'REJECTED':
      return failureOfRejection(account, answer);
    case 'DUPLICATE_IGNORED':
      return failure(
        account,
        'outcomeUnknown',
        'PAGE_MADE_BEFORE',
        'it made a page for this payment before.',
        {
          providerReference: depositId,
        },
      );
    default:
      throw unreadableAnswer(account, call, 'no page');
  }
}

/** A refusal may only mean that the payer has begun to pay, on a page that an earlier call has made. */
async function whyThereIsNoPage(
  account: PawaPayAccount,
  { idempotencyKey: depositId }: AttemptToInitiate,
  refusal: ProviderFailure,
): Promise<ProviderFailure> {
  let deposit: unknown;
  try {
    deposit = await findDeposit(account, depositId);
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    return refusal;
  }
  if (deposit === undefined) return refusal;
  if (FAILED_WORDS.has(textAt(deposit, 'status'))) return failureOfEndedDeposit(account, deposit);
  return failure(account, 'outcomeUnknown', refusal.code, 'the payer has begun to pay already.', {
    cause: refusal,
    providerReference: depositId,
  });
}
