import { COUNTRIES, decimalsOf, type Operator, OPERATORS, type OperatorStatus } from './operators.js';
import { PawaPayProblem } from './pawapay-problem.js';
import { predictOperator } from './phone-numbers.js';
import { allowOnly, type Fields, requireText } from './request-fields.js';

const OPERATION_TYPES = ['DEPOSIT', 'PAYOUT', 'REFUND'] as const;

/** How each operator is doing. */
export class OperatorStatuses {
  readonly #other = new Map<string, OperatorStatus>();

  of({ code }: Operator): OperatorStatus {
    return this.#other.get(code) ?? 'OPERATIONAL';
  }

  set({ code }: Operator, status: OperatorStatus): void {
    this.#other.set(code, status);
  }
}

export interface ConfigurationShown {
  readonly companyName: string;
  readonly signedCallbacks: boolean;
  readonly callbackUrl: string;
  readonly statuses: OperatorStatuses;
}

/** What the merchant's account may do. @param query `country` and `operationType` narrow it down. */
export function presentConfiguration(shown: ConfigurationShown, query: URLSearchParams): object {
  return {
    companyName: shown.companyName,
    signatureConfiguration: { signedRequestsOnly: false, signedCallbacks: shown.signedCallbacks },
    countries: countriesIn(query).map((country) => ({
      country: country.code,
      prefix: country.prefix,
      displayName: country.name,
      flag: `https://static.pawapay.invalid/flags/${country.code}.svg`,
      providers: operatorsOf(country).map((operator) => presentOperator(shown, operator, query)),
    })),
  };
}

export function presentAvailability(statuses: OperatorStatuses, query: URLSearchParams): object[] {
  return countriesIn(query).map((country) => ({
    country: country.code,
    displayName: country.name,
    providers: operatorsOf(country).map((operator) => ({
      provider: operator.code,
      operationTypes: byOperationType(query, () => statuses.of(operator)),
    })),
  }));
}

/** @throws {PawaPayProblem} */
export function presentPrediction(body: Fields): object {
  allowOnly(body, ['phoneNumber']);
  const predicted = predictOperator(requireText(body, 'phoneNumber', /^/));
  if (!predicted) throw new PawaPayProblem(400, 'INVALID_PHONE_NUMBER', 'The phone number is not valid');
  const { operator, phoneNumber } = predicted;
  return { country: operator.country.code, provider: operator.code, phoneNumber };
}

function presentOperator(shown: ConfigurationShown, operator: Operator, query: URLSearchParams): object {
  return {
    provider: operator.code,
    displayName: operator.name,
    logo: `https://static.pawapay.invalid/logos/${operator.code}.png`,
    nameDisplayedToCustomer: shown.companyName,
    currencies: operator.currencies.map((currency) => ({
      currency,
      displayName: currency,
      operationTypes: byOperationType(query, (type) => ({
        minAmount: String(operator.minimum),
        maxAmount: String(operator.maximum),
        decimalsInAmount: decimalsOf(currency) === 0 ? 'NONE' : 'TWO_PLACES',
        status: shown.statuses.of(operator),
        callbackUrl: shown.callbackUrl,
        ...(type === 'DEPOSIT' && {
          authType: operator.authType,
          pinPrompt: operator.pinPrompt,
          pinPromptRevivable: true,
          pinPromptInstructions: { channels: [] },
        }),
      })),
    })),
  };
}

function byOperationType<Value>(
  query: URLSearchParams,
  value: (type: (typeof OPERATION_TYPES)[number]) => Value,
): Record<string, Value> {
  const wanted = query.get('operationType');
  const types = OPERATION_TYPES.filter((type) => wanted === null || type === wanted);
  return Object.fromEntries(types.map((type) => [type, value(type)]));
}

function countriesIn(query: URLSearchParams): typeof COUNTRIES {
  const wanted = query.get('country');
  return COUNTRIES.filter(({ code }) => wanted === null || code === wanted);
}

function operatorsOf(country: Operator['country']): readonly Operator[] {
  return OPERATORS.filter((operator) => operator.country === country);
}
