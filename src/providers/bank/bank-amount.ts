import { type Currency, fromDecimal, minorUnitDigits, toDecimal } from '../../money.js';
import { readMajorUnits, readWholeNumber } from '../written-amount.js';

/**
 * DECIMAL: "10.99", a string in major units. MINOR_UNITS: 1099, an integer. DECIMAL_NUMBER: 10.99, a number in major
 * units, for banks that know no better.
 */
export const AMOUNT_FORMATS = ['DECIMAL', 'MINOR_UNITS', 'DECIMAL_NUMBER'] as const;

export type AmountFormat = (typeof AMOUNT_FORMATS)[number];

/** How many decimals a bank gives each currency. One that is not here has those of ISO 4217. */
export type AmountExponents = Readonly<Partial<Record<Currency, number>>>;

export const LARGEST_EXPONENT = 6;

/** How a bank writes amounts: with an exponent of 2 for XOF, 15 000 francs are 1500000 in MINOR_UNITS. */
export interface AmountNotation {
  readonly format: AmountFormat;
  readonly exponents: AmountExponents;
}

/** A double brings back every decimal of so many digits as it was written. */
const EXACT_DIGITS = 15;

/** Minor units, or undefined for what is not exactly, or not surely, a positive amount of this currency. Nothing is ever rounded. */
export function readAmount(
  amount: unknown,
  notation: AmountNotation,
  currency: Currency,
): number | undefined {
  const minorUnits = readAmountOrZero(amount, notation, currency);
  return minorUnits === 0 ? undefined : minorUnits;
}

export function readAmountOrZero(
  amount: unknown,
  notation: AmountNotation,
  currency: Currency,
): number | undefined {
  const minorUnits = readAny(amount, notation, currency);
  return minorUnits !== undefined && Number.isSafeInteger(minorUnits) && minorUnits >= 0
    ? minorUnits
    : undefined;
}

/** Undefined for an amount that the bank's notation can't carry exactly. */
export function writeAmount(
  amount: number,
  notation: AmountNotation,
  currency: Currency,
): string | number | undefined {
  const decimal = withDecimals(toDecimal(amount, currency), exponentOf(notation, currency));
  if (decimal === undefined || notation.format === 'DECIMAL') return decimal;
  if (notation.format === 'DECIMAL_NUMBER') return isExact(decimal) ? Number(decimal) : undefined;
  const units = Number(decimal.replace('.', ''));
  return Number.isSafeInteger(units) ? units : undefined;
}

function exponentOf({ exponents }: AmountNotation, currency: Currency): number {
  return exponents[currency] ?? minorUnitDigits(currency);
}

function readAny(amount: unknown, notation: AmountNotation, currency: Currency): number | undefined {
  // Whether a bank writes a number or a text is no difference: 15000.00 and "15 000" are the same francs.
  if (notation.format !== 'MINOR_UNITS') {
    return isAsAgreed(amount, notation, currency)
      ? readDecimal(amount, currency)
      : readMajorUnits(amount, currency);
  }
  const units = readWholeNumber(amount);
  return units === undefined
    ? undefined
    : readDecimal(unitsAsDecimal(units, exponentOf(notation, currency)), currency);
}

/** With three decimals agreed, "1.000" is one, and not a thousand. */
function isAsAgreed(amount: unknown, { exponents }: AmountNotation, currency: Currency): amount is string {
  const agreed = exponents[currency];
  if (typeof amount !== 'string' || agreed === undefined) return false;
  const [, decimals] = /^\d+\.(\d+)$/.exec(amount) ?? [];
  return decimals?.length === agreed;
}

function readDecimal(decimal: string, currency: Currency): number | undefined {
  try {
    return fromDecimal(decimal, currency);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** (1500050, 2) → "15000.50" */
function unitsAsDecimal(units: number, digits: number): string {
  if (digits === 0) return String(units);
  const padded = String(Math.abs(units)).padStart(digits + 1, '0');
  return `${units < 0 ? '-' : ''}${padded.slice(0, -digits)}.${padded.slice(-digits)}`;
}

/** The same amount with so many decimals; undefined where one that is not zero would be cut off. */
function withDecimals(decimal: string, digits: number): string | undefined {
  const [whole = '', fraction = ''] = decimal.split('.');
  if (/[^0]/.test(fraction.slice(digits))) return undefined;
  return digits === 0 ? whole : `${whole}.${fraction.slice(0, digits).padEnd(digits, '0')}`;
}

function isExact(decimal: string): boolean {
  return decimal.replace(/\D/g, '').length <= EXACT_DIGITS;
}
