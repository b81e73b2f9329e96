import { isCurrency, minorUnitDigits, type Currency } from '../../money.js';
import type { AmountLimits } from '../provider.js';

/**
 * What Stripe counts in, where that differs from ISO 4217, and the currencies that it takes at all
 * (docs.stripe.com/currencies). GHS, MRU, IQD and LYD are not on Stripe's list. UGX is, but as both a zero-decimal
 * currency and a special case like ISK, so it stays out until somebody has checked it against a real account.
 */
const TAKEN_AS_ISO_COUNTS = [
  // No minor unit.
  ...['BIF', 'CLP', 'DJF', 'GNF', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'VND', 'VUV', 'XAF', 'XOF', 'XPF'],
  // Hundredths.
  ...[
    'AED',
    'AUD',
    'BRL',
    'BWP',
    'CAD',
    'CDF',
    'CHF',
    'CNY',
    'CVE',
    'CZK',
    'DKK',
    'DZD',
    'EGP',
    'ETB',
    'EUR',
  ],
  ...[
    'GBP',
    'GMD',
    'HKD',
    'HUF',
    'IDR',
    'ILS',
    'INR',
    'KES',
    'LRD',
    'LSL',
    'MAD',
    'MUR',
    'MWK',
    'MXN',
    'MYR',
  ],
  ...[
    'MZN',
    'NAD',
    'NGN',
    'NOK',
    'NZD',
    'PHP',
    'PLN',
    'QAR',
    'RON',
    'SAR',
    'SCR',
    'SEK',
    'SGD',
    'SLE',
    'THB',
  ],
  ...['TRY', 'TWD', 'TZS', 'UAH', 'USD', 'ZAR', 'ZMW'],
];

/** Thousandths, but Stripe's payment partners demand that the last digit is 0. */
const LAST_DIGIT_ZERO = ['BHD', 'JOD', 'KWD', 'OMR', 'TND'];

interface Counting {
  /** Digits after the decimal point in the amounts that we send. */
  readonly digits: number;
  readonly multipleOf: number;
}

const COUNTING: ReadonlyMap<string, Counting> = new Map([
  ...TAKEN_AS_ISO_COUNTS.filter(isCurrency).map(
    (currency) => [currency, { digits: minorUnitDigits(currency), multipleOf: 1 }] as const,
  ),
  ...LAST_DIGIT_ZERO.map((currency) => [currency, { digits: 3, multipleOf: 10 }] as const),
  // Without decimals since 2022, but still sent as hundredths, for backward compatibility: 5 krónur is 500.
  ['ISK', { digits: 2, multipleOf: 100 }],
  // ISO counts two digits; Stripe counts whole ariary.
  ['MGA', { digits: 0, multipleOf: 1 }],
]);

/** The smallest charges that Stripe publishes, in Stripe's units. XOF and XAF are our own floor: no figure is published. */
const SMALLEST_CHARGE: Partial<Record<Currency, number>> = {
  ...{ AED: 200, AUD: 50, BRL: 50, CAD: 50, CHF: 50, CZK: 1500, DKK: 250, EUR: 50, GBP: 30, HKD: 400 },
  ...{ HUF: 17500, INR: 50, JPY: 50, MXN: 1000, MYR: 200, NOK: 300, NZD: 50, PLN: 200, RON: 200, SEK: 300 },
  ...{ SGD: 50, THB: 1000, USD: 50, XAF: 400, XOF: 400 },
};

/** Eight digits, in Stripe's units. */
const LARGEST_CHARGE = 99_999_999;

export const STRIPE_CURRENCIES: readonly Currency[] = [...COUNTING.keys()].filter(isCurrency).sort();

/**
 * Our minor units as Stripe's.
 * @throws {RangeError} when Stripe doesn't take the currency, or can't express the amount exactly.
 */
export function toStripeAmount(amount: number, currency: Currency): number {
  const { digits, multipleOf } = countingOf(currency);
  const inStripeUnits = shift(amount, digits - minorUnitDigits(currency));
  if (!Number.isSafeInteger(inStripeUnits) || inStripeUnits % multipleOf !== 0) {
    throw new RangeError(`Stripe can't express ${amount} minor units of ${currency} exactly`);
  }
  return inStripeUnits;
}

/**
 * Stripe's units as our minor units.
 * @param amount @param currency as Stripe gives them, so perhaps neither a number nor a text; in any case of letters.
 * @throws {RangeError} when we don't count in the currency, or the amount isn't a whole number of our units.
 */
export function fromStripeAmount(amount: number, currency: string): { amount: number; currency: Currency } {
  const code = typeof currency === 'string' ? currency.toUpperCase() : 'no currency';
  const { digits } = countingOf(code);
  if (!isCurrency(code)) throw new RangeError(`${code} is not a currency of ours`);
  const inOurUnits = shift(amount, minorUnitDigits(code) - digits);
  if (!Number.isSafeInteger(amount) || !Number.isSafeInteger(inOurUnits)) {
    throw new RangeError(`${amount} of ${code} is not a whole number of minor units`);
  }
  return { amount: inOurUnits, currency: code };
}

/** In our minor units. */
export function stripeLimits(currency: Currency): AmountLimits {
  const counting = COUNTING.get(currency);
  if (!counting) return {};
  const largest = LARGEST_CHARGE - (LARGEST_CHARGE % counting.multipleOf);
  const smallest = SMALLEST_CHARGE[currency];
  const step = counting.multipleOf * 10 ** (minorUnitDigits(currency) - counting.digits);
  return {
    ...(step > 1 && { step }),
    maximum: fromStripeAmount(largest, currency).amount,
    ...(smallest !== undefined && { minimum: fromStripeAmount(smallest, currency).amount }),
  };
}

function countingOf(currency: string): Counting {
  const counting = COUNTING.get(currency);
  if (!counting) throw new RangeError(`Stripe doesn't take ${currency}`);
  return counting;
}

/** Whole numbers all the way: a negative power divides, so that no 0.01 ever takes part. */
function shift(amount: number, digits: number): number {
  return digits >= 0 ? amount * 10 ** digits : amount / 10 ** -digits;
}
