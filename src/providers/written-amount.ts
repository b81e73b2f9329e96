import { type Currency, fromDecimal, isCurrency, minorUnitDigits } from '../money.js';

/** A number in JSON brings back every decimal of so many digits as it was written. */
const EXACT_DIGITS = 15;

/** Between groups of three digits: spaces, also those that don't break, and the apostrophes of Switzerland. */
const GROUP_MARK = "[ \\u00a0\\u2009\\u202f'’]";

const MARKED_GROUPS = new RegExp(`^\\d{1,3}(?:${GROUP_MARK}\\d{3})+$`);
const ALL_GROUP_MARKS = new RegExp(GROUP_MARK, 'g');

/** What people in the currency's countries write beside an amount, apart from its ISO 4217 code. */
const SIGNS: Readonly<Partial<Record<Currency, readonly string[]>>> = {
  EUR: ['€'],
  XAF: ['FCFA', 'F CFA', 'CFA'],
  XOF: ['FCFA', 'F CFA', 'CFA'],
};

/** A currency as gateways write it: its ISO 4217 code in any case, with spaces around it. */
export function readCurrency(written: unknown): Currency | undefined {
  if (typeof written !== 'string') return undefined;
  const code = written.trim().toUpperCase();
  return isCurrency(code) ? code : undefined;
}

/**
 * An amount in major units as gateways write it, a text or a JSON number, in minor units: 15000, "15000.00", "15 000",
 * "15000,00", "15.000,00", "+15000", "15000 XOF" are all 15000 XOF. Undefined where it could be two amounts ("1,500" and
 * "1.500" of a currency without thousandths), where it is none, and where it is more precise than the currency.
 */
export function readMajorUnits(written: unknown, currency: Currency): number | undefined {
  const text = textOfAmount(written);
  if (text === undefined) return undefined;
  const decimal = plainDecimal(withoutCurrency(text, currency), currency);
  if (decimal === undefined) return undefined;
  try {
    return fromDecimal(decimal, currency);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** A whole number, a text or a JSON number, digits in groups or not: where amounts are written in minor units. */
export function readWholeNumber(written: unknown): number | undefined {
  if (typeof written === 'number') return Number.isSafeInteger(written) ? written : undefined;
  const text = textOfAmount(written)?.replace(/^\+/, '');
  if (text === undefined) return undefined;
  const digits = MARKED_GROUPS.test(text) ? text.replace(ALL_GROUP_MARKS, '') : text;
  if (!/^-?\d+$/.test(digits)) return undefined;
  const whole = Number(digits);
  return Number.isSafeInteger(whole) ? whole : undefined;
}

function textOfAmount(written: unknown): string | undefined {
  if (typeof written === 'string') return written.trim();
  if (typeof written !== 'number') return undefined;
  const text = String(written);
  return text.replace(/\D/g, '').length <= EXACT_DIGITS ? text : undefined;
}

/** The currency that the amount is said to be of, before or behind it; another one stays, and can't be read. */
function withoutCurrency(text: string, currency: Currency): string {
  for (const sign of [currency, ...(SIGNS[currency] ?? [])]) {
    const upper = text.toUpperCase();
    if (upper.endsWith(sign)) return text.slice(0, -sign.length).trim();
    if (upper.startsWith(sign)) return text.slice(sign.length).trim();
  }
  return text;
}

/** Digits, and a point where there are decimals; undefined for what isn't written so that it can mean only one amount. */
function plainDecimal(text: string, currency: Currency): string | undefined {
  const [, sign = '', unsigned = ''] = /^([+-]?)\s*(.*)$/s.exec(text) ?? [];
  const minus = sign === '-' ? '-' : '';
  const marks = unsigned.match(/[.,]/g) ?? [];
  const last = marks.at(-1);
  const grouping = last === '.' ? ',' : '.';
  if (last === undefined) return withSign(minus, readWhole(unsigned, undefined));
  // "1.500.000": of a mark that stands twice, none can begin the decimals.
  if (marks.length > 1 && marks.every((mark) => mark === last)) {
    return withSign(minus, readWhole(unsigned, last));
  }
  if (marks.filter((mark) => mark === last).length > 1) return undefined;
  const at = unsigned.lastIndexOf(last);
  const [whole, fraction] = [unsigned.slice(0, at), unsigned.slice(at + 1)];
  const digits = readWhole(whole, whole.includes(grouping) ? grouping : undefined);
  if (digits === undefined || !/^\d+$/.test(fraction)) return undefined;
  if (fraction.length === 3 && couldBeGroup(whole, last, currency)) return undefined;
  return `${minus}${digits}.${fraction}`;
}

function withSign(minus: string, digits: string | undefined): string | undefined {
  return digits === undefined ? undefined : minus + digits;
}

/** Digits alone, or in groups of three: with spaces between them, or with this mark. */
function readWhole(whole: string, mark: string | undefined): string | undefined {
  if (mark !== undefined) {
    const groups = whole.split(mark);
    const areGroups = groups.every((group, index) =>
      (index === 0 ? /^[1-9]\d{0,2}$/ : /^\d{3}$/).test(group),
    );
    return areGroups ? groups.join('') : undefined;
  }
  if (/^\d+$/.test(whole)) return whole;
  return MARKED_GROUPS.test(whole) ? whole.replace(ALL_GROUP_MARKS, '') : undefined;
}

/** Whether three digits behind this mark may be thousands as well as decimals. */
function couldBeGroup(whole: string, mark: string, currency: Currency): boolean {
  // Where a currency has thousandths, the decimal point of the contract begins them.
  if (mark === '.' && minorUnitDigits(currency) === 3) return false;
  // Grouped otherwise already, and the currency has three decimals: they are these.
  if (/\D/.test(whole) && minorUnitDigits(currency) === 3) return false;
  return /\D/.test(whole) || /^[1-9]\d{0,2}$/.test(whole);
}
