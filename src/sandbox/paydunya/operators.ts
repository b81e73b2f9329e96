type Country = 'SN' | 'CI' | 'BJ' | 'BF' | 'TG' | 'ML' | 'CM';

/** What a field of the request is about. */
export type FieldRole = 'NAME' | 'EMAIL' | 'PHONE' | 'TOKEN' | 'OTP' | 'ADDRESS' | 'PASSWORD';

/**
 * How the payer consents: their PHONE asks; the same while PayDunya waits with its answer; on a PAGE of the operator's;
 * with a code that they fetched beforehand, or that is sent to them; with the PASSWORD of their PayDunya account.
 */
export type Consent = 'PHONE' | 'PHONE_WHILE_WAITING' | 'PAGE' | 'CODE_BEFORE' | 'CODE_AFTER' | 'PASSWORD';

export interface Operator {
  readonly path: string;
  readonly label: string;
  readonly countries: readonly Country[];
  readonly consent: Consent;
  /** The exact names of the fields; each must be there, and no other may. */
  readonly fields: Readonly<Record<string, FieldRole>>;
  /** Fields that must say one of these. */
  readonly constants?: Readonly<Record<string, readonly string[]>>;
  /** A code instead of the usual consent, when these are there as well. */
  readonly withCode?: {
    readonly fields: Readonly<Record<string, FieldRole>>;
    readonly constants: Readonly<Record<string, readonly string[]>>;
  };
}

