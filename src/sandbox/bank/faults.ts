export const BANK_OPERATIONS = [
  'createPayment',
  'getPayment',
  'findPayments',
  'listPayments',
  'cancelPayment',
  'createRefund',
] as const;

export type BankOperation = (typeof BANK_OPERATIONS)[number];
