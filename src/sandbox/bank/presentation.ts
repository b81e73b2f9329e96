import { toDecimal } from '../../money.js';
import type { BankPayment } from './bank-ledger.js';
import { type BankRefund, givenBack } from './refund-ledger.js';

/** A payment as the API shows it. */
export function presentPayment(payment: BankPayment, paymentUrl: string): object {
  const inDecimals = (amount: number) => toDecimal(amount, payment.currency);
  return {
    id: payment.id,
    reference: payment.reference,
    status: payment.status,
    amount: inDecimals(payment.amount),
    currency: payment.currency,
    paid_amount: inDecimals(payment.transferId === undefined ? 0 : payment.amount),
    refunded_amount: inDecimals(givenBack(payment)),
    transfer_id: payment.transferId ?? null,
    created_at: payment.createdAt.toISOString(),
    payment_url: paymentUrl,
    refunds: payment.refunds.map((refund) => presentRefund(payment, refund)),
  };
}

export function presentRefund(payment: BankPayment, refund: BankRefund): object {
  return {
    id: refund.id,
    payment_id: payment.id,
    reference: refund.reference ?? null,
    status: refund.status,
    amount: toDecimal(refund.amount, payment.currency),
    currency: payment.currency,
  };
}
