import type { Customer, Invoice } from './invoice.js';
import type { InvoiceLedger } from './invoice-ledger.js';
import { magicOf } from './magic-amounts.js';

export const SOMEBODY: Customer = { name: 'Awa Diop', phone: '771111111', email: 'awa.diop@example.test' };

const FEES_OF_MAGIC_AMOUNT = 0.02;

/** The payer's side of every way to pay: what they pay, and whether they can. */
export class Payer {
  /** Of the total, from 0 to 1: what the payer pays in addition, because the merchant does not bear the fees. */
  feeShare = 0;
  readonly #ledger: InvoiceLedger;

  constructor(ledger: InvoiceLedger) {
    this.#ledger = ledger;
  }

  /** Whole francs on top of the total, rounded up. */
  feesOf({ totalAmount }: Invoice): number {
    const share = magicOf(totalAmount).paying === 'COSTS_MORE' ? FEES_OF_MAGIC_AMOUNT : this.feeShare;
    return Math.ceil(totalAmount * share);
  }

  /** Does nothing to an invoice that is over. */
  pay(invoice: Invoice, channel: string, customer: Customer = SOMEBODY): void {
    const { paying } = magicOf(invoice.totalAmount);
    if (paying === 'FAILS') return this.#ledger.fail(invoice, 'Insufficient funds', channel);
    if (paying === 'CANCELS') return this.#ledger.cancel(invoice);
    const amount = invoice.totalAmount + this.feesOf(invoice);
    this.#ledger.complete(invoice, { amount, customer, channel });
  }

  decline(invoice: Invoice, channel: string): void {
    this.#ledger.fail(invoice, 'Declined by the customer', channel);
  }
}
