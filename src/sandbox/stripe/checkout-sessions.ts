import type Stripe from 'stripe';
import { newId, now, type PaymentRecord, type SessionRecord, type StripeAccount } from './account.js';
import { checkAmount } from './amounts.js';
import { customerParameter } from './customers.js';
import type { FormValues } from './form-body.js';
import { group, groups, integer, mergedMetadata, requiredInteger, requiredText, text } from './parameters.js';
import { addPaymentIntent, captureMethodParameter, setupFutureUsageParameter } from './payment-intents.js';
import { endPayment } from './payments.js';
import { invalidRequest, unexpectedState } from './stripe-error.js';

const SHORTEST_SECONDS = 30 * 60;
const LONGEST_SECONDS = 24 * 3600;

export function createCheckoutSession(account: StripeAccount, form: FormValues): SessionRecord {
  checkUiMode(form);
  if (requiredText(form, 'mode') !== 'payment') {
    throw invalidRequest('This double knows only mode=payment.', { param: 'mode' });
  }
  if (text(form, 'customer') !== undefined && text(form, 'customer_email') !== undefined) {
    throw invalidRequest('You may only specify one of these parameters: customer, customer_email.');
  }
  const paymentIntentForm = group(form, 'payment_intent_data') ?? {};
  const session: SessionRecord = {
    object: newSessionObject(account, form),
    paymentIntentData: {
      metadata: mergedMetadata({}, paymentIntentForm),
      description: text(paymentIntentForm, 'description') ?? null,
      captureMethod: captureMethodParameter(paymentIntentForm),
      setupFutureUsage: setupFutureUsageParameter(paymentIntentForm),
    },
  };
  account.sessions.set(session.object.id, session);
  account.onSessionCreated(session);
  return session;
}

/** The old names were removed from the API in 2026-03-25.dahlia; this double has pages for `hosted_page` alone. */
function checkUiMode(form: FormValues): void {
  const uiMode = text(form, 'ui_mode') ?? 'hosted_page';
  if (uiMode !== 'hosted_page') {
    throw invalidRequest(`Invalid ui_mode: must be hosted_page, not ${uiMode}.`, { param: 'ui_mode' });
  }
}

function totalOf(form: FormValues): { amount: number; currency: string } {
  const items = groups(form, 'line_items').map((item) => {
    const price = group(item, 'price_data') ?? {};
    requiredText(group(price, 'product_data') ?? {}, 'name');
    return {
      currency: requiredText(price, 'currency').toLowerCase(),
      amount: requiredInteger(price, 'unit_amount') * (integer(item, 'quantity') ?? 1),
    };
  });
  const [first] = items;
  if (!first) {
    throw invalidRequest('Missing required param: line_items.', {
      code: 'parameter_missing',
      param: 'line_items',
    });
  }
  const amount = items.reduce((sum, item) => sum + item.amount, 0);
  checkAmount(amount, first.currency, 'line_items');
  return { amount, currency: first.currency };
}

function expiryOf(form: FormValues): number {
  const expiresAt = integer(form, 'expires_at');
  if (expiresAt === undefined) return now() + LONGEST_SECONDS;
  const lifetime = expiresAt - now();
  if (lifetime < SHORTEST_SECONDS || lifetime > LONGEST_SECONDS) {
    const message = 'The expires_at timestamp must be between 30 minutes and 24 hours from now.';
    throw invalidRequest(message, { param: 'expires_at' });
  }
  return expiresAt;
}

function newSessionObject(account: StripeAccount, form: FormValues): Stripe.Checkout.Session {
  const { amount, currency } = totalOf(form);
  const id = newId('cs_test');
  return {
    id,
    object: 'checkout.session',
    adaptive_pricing: { enabled: text(group(form, 'adaptive_pricing') ?? {}, 'enabled') !== 'false' },
    after_expiration: null,
    allow_promotion_codes: null,
    allowed_payment_method_types: null,
    amount_subtotal: amount,
    amount_total: amount,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    billing_address_collection: null,
    cancel_url: text(form, 'cancel_url') ?? null,
    client_reference_id: text(form, 'client_reference_id') ?? null,
    client_secret: null,
    collected_information: null,
    consent: null,
    consent_collection: null,
    created: now(),
    currency,
    currency_conversion: null,
    custom_fields: [],
    custom_text: {
      after_submit: null,
      shipping_address: null,
      submit: null,
      terms_of_service_acceptance: null,
    },
    customer: customerParameter(account, form)?.id ?? null,
    customer_account: null,
    customer_creation: 'if_required',
    customer_details: null,
    customer_email: text(form, 'customer_email') ?? null,
    discounts: [],
    expires_at: expiryOf(form),
    integration_identifier: null,
    invoice: null,
    invoice_creation: null,
    livemode: false,
    locale: text(form, 'locale') ?? null,
    managed_payments: null,
    metadata: mergedMetadata({}, form),
    mode: 'payment',
    origin_context: null,
    payment_intent: null,
    payment_link: null,
    payment_method_collection: 'if_required',
    payment_method_configuration_details: null,
    payment_method_options: {},
    payment_method_types: ['card'],
    payment_status: 'unpaid',
    permissions: null,
    recovered_from: null,
    saved_payment_method_options: null,
    setup_intent: null,
    shipping_address_collection: null,
    shipping_cost: null,
    shipping_options: [],
    status: 'open',
    submit_type: null,
    subscription: null,
    success_url: requiredText(form, 'success_url'),
    total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
    ui_mode: 'hosted_page',
    url: `${account.baseUrl()}/c/pay/${id}`,
    wallet_options: null,
  };
}

/** The PaymentIntent of a session, made when the payer begins to pay, as at Stripe. */
export function paymentOfSession(account: StripeAccount, session: SessionRecord): PaymentRecord {
  const { object } = session;
  if (typeof object.payment_intent === 'string') return account.payment(object.payment_intent);
  if (object.status !== 'open') throw unexpectedState(`This Checkout Session is ${object.status}.`);
  const payment = addPaymentIntent(account, {
    amount: object.amount_total ?? 0,
    currency: object.currency ?? '',
    description: session.paymentIntentData.description,
    metadata: { ...session.paymentIntentData.metadata },
    captureMethod: session.paymentIntentData.captureMethod,
    automaticMethods: { enabled: true, allow_redirects: 'always' },
    setupFutureUsage: session.paymentIntentData.setupFutureUsage,
    customerId: typeof object.customer === 'string' ? object.customer : null,
    sessionId: object.id,
  });
  object.payment_intent = payment.object.id;
  account.emit('payment_intent.created', payment.object, payment.object.id);
  return payment;
}

export function expireCheckoutSession(account: StripeAccount, session: SessionRecord): void {
  const { object } = session;
  if (object.status !== 'open') {
    throw unexpectedState(
      `Only Checkout Sessions with a status in ["open"] can be expired. This one is ${object.status}.`,
    );
  }
  object.status = 'expired';
  object.url = null;
  const payment =
    typeof object.payment_intent === 'string' ? account.payments.get(object.payment_intent) : undefined;
  if (payment) endPayment(account, payment, 'automatic');
  account.emit('checkout.session.expired', object, payment?.object.id ?? object.id);
}

/** Sessions end by themselves when their time is up. */
export function expireOldSessions(account: StripeAccount): void {
  for (const session of account.sessions.values()) {
    if (session.object.status === 'open' && session.object.expires_at <= now()) {
      expireCheckoutSession(account, session);
    }
  }
}
