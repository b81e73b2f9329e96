import { newId, type InvoiceRecord, type StripeAccount, type SubscriptionRecord } from './account.js';
import { markRefused } from './invoice-progress.js';
import { collectInvoice, openInvoice } from './invoices.js';
import { endOfPeriod } from './periods.js';
import { endSubscription, expireSubscription, periodEndOf } from './subscriptions.js';

/** For the first invoice. */
const INCOMPLETE_SECONDS = 23 * 3600;
/** After each failed try to collect a renewal; after the last one the subscription is cancelled. */
const RETRY_AFTER_SECONDS = [3, 5, 7].map((days) => days * 24 * 3600);

/** Something that a subscription's time brings. */
interface Due {
  /** Seconds since 1970, by the account's clock. */
  readonly at: number;
  readonly happen: () => void;
}

/** Everything that falls into that time happens, in order. With 0, what real time has brought. */
export function playTimeForward(account: StripeAccount, milliseconds: number): Date {
  if (!(milliseconds >= 0)) throw new RangeError('time goes forward only');
  const played = account.playedForwardMilliseconds + milliseconds;
  const end = Math.floor((Date.now() + played) / 1000);
  for (let due = nextDue(account); due && due.at <= end; due = nextDue(account)) {
    if (due.at > account.now()) account.playedForwardMilliseconds = due.at * 1000 - Date.now();
    due.happen();
  }
  account.playedForwardMilliseconds = played;
  return new Date(Date.now() + played);
}

function nextDue(account: StripeAccount): Due | undefined {
  let first: Due | undefined;
  const consider = (due: Due | undefined) => {
    if (due && (!first || due.at < first.at)) first = due;
  };
  for (const subscription of account.subscriptions.values()) consider(dueOf(account, subscription));
  for (const invoice of account.invoices.values()) consider(retryOf(account, invoice));
  return first;
}

function dueOf(account: StripeAccount, record: SubscriptionRecord): Due | undefined {
  const { object } = record;
  if (object.status === 'incomplete') {
    return {
      at: object.created + INCOMPLETE_SECONDS,
      happen: () => expireSubscription(account, object),
    };
  }
  if (object.status !== 'active' && object.status !== 'past_due') return undefined;
  return { at: periodEndOf(record), happen: () => endPeriod(account, record) };
}

function retryOf(account: StripeAccount, invoice: InvoiceRecord): Due | undefined {
  const { status, next_payment_attempt: at } = invoice.object;
  return status === 'open' && at !== null ? { at, happen: () => collect(account, invoice) } : undefined;
}

function endPeriod(account: StripeAccount, record: SubscriptionRecord): void {
  const { object } = record;
  if (object.cancel_at_period_end) return endSubscription(account, object, 'cancellation_requested');
  const usedSince = Math.min(...object.items.data.map((item) => item.current_period_start));
  record.periods += 1;
  for (const item of object.items.data) {
    const { recurring } = item.price;
    if (!recurring) throw new Error('what is subscribed to is recurring');
    item.current_period_start = item.current_period_end;
    item.current_period_end = endOfPeriod(object.billing_cycle_anchor, recurring, record.periods);
  }
  const previous = { latest_invoice: object.latest_invoice };
  object.latest_invoice = newId('in');
  const { percentOff } = record;
  const bill = { id: object.latest_invoice, reason: 'subscription_cycle', usedSince, percentOff } as const;
  const invoice = openInvoice(account, object, bill);
  account.emit('customer.subscription.updated', object, object.id, previous);
  collect(account, invoice);
}

/** Stripe's own try, while the payer is away. */
function collect(account: StripeAccount, invoice: InvoiceRecord): void {
  const { object, subscriptionId, paymentIntentId } = invoice;
  if (object.status !== 'open' || paymentIntentId === null) return;
  const wait = RETRY_AFTER_SECONDS[object.attempt_count];
  object.attempt_count += 1;
  object.next_payment_attempt = wait === undefined ? null : account.now() + wait;
  collectInvoice(account, invoice, { offSession: true });
  const { status } = account.payment(paymentIntentId).object;
  // The payer can still answer their bank, but this try did not bring the money.
  if (status === 'requires_action') markRefused(account, invoice);
  if (status === 'processing') object.next_payment_attempt = null;
  const { object: subscription } = account.subscription(subscriptionId);
  const isRefused = object.status === 'open' && status !== 'processing';
  if (wait === undefined && isRefused) endSubscription(account, subscription, 'payment_failed');
}
