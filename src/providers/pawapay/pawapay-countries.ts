import type { Currency } from '../../money.js';
import type { Country, Operator } from '../provider.js';

export interface PawaPayCountry {
  readonly alpha2: Country;
  /** What pawaPay calls it. */
  readonly alpha3: string;
  readonly currencies: readonly Currency[];
  readonly operators: readonly Operator[];
}

/** As pawaPay publishes them, v2, late 2026. What an account may really use is in its active configuration. */
export const ALL_COUNTRIES: readonly PawaPayCountry[] = [
  country('BJ', 'BEN', ['XOF'], { MTN_MOMO_BEN: 'MTN MoMo', MOOV_BEN: 'Moov Money' }),
  country('BF', 'BFA', ['XOF'], { MOOV_BFA: 'Moov Money', ORANGE_BFA: 'Orange Money' }),
  country('CI', 'CIV', ['XOF'], { MTN_MOMO_CIV: 'MTN MoMo', ORANGE_CIV: 'Orange Money', WAVE_CIV: 'Wave' }),
  country('SN', 'SEN', ['XOF'], { FREE_SEN: 'Free Money', ORANGE_SEN: 'Orange Money', WAVE_SEN: 'Wave' }),
  country('CM', 'CMR', ['XAF'], { MTN_MOMO_CMR: 'MTN MoMo', ORANGE_CMR: 'Orange Money' }),
  country('GA', 'GAB', ['XAF'], { AIRTEL_GAB: 'Airtel Money' }),
  country('CG', 'COG', ['XAF'], { AIRTEL_COG: 'Airtel Money', MTN_MOMO_COG: 'MTN MoMo' }),
  country('CD', 'COD', ['CDF', 'USD'], {
    VODACOM_MPESA_COD: 'Vodacom M-Pesa',
    AIRTEL_COD: 'Airtel Money',
    ORANGE_COD: 'Orange Money',
  }),
  country('GH', 'GHA', ['GHS'], {
    MTN_MOMO_GHA: 'MTN MoMo',
    AIRTELTIGO_GHA: 'AirtelTigo Money',
    VODAFONE_GHA: 'Vodafone Cash',
  }),
  country('KE', 'KEN', ['KES'], { MPESA_KEN: 'M-Pesa' }),
  country('ET', 'ETH', ['ETB'], { MPESA_ETH: 'M-Pesa' }),
  country('LS', 'LSO', ['LSL'], { MPESA_LSO: 'M-Pesa' }),
  country('MW', 'MWI', ['MWK'], { AIRTEL_MWI: 'Airtel Money', TNM_MWI: 'TNM Mpamba' }),
  country('MZ', 'MOZ', ['MZN'], { MOVITEL_MOZ: 'Movitel e-Mola', VODACOM_MOZ: 'Vodacom M-Pesa' }),
  country('NG', 'NGA', ['NGN'], { AIRTEL_NGA: 'Airtel Money', MTN_MOMO_NGA: 'MTN MoMo' }),
  country('RW', 'RWA', ['RWF'], { AIRTEL_RWA: 'Airtel Money', MTN_MOMO_RWA: 'MTN MoMo' }),
  country('SL', 'SLE', ['SLE'], { ORANGE_SLE: 'Orange Money' }),
  country('TZ', 'TZA', ['TZS'], {
    AIRTEL_TZA: 'Airtel Money',
    VODACOM_TZA: 'Vodacom M-Pesa',
    TIGO_TZA: 'Tigo Pesa',
    HALOTEL_TZA: 'Halopesa',
  }),
  country('UG', 'UGA', ['UGX'], { AIRTEL_OAPI_UGA: 'Airtel Money', MTN_MOMO_UGA: 'MTN MoMo' }),
  country('ZM', 'ZMB', ['ZMW'], {
    AIRTEL_OAPI_ZMB: 'Airtel Money',
    MTN_MOMO_ZMB: 'MTN MoMo',
    ZAMTEL_ZMB: 'Zamtel Money',
  }),
];

/** They ask for a code that only the payer can make beforehand: the payment page asks for it, and we don't. */
export const OPERATORS_THAT_NEED_A_CODE: ReadonlySet<string> = new Set(['ORANGE_BFA']);

function country(
  alpha2: Country,
  alpha3: string,
  currencies: readonly Currency[],
  operatorNames: Readonly<Record<string, string>>,
): PawaPayCountry {
  const operators = Object.entries(operatorNames).map(([code, name]) => ({ code, name, country: alpha2 }));
  return { alpha2, alpha3, currencies, operators };
}
