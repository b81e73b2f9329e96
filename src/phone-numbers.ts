import {
  getCountryCallingCode,
  getExampleNumber,
  isSupportedCountry as isInMetadata,
  parsePhoneNumberFromString,
  type CountryCode,
  type PhoneNumber,
} from 'libphonenumber-js/core';
import metadata from 'libphonenumber-js/metadata.min';
import examples from 'libphonenumber-js/mobile/examples';

export interface PossibleNumber {
  /** E.164. */
  readonly phoneNumber: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
}

export function isSupportedCountry(country: string): country is CountryCode {
  return isInMetadata(country as CountryCode, metadata);
}

/**
 * A phone number as people write it, as E.164; undefined for one that is impossible. Behind `+` or `00` stands a country's
 * prefix; else it is a number of the given country, with or without its prefix. It is never read as one of another country:
 * `49 12 34 56` is impossible in CI, and not German. Without a country, only a whole number is read, and no local one.
 */
export function readPossibleNumber(written: string, country: CountryCode | null): PossibleNumber | undefined {
  const international = internationalForm(written);
  if (international !== undefined) return possible(parse(international));
  if (country === null) return readWholeNumber(written);
  const callingCode = getCountryCallingCode(country, metadata);
  const readings = [parse(written, country), parse(`+${written.replace(/\D/g, '')}`)];
  for (const reading of readings) {
    const number = reading?.countryCallingCode === callingCode ? possible(reading) : undefined;
    if (number) return number;
  }
  return undefined;
}

/** A mobile number of this country, as people write it there and elsewhere. */
export function exampleNumber(country: CountryCode): { national: string; international: string } | undefined {
  const example = getExampleNumber(country, examples, metadata);
  return example && { national: example.formatNational(), international: example.formatInternational() };
}

/** With a +; undefined for what isn't written for the whole world. */
function internationalForm(written: string): string | undefined {
  if (written.includes('+')) return written;
  return /^[^\d]*00/.test(written) ? written.replace(/^[^\d]*00/, '+') : undefined;
}

/** With the prefix of each country, numbers of mobile money have so many digits. Shorter ones are local to somewhere. */
const FEWEST_DIGITS = 11;

/** Where nothing says that digits begin with a country's prefix, they must fit its numbering plan, not only its lengths. */
function readWholeNumber(written: string): PossibleNumber | undefined {
  const digits = written.replace(/\D/g, '');
  const reading = digits.length >= FEWEST_DIGITS ? modern(parse(`+${digits}`)) : undefined;
  return reading?.isValid() ? possible(reading) : undefined;
}

/** Only the length is judged: numbering plans change faster than tables of them, and the operator knows. */
function possible(reading: PhoneNumber | undefined): PossibleNumber | undefined {
  const number = modern(reading);
  return number?.country && number.isPossible()
    ? { phoneNumber: number.number, country: number.country }
    : undefined;
}

/** Until 30 November 2024 numbers in Benin had eight digits; since then the same ones begin with 01. */
const OLD_BENINESE = /^\+229(\d{8})$/;

function modern(reading: PhoneNumber | undefined): PhoneNumber | undefined {
  return reading && (parse(reading.number.replace(OLD_BENINESE, '+22901$1')) ?? reading);
}

function parse(written: string, defaultCountry?: CountryCode): PhoneNumber | undefined {
  return parsePhoneNumberFromString(written, { defaultCountry }, metadata);
}
