import { invalidRequest } from './stripe-error.js';

/**
 * What Stripe takes, written down a second time on purpose: a double that shared the adapter's table could not find a
 * mistake in it.
 */
const ZERO_DECIMAL = 'bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf'.split(' ');
const THREE_DECIMAL = 'bhd jod kwd omr tnd'.split(' ');
const TWO_DECIMAL = (
  'aed afn all amd ang aud awg azn bam bbd bdt bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc cve czk dkk ' +
  'dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr isk jmd kes kgs khr kyd kzt lak ' +
  'lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln ' +
  'qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah usd uyu uzs wst xcd ' +
  'yer zar zmw'
).split(' ');

const DIGITS: ReadonlyMap<string, number> = new Map([
  ...ZERO_DECIMAL.map((currency) => [currency, 0] as const),
  ...TWO_DECIMAL.map((currency) => [currency, 2] as const),
  ...THREE_DECIMAL.map((currency) => [currency, 3] as const),
]);

const SMALLEST: Readonly<Record<string, number>> = { eur: 50, usd: 50, gbp: 30, jpy: 50, xof: 350, xaf: 350 };
const LARGEST = 99_999_999;

export function checkAmount(amount: number, currency: string, param: string): void {
  if (!DIGITS.has(currency)) throw invalidRequest(`Invalid currency: ${currency}.`, { param: 'currency' });
  if (amount < 1) {
    throw invalidRequest('This value must be greater than or equal to 1.', {
      code: 'parameter_invalid_integer',
      param,
    });
  }
  if (amount > LARGEST)
    throw invalidRequest('Amount must be no more than 8 digits.', { code: 'amount_too_large', param });
  if (amount < (SMALLEST[currency] ?? 1)) {
    throw invalidRequest('Amount is below the minimum of its currency.', { code: 'amount_too_small', param });
  }
  checkStep(amount, currency, param);
}

/** What is demanded of the amount of a capture and of a refund too. */
export function checkStep(amount: number, currency: string, param: string): void {
  const step = currency === 'isk' ? 100 : DIGITS.get(currency) === 3 ? 10 : 1;
  if (amount % step !== 0)
    throw invalidRequest(`Amounts in ${currency} must be a multiple of ${step}.`, { param });
}

/** For the double's own pages: 1099 eur → "10.99 EUR". */
export function amountForPeople(amount: number, currency: string): string {
  const digits = DIGITS.get(currency) ?? 2;
  const figures = String(amount).padStart(digits + 1, '0');
  const decimal = digits === 0 ? figures : `${figures.slice(0, -digits)}.${figures.slice(-digits)}`;
  return `${decimal} ${currency.toUpperCase()}`;
}
