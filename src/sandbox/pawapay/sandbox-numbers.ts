import type { Operator } from './operators.js';

/** PENDING: for ever, without a callback. Anything else but COMPLETED is the code of a failure. */
export type SandboxOutcome = 'COMPLETED' | 'PENDING' | (string & {});

type Outcomes = Readonly<Record<string, SandboxOutcome>>;

/** By the last three digits, of whomever they are (providers.md D.12). */
export const DEPOSIT_OUTCOMES: Outcomes = {
  '019': 'PAYER_LIMIT_REACHED',
  '029': 'PAYER_NOT_FOUND',
  '039': 'PAYMENT_NOT_APPROVED',
  '049': 'INSUFFICIENT_BALANCE',
  '069': 'UNSPECIFIED_FAILURE',
  '129': 'PENDING',
  '789': 'COMPLETED',
};

/** Those of an operator alone, whose numbers end in their own way. */
const DEPOSIT_OUTCOMES_OF_OPERATOR: Readonly<Record<string, Outcomes>> = {
  MOOV_BEN: { '639': 'PENDING', '679': 'UNSPECIFIED_FAILURE' },
  MOOV_BFA: {
    '048': 'INSUFFICIENT_BALANCE',
    '068': 'UNSPECIFIED_FAILURE',
    '138': 'PENDING',
    '678': 'COMPLETED',
  },
  ORANGE_BFA: { '678': 'COMPLETED' },
  ORANGE_CIV: { '030': 'UNSPECIFIED_FAILURE', '130': 'PENDING', '890': 'COMPLETED' },
  AIRTEL_GAB: { '678': 'COMPLETED' },
};

const REFUND_OUTCOMES: Outcomes = {
  '089': 'RECIPIENT_NOT_FOUND',
  '099': 'RECIPIENT_LIMIT_REACHED',
  '109': 'WALLET_LIMIT_REACHED',
  '119': 'UNSPECIFIED_FAILURE',
  '129': 'PENDING',
};

/** What becomes of a deposit by itself. Undefined: a person has to decide. */
export function outcomeOfDeposit(operator: Operator, phoneNumber: string): SandboxOutcome | undefined {
  const suffix = phoneNumber.slice(-3);
  return DEPOSIT_OUTCOMES_OF_OPERATOR[operator.code]?.[suffix] ?? DEPOSIT_OUTCOMES[suffix];
}

/** Goes to whoever paid, so the table is that of payouts: it completes unless the number says otherwise. */
export function outcomeOfRefund(phoneNumber: string): SandboxOutcome {
  return REFUND_OUTCOMES[phoneNumber.slice(-3)] ?? 'COMPLETED';
}
