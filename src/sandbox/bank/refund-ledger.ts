import { BoundedMap } from '../bounded-map.js';
import { type BankPayment, randomName } from './bank-ledger.js';

export type BankRefundStatus = 'PENDING' | 'BOOKED' | 'REJECTED';

export interface BankRefund {
  readonly id: string;
  /** The merchant's; undefined for one that the bank's own staff made. */
  readonly reference: string | undefined;
  /** Minor units of the payment's currency. */
  readonly amount: number;
  status: BankRefundStatus;
}

export interface RefundOrder {
  readonly reference: string | undefined;
  readonly amount: number;
  /** Of the payment; one that is left out is not compared. */
  readonly transferId?: string | undefined;
}

export type RefundResult =
  | { readonly kind: 'made' | 'repeated'; readonly refund: BankRefund }
  | { readonly kind: 'refused'; readonly code: string };

export interface RefundLedgerOptions {
  /** The oldest refunds are forgotten beyond this number. */
  readonly maximumRefunds: number;
  /** When it is booked or rejected. */
  readonly onSettled: (payment: BankPayment, refund: BankRefund) => void;
}

interface Entry {
  readonly payment: BankPayment;
  readonly refund: BankRefund;
}

/** What goes back: one refund of each reference, and never more than was paid. */
export class RefundLedger {
  /** Whether refunds stay PENDING until they are settled, instead of being booked at once. */
  held = false;
  readonly #options: RefundLedgerOptions;
  readonly #byId: Map<string, Entry>;
  readonly #byReference: Map<string, Entry>;
  /** Which reference each idempotency key was used for. */
  readonly #keys: Map<string, string>;
  #notRejected = 0;

  constructor(options: RefundLedgerOptions) {
    this.#options = options;
    this.#byId = new BoundedMap(options.maximumRefunds);
    this.#byReference = new BoundedMap(options.maximumRefunds);
    this.#keys = new BoundedMap(options.maximumRefunds);
  }

  /** How many were made in all, those that were rejected left out. */
  get count(): number {
    return this.#notRejected;
  }

  create(payment: BankPayment, order: RefundOrder, idempotencyKey?: string): RefundResult {
    const { reference } = order;
    const keyUsedFor = idempotencyKey === undefined ? undefined : this.#keys.get(idempotencyKey);
    if (keyUsedFor !== undefined && keyUsedFor !== reference) return refused('idempotency_key_reused');
    const known = reference === undefined ? undefined : this.#byReference.get(reference);
    if (known) {
      const same = known.payment === payment && known.refund.amount === order.amount;
      return same ? { kind: 'repeated', refund: known.refund } : refused('reference_in_use');
    }
    if (payment.transferId === undefined) return refused('not_paid');
    if ((order.transferId ?? payment.transferId) !== payment.transferId) return refused('another_transfer');
    if (order.amount > refundableAmount(payment)) return refused('more_than_was_paid');
    if (idempotencyKey !== undefined && reference !== undefined) this.#keys.set(idempotencyKey, reference);
    return { kind: 'made', refund: this.#add(payment, order) };
  }

  find(idOrReference: string): BankRefund | undefined {
    return this.#entryOf(idOrReference)?.refund;
  }

  /** A transfer may come back even after it was booked; what was rejected stays so. False: there is no such refund. */
  settle(idOrReference: string, decision: 'book' | 'reject'): boolean {
    const entry = this.#entryOf(idOrReference);
    if (!entry) return false;
    const { payment, refund } = entry;
    const possible = decision === 'book' ? refund.status === 'PENDING' : refund.status !== 'REJECTED';
    if (possible) {
      refund.status = decision === 'book' ? 'BOOKED' : 'REJECTED';
      if (decision === 'reject') this.#notRejected -= 1;
      this.#options.onSettled(payment, refund);
    }
    return true;
  }

  #entryOf(idOrReference: string): Entry | undefined {
    return this.#byId.get(idOrReference) ?? this.#byReference.get(idOrReference);
  }

  #add(payment: BankPayment, { reference, amount }: RefundOrder): BankRefund {
    const refund: BankRefund = { id: `brfd_${randomName()}`, reference, amount, status: 'PENDING' };
    payment.refunds.push(refund);
    this.#byId.set(refund.id, { payment, refund });
    if (reference !== undefined) this.#byReference.set(reference, { payment, refund });
    this.#notRejected += 1;
    if (!this.held) this.settle(refund.id, 'book');
    return refund;
  }
}

/** Minor units. */
export function givenBack({ refunds }: BankPayment): number {
  return sumOf(refunds.filter(({ status }) => status === 'BOOKED'));
}

/** Minor units: what was paid, less what went back and what is on its way. */
export function refundableAmount({ transferId, amount, refunds }: BankPayment): number {
  if (transferId === undefined) return 0;
  return amount - sumOf(refunds.filter(({ status }) => status !== 'REJECTED'));
}

function sumOf(refunds: readonly BankRefund[]): number {
  return refunds.reduce((sum, { amount }) => sum + amount, 0);
}

function refused(code: string): RefundResult {
  return { kind: 'refused', code };
}
