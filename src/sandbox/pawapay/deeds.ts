import { randomUUID } from 'node:crypto';
import { HttpProblem } from '../http-exchange.js';
import { FORGED_SIGNATURES } from './callback-signature.js';
import type { Deposit } from './deposit-ledger.js';
import { findOperator, type OperatorStatus } from './operators.js';
import type { PagePayer, PageSession } from './page-sessions.js';
import type { PawaPayApi } from './pawapay-api.js';
import type { Forgery } from './pawapay-controls.js';
import { PawaPayProblem } from './pawapay-problem.js';
import { payOnPage } from './payment-page.js';
import { waitingNumberOf } from './phone-numbers.js';
import { presentDepositInCallback, showTime } from './presentation.js';
import type { PawaPayRefund } from './refund-ledger.js';

/** By its id, or the last one with this `clientReferenceId`. @throws {HttpProblem} 404. */
export function findDeposit({ deposits }: PawaPayApi, idOrReference: string): Deposit {
  const deposit =
    deposits.find(idOrReference) ??
    deposits.all().findLast(({ clientReferenceId }) => clientReferenceId === idOrReference);
  if (!deposit) throw new HttpProblem(404, `no_such_deposit: ${idOrReference}`);
  return deposit;
}

/** @throws {HttpProblem} 404. */
export function findRefund({ refunds }: PawaPayApi, id: string): PawaPayRefund {
  const refund = refunds.find(id);
  if (!refund) throw new HttpProblem(404, `no_such_refund: ${id}`);
  return refund;
}

/** What a payer does on the payment page, in their place. @throws {HttpProblem} when the page would not take it. */
export function submitPage(api: PawaPayApi, depositId: string, payer: Partial<PagePayer>): Deposit {
  const session = api.pages.find(depositId);
  if (!session) throw new HttpProblem(404, `no_such_page: ${depositId}`);
  return orProblem(() => payOnPage(api, session, { ...somebodyThere(session, payer), ...payer }));
}

/** Gives money back as pawaPay's dashboard does. @throws {HttpProblem} when there is none. */
export function refundByStaff(api: PawaPayApi, deposit: Deposit, amount?: number): { id: string } {
  if (amount !== undefined && !(Number.isSafeInteger(amount) && amount > 0)) {
    throw new HttpProblem(422, 'bad_amount');
  }
  return orProblem(() => ({ id: api.refunds.accept(randomUUID(), deposit, { amount }).id }));
}

/** What pawaPay never said. @throws {HttpProblem} 422 for a signature that is none of those. */
export function forge(api: PawaPayApi, depositId: string, { signature = 'WRONG', body }: Forgery): void {
  if (!FORGED_SIGNATURES.includes(signature)) throw new HttpProblem(422, 'bad_signature');
  const deposit = api.deposits.find(depositId);
  const truth = deposit ? presentDepositInCallback(deposit) : presentNobodys(depositId);
  api.callbacks.forge(depositId, { ...truth, status: 'COMPLETED', ...body }, signature);
}

/** @throws {HttpProblem} 404 for an operator that is not known. */
export function setOperatorStatus(api: PawaPayApi, code: string, status: OperatorStatus): void {
  const operator = findOperator(code);
  if (!operator) throw new HttpProblem(404, `no_such_operator: ${code}`);
  api.configuration().statuses.set(operator, status);
}

/** The first operator on the page, or the one that was chosen, and a number of its own that waits for a person. */
function somebodyThere({ operators }: PageSession, { provider }: Partial<PagePayer>): PagePayer {
  const operator = operators.find(({ code }) => code === (provider ?? code));
  return { provider: operator?.code ?? '', phoneNumber: operator ? waitingNumberOf(operator) : '' };
}

function presentNobodys(depositId: string): object {
  return {
    depositId,
    amount: '15000.00',
    currency: 'XOF',
    country: 'BEN',
    payer: { type: 'MMO', accountDetails: { phoneNumber: '22951345789', provider: 'MTN_MOMO_BEN' } },
    created: showTime(new Date()),
    providerTransactionId: randomUUID(),
  };
}

/** Who holds the controls is told why in their own way. */
function orProblem<Result>(deed: () => Result): Result {
  try {
    return deed();
  } catch (error) {
    if (error instanceof PawaPayProblem) throw new HttpProblem(409, error.failureCode);
    throw error;
  }
}
