import { type Currency, fromDecimal, toDecimal } from '../../money.js';

/**
 * DECIMAL: "10.99", a string in major units. MINOR_UNITS: 1099, an integer. DECIMAL_NUMBER: 10.99, a number in major
 * units, for banks that know no better.
 */
export const AMOUNT_FORMATS = ['DECIMAL', 'MINOR_UNITS', 'DECIMAL_NUMBER'] as const;

export type AmountFormat = (typeof AMOUNT_FORMATS)[number];

/** A double brings back every decimal of so many digits as it was written. */
const EXACT_DIGITS = 15;

/** Minor units, or undefined for what is not exactly a positive amount of this currency. */
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
  switch (format) {
    case 'MINOR_UNITS':
      return typeof amount === 'number' ? amount : undefined;
    case 'DECIMAL':
      // A JSON number has been through a float already, and may not be what the bank wrote.
      return typeof amount === 'string' ? readDecimal(amount, currency) : undefined;
    case 'DECIMAL_NUMBER':
      return typeof amount === 'number' && isExact(String(amount))
        ? readDecimal(String(amount), currency)
        : undefined;
  }
}

function readDecimal(decimal: string, currency: Currency): number | undefined {
  try {
    return fromDecimal(decimal, currency);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function isExact(decimal: string): boolean {
  return decimal.replace(/\D/g, '').length <= EXACT_DIGITS;
}
