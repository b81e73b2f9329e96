import type { Deposit } from './deposit-ledger.js';
import { badInput } from './pawapay-problem.js';
import type { RefundOrder } from './refund-ledger.js';
import {
  allowOnly,
  checkCurrency,
  type Fields,
  readAmount,
  readMetadata,
  readText,
} from './request-fields.js';

const FIELDS = ['refundId', 'depositId', 'amount', 'currency', 'clientReferenceId', 'metadata'];

/** What it says of itself; whether the deposit has as much left is the ledger's to know. */
export type WrittenRefund = Omit<RefundOrder, 'amount'> & {
  readonly written: { readonly amount: string; readonly currency: string } | undefined;
};

/** @throws {PawaPayProblem} */
export function readRefundOrder(body: Fields): WrittenRefund {
  allowOnly(body, FIELDS);
  const amount = readText(body, 'amount', /^/);
  const currency = readText(body, 'currency', /^/);
  if (amount !== undefined && currency === undefined) {
    throw badInput('MISSING_PARAMETER', 'The currency is required with the amount');
  }
  return {
    written: amount === undefined || currency === undefined ? undefined : { amount, currency },
    clientReferenceId: readText(body, 'clientReferenceId', /^[^]{1,100}$/),
    metadata: readMetadata(body),
  };
}

/** Minor units; undefined: all that is left. @throws {PawaPayProblem} */
export function amountOf({ written }: WrittenRefund, deposit: Deposit): number | undefined {
  if (!written) return undefined;
  return readAmount(written.amount, checkCurrency(written.currency, [deposit.currency]));
}
