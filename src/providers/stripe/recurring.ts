import type Stripe from 'stripe';
import { ProviderFailure, type NextAction } from '../provider.js';
import type {
  BegunSubscription,
  RecurringCalls,
  RecurringInterval,
  RecurringLine,
  SubscriptionState,
  SubscriptionStatus,
  SubscriptionToBegin,
} from '../recurring.js';
import { markSubscription, subscriptionMarkOf } from './attempt-mark.js';
import { everyItem, type StripeClient } from './client.js';
import { stripeAmountOrRejection } from './initiate.js';
import { listInvoices, readInvoice, subscriptionOfInvoice } from './invoices.js';
import { fromStripeTime } from './time.js';

export function recurringCalls(client: StripeClient, publishableKey: string): RecurringCalls {
  return {
    beginSubscription: (subscription) => begin(client, subscription, publishableKey),
    readSubscription: async (id) => stateOf(await client.call((stripe) => stripe.subscriptions.retrieve(id))),
    findSubscription: (customer, reference) => find(client, customer, reference),
    cancelSubscription: (id, atPeriodEnd) => cancel(client, id, atPeriodEnd),
    subscriptionOfInvoice: (id) => subscriptionOfInvoice(client, id),
    readInvoice: (id) => readInvoice(client, id, publishableKey),
    listInvoices: (id, since) => listInvoices(client, id, since),
  };
}

const INTERVALS = { DAY: 'day', WEEK: 'week', MONTH: 'month', YEAR: 'year' } as const satisfies Record<
  RecurringInterval,
  string
>;

async function begin(
  client: StripeClient,
  subscription: SubscriptionToBegin,
  publishableKey: string,
): Promise<BegunSubscription> {
  for (const line of subscription.lines) await ensureProduct(client, line);
  const { methodReference, idempotencyKey } = subscription;
  const params: Stripe.SubscriptionCreateParams = {
    customer: subscription.customerReference,
    items: subscription.lines.map((line) => itemOf(subscription, line)),
    // Without anything to charge it waits for the payer; with it, it is charged at once.
    payment_behavior: methodReference === undefined ? 'default_incomplete' : 'allow_incomplete',
    payment_settings: { save_default_payment_method: 'on_subscription' },
    metadata: markSubscription(subscription.reference),
    expand: ['latest_invoice.confirmation_secret'],
    ...(methodReference !== undefined && { default_payment_method: methodReference }),
  };
  const options = { idempotencyKey: `${idempotencyKey}/create` };
  const begun = await client.call((stripe) => stripe.subscriptions.create(params, options));
  return { ...stateOf(begun), nextAction: nextActionOf(begun, publishableKey) };
}

function itemOf(
  { currency, interval, intervalCount }: SubscriptionToBegin,
  { productId, quantity, unitAmount }: RecurringLine,
): Stripe.SubscriptionCreateParams.Item {
  return {
    quantity,
    price_data: {
      currency: currency.toLowerCase(),
      product: stripeProductId(productId),
      unit_amount: stripeAmountOrRejection(unitAmount, currency),
      recurring: { interval: INTERVALS[interval], interval_count: intervalCount },
    },
  };
}

/** Prices are given with each subscription; only the product, by its name, has to be there before. */
async function ensureProduct(client: StripeClient, { productId, name }: RecurringLine): Promise<void> {
  try {
    await client.call((stripe) => stripe.products.create({ id: stripeProductId(productId), name }));
  } catch (error) {
    if (!(error instanceof ProviderFailure && error.code === 'resource_already_exists')) throw error;
  }
}

function stripeProductId(productId: string): string {
  return `quittance_${productId}`;
}

function nextActionOf(
  { status, latest_invoice: invoice }: Stripe.Subscription,
  publishableKey: string,
): NextAction | null {
  if (status !== 'incomplete' || typeof invoice !== 'object') return null;
  const clientSecret = invoice?.confirmation_secret?.client_secret;
  return clientSecret ? { type: 'ConfirmWithStripe', clientSecret, publishableKey } : null;
}

/** Stripe's search would be shorter, but lags behind by up to a minute: its list says what is. */
async function find(
  client: StripeClient,
  customer: string,
  reference: string,
): Promise<SubscriptionState | null> {
  const subscriptions = everyItem(client, (stripe, page) =>
    stripe.subscriptions.list({ ...page, customer, status: 'all' }),
  );
  for await (const subscription of subscriptions) {
    if (subscriptionMarkOf(subscription.metadata) === reference) return stateOf(subscription);
  }
  return null;
}

/** What has ended can't be cancelled again: Stripe refuses, and it is told how it stands. */
async function cancel(client: StripeClient, id: string, atPeriodEnd: boolean): Promise<SubscriptionState> {
  try {
    const cancelled = await client.call((stripe) =>
      atPeriodEnd
        ? stripe.subscriptions.update(id, { cancel_at_period_end: true })
        : stripe.subscriptions.cancel(id),
    );
    return stateOf(cancelled);
  } catch (error) {
    if (!(error instanceof ProviderFailure && error.kind === 'rejected')) throw error;
    const state = stateOf(await client.call((stripe) => stripe.subscriptions.retrieve(id)));
    if (state.endedAt === null) throw error;
    return state;
  }
}

const STATUSES: Readonly<Record<string, SubscriptionStatus>> = {
  incomplete: 'INCOMPLETE',
  incomplete_expired: 'EXPIRED',
  trialing: 'ACTIVE',
  active: 'ACTIVE',
  past_due: 'PAST_DUE',
  unpaid: 'UNPAID',
  paused: 'PAUSED',
  canceled: 'CANCELLED',
};

function stateOf(subscription: Stripe.Subscription): SubscriptionState {
  const ends = subscription.items.data.map((item) => item.current_period_end);
  const reference = subscriptionMarkOf(subscription.metadata);
  return {
    providerReference: subscription.id,
    ...(reference !== undefined && { reference }),
    // A status that we don't know collects nothing that we know of.
    status: STATUSES[subscription.status] ?? 'PAUSED',
    cancelAtPeriodEnd: subscription.cancel_at_period_end,
    currentPeriodEndsAt: ends.length > 0 ? fromStripeTime(Math.min(...ends)) : null,
    endedAt: subscription.ended_at === null ? null : fromStripeTime(subscription.ended_at),
  };
}
