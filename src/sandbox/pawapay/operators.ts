import { type Currency, minorUnitDigits, toDecimal } from '../../money.js';

export type OperatorStatus = 'OPERATIONAL' | 'DELAYED' | 'CLOSED';

/** PROVIDER_AUTH: a prompt on the payer's phone. PREAUTH: a code obtained beforehand. REDIRECT_AUTH: the operator's page. */
export type AuthType = 'PROVIDER_AUTH' | 'PREAUTH' | 'REDIRECT_AUTH';

export interface OperatingCountry {
  /** ISO 3166-1 alpha-3. */
  readonly code: string;
  /** The calling code, without `+`. */
  readonly prefix: string;
  readonly name: { readonly en: string; readonly fr: string };
  /** What follows the calling code in a whole number. */
  readonly national: RegExp;
}

export interface Operator {
  readonly code: string;
  readonly name: string;
  readonly country: OperatingCountry;
  readonly currencies: readonly Currency[];
  /** How its numbers begin, after the calling code. Undefined: whoever has a number of the country may have a wallet. */
  readonly numbers?: RegExp;
  readonly authType: AuthType;
  readonly pinPrompt: 'AUTOMATIC' | 'MANUAL';
  /** Inclusive, in whole units of the currency. */
  readonly minimum: number;
  readonly maximum: number;
}

type Line = readonly [code: string, name: string, numbers: RegExp | undefined, special?: Partial<Operator>];

const REDIRECT: Partial<Operator> = { authType: 'REDIRECT_AUTH' };
const MANUAL: Partial<Operator> = { pinPrompt: 'MANUAL' };

