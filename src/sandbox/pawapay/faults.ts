import { FAULTS_BY_CHANCE as HTTP_FAULTS_BY_CHANCE, type HttpFault } from '../http-fault.js';

export const PAWAPAY_OPERATIONS = [
  'createDeposit',
  'getDeposit',
  'resendDepositCallback',
  'createPaymentPage',
  'createRefund',
  'getRefund',
  'resendRefundCallback',
  'readActiveConfiguration',
  'readAvailability',
  'predictProvider',
  'readPublicKeys',
] as const;

export type PawaPayOperation = (typeof PAWAPAY_OPERATIONS)[number];

export type PawaPayFault =
  | HttpFault
  /** Refused with HTTP 200, before anything is done. */
  | { readonly kind: 'reject'; readonly failureCode: string; readonly afterDoing?: false };

/** The status of which nobody knows what was done. */
export const UNKNOWN_ERROR: HttpFault = {
  kind: 'status',
  status: 500,
  body: JSON.stringify({
    failureReason: { failureCode: 'UNKNOWN_ERROR', failureMessage: 'Please check the status.' },
  }),
};

/** A 500 that was given no body says what pawaPay's own would. */
export function inPawaPaysWords(fault: HttpFault): HttpFault {
  const isBare = fault.kind === 'status' && fault.status === 500 && fault.body === undefined;
  return isBare ? { ...UNKNOWN_ERROR, ...(fault.afterDoing && { afterDoing: true }) } : fault;
}

/** What goes wrong by chance, when that is asked for. */
export const FAULTS_BY_CHANCE: readonly PawaPayFault[] = [
  ...HTTP_FAULTS_BY_CHANCE,
  UNKNOWN_ERROR,
  { ...UNKNOWN_ERROR, afterDoing: true },
];
