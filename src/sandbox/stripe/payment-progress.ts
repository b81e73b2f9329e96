import type { PaymentRecord, StripeAccount } from './account.js';
import { followCheckout } from './checkout-progress.js';
import { followInvoice } from './invoice-progress.js';

/** What a PaymentIntent was made for follows it: a Checkout Session, or an invoice. */
export function followPayment(account: StripeAccount, payment: PaymentRecord): void {
  followCheckout(account, payment);
  followInvoice(account, payment);
}
