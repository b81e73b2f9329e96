import { setTimeout as pause } from 'node:timers/promises';
import { textAt } from '../json-document.js';
import { type AttemptToInitiate, type Initiated, ProviderFailure } from '../provider.js';
import { type ActiveConfiguration, type DepositTerms, readTerms } from './active-configuration.js';
import { approveOnPhone } from './approve-on-phone.js';
import { findPayerAccount, type PayerAccount } from './payer-account.js';
import { toPawaPayAmount } from './pawapay-amount.js';
import { FAILED_WORDS, findDeposit, pageUrlAt } from './pawapay-deposit.js';
import { callPawaPay, type PawaPayCall, unreadableAnswer } from './pawapay-exchange.js';
import { failure, failureOfEndedDeposit, failureOfRejection } from './pawapay-failures.js';
import type { PawaPayAccount } from './pawapay-options.js';
import { refusalWithoutTerms, refuseWhatTheOperatorWouldNot } from './refuse-order.js';
import { customerMessage, marks } from './what-is-told.js';

interface Order {
  readonly account: PawaPayAccount;
  readonly attempt: AttemptToInitiate;
  readonly payer: PayerAccount;
  readonly terms: DepositTerms;
}

/** pawaPay knows one deposit of each id, so asking again gives the same one. @throws {ProviderFailure} */
export async function initiateOnPhone(
  account: PawaPayAccount,
  configuration: ActiveConfiguration,
  attempt: AttemptToInitiate,
): Promise<Initiated> {
  const payer = await findPayerAccount(account, attempt);
  const terms = await readTerms(configuration, payer.operator, attempt.currency);
  if (typeof terms === 'string') throw refusalWithoutTerms(account, payer.operator, attempt.currency, terms);
  const order: Order = { account, attempt, payer, terms };
  refuseWhatTheOperatorWouldNot(account, attempt, terms);
  const call = depositCall(order);
  const answer = await callPawaPay(account, call);
  const depositId = textAt(answer, 'depositId');
  if (depositId !== undefined && depositId !== attempt.idempotencyKey) {
    throw unreadableAnswer(account, call, 'another depositId');
  }
  switch (textAt(answer, 'status')) {
    case 'ACCEPTED':
      return nextStep(order, answer);
    case 'REJECTED':
      throw failureOfRejection(account, answer);
    case 'DUPLICATE_IGNORED':
      return resume(order);
    default:
      throw unreadableAnswer(account, call, 'neither ACCEPTED nor REJECTED nor DUPLICATE_IGNORED');
  }
}

function depositCall({ attempt, payer, terms }: Order): PawaPayCall {
  return {
    method: 'POST',
    path: 'v2/deposits',
    isHarmless: false,
    begins: attempt.idempotencyKey,
    body: {
      depositId: attempt.idempotencyKey,
      payer: {
        type: 'MMO',
        accountDetails: { phoneNumber: payer.phoneNumber, provider: payer.operator },
      },
      amount: toPawaPayAmount(attempt.amount, attempt.currency),
      currency: attempt.currency,
      customerMessage: customerMessage(attempt.description),
      ...marks(attempt),
      // Refused of operators that have no page of their own.
      ...(terms.authType === 'REDIRECT_AUTH' && {
        successfulUrl: attempt.returnUrl,
        failedUrl: attempt.returnUrl,
      }),
    },
  };
}

/** @param deposit an answer to the order, or what the deposit's status says: both name the page in the same way. */
async function nextStep(order: Order, deposit: unknown): Promise<Initiated> {
  const { account, attempt, payer, terms } = order;
  const url = pageUrlAt(order.account, deposit, 'authorizationUrl');
  if (url !== undefined) return { ...reference(order), nextAction: { type: 'RedirectToUrl', url } };
  const step = textAt(deposit, 'nextStep');
  const hasPage = step === 'GET_AUTH_URL' || step === 'REDIRECT_TO_AUTH_URL';
  if (hasPage || terms.authType === 'REDIRECT_AUTH') return awaitPage(order);
  const operator = nameOfOperator(account, payer.operator) ?? terms.name;
  return { ...reference(order), nextAction: approveOnPhone(attempt, payer.phoneNumber, operator, terms) };
}

const PAGE_PATIENCE_MILLISECONDS = 5_000;
const PAGE_PAUSE_MILLISECONDS = 200;

/** The operator makes its page a moment after the order. */
async function awaitPage(order: Order): Promise<Initiated> {
  const { timeoutMilliseconds } = order.account;
  const until = performance.now() + Math.min(PAGE_PATIENCE_MILLISECONDS, timeoutMilliseconds);
  while (performance.now() < until) {
    await pause(PAGE_PAUSE_MILLISECONDS);
    const deposit = await readOwnDeposit(order);
    const url = pageUrlAt(order.account, deposit, 'authorizationUrl');
    if (url !== undefined) return { ...reference(order), nextAction: { type: 'RedirectToUrl', url } };
  }
  throw begunAndUnknown(order, 'PAGE_NOT_READY', 'the operator has not made its page yet.');
}

/** The deposit was ordered before, by a call of this same attempt. */
async function resume(order: Order): Promise<Initiated> {
  const deposit = await readOwnDeposit(order);
  // Either pawaPay rejected it and has used the id up, or it is about to accept it.
  if (deposit === undefined) throw begunAndUnknown(order, 'NOT_FOUND', 'it does not show this payment yet.');
  return nextStep(order, deposit);
}

/** @throws {ProviderFailure} that it ended without money, or that it can't be known. */
async function readOwnDeposit(order: Order): Promise<unknown> {
  const { account, attempt } = order;
  let deposit: unknown;
  try {
    deposit = await findDeposit(account, attempt.idempotencyKey);
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    // To ask was harmless, but what is asked about was ordered.
    throw begunAndUnknown(order, error.code, 'it took the payment, and then did not say how it is.', error);
  }
  if (FAILED_WORDS.has(textAt(deposit, 'status'))) throw failureOfEndedDeposit(account, deposit);
  return deposit;
}

function begunAndUnknown(
  { account, attempt }: Order,
  code: string,
  message: string,
  cause?: unknown,
): ProviderFailure {
  const options = { cause, providerReference: attempt.idempotencyKey };
  return failure(account, 'outcomeUnknown', code, message, options);
}

function reference({ attempt }: Order): Pick<Initiated, 'providerReference'> {
  return { providerReference: attempt.idempotencyKey };
}

function nameOfOperator({ countries }: PawaPayAccount, code: string): string | undefined {
  return countries.flatMap(({ operators }) => operators).find((operator) => operator.code === code)?.name;
}
