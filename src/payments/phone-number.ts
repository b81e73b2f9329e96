import {
  exampleNumber,
  isSupportedCountry,
  type PossibleNumber,
  readPossibleNumber,
} from '../phone-numbers.js';
import { PaymentError } from './payment-error.js';

/**
 * A payer's phone number as they write it.
 * @param country the payer's, ISO 3166-1 alpha-2, as `readCountry` gives it.
 * @throws {PaymentError} PHONE_NUMBER_INVALID
 */
export function readPhoneNumber(written: string, country?: string | null): PossibleNumber {
  const known = country && isSupportedCountry(country) ? country : null;
  const number = readPossibleNumber(written, known);
  if (number) return number;
  const example = known && exampleNumber(known);
  throw new PaymentError(
    'PHONE_NUMBER_INVALID',
    example
      ? `phoneNumber is not a possible number in ${known}. There it is written like ${example.national} or ${example.international}; one of another country begins with + and its prefix.`
      : 'phoneNumber is not a phone number. Give it with + and its country’s prefix, such as +2290151345789, or give the country beside it.',
  );
}

/** @throws {PaymentError} COUNTRY_INVALID */
export function readCountry(written: string): string {
  const country = written.toUpperCase();
  if (isSupportedCountry(country)) return country;
  throw new PaymentError('COUNTRY_INVALID', 'country must be an ISO 3166-1 alpha-2 code, such as BJ.');
}
