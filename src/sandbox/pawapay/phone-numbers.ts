import { COUNTRIES, type OperatingCountry, type Operator, OPERATORS } from './operators.js';

const NATIONAL_LENGTHS = [8, 9, 10];

/** Whose number it is, cleaned of what people write around the digits. Undefined: nobody's that we know. */
export function predictOperator(written: string): { phoneNumber: string; operator: Operator } | undefined {
  const phoneNumber = written.replace(/^\s*(\+|00)/, '').replace(/[\s().-]/g, '');
  const operator = OPERATORS.find((one) => one.numbers && isNumberOf(one, phoneNumber));
  return operator && { phoneNumber, operator };
}

/** Whether somebody with this number can be a customer of this operator's. */
export function isNumberOf({ country, numbers }: Operator, phoneNumber: string): boolean {
  if (countryOf(phoneNumber) !== country) return false;
  return numbers === undefined || numbers.test(phoneNumber.slice(country.prefix.length));
}

/** A customer's of this operator who is asked on their phone, and decides there: it ends in 000, of which no table knows. */
export function waitingNumberOf(operator: Operator): string {
  const { prefix } = operator.country;
  for (const length of NATIONAL_LENGTHS) {
    for (let beginning = 0; beginning < 1000; beginning += 1) {
      const phoneNumber = prefix + String(beginning).padStart(3, '0').padEnd(length, '0');
      if (isNumberOf(operator, phoneNumber)) return phoneNumber;
    }
  }
  throw new Error(`${operator.code} has no numbers`);
}

function countryOf(phoneNumber: string): OperatingCountry | undefined {
  return COUNTRIES.find(
    ({ prefix, national }) =>
      phoneNumber.startsWith(prefix) && national.test(phoneNumber.slice(prefix.length)),
  );
}
