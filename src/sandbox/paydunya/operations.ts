export const PAYDUNYA_OPERATIONS = [
  'createInvoice',
  'confirmInvoice',
  'softpay',
  'confirmSoftpay',
  'makePayment',
  'createOnsiteInvoice',
  'chargeOnsiteInvoice',
  'creditAccount',
] as const;

export type PayDunyaOperation = (typeof PAYDUNYA_OPERATIONS)[number];
