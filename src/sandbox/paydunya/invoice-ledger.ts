import { randomBytes } from 'node:crypto';
import { BoundedMap } from '../bounded-map.js';
import { attemptOf, type Customer, type Invoice, type InvoiceOrder, type InvoiceStatus } from './invoice.js';

export interface InvoiceLedgerOptions {
  /** `test_` in the sandbox, nothing in live mode. */
  readonly tokenPrefix: string;
  readonly now: () => Date;
  /** The oldest invoices are forgotten beyond this number. */
  readonly maximumInvoices: number;
  readonly onCreate: (invoice: Invoice) => void;
  readonly onChange: (invoice: Invoice) => void;
}

export interface Paying {
  readonly amount: number;
  readonly customer: Customer;
  readonly channel: string;
}

export interface InvoiceCounts {
  readonly invoices: number;
  readonly completed: number;
  /** Whole francs that payers paid in all. */
  readonly taken: number;
  /** By `custom_data.attempt`, of the invoices that are still remembered. */
  readonly invoicesByAttempt: Readonly<Record<string, number>>;
  readonly completedByAttempt: Readonly<Record<string, number>>;
}

const UNPAID_HOURS = 24;

/** PayDunya's books: every request for an invoice makes a new one, and each is paid once. */
export class InvoiceLedger {
  readonly #options: InvoiceLedgerOptions;
  readonly #byToken: Map<string, Invoice>;
  readonly #lastOfAttempt: Map<string, Invoice>;
  #invoices = 0;
  #completed = 0;
  #taken = 0;

  constructor(options: InvoiceLedgerOptions) {
    this.#options = options;
    this.#byToken = new BoundedMap(options.maximumInvoices);
    this.#lastOfAttempt = new BoundedMap(options.maximumInvoices);
  }

  counts(): InvoiceCounts {
    const all = [...this.#byToken.values()];
    return {
      invoices: this.#invoices,
      completed: this.#completed,
      taken: this.#taken,
      invoicesByAttempt: countByAttempt(all),
      completedByAttempt: countByAttempt(all.filter(({ payment }) => payment)),
    };
  }

  create(order: InvoiceOrder): Invoice {
    this.#invoices += 1;
    const invoice: Invoice = {
      ...order,
      token: `${this.#options.tokenPrefix}${randomName()}`,
      createdAt: this.#options.now(),
      status: 'pending',
      payment: undefined,
      failure: undefined,
    };
    this.#byToken.set(invoice.token, invoice);
    const attempt = attemptOf(order);
    if (attempt !== undefined) this.#lastOfAttempt.set(attempt, invoice);
    this.#options.onCreate(invoice);
    return invoice;
  }

  /** Whoever looks sees an unpaid invoice turn cancelled when its time is up. */
  find(token: string): Invoice | undefined {
    const invoice = this.#byToken.get(token);
    if (invoice) this.#cancelIfOverdue(invoice);
    return invoice;
  }

  /** The last one that was made for this `custom_data.attempt`. */
  findByAttempt(attempt: string): Invoice | undefined {
    const invoice = this.#lastOfAttempt.get(attempt);
    return invoice && this.find(invoice.token);
  }

  cancelOverdue(): void {
    for (const invoice of this.#byToken.values()) this.#cancelIfOverdue(invoice);
  }

  /**
   * Whether money moved: it does once.
   * @param late true: even though the invoice is over.
   */
  complete(invoice: Invoice, { amount, customer, channel }: Paying, late = false): boolean {
    if (invoice.payment || (invoice.status !== 'pending' && !late)) return false;
    invoice.payment = {
      amount,
      customer,
      channel,
      receiptIdentifier: randomName(),
      providerReference: randomName(),
    };
    this.#completed += 1;
    this.#taken += amount;
    this.#change(invoice, 'completed');
    return true;
  }

  fail(invoice: Invoice, reason: string, channel: string): void {
    if (invoice.status !== 'pending') return;
    invoice.failure = { reason, channel };
    this.#change(invoice, 'failed');
  }

  cancel(invoice: Invoice): void {
    if (invoice.status === 'pending') this.#change(invoice, 'cancelled');
  }

  #cancelIfOverdue(invoice: Invoice): void {
    const age = this.#options.now().getTime() - invoice.createdAt.getTime();
    if (age >= UNPAID_HOURS * 3_600_000) this.cancel(invoice);
  }

  #change(invoice: Invoice, status: InvoiceStatus): void {
    invoice.status = status;
    this.#options.onChange(invoice);
  }
}

export function randomName(): string {
  return randomBytes(10).toString('hex');
}

function countByAttempt(invoices: readonly Invoice[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const invoice of invoices) {
    const attempt = attemptOf(invoice);
    if (attempt !== undefined) counts[attempt] = (counts[attempt] ?? 0) + 1;
  }
  return counts;
}
