import type Stripe from 'stripe';
import { newId, type StripeAccount } from './account.js';
import { checkAmount } from './amounts.js';
import { createInlinePrice, priceParameter } from './catalogue.js';
import type { FormValues } from './form-body.js';
import { group, groups, integer, mergedMetadata, refuseUnknownParameters, text } from './parameters.js';
import { endOfPeriod } from './periods.js';
import { invalidRequest } from './stripe-error.js';

const MOST_ITEMS = 20;

/** Incomplete until its first invoice is paid. */
export function newSubscriptionObject(
  account: StripeAccount,
  form: FormValues,
  customerId: string,
  defaultMethodId: string | null,
): Stripe.Subscription {
  const id = newId('sub');
  const items = itemsOf(account, form, id);
  return {
    id,
    object: 'subscription',
    application: null,
    application_fee_percent: null,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null },
    billing_cycle_anchor: account.now(),
    billing_cycle_anchor_config: null,
    billing_mode: { flexible: { proration_discounts: 'included' }, type: 'flexible' },
    billing_schedules: [],
    billing_thresholds: null,
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: null },
    collection_method: 'charge_automatically',
    created: account.now(),
    currency: items[0]?.price.currency ?? '',
    customer: customerId,
    customer_account: null,
    days_until_due: null,
    default_payment_method: defaultMethodId,
    default_source: null,
    default_tax_rates: [],
    description: text(form, 'description') ?? null,
    discounts: [],
    ended_at: null,
    invoice_settings: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: { type: 'self' },
    },
    items: { object: 'list', data: items, has_more: false, url: `/v1/subscription_items?subscription=${id}` },
    latest_invoice: null,
    livemode: false,
    managed_payments: null,
    metadata: mergedMetadata({}, form),
    next_pending_invoice_item_invoice: null,
    on_behalf_of: null,
    pause_collection: null,
    payment_settings: paymentSettingsOf(form),
    pending_invoice_item_interval: null,
    pending_setup_intent: null,
    pending_update: null,
    schedule: null,
    start_date: account.now(),
    status: 'incomplete',
    test_clock: null,
    transfer_data: null,
    trial_end: null,
    trial_settings: {
      end_behavior: { billing_cycle_anchor: null, missing_payment_method: 'create_invoice' },
    },
    trial_start: null,
  };
}

function paymentSettingsOf(form: FormValues): Stripe.Subscription.PaymentSettings {
  const saved = text(group(form, 'payment_settings') ?? {}, 'save_default_payment_method') ?? 'off';
  if (saved !== 'off' && saved !== 'on_subscription') {
    throw invalidRequest(`Invalid save_default_payment_method: ${saved}`, { param: 'payment_settings' });
  }
  return { payment_method_options: null, payment_method_types: null, save_default_payment_method: saved };
}

function itemsOf(
  account: StripeAccount,
  form: FormValues,
  subscriptionId: string,
): Stripe.SubscriptionItem[] {
  const forms = groups(form, 'items');
  if (forms.length === 0 || forms.length > MOST_ITEMS) {
    throw invalidRequest(`A subscription has 1 to ${MOST_ITEMS} items.`, {
      code: 'parameter_missing',
      param: 'items',
    });
  }
  const items = forms.map((item) => newItem(account, item, subscriptionId));
  requireOneRhythm(items);
  const total = items.reduce((sum, { price, quantity = 1 }) => sum + (price.unit_amount ?? 0) * quantity, 0);
  checkAmount(total, items[0]?.price.currency ?? '', 'items');
  return items;
}

function requireOneRhythm(items: readonly Stripe.SubscriptionItem[]): void {
  const rhythms = items.map(
    ({ price: { currency, recurring } }) => `${currency} ${recurring?.interval} ${recurring?.interval_count}`,
  );
  if (new Set(rhythms).size === 1) return;
  throw invalidRequest('This double knows only one currency and one interval per subscription.', {
    param: 'items',
  });
}

const OF_AN_ITEM = new Set(['price', 'price_data', 'quantity', 'metadata']);

function newItem(account: StripeAccount, form: FormValues, subscriptionId: string): Stripe.SubscriptionItem {
  refuseUnknownParameters(form, OF_AN_ITEM);
  const priceData = group(form, 'price_data');
  const price = priceData
    ? createInlinePrice(account, priceData)
    : priceParameter(account, text(form, 'price') ?? '');
  const { recurring } = price;
  if (!recurring) throw invalidRequest('The price specified is not recurring.', { param: 'items' });
  return {
    id: newId('si'),
    object: 'subscription_item',
    billing_thresholds: null,
    created: account.now(),
    current_period_start: account.now(),
    current_period_end: endOfPeriod(account.now(), recurring, 1),
    current_trial: null,
    discounts: [],
    metadata: mergedMetadata({}, form),
    plan: planOf(price, recurring),
    price,
    quantity: integer(form, 'quantity') ?? 1,
    subscription: subscriptionId,
    tax_rates: [],
  };
}

/** The price's older form, which Stripe shows still. */
function planOf(price: Stripe.Price, { interval, interval_count }: Stripe.Price.Recurring): Stripe.Plan {
  return {
    id: price.id,
    object: 'plan',
    active: price.active,
    amount: price.unit_amount,
    amount_decimal: price.unit_amount_decimal,
    billing_scheme: 'per_unit',
    created: price.created,
    currency: price.currency,
    interval,
    interval_count,
    livemode: false,
    metadata: price.metadata,
    meter: null,
    nickname: price.nickname,
    product: price.product,
    tiers_mode: null,
    transform_usage: null,
    trial_period_days: null,
    usage_type: 'licensed',
  };
}
