import { randomUUID } from 'node:crypto';
import type { Currency } from '../../money.js';
import { BoundedMap } from '../bounded-map.js';
import type { Deposit } from './deposit-ledger.js';
import { rejection } from './pawapay-problem.js';
import { outcomeOfRefund } from './sandbox-numbers.js';

export type PawaPayRefundStatus = 'ACCEPTED' | 'ENQUEUED' | 'PROCESSING' | 'COMPLETED' | 'FAILED';

export interface RefundOrder {
  /** Minor units of the deposit's currency; undefined: all that is left. */
  readonly amount: number | undefined;
  readonly clientReferenceId?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

export interface PawaPayRefund extends RefundOrder {
  readonly id: string;
  readonly amount: number;
  readonly deposit: Deposit;
  readonly created: Date;
  status: PawaPayRefundStatus;
  failureCode?: string;
  providerTransactionId?: string;
}

export interface RefundLedgerOptions {
  readonly now: () => Date;
  /** The oldest refunds are forgotten beyond this number. */
  readonly maximumRefunds: number;
  readonly later: (work: () => void) => void;
  /** When it is final. */
  readonly onSettled: (refund: PawaPayRefund) => void;
}

/** What goes back: one refund of each id, one at a time of each deposit, and never more than was paid. */
export class RefundLedger {
  readonly #options: RefundLedgerOptions;
  readonly #byId: Map<string, PawaPayRefund>;
  #held = false;
  #acceptedInAll = 0;
  #failedInAll = 0;
  readonly #givenBack: Partial<Record<Currency, number>> = {};

  constructor(options: RefundLedgerOptions) {
    this.#options = options;
    this.#byId = new BoundedMap(options.maximumRefunds);
  }

  /** Made in all, those that failed left out. */
  get counts(): { refunds: number; givenBack: Partial<Record<Currency, number>> } {
    return { refunds: this.#acceptedInAll - this.#failedInAll, givenBack: { ...this.#givenBack } };
  }

  find(id: string): PawaPayRefund | undefined {
    return this.#byId.get(id.toLowerCase());
  }

  /** Held: refunds stay ENQUEUED until they are settled. Let go, those that waited go their way. */
  hold(held: boolean): void {
    this.#held = held;
    if (held) return;
    for (const refund of this.#byId.values()) if (refund.status === 'ENQUEUED') this.#proceed(refund);
  }

  /** Of an id that is not known. @throws {PawaPayProblem} when it can't be. */
  accept(id: string, deposit: Deposit, order: RefundOrder): PawaPayRefund {
    const amount = amountToGiveBack(deposit, order.amount);
    const refund: PawaPayRefund = {
      ...order,
      id: id.toLowerCase(),
      amount,
      deposit,
      created: this.#options.now(),
      status: 'ACCEPTED',
    };
    deposit.refunds.push(refund);
    this.#byId.set(refund.id, refund);
    this.#acceptedInAll += 1;
    this.#options.later(() => this.#proceed(refund));
    return refund;
  }

  complete(refund: PawaPayRefund): void {
    if (isFinalRefund(refund)) return;
    const { currency } = refund.deposit;
    refund.providerTransactionId = randomUUID();
    this.#givenBack[currency] = (this.#givenBack[currency] ?? 0) + refund.amount;
    this.#end(refund, 'COMPLETED');
  }

  fail(refund: PawaPayRefund, failureCode: string): void {
    if (isFinalRefund(refund)) return;
    refund.failureCode = failureCode;
    this.#failedInAll += 1;
    this.#end(refund, 'FAILED');
  }

  #proceed(refund: PawaPayRefund): void {
    if (isFinalRefund(refund)) return;
    const outcome = outcomeOfRefund(refund.deposit.phoneNumber);
    if (this.#held) refund.status = 'ENQUEUED';
    else if (outcome === 'COMPLETED') this.complete(refund);
    else if (outcome === 'PENDING') refund.status = 'PROCESSING';
    else this.fail(refund, outcome);
  }

  #end(refund: PawaPayRefund, status: PawaPayRefundStatus): void {
    refund.status = status;
    this.#options.onSettled(refund);
  }
}

export function isFinalRefund({ status }: PawaPayRefund): boolean {
  return status === 'COMPLETED' || status === 'FAILED';
}

/** Minor units. */
export function givenBack({ refunds }: Deposit): number {
  return refunds.filter(({ status }) => status === 'COMPLETED').reduce((sum, { amount }) => sum + amount, 0);
}

function amountToGiveBack(deposit: Deposit, wanted: number | undefined): number {
  if (deposit.status !== 'COMPLETED') {
    throw rejection('INVALID_STATE', `The deposit is ${deposit.status}`);
  }
  if (deposit.refunds.some((refund) => !isFinalRefund(refund))) {
    throw rejection('REFUND_IN_PROGRESS', 'Another refund of this deposit is in progress');
  }
  const left = deposit.amount - givenBack(deposit);
  if (left === 0) throw rejection('DEPOSIT_ALREADY_REFUNDED', 'All of this deposit was given back');
  if (wanted !== undefined && wanted > left) {
    throw rejection('AMOUNT_TOO_LARGE', 'There is less left of this deposit');
  }
  return wanted ?? left;
}
