import {
  isSupportedCountry as isInMetadata,
  parsePhoneNumberFromString,
  type CountryCode,
} from 'libphonenumber-js/core';
import metadata from 'libphonenumber-js/metadata.min';
import { PaymentError } from './payment-error.js';

export interface PayerPhone {
  /** E.164. */
  readonly phoneNumber: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
}

/** Until 30 November 2024 numbers in Benin had eight digits; since then the same ones begin with 01. */
const OLD_BENINESE = /^\+229(\d{8})$/;

/**
 * A phone number as people write it, as E.164. One without a country's prefix is read as the payer's country has it.
 * @throws {PaymentError} PHONE_NUMBER_INVALID
 */
export function readPhoneNumber(written: string, country?: string | null): PayerPhone {
  const defaultCountry = country && isSupportedCountry(country) ? country : undefined;
  const withPrefix = `+${written.replace(/^(\+|00)/, '')}`;
  for (const parsed of [
    parsePhoneNumberFromString(written, { defaultCountry }, metadata),
    parsePhoneNumberFromString(withPrefix, metadata),
  ]) {
    const phone = parsed && (parsePhoneNumberFromString(modern(parsed.number), metadata) ?? parsed);
    // Only the length is judged: numbering plans change faster than tables of them, and the operator knows.
    if (phone?.country && phone.isPossible()) return { phoneNumber: phone.number, country: phone.country };
  }
  throw new PaymentError(
    'PHONE_NUMBER_INVALID',
    'phoneNumber is not a phone number. Give it with its country’s prefix, such as +2290151345789, or give the country beside it.',
  );
}

/** @throws {PaymentError} COUNTRY_INVALID */
export function readCountry(written: string): string {
  const country = written.toUpperCase();
  if (isSupportedCountry(country)) return country;
  throw new PaymentError('COUNTRY_INVALID', 'country must be an ISO 3166-1 alpha-2 code, such as BJ.');
}

function modern(number: string): string {
  return number.replace(OLD_BENINESE, '+22901$1');
}

function isSupportedCountry(country: string): country is CountryCode {
  return isInMetadata(country as CountryCode, metadata);
}
