import { textAt } from '../json-document.js';
import type { OperatorAvailability } from '../provider.js';
import { listAt } from './active-configuration.js';
import { askingCall, callPawaPay, unreadableAnswer } from './pawapay-exchange.js';
import type { PawaPayCountry } from './pawapay-countries.js';
import type { PawaPayAccount } from './pawapay-options.js';

const STATUSES: ReadonlyMap<string | undefined, OperatorAvailability['status']> = new Map([
  ['OPERATIONAL', 'OPEN'],
  ['DELAYED', 'SLOW'],
  ['CLOSED', 'CLOSED'],
]);

/** Only of countries that we use; an operator of which nothing is said that we understand is left out. @throws {ProviderFailure} */
export async function readPawaPayAvailability(account: PawaPayAccount): Promise<OperatorAvailability[]> {
  const call = askingCall('v2/availability?operationType=DEPOSIT');
  const json = await callPawaPay(account, call);
  if (!Array.isArray(json)) throw unreadableAnswer(account, call, 'an availability that is no list');
  return json.flatMap((each: unknown) => {
    const country = account.countries.find(({ alpha3 }) => alpha3 === textAt(each, 'country'));
    if (!country) return [];
    return listAt(each, 'providers').flatMap((provider) => readOperator(country, provider));
  });
}

function readOperator(country: PawaPayCountry, json: unknown): OperatorAvailability[] {
  const code = textAt(json, 'provider');
  const status = STATUSES.get(textAt(json, 'operationTypes.DEPOSIT'));
  if (code === undefined || status === undefined) return [];
  const known = country.operators.find((operator) => operator.code === code);
  return [{ code, name: known?.name ?? code, country: country.alpha2, status }];
}