/** Those of providers.md D.10, with the limits seen in D.9. Which numbers are whose comes from the national plans. */
export const OPERATORS: readonly Operator[] = [
  // Benin has put 01 before its eight digits in late 2024; both are known.
  ...inCountry('BEN', '229', 'Benin', 'Bénin', /^(01)?\d{8}$/, 'XOF', [
    ['MTN_MOMO_BEN', 'MTN', /^(01)?(4[26]|5[0-4679]|6[12679]|9[0167])/],
    ['MOOV_BEN', 'Moov', /^(01)?(5[58]|6[03458]|9[4589])/, { minimum: 100 }],
  ]),
  ...inCountry('BFA', '226', 'Burkina Faso', 'Burkina Faso', /^\d{8}$/, 'XOF', [
    ['MOOV_BFA', 'Moov', /^(0[123]|5[0123]|6[0123]|7[0123])/, { minimum: 100 }],
    ['ORANGE_BFA', 'Orange', /^(0[4567]|5[4567]|6[4567]|7[4567])/, { authType: 'PREAUTH' }],
  ]),
  ...inCountry('CIV', '225', "Côte d'Ivoire", "Côte d'Ivoire", /^\d{10}$/, 'XOF', [
    ['MTN_MOMO_CIV', 'MTN', /^05/, MANUAL],
    ['ORANGE_CIV', 'Orange', /^07/, MANUAL],
    ['WAVE_CIV', 'Wave', undefined, REDIRECT],
  ]),
  ...inCountry('SEN', '221', 'Senegal', 'Sénégal', /^\d{9}$/, 'XOF', [
    ['FREE_SEN', 'Free', /^76/],
    ['ORANGE_SEN', 'Orange', /^7[78]/, { ...MANUAL, minimum: 2, maximum: 100_000_000 }],
    ['WAVE_SEN', 'Wave', undefined, REDIRECT],
  ]),
  ...inCountry('CMR', '237', 'Cameroon', 'Cameroun', /^\d{9}$/, 'XAF', [
    ['MTN_MOMO_CMR', 'MTN', /^6(7|5[0-4]|8[0-4])/, { maximum: 1_000_000 }],
    ['ORANGE_CMR', 'Orange', /^6(9|5[5-9]|8[5-9])/, { maximum: 500_000 }],
  ]),
  ...inCountry('GAB', '241', 'Gabon', 'Gabon', /^\d{8}$/, 'XAF', [['AIRTEL_GAB', 'Airtel', /^7/]]),
  ...inCountry('COG', '242', 'Congo', 'Congo', /^\d{9}$/, 'XAF', [
    ['AIRTEL_COG', 'Airtel', /^0[45]/],
    ['MTN_MOMO_COG', 'MTN', /^06/],
  ]),
  ...inCountry(
    'COD',
    '243',
    'DR Congo',
    'RD Congo',
    /^\d{9}$/,
    ['CDF', 'USD'],
    [
      ['VODACOM_MPESA_COD', 'M-Pesa', /^8[1-3]/],
      ['AIRTEL_COD', 'Airtel', /^9[79]/],
      ['ORANGE_COD', 'Orange', /^8[0459]/],
    ],
  ),
  ...inCountry('GHA', '233', 'Ghana', 'Ghana', /^\d{9}$/, 'GHS', [
    ['MTN_MOMO_GHA', 'MTN', /^(2[45]|5[3459])/],
    ['AIRTELTIGO_GHA', 'AirtelTigo', /^([25][67])/],
    ['VODAFONE_GHA', 'Telecel', /^[25]0/],
  ]),
  ...inCountry('KEN', '254', 'Kenya', 'Kenya', /^\d{9}$/, 'KES', [['MPESA_KEN', 'M-Pesa', /^[17]/]]),
  ...inCountry('RWA', '250', 'Rwanda', 'Rwanda', /^\d{9}$/, 'RWF', [
    ['AIRTEL_RWA', 'Airtel', /^7[23]/],
    ['MTN_MOMO_RWA', 'MTN', /^7[89]/],
  ]),
  ...inCountry('ETH', '251', 'Ethiopia', 'Éthiopie', /^\d{9}$/, 'ETB', [['MPESA_ETH', 'M-Pesa', /^7/]]),
  ...inCountry('LSO', '266', 'Lesotho', 'Lesotho', /^\d{8}$/, 'LSL', [['MPESA_LSO', 'M-Pesa', /^5/]]),
  ...inCountry('MWI', '265', 'Malawi', 'Malawi', /^\d{9}$/, 'MWK', [
    ['AIRTEL_MWI', 'Airtel', /^9/],
    ['TNM_MWI', 'TNM', /^8/],
  ]),
  ...inCountry('MOZ', '258', 'Mozambique', 'Mozambique', /^\d{9}$/, 'MZN', [
    ['MOVITEL_MOZ', 'Movitel', /^8[67]/],
    ['VODACOM_MOZ', 'Vodacom', /^8[45]/],
  ]),
  ...inCountry('NGA', '234', 'Nigeria', 'Nigéria', /^\d{10}$/, 'NGN', [
    ['AIRTEL_NGA', 'Airtel', /^(70[18]|80[28]|812|90[1247])/],
    ['MTN_MOMO_NGA', 'MTN', /^(70[36]|80[36]|81[0346]|90[36])/],
  ]),
  ...inCountry('SLE', '232', 'Sierra Leone', 'Sierra Leone', /^\d{8}$/, 'SLE', [
    ['ORANGE_SLE', 'Orange', /^7/],
  ]),
  ...inCountry('TZA', '255', 'Tanzania', 'Tanzanie', /^\d{9}$/, 'TZS', [
    ['AIRTEL_TZA', 'Airtel', /^(6[89]|78)/],
    ['VODACOM_TZA', 'Vodacom', /^7[4-6]/],
    ['TIGO_TZA', 'Tigo', /^(6[57]|7[17])/],
    ['HALOTEL_TZA', 'Halotel', /^6[12]/],
  ]),
  ...inCountry('UGA', '256', 'Uganda', 'Ouganda', /^\d{9}$/, 'UGX', [
    ['AIRTEL_OAPI_UGA', 'Airtel', /^7[0-5]/],
    ['MTN_MOMO_UGA', 'MTN', /^7[6-9]/],
  ]),
  ...inCountry('ZMB', '260', 'Zambia', 'Zambie', /^\d{9}$/, 'ZMW', [
    ['AIRTEL_OAPI_ZMB', 'Airtel', /^[79]7/],
    ['MTN_MOMO_ZMB', 'MTN', /^[79]6/],
    ['ZAMTEL_ZMB', 'Zamtel', /^[79]5/],
  ]),
];

export const COUNTRIES: readonly OperatingCountry[] = [...new Set(OPERATORS.map(({ country }) => country))];

export function findOperator(code: string): Operator | undefined {
  return OPERATORS.find((operator) => operator.code === code);
}

/** The most decimals that an amount may have. */
export function decimalsOf(currency: Currency): 0 | 2 {
  return minorUnitDigits(currency) === 0 ? 0 : 2;
}

/** As pawaPay shows amounts, whatever was sent: `15000.00`, even of francs. */
export function showAmount(amount: number, currency: Currency): string {
  const decimal = toDecimal(amount, currency);
  return minorUnitDigits(currency) === 0 ? `${decimal}.00` : decimal;
}

function inCountry(
  code: string,
  prefix: string,
  en: string,
  fr: string,
  national: RegExp,
  currencies: Currency | readonly Currency[],
  lines: readonly Line[],
): Operator[] {
  const country: OperatingCountry = { code, prefix, name: { en, fr }, national };
  return lines.map(([operator, name, numbers, special]) => ({
    code: operator,
    name,
    country,
    currencies: typeof currencies === 'string' ? [currencies] : currencies,
    ...(numbers && { numbers }),
    authType: 'PROVIDER_AUTH',
    pinPrompt: 'AUTOMATIC',
    minimum: 1,
    maximum: 2_000_000,
    ...special,
  }));
}
