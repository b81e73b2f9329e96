/**
 * Money is an integer in minor units together with its currency: 1099 EUR is €10.99, 15000 XOF is 15 000 francs.
 * How many digits a minor unit has comes from ISO 4217 and stands in this table. It never comes from `Intl`,
 * whose data differs between Node builds. A provider that counts differently keeps its own table in its adapter.
 */
const MINOR_UNIT_DIGITS = {
  // No minor unit.
  BIF: 0,
  CLP: 0,
  DJF: 0,
  GNF: 0,
  ISK: 0,
  JPY: 0,
  KMF: 0,
  KRW: 0,
  PYG: 0,
  RWF: 0,
  UGX: 0,
  VND: 0,
  VUV: 0,
  XAF: 0,
  XOF: 0,
  XPF: 0,
  // Thousandths.
  BHD: 3,
  IQD: 3,
  JOD: 3,
  KWD: 3,
  LYD: 3,
  OMR: 3,
  TND: 3,
  // Hundredths.
  AED: 2,
  AUD: 2,
  BRL: 2,
  BWP: 2,
  CAD: 2,
  CDF: 2,
  CHF: 2,
  CNY: 2,
  CVE: 2,
  CZK: 2,
  DKK: 2,
  DZD: 2,
  EGP: 2,
  ETB: 2,
  EUR: 2,
  GBP: 2,
  GHS: 2,
  GMD: 2,
  HKD: 2,
  HUF: 2,
  IDR: 2,
  ILS: 2,
  INR: 2,
  KES: 2,
  LRD: 2,
  LSL: 2,
  MAD: 2,
  MGA: 2,
  MRU: 2,
  MUR: 2,
  MWK: 2,
  MXN: 2,
  MYR: 2,
  MZN: 2,
  NAD: 2,
  NGN: 2,
  NOK: 2,
  NZD: 2,
  PHP: 2,
  PLN: 2,
  QAR: 2,
  RON: 2,
  SAR: 2,
  SCR: 2,
  SEK: 2,
  SGD: 2,
  SLE: 2,
  THB: 2,
  TRY: 2,
  TWD: 2,
  TZS: 2,
  UAH: 2,
  USD: 2,
  ZAR: 2,
  ZMW: 2,
} as const;

/** An ISO 4217 code that Quittance can count in. */
export type Currency = keyof typeof MINOR_UNIT_DIGITS;

export const CURRENCIES = Object.keys(MINOR_UNIT_DIGITS).sort() as Currency[];

/** The largest amount we hold, in minor units: what a GraphQL `SafeInt` and a JavaScript number carry exactly. */
export const MAX_AMOUNT = Number.MAX_SAFE_INTEGER;

export function isCurrency(code: string): code is Currency {
  return Object.hasOwn(MINOR_UNIT_DIGITS, code);
}

/** ISO 4217 digits after the decimal point: 0 for XOF, 2 for EUR, 3 for TND. */
export function minorUnitDigits(currency: Currency): number {
  return MINOR_UNIT_DIGITS[currency];
}

/** Minor units as a plain decimal string, exact: (1099, EUR) → "10.99"; (15000, XOF) → "15000". */
export function toDecimal(amount: number, currency: Currency): string {
  if (!Number.isSafeInteger(amount))
    throw new RangeError(`amount ${amount} is not an integer of minor units`);
  const digits = minorUnitDigits(currency);
  const sign = amount < 0 ? '-' : '';
  const padded = String(Math.abs(amount)).padStart(digits + 1, '0');
  if (digits === 0) return sign + padded;
  return `${sign}${padded.slice(0, -digits)}.${padded.slice(-digits)}`;
}

/**
 * A plain decimal string as minor units: ("10.99", EUR) → 1099. Extra decimals are accepted only when they are zeros.
 * Throws a `RangeError` that says what is wrong for anything else: exponents, spaces, grouping, more precision than
 * the currency has, or more than a JavaScript integer holds.
 */
export function fromDecimal(decimal: string, currency: Currency): number {
  const digits = minorUnitDigits(currency);
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(decimal);
  if (!match) throw new RangeError(`"${decimal}" is not a plain decimal amount`);
  const [, sign = '', whole = '', fraction = ''] = match;
  if (/[^0]/.test(fraction.slice(digits))) {
    throw new RangeError(`"${decimal}" has more than the ${digits} decimals that ${currency} has`);
  }
  const amount = Number(whole + fraction.slice(0, digits).padEnd(digits, '0'));
  if (!Number.isSafeInteger(amount)) throw new RangeError(`"${decimal}" is too large an amount`);
  return amount === 0 ? 0 : sign === '-' ? -amount : amount;
}

/** Further off than by these, amounts differ by chance. */
const SHIFTS = [1, 2, 3] as const;

/**
 * By how many decimals one amount is another: (1500000, 15000) → 2, and (150, 15000) → -2. Undefined where they are
 * equal, or differ otherwise. Who counts money in other units than we do, is off by exactly this.
 */
export function decimalShift(amount: number, expected: number): number | undefined {
  if (amount <= 0 || expected <= 0) return undefined;
  for (const shift of SHIFTS) {
    if (amount === expected * 10 ** shift) return shift;
    if (expected === amount * 10 ** shift) return -shift;
  }
  return undefined;
}

/** (2, XOF) → "exactly 100 times as much, as if XOF were counted with 2 decimals more". */
export function shiftInWords(shift: number, currency: Currency): string {
  const decimals = Math.abs(shift);
  const factor = 10 ** decimals;
  const [times, direction] = shift > 0 ? [`${factor} times as much`, 'more'] : [`1/${factor} of it`, 'fewer'];
  return `exactly ${times}, as if ${currency} were counted with ${decimals} decimal${decimals === 1 ? '' : 's'} ${direction}`;
}

/** For people: (1099, EUR, "fr") → "10,99 €". An unknown locale falls back to English. */
export function formatMoney(amount: number, currency: Currency, locale: string): string {
  const digits = minorUnitDigits(currency);
  const [supported = 'en'] = Intl.NumberFormat.supportedLocalesOf(isLocale(locale) ? [locale] : []);
  const format = new Intl.NumberFormat(supported, {
    style: 'currency',
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  // The string form keeps every digit of large amounts; a division would not.
  return format.format(toDecimal(amount, currency) as Intl.StringNumericLiteral);
}

function isLocale(locale: string): boolean {
  try {
    return Intl.getCanonicalLocales(locale).length === 1;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
