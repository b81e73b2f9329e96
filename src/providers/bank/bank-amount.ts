import { type Currency, toDecimal } from '../../money.js';
import { readMajorUnits, readWholeNumber } from '../written-amount.js';

/**
 * DECIMAL: "10.99", a string in major units. MINOR_UNITS: 1099, an integer. DECIMAL_NUMBER: 10.99, a number in major
 * units, for banks that know no better.
 */
export const AMOUNT_FORMATS = ['DECIMAL', 'MINOR_UNITS', 'DECIMAL_NUMBER'] as const;

export type AmountFormat = (typeof AMOUNT_FORMATS)[number];

/** A double brings back every decimal of so many digits as it was written. */
const EXACT_DIGITS = 15;

/** Minor units, or undefined for what is not exactly, or not surely, a positive amount of this currency. */
export function readAmount(amount: unknown, format: AmountFormat, currency: Currency): number | undefined {
  const minorUnits = readAmountOrZero(amount, format, currency);
  return minorUnits === 0 ? undefined : minorUnits;
}

export function readAmountOrZero(
  amount: unknown,
  format: AmountFormat,
  currency: Currency,
): number | undefined {
  const minorUnits = readAny(amount, format, currency);
  return minorUnits !== undefined && Number.isSafeInteger(minorUnits) && minorUnits >= 0
    ? minorUnits
    : undefined;
}

/** Undefined for an amount that the format can't carry exactly. */
export function writeAmount(
  amount: number,
  format: AmountFormat,
  currency: Currency,
): string | number | undefined {
  if (format === 'MINOR_UNITS') return amount;
  const decimal = toDecimal(amount, currency);
  if (format === 'DECIMAL') return decimal;
  return isExact(decimal) ? Number(decimal) : undefined;
}

function readAny(amount: unknown, format: AmountFormat, currency: Currency): number | undefined {
  // Whether a bank writes a number or a text is no difference: 15000.00 and "15 000" are the same francs.
  return format === 'MINOR_UNITS' ? readWholeNumber(amount) : readMajorUnits(amount, currency);
}

function isExact(decimal: string): boolean {
  return decimal.replace(/\D/g, '').length <= EXACT_DIGITS;
}
