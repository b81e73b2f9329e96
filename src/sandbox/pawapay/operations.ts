import { type Deposit, isFinal } from './deposit-ledger.js';
import { type DepositOrder, readDepositOrder } from './deposit-order.js';
import type { PawaPayOperation } from './faults.js';
import type { PawaPayApi, PawaPayRequest } from './pawapay-api.js';
import { rejection } from './pawapay-problem.js';
import { presentAccepted, presentDeposit, presentRefund, showTime } from './presentation.js';
import { isFinalRefund } from './refund-ledger.js';
import { amountOf, readRefundOrder } from './refund-order.js';
import { readId } from './request-fields.js';
import { presentAvailability, presentConfiguration, presentPrediction } from './toolkit.js';

type Answer = (api: PawaPayApi, request: PawaPayRequest) => unknown;

/** What each operation answers when all is well. Each may throw a `PawaPayProblem`. */
export const ANSWERS: Readonly<Record<PawaPayOperation, Answer>> = {
  createDeposit,
  getDeposit: ({ deposits }, { id }) => found(deposits.find(id), presentDeposit),
  resendDepositCallback,
  createPaymentPage,
  createRefund,
  getRefund: ({ refunds, wording }, { id }) =>
    found(refunds.find(id), (refund) => presentRefund(refund, wording)),
  resendRefundCallback,
  readActiveConfiguration: (api, { query }) => presentConfiguration(api.configuration(), query),
  readAvailability: (api, { query }) => presentAvailability(api.configuration().statuses, query),
  predictProvider: (_api, { body }) => presentPrediction(body),
  readPublicKeys: ({ signer }) => signer?.publicKeys() ?? [],
};

function createDeposit(api: PawaPayApi, { body }: PawaPayRequest): object {
  const depositId = readId(body, 'depositId');
  const known = api.deposits.find(depositId);
  if (known) return { depositId, status: 'DUPLICATE_IGNORED', created: showTime(known.created) };
  const rejected = api.deposits.rejectionOf(depositId);
  if (rejected) throw rejected;
  return presentAccepted(acceptDeposit(api, depositId, readDepositOrder(body)));
}

/** The same for whoever comes from the payment page. @throws {PawaPayProblem} while the operator takes nothing. */
export function acceptDeposit(api: PawaPayApi, depositId: string, order: DepositOrder): Deposit {
  if (api.configuration().statuses.of(order.operator) === 'CLOSED') {
    throw rejection('PROVIDER_TEMPORARILY_UNAVAILABLE', `${order.operator.code} takes no payments now`);
  }
  return api.deposits.accept(depositId, order);
}

function createPaymentPage(api: PawaPayApi, { body }: PawaPayRequest): object {
  const depositId = readId(body, 'depositId');
  const known = api.deposits.find(depositId);
  if (known) return { depositId, status: 'DUPLICATE_IGNORED', created: showTime(known.created) };
  return { redirectUrl: api.pageUrl(api.pages.open(body)) };
}

function createRefund({ deposits, refunds }: PawaPayApi, { body }: PawaPayRequest): object {
  const refundId = readId(body, 'refundId');
  const depositId = readId(body, 'depositId');
  const known = refunds.find(refundId);
  if (known) return { refundId, status: 'DUPLICATE_IGNORED', created: showTime(known.created) };
  const written = readRefundOrder(body);
  const deposit = deposits.find(depositId);
  if (!deposit) throw rejection('NOT_FOUND', `There is no deposit ${depositId}`);
  const { clientReferenceId, metadata } = written;
  const order = { amount: amountOf(written, deposit), clientReferenceId, metadata };
  const { created } = refunds.accept(refundId, deposit, order);
  return { refundId, status: 'ACCEPTED', created: showTime(created) };
}

function resendDepositCallback({ deposits, callbacks }: PawaPayApi, { id }: PawaPayRequest): object {
  const deposit = deposits.find(id);
  if (!deposit) return resendRefused({ depositId: id }, 'NOT_FOUND');
  if (!isFinal(deposit)) return resendRefused({ depositId: id }, 'INVALID_STATE');
  callbacks.tellAgain(deposit);
  return { depositId: id, status: 'ACCEPTED' };
}

function resendRefundCallback({ refunds, callbacks }: PawaPayApi, { id }: PawaPayRequest): object {
  const refund = refunds.find(id);
  if (!refund) return resendRefused({ refundId: id }, 'NOT_FOUND');
  if (!isFinalRefund(refund)) return resendRefused({ refundId: id }, 'INVALID_STATE');
  callbacks.tellOfRefund(refund);
  return { refundId: id, status: 'ACCEPTED' };
}

function resendRefused(of: object, failureCode: string): object {
  const failureMessage = 'There is no callback to be sent again';
  return { ...of, status: 'REJECTED', failureReason: { failureCode, failureMessage } };
}

function found<Thing>(thing: Thing | undefined, present: (thing: Thing) => object): object {
  return thing === undefined ? { status: 'NOT_FOUND' } : { status: 'FOUND', data: present(thing) };
}
