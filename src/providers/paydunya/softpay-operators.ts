import type { Country, Operator } from '../provider.js';

/** An operator whom PayDunya asks for the payer's consent, without a page of PayDunya's: its SoftPay. */
export interface SoftPayOperator extends Operator {
  /** Below `softpay/`. */
  readonly path: string;
  /** What this operator's request calls the four things that all of them take. */
  readonly fields: SoftPayFields;
  readonly constantFields?: Readonly<Record<string, string>>;
  /** What the payer does; PAGE: they are sent to a page of the operator's. */
  readonly payer: 'PAGE' | Instructions;
  /** How long the operator waits for the payer, where it is known. */
  readonly patienceSeconds?: number;
}

export interface SoftPayFields {
  readonly name: string;
  readonly email: string;
  readonly phone: string;
  readonly token: string;
}

export interface Instructions {
  readonly fr: readonly string[];
  readonly en: readonly string[];
}

/** Local numbers go without it. */
export const CALLING_CODES: Readonly<Record<Country, string>> = {
  SN: '221',
  CI: '225',
  BJ: '229',
  BF: '226',
  TG: '228',
};

/**
 * Those that need neither a one-time code nor an address: of the others, payers pay on PayDunya's page. MTN in Cameroon
 * is not here because it takes XAF.
 */
export const SOFTPAY_OPERATORS: readonly SoftPayOperator[] = [
  {
    code: 'new-orange-money-senegal',
    name: 'Orange Money',
    country: 'SN',
    path: 'new-orange-money-senegal',
    fields: {
      name: 'customer_name',
      email: 'customer_email',
      phone: 'phone_number',
      token: 'invoice_token',
    },
    payer: 'PAGE',
  },
  {
    code: 'free-money-senegal',
    name: 'Free Money',
    country: 'SN',
    path: 'free-money-senegal',
    fields: {
      name: 'customer_name',
      email: 'customer_email',
      phone: 'phone_number',
      token: 'payment_token',
    },
    payer: dial('#150#'),
  },
  {
    code: 'expresso-senegal',
    name: 'Expresso',
    country: 'SN',
    path: 'expresso-senegal',
    fields: prefixed('expresso_sn_', 'fullName', 'email', 'phone', 'payment_token'),
    payer: {
      fr: ['Ouvrez le SMS que vous envoie Expresso.', 'Suivez ses indications pour valider le paiement.'],
      en: ['Open the text message that Expresso sends you.', 'Follow it to approve the payment.'],
    },
  },
  {
    code: 'wave-senegal',
    name: 'Wave',
    country: 'SN',
    path: 'wave-senegal',
    fields: prefixed('wave_senegal_', 'fullName', 'email', 'phone', 'wave_senegal_payment_token'),
    payer: 'PAGE',
  },
  djamo('djamo-senegal', 'SN'),
  djamo('djamo-ci', 'CI'),
  {
    code: 'mtn-ci',
    name: 'MTN MoMo',
    country: 'CI',
    path: 'mtn-ci',
    fields: prefixed('mtn_ci_', 'customer_fullname', 'email', 'phone_number', 'payment_token'),
    constantFields: { mtn_ci_wallet_provider: 'MTNCI' },
    payer: approve('MTN MoMo'),
  },
  {
    code: 'moov-ci',
    name: 'Moov Money',
    country: 'CI',
    path: 'moov-ci',
    fields: prefixed('moov_ci_', 'customer_fullname', 'email', 'phone_number', 'payment_token'),
    payer: approve('Moov Money'),
    patienceSeconds: 30,
  },
  {
    code: 'wave-ci',
    name: 'Wave',
    country: 'CI',
    path: 'wave-ci',
    fields: prefixed('wave_ci_', 'fullName', 'email', 'phone', 'wave_ci_payment_token'),
    payer: 'PAGE',
  },
  {
    code: 'mtn-benin',
    name: 'MTN MoMo',
    country: 'BJ',
    path: 'mtn-benin',
    fields: prefixed('mtn_benin_', 'customer_fullname', 'email', 'phone_number', 'payment_token'),
    constantFields: { mtn_benin_wallet_provider: 'MTNBENIN' },
    payer: approve('MTN MoMo'),
  },
  {
    code: 'moov-benin',
    name: 'Moov Money',
    country: 'BJ',
    path: 'moov-benin',
    fields: prefixed('moov_benin_', 'customer_fullname', 'email', 'phone_number', 'payment_token'),
    payer: approve('Moov Money'),
  },
  {
    code: 'moov-burkina',
    name: 'Moov Money',
    country: 'BF',
    path: 'moov-burkina',
    fields: prefixed(
      'moov_burkina_faso_',
      'fullName',
      'email',
      'phone_number',
      'moov_burkina_faso_payment_token',
    ),
    payer: dial('*555*6#'),
  },
  {
    code: 't-money-togo',
    name: 'T-Money',
    country: 'TG',
    path: 't-money-togo',
    fields: { name: 'name_t_money', email: 'email_t_money', phone: 'phone_t_money', token: 'payment_token' },
    payer: approve('T-Money'),
  },
];

/** One path for two countries. */
function djamo(code: string, country: 'SN' | 'CI'): SoftPayOperator {
  return {
    code,
    name: 'Djamo',
    country,
    path: 'djamo',
    fields: prefixed('djamo_', 'fullName', 'email', 'phone', 'djamo_payment_token'),
    constantFields: { code_country: country.toLowerCase() },
    payer: 'PAGE',
  };
}

function prefixed(prefix: string, name: string, email: string, phone: string, token: string): SoftPayFields {
  return { name: prefix + name, email: prefix + email, phone: prefix + phone, token };
}

function approve(operator: string): Instructions {
  return {
    fr: [
      `Une demande de paiement ${operator} s’affiche sur votre téléphone.`,
      'Validez-la avec votre code secret.',
    ],
    en: [`A payment request of ${operator} appears on your phone.`, 'Approve it with your PIN.'],
  };
}

function dial(code: string): Instructions {
  return {
    fr: [`Composez le ${code} sur votre téléphone.`, 'Validez le paiement avec votre code secret.'],
    en: [`Dial ${code} on your phone.`, 'Approve the payment with your PIN.'],
  };
}