export const OPERATORS: readonly Operator[] = [
  {
    path: 'new-orange-money-senegal',
    label: 'Orange Money Senegal',
    countries: ['SN'],
    consent: 'PAGE',
    fields: { customer_name: 'NAME', customer_email: 'EMAIL', phone_number: 'PHONE', invoice_token: 'TOKEN' },
    withCode: { fields: { authorization_code: 'OTP' }, constants: { api_type: ['OTPCODE'] } },
  },
  {
    path: 'free-money-senegal',
    label: 'Free Money Senegal',
    countries: ['SN'],
    consent: 'PHONE',
    fields: { customer_name: 'NAME', customer_email: 'EMAIL', phone_number: 'PHONE', payment_token: 'TOKEN' },
  },
  {
    path: 'expresso-senegal',
    label: 'Expresso Senegal',
    countries: ['SN'],
    consent: 'PHONE',
    fields: {
      expresso_sn_fullName: 'NAME',
      expresso_sn_email: 'EMAIL',
      expresso_sn_phone: 'PHONE',
      payment_token: 'TOKEN',
    },
  },
  {
    path: 'wave-senegal',
    label: 'Wave Senegal',
    countries: ['SN'],
    consent: 'PAGE',
    fields: {
      wave_senegal_fullName: 'NAME',
      wave_senegal_email: 'EMAIL',
      wave_senegal_phone: 'PHONE',
      wave_senegal_payment_token: 'TOKEN',
    },
  },
  {
    path: 'wizall-money-senegal',
    label: 'Wizall Money Senegal',
    countries: ['SN'],
    consent: 'CODE_AFTER',
    fields: { customer_name: 'NAME', customer_email: 'EMAIL', phone_number: 'PHONE', invoice_token: 'TOKEN' },
  },
  {
    path: 'djamo',
    label: 'Djamo',
    countries: ['SN', 'CI'],
    consent: 'PAGE',
    fields: {
      djamo_fullName: 'NAME',
      djamo_email: 'EMAIL',
      djamo_phone: 'PHONE',
      djamo_payment_token: 'TOKEN',
    },
    constants: { code_country: ['sn', 'ci'] },
  },
  {
    path: 'orange-money-ci',
    label: 'Orange Money Côte d’Ivoire',
    countries: ['CI'],
    consent: 'CODE_BEFORE',
    fields: {
      orange_money_ci_customer_fullname: 'NAME',
      orange_money_ci_email: 'EMAIL',
      orange_money_ci_phone_number: 'PHONE',
      orange_money_ci_otp: 'OTP',
      payment_token: 'TOKEN',
    },
  },
  {
    path: 'mtn-ci',
    label: 'MTN Côte d’Ivoire',
    countries: ['CI'],
    consent: 'PHONE',
    fields: {
      mtn_ci_customer_fullname: 'NAME',
      mtn_ci_email: 'EMAIL',
      mtn_ci_phone_number: 'PHONE',
      payment_token: 'TOKEN',
    },
    constants: { mtn_ci_wallet_provider: ['MTNCI'] },
  },
  {
    path: 'moov-ci',
    label: 'Moov Côte d’Ivoire',
    countries: ['CI'],
    consent: 'PHONE_WHILE_WAITING',
    fields: {
      moov_ci_customer_fullname: 'NAME',
      moov_ci_email: 'EMAIL',
      moov_ci_phone_number: 'PHONE',
      payment_token: 'TOKEN',
    },
  },
  {
    path: 'wave-ci',
    label: 'Wave Côte d’Ivoire',
    countries: ['CI'],
    consent: 'PAGE',
    fields: {
      wave_ci_fullName: 'NAME',
      wave_ci_email: 'EMAIL',
      wave_ci_phone: 'PHONE',
      wave_ci_payment_token: 'TOKEN',
    },
  },
  {
    path: 'mtn-benin',
    label: 'MTN Benin',
    countries: ['BJ'],
    consent: 'PHONE',
    fields: {
      mtn_benin_customer_fullname: 'NAME',
      mtn_benin_email: 'EMAIL',
      mtn_benin_phone_number: 'PHONE',
      payment_token: 'TOKEN',
    },
    constants: { mtn_benin_wallet_provider: ['MTNBENIN'] },
  },
  {
    path: 'moov-benin',
    label: 'Moov Benin',
    countries: ['BJ'],
    consent: 'PHONE',
    fields: {
      moov_benin_customer_fullname: 'NAME',
      moov_benin_email: 'EMAIL',
      moov_benin_phone_number: 'PHONE',
      payment_token: 'TOKEN',
    },
  },
  {
    path: 'orange-money-burkina',
    label: 'Orange Money Burkina Faso',
    countries: ['BF'],
    consent: 'CODE_BEFORE',
    fields: {
      name_bf: 'NAME',
      email_bf: 'EMAIL',
      phone_bf: 'PHONE',
      otp_code: 'OTP',
      payment_token: 'TOKEN',
    },
  },
  {
    path: 'moov-burkina',
    label: 'Moov Burkina Faso',
    countries: ['BF'],
    consent: 'PHONE',
    fields: {
      moov_burkina_faso_fullName: 'NAME',
      moov_burkina_faso_email: 'EMAIL',
      moov_burkina_faso_phone_number: 'PHONE',
      moov_burkina_faso_payment_token: 'TOKEN',
    },
  },
  {
    path: 't-money-togo',
    label: 'T-Money Togo',
    countries: ['TG'],
    consent: 'PHONE',
    fields: { name_t_money: 'NAME', email_t_money: 'EMAIL', phone_t_money: 'PHONE', payment_token: 'TOKEN' },
  },
  {
    path: 'moov-togo',
    label: 'Moov Togo',
    countries: ['TG'],
    consent: 'PHONE',
    fields: {
      moov_togo_customer_fullname: 'NAME',
      moov_togo_email: 'EMAIL',
      moov_togo_customer_address: 'ADDRESS',
      moov_togo_phone_number: 'PHONE',
      payment_token: 'TOKEN',
    },
  },
  {
    path: 'orange-money-mali',
    label: 'Orange Money Mali',
    countries: ['ML'],
    consent: 'PHONE',
    fields: {
      orange_money_mali_customer_fullname: 'NAME',
      orange_money_mali_email: 'EMAIL',
      orange_money_mali_phone_number: 'PHONE',
      orange_money_mali_customer_address: 'ADDRESS',
      payment_token: 'TOKEN',
    },
  },
  {
    path: 'moov-mali',
    label: 'Moov Mali',
    countries: ['ML'],
    consent: 'PHONE',
    fields: {
      moov_ml_customer_fullname: 'NAME',
      moov_ml_email: 'EMAIL',
      moov_ml_phone_number: 'PHONE',
      moov_ml_customer_address: 'ADDRESS',
      payment_token: 'TOKEN',
    },
  },
  {
    path: 'mtn-cameroun',
    label: 'MTN Cameroon',
    countries: ['CM'],
    consent: 'PHONE',
    fields: {
      mtn_cameroun_customer_fullname: 'NAME',
      mtn_cameroun_email: 'EMAIL',
      mtn_cameroun_phone_number: 'PHONE',
      payment_token: 'TOKEN',
    },
    constants: { mtn_cameroun_wallet_provider: ['MTNCAMEROUN'] },
  },
  {
    path: 'paydunya',
    label: 'PayDunya',
    countries: ['SN', 'CI', 'BJ', 'BF', 'TG', 'ML'],
    consent: 'PASSWORD',
    fields: {
      customer_name: 'NAME',
      customer_email: 'EMAIL',
      phone_phone: 'PHONE',
      password: 'PASSWORD',
      invoice_token: 'TOKEN',
    },
  },
];

const BY_PATH = new Map(OPERATORS.map((operator) => [operator.path, operator]));

export function findOperator(path: string): Operator | undefined {
  return BY_PATH.get(path);
}

/** XOF everywhere but in Cameroon. */
export function currencyOf({ countries }: Operator): 'XOF' | 'XAF' {
  return countries.includes('CM') ? 'XAF' : 'XOF';
}

/** How many digits a local number has. Benin: eight until the change of November 2024, ten since. */
const DIGITS: Readonly<Record<Country, readonly number[]>> = {
  SN: [9],
  CI: [10],
  BJ: [8, 10],
  BF: [8],
  TG: [8],
  ML: [8],
  CM: [9],
};

/** Without the country's code. */
export function isLocalNumber({ countries }: Operator, phone: string): boolean {
  return /^\d+$/.test(phone) && countries.some((country) => DIGITS[country].includes(phone.length));
}
