import { randomUUID } from 'node:crypto';
import type { Currency } from '../../money.js';
import { BoundedMap } from '../bounded-map.js';
import type { BankRefund } from './refund-ledger.js';

export type BankPaymentStatus = 'CREATED' | 'AUTHORISING' | 'BOOKED' | 'REJECTED' | 'CANCELLED' | 'EXPIRED';

export interface PaymentOrder {
  readonly reference: string;
  /** Minor units. */
  readonly amount: number;
  readonly currency: Currency;
  readonly description: string;
  readonly returnUrl: string;
  readonly notificationUrl: string | undefined;
  readonly locale: string;
  readonly expiresAt: Date;
}

export interface BankPayment extends PaymentOrder {
  readonly id: string;
  /** 1, 2, 3 …, in the order in which they were created. */
  readonly number: number;
  readonly createdAt: Date;
  status: BankPaymentStatus;
  /** The movement of money: there is one once the payment is BOOKED, and never another. */
  transferId: string | undefined;
  /** How often money moved. More than once would be the fault that all of this exists to exclude. */
  charges: number;
  readonly refunds: BankRefund[];
}

export type CreateResult =
  | { readonly kind: 'created' | 'repeated'; readonly payment: BankPayment }
  | { readonly kind: 'refused'; readonly code: string };

export interface BankLedgerOptions {
  readonly now: () => Date;
  /** The oldest payments are forgotten beyond this number. */
  readonly maximumPayments: number;
  readonly onChange: (payment: BankPayment) => void;
}

const OVER: readonly BankPaymentStatus[] = ['BOOKED', 'REJECTED', 'CANCELLED', 'EXPIRED'];

/** The bank's books: one payment of each reference, and money that moves once. */
export class BankLedger {
  readonly #options: BankLedgerOptions;
  readonly #byId: Map<string, BankPayment>;
  readonly #byReference: Map<string, BankPayment>;
  /** Which reference each idempotency key was used for. */
  readonly #keys: Map<string, string>;
  #createdInAll = 0;
  #chargedInAll = 0;

  constructor(options: BankLedgerOptions) {
    this.#options = options;
    this.#byId = new BoundedMap(options.maximumPayments);
    this.#byReference = new BoundedMap(options.maximumPayments);
    this.#keys = new BoundedMap(options.maximumPayments);
  }

  get counts(): { payments: number; charges: number } {
    return { payments: this.#createdInAll, charges: this.#chargedInAll };
  }

  /** Those that are still remembered, in the order in which they were created. */
  all(): BankPayment[] {
    return [...this.#byId.values()];
  }

  /** Those created in this time, `until` exclusive, after the one with this number. */
  created(since: Date, until: Date, afterNumber: number): BankPayment[] {
    return this.all().filter(
      ({ createdAt, number }) => number > afterNumber && createdAt >= since && createdAt < until,
    );
  }

  /** How often money moved for each reference that is still remembered. */
  chargesByReference(): Record<string, number> {
    return Object.fromEntries([...this.#byReference].map(([reference, { charges }]) => [reference, charges]));
  }

  create(order: PaymentOrder, idempotencyKey: string | undefined): CreateResult {
    const keyUsedFor = idempotencyKey === undefined ? undefined : this.#keys.get(idempotencyKey);
    if (keyUsedFor !== undefined && keyUsedFor !== order.reference) {
      return { kind: 'refused', code: 'idempotency_key_reused' };
    }
    const known = this.find(order.reference);
    if (known) {
      const same = known.amount === order.amount && known.currency === order.currency;
      return same ? { kind: 'repeated', payment: known } : { kind: 'refused', code: 'reference_in_use' };
    }
    if (order.expiresAt <= this.#options.now()) return { kind: 'refused', code: 'already_expired' };
    if (idempotencyKey !== undefined) this.#keys.set(idempotencyKey, order.reference);
    return { kind: 'created', payment: this.#add(order) };
  }

  /** By the bank's id or by the reference. Whoever looks sees an unpaid payment expire when its time is up. */
  find(idOrReference: string): BankPayment | undefined {
    const payment = this.#byId.get(idOrReference) ?? this.#byReference.get(idOrReference);
    if (payment?.status === 'CREATED' && payment.expiresAt <= this.#options.now()) {
      this.#change(payment, 'EXPIRED');
    }
    return payment;
  }

  /** The payer has confirmed, and the bank is deciding: nothing can be cancelled any more. */
  authorise(payment: BankPayment): void {
    if (payment.status === 'CREATED') this.#change(payment, 'AUTHORISING');
  }

  /** @param late true: even though the payment is over. The money that arrives late is what makes banks interesting. */
  pay(payment: BankPayment, late = false): void {
    if (payment.transferId !== undefined || (isOver(payment) && !late)) return;
    payment.transferId = `tr_${randomName()}`;
    payment.charges += 1;
    this.#chargedInAll += 1;
    this.#change(payment, 'BOOKED');
  }

  decline(payment: BankPayment): void {
    if (!isOver(payment)) this.#change(payment, 'REJECTED');
  }

  /** Does nothing when it is too late; the payment says what it is. */
  cancel(payment: BankPayment): void {
    if (payment.status === 'CREATED') this.#change(payment, 'CANCELLED');
  }

  #add(order: PaymentOrder): BankPayment {
    this.#createdInAll += 1;
    const payment: BankPayment = {
      ...order,
      id: `bpay_${randomName()}`,
      number: this.#createdInAll,
      createdAt: this.#options.now(),
      status: 'CREATED',
      transferId: undefined,
      charges: 0,
      refunds: [],
    };
    this.#byId.set(payment.id, payment);
    this.#byReference.set(payment.reference, payment);
    return payment;
  }

  #change(payment: BankPayment, status: BankPaymentStatus): void {
    payment.status = status;
    this.#options.onChange(payment);
  }
}

export function isOver(payment: BankPayment): boolean {
  return OVER.includes(payment.status);
}

export function randomName(): string {
  return randomUUID().replaceAll('-', '');
}
