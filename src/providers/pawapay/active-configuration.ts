import type { Currency } from '../../money.js';
import { textAt, valueAt } from '../json-document.js';
import type { KeptAnswer } from './kept-answer.js';
import { askingCall, callPawaPay, unreadableAnswer } from './pawapay-exchange.js';
import type { PawaPayAccount } from './pawapay-options.js';

/** What our account may do with each operator, as pawaPay answers it. */
export type ActiveConfiguration = KeptAnswer<unknown>;

/** How one operator takes payments in one currency. */
export interface DepositTerms {
  /** Alpha-3. */
  readonly country: string;
  /** The operator's, for people. */
  readonly name: string;
  /** Inclusive, in the currency's major unit. */
  readonly minimum: unknown;
  readonly maximum: unknown;
  readonly wholeAmountsOnly: boolean;
  readonly isClosed: boolean;
  /** PROVIDER_AUTH, PREAUTH, REDIRECT_AUTH; others may come. */
  readonly authType: string | undefined;
  /** Whether the payer must ask for the prompt by themselves. */
  readonly isPromptManual: boolean;
  /** Ways to reach the prompt, in pawaPay's form. */
  readonly promptChannels: readonly unknown[];
}

/** What is said of an operator or of a currency that isn't there. */
export type NoTerms = 'OPERATOR_NOT_ACTIVE' | 'CURRENCY_NOT_SUPPORTED';

/** pawaPay asks for its configuration to be kept about an hour. */
const OLDEST_MILLISECONDS = 3_600_000;

/** An operator that was closed may be open again by now. */
const OLDEST_OF_CLOSED_MILLISECONDS = 60_000;

/** @throws {ProviderFailure} */
export async function fetchActiveConfiguration(account: PawaPayAccount): Promise<unknown> {
  const call = askingCall('v2/active-conf?operationType=DEPOSIT');
  const json = await callPawaPay(account, call);
  if (!Array.isArray(valueAt(json, 'countries'))) {
    throw unreadableAnswer(account, call, 'a configuration without countries');
  }
  return json;
}

/** @throws {ProviderFailure} when the configuration can't be had. */
export async function readTerms(
  configuration: ActiveConfiguration,
  operator: string,
  currency: Currency,
): Promise<DepositTerms | NoTerms> {
  const terms = findTerms(await configuration.read(OLDEST_MILLISECONDS), operator, currency);
  const isOpen = typeof terms !== 'string' && !terms.isClosed;
  if (isOpen) return terms;
  return findTerms(await configuration.read(OLDEST_OF_CLOSED_MILLISECONDS), operator, currency);
}

export function listAt(json: unknown, path: string): readonly unknown[] {
  const value = valueAt(json, path);
  return Array.isArray(value) ? value : [];
}

function findTerms(configuration: unknown, operator: string, currency: Currency): DepositTerms | NoTerms {
  for (const country of listAt(configuration, 'countries')) {
    for (const provider of listAt(country, 'providers')) {
      if (textAt(provider, 'provider') !== operator) continue;
      const money = listAt(provider, 'currencies').find((each) => textAt(each, 'currency') === currency);
      if (money === undefined) return 'CURRENCY_NOT_SUPPORTED';
      const deposit = valueAt(money, 'operationTypes.DEPOSIT');
      if (deposit === undefined) return 'OPERATOR_NOT_ACTIVE';
      const name = textAt(provider, 'displayName') ?? operator;
      return readDeposit(deposit, textAt(country, 'country') ?? '', name);
    }
  }
  return 'OPERATOR_NOT_ACTIVE';
}

function readDeposit(deposit: unknown, country: string, name: string): DepositTerms {
  return {
    country,
    name,
    minimum: valueAt(deposit, 'minAmount'),
    maximum: valueAt(deposit, 'maxAmount'),
    wholeAmountsOnly: textAt(deposit, 'decimalsInAmount') === 'NONE',
    isClosed: textAt(deposit, 'status') === 'CLOSED',
    authType: textAt(deposit, 'authType'),
    isPromptManual: textAt(deposit, 'pinPrompt') === 'MANUAL',
    promptChannels: listAt(deposit, 'pinPromptInstructions.channels'),
  };
}
