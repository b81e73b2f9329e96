import { type Deposit, needsRedirect } from './deposit-ledger.js';
import { type Operator, showAmount } from './operators.js';
import type { PawaPayRefund } from './refund-ledger.js';

/** What pawaPay's documents leave open, and an account may see either way. */
export interface Wording {
  readonly clientReferenceInCallbacks: boolean;
  /** Whether refunds name the deposit that they give back. */
  readonly depositIdInRefunds: boolean;
  /** Under which name refunds say why they were refused. */
  readonly refundRefusals: 'failureReason' | 'rejectionReason';
}

const FAILURE_MESSAGES: Readonly<Record<string, string>> = {
  PAYMENT_NOT_APPROVED: 'The customer did not authorize the payment.',
  INSUFFICIENT_BALANCE: 'The customer does not have enough funds to complete this payment.',
  PAYER_NOT_FOUND: 'The phone number does not belong to a wallet of this provider.',
  PAYER_LIMIT_REACHED: 'The customer has reached a limit of their wallet.',
};

/** As the status shows it. */
export function presentDeposit(deposit: Deposit): object {
  return { ...presentDepositInCallback(deposit), clientReferenceId: deposit.clientReferenceId };
}

/** Without the merchant's reference, which callbacks may leave out. */
export function presentDepositInCallback(deposit: Deposit): object {
  return {
    depositId: deposit.id,
    status: deposit.status,
    ...stepOf(deposit),
    amount: showAmount(deposit.amount, deposit.currency),
    currency: deposit.currency,
    country: deposit.operator.country.code,
    payer: accountOf(deposit.operator, deposit.phoneNumber),
    customerMessage: deposit.customerMessage,
    created: showTime(deposit.created),
    providerTransactionId: deposit.providerTransactionId,
    ...(deposit.failureCode !== undefined && { failureReason: failureReasonOf(deposit.failureCode) }),
    metadata: deposit.metadata,
  };
}

/** What is to be done next, where somebody has to do something. */
function stepOf(deposit: Deposit): object {
  const { status, authorisationUrl } = deposit;
  if (!needsRedirect(deposit)) return {};
  if (status === 'ACCEPTED') return { nextStep: 'GET_AUTH_URL' };
  if (status === 'PROCESSING') {
    return { nextStep: 'REDIRECT_TO_AUTH_URL', authorizationUrl: authorisationUrl };
  }
  return {};
}

/** The answer to the request that made it. */
export function presentAccepted(deposit: Deposit): object {
  return {
    depositId: deposit.id,
    status: 'ACCEPTED',
    nextStep: 'FINAL_STATUS',
    ...stepOf(deposit),
    created: showTime(deposit.created),
  };
}

export function presentRefund(refund: PawaPayRefund, wording: Wording): object {
  return {
    ...presentRefundInCallback(refund, wording),
    clientReferenceId: refund.clientReferenceId,
  };
}

export function presentRefundInCallback(refund: PawaPayRefund, wording: Wording): object {
  const { deposit } = refund;
  return {
    refundId: refund.id,
    ...(wording.depositIdInRefunds && { depositId: deposit.id }),
    status: refund.status,
    amount: showAmount(refund.amount, deposit.currency),
    currency: deposit.currency,
    country: deposit.operator.country.code,
    recipient: accountOf(deposit.operator, deposit.phoneNumber),
    customerMessage: deposit.customerMessage,
    created: showTime(refund.created),
    providerTransactionId: refund.providerTransactionId,
    ...(refund.failureCode !== undefined && refusalOf(failureReasonOf(refund.failureCode), wording)),
    metadata: refund.metadata,
  };
}

/** Why a refund was refused, under either of the names that pawaPay's documents give it. */
export function refusalOf(
  { failureCode, failureMessage }: { failureCode: string; failureMessage: string },
  { refundRefusals }: Wording,
): object {
  return refundRefusals === 'failureReason'
    ? { failureReason: { failureCode, failureMessage } }
    : { rejectionReason: { rejectionCode: failureCode, rejectionMessage: failureMessage } };
}

/** To the second. */
export function showTime(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}

function accountOf({ code }: Operator, phoneNumber: string): object {
  return { type: 'MMO', accountDetails: { phoneNumber, provider: code } };
}

function failureReasonOf(failureCode: string): { failureCode: string; failureMessage: string } {
  return { failureCode, failureMessage: FAILURE_MESSAGES[failureCode] ?? 'The payment failed.' };
}
