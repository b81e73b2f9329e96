import type { Currency } from '../../money.js';
import { BoundedMap } from '../bounded-map.js';
import { randomUUID } from 'node:crypto';
import type { DepositOrder } from './deposit-order.js';
import type { PawaPayProblem } from './pawapay-problem.js';
import type { PawaPayRefund } from './refund-ledger.js';
import { outcomeOfDeposit } from './sandbox-numbers.js';

export type DepositStatus = 'ACCEPTED' | 'PROCESSING' | 'IN_RECONCILIATION' | 'COMPLETED' | 'FAILED';

/** When the page of a REDIRECT_AUTH operator is known: with the answer, or to whoever asks again. */
export type AuthorisationMode = 'AT_ONCE' | 'LATER';

export interface Deposit extends DepositOrder {
  readonly id: string;
  readonly created: Date;
  status: DepositStatus;
  /** Of a REDIRECT_AUTH operator, once it is known. */
  authorisationUrl?: string;
  failureCode?: string;
  /** The movement of money: there is one once the deposit is COMPLETED, and never another. */
  providerTransactionId?: string;
  readonly refunds: PawaPayRefund[];
}

export interface DepositLedgerOptions {
  readonly now: () => Date;
  /** The oldest deposits are forgotten beyond this number. */
  readonly maximumDeposits: number;
  /** Does it when the operator has had its time to think. */
  readonly later: (work: () => void) => void;
  readonly authorisationUrl: (depositId: string) => string;
  /** When it is final, and when its page is known. */
  readonly onChange: (deposit: Deposit) => void;
}

/** pawaPay's books of money that came in: one deposit of each id, and an end that changes only where it is made to. */
export class DepositLedger {
  authorisationMode: AuthorisationMode = 'AT_ONCE';
  readonly #options: DepositLedgerOptions;
  readonly #byId: Map<string, Deposit>;
  readonly #rejected: Map<string, PawaPayProblem>;
  #acceptedInAll = 0;
  #completedInAll = 0;
  readonly #taken: Partial<Record<Currency, number>> = {};

  constructor(options: DepositLedgerOptions) {
    this.#options = options;
    this.#byId = new BoundedMap(options.maximumDeposits);
    this.#rejected = new BoundedMap(options.maximumDeposits);
  }

  get counts(): { deposits: number; completed: number; taken: Partial<Record<Currency, number>> } {
    return { deposits: this.#acceptedInAll, completed: this.#completedInAll, taken: { ...this.#taken } };
  }

  /** Those that are still remembered, in the order in which they were accepted. */
  all(): Deposit[] {
    return [...this.#byId.values()];
  }

  find(id: string): Deposit | undefined {
    return this.#byId.get(id.toLowerCase());
  }

  /** Why this id was rejected: for ever, since what was rejected needs another id. */
  rejectionOf(id: string): PawaPayProblem | undefined {
    return this.#rejected.get(id.toLowerCase());
  }

  reject(id: string, why: PawaPayProblem): void {
    this.#rejected.set(id.toLowerCase(), why);
  }

  /** Of an id that is neither known nor rejected. */
  accept(id: string, order: DepositOrder): Deposit {
    const deposit: Deposit = {
      ...order,
      id: id.toLowerCase(),
      created: this.#options.now(),
      status: 'ACCEPTED',
      refunds: [],
    };
    this.#acceptedInAll += 1;
    this.#byId.set(deposit.id, deposit);
    this.#begin(deposit);
    return deposit;
  }

  /** @param late also one that had FAILED: the operator has corrected itself. */
  complete(deposit: Deposit, late = false): void {
    if (deposit.status === 'COMPLETED' || (isFinal(deposit) && !late)) return;
    delete deposit.failureCode;
    deposit.providerTransactionId = randomUUID();
    this.#completedInAll += 1;
    this.#taken[deposit.currency] = (this.#taken[deposit.currency] ?? 0) + deposit.amount;
    this.#end(deposit, 'COMPLETED');
  }

  fail(deposit: Deposit, failureCode: string): void {
    if (isFinal(deposit)) return;
    deposit.failureCode = failureCode;
    this.#end(deposit, 'FAILED');
  }

  /** Nobody knows what the operator did, and pawaPay is finding out. */
  reconcile(deposit: Deposit): void {
    if (!isFinal(deposit)) deposit.status = 'IN_RECONCILIATION';
  }

  #begin(deposit: Deposit): void {
    if (!needsRedirect(deposit)) return this.#options.later(() => this.#askPayer(deposit));
    if (this.authorisationMode === 'AT_ONCE') this.#openAuthorisation(deposit);
    else this.#options.later(() => this.#openAuthorisation(deposit));
  }

  #openAuthorisation(deposit: Deposit): void {
    if (deposit.status !== 'ACCEPTED') return;
    deposit.status = 'PROCESSING';
    deposit.authorisationUrl = this.#options.authorisationUrl(deposit.id);
    this.#options.onChange(deposit);
  }

  #askPayer(deposit: Deposit): void {
    if (deposit.status !== 'ACCEPTED') return;
    const outcome = outcomeOfDeposit(deposit.operator, deposit.phoneNumber);
    if (outcome === 'COMPLETED') this.complete(deposit);
    else if (outcome === 'PENDING' || outcome === undefined) deposit.status = 'PROCESSING';
    else this.fail(deposit, outcome);
  }

  #end(deposit: Deposit, status: DepositStatus): void {
    deposit.status = status;
    this.#options.onChange(deposit);
  }
}

export function isFinal({ status }: Deposit): boolean {
  return status === 'COMPLETED' || status === 'FAILED';
}

export function needsRedirect({ operator }: Deposit): boolean {
  return operator.authType === 'REDIRECT_AUTH';
}

/** Whether a prompt is on the payer's phone, of which nobody but a person decides. */
export function hasPrompt(deposit: Deposit): boolean {
  if (isFinal(deposit) || needsRedirect(deposit)) return false;
  return outcomeOfDeposit(deposit.operator, deposit.phoneNumber) === undefined;
}
