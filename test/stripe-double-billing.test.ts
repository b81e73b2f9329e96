import Stripe from 'stripe';
import { endOfPeriod } from '../src/sandbox/stripe/periods.js';
import { startStripeDouble, type StripeDouble } from '../src/sandbox/stripe/stripe-double.js';
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let receiver: WebhookReceiver;
let double: StripeDouble;
let stripe: Stripe;
let customer: string;
let product: string;

beforeEach(async () => {
  receiver = await startWebhookReceiver();
  double = await startStripeDouble({
    secretKey: 'sk_test_billing',
    publishableKey: 'pk_test_billing',
    webhookSecret: 'whsec_billing',
    webhookUrl: () => receiver.url.href,
  });
  stripe = new Stripe('sk_test_billing', {
    host: double.url.hostname,
    port: double.url.port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
    timeout: 5000,
  });
  customer = (await stripe.customers.create({ email: 'awa@example.com', name: 'Awa' })).id;
  product = (await stripe.products.create({ name: 'Journal', metadata: { plan: '1' } })).id;
});

afterEach(async () => {
  await double.stop();
  await receiver.stop();
});

const monthly = (more: object = {}) => ({
  quantity: 2,
  price_data: {
    currency: 'eur',
    product,
    unit_amount: 500,
    recurring: { interval: 'month' as const },
    ...more,
  },
});

const subscribe = (more: Partial<Stripe.SubscriptionCreateParams> = {}) =>
  stripe.subscriptions.create({
    customer,
    items: [monthly()],
    payment_behavior: 'default_incomplete',
    payment_settings: { save_default_payment_method: 'on_subscription' },
    metadata: { subscription: '7' },
    expand: ['latest_invoice.confirmation_secret', 'latest_invoice.payments'],
    ...more,
  });

const active = async (card = 'pm_card_visa') => {
  const { id } = await subscribe();
  if (double.payInvoice(id, card).status === 'requires_action') {
    const { paymentIntentId } = await latestPayment(id);
    double.authenticate(paymentIntentId, 'complete');
  }
  return id;
};

const saveCard = async (card: string) => {
  const { id } = await stripe.setupIntents.create({ customer });
  return double.completeSetup(id, card).paymentMethodId ?? '';
};

const latestPayment = async (id: string) => {
  const { latest_invoice } = await stripe.subscriptions.retrieve(id, {
    expand: ['latest_invoice.payments.data.payment.payment_intent'],
  });
  const invoice = latest_invoice as Stripe.Invoice;
  const paymentIntent = invoice.payments?.data[0]?.payment.payment_intent as Stripe.PaymentIntent;
  return { invoice, paymentIntentId: paymentIntent.id, paymentIntent };
};

const playOneMonth = async (id: string) => {
  const { items } = await stripe.subscriptions.retrieve(id);
  const now = double.playTimeForward(0).getTime();
  return double.playTimeForward((items.data[0]?.current_period_end ?? 0) * 1000 - now);
};

/** Since the last time it was asked. */
let known = 0;
beforeEach(() => {
  known = 0;
});
const newTypes = () => {
  const types = double.events().map(({ type }) => type);
  const fresh = types.slice(known);
  known = types.length;
  return fresh;
};

describe('a subscription at the Stripe double', () => {
  it('waits for its first payment, and is active with it', async () => {
    newTypes();
    const subscription = await subscribe();
    const invoice = subscription.latest_invoice as Stripe.Invoice;
    expect(subscription).toMatchObject({
      status: 'incomplete',
      metadata: { subscription: '7' },
      items: {
        data: [{ quantity: 2, price: { unit_amount: 500, product, recurring: { interval: 'month' } } }],
      },
    });
    expect(subscription.items.data[0]?.price.unit_amount_decimal?.toString()).toBe('500');
    expect(invoice).toMatchObject({
      status: 'open',
      billing_reason: 'subscription_create',
      amount_due: 1000,
      amount_remaining: 1000,
      number: expect.stringMatching(/-0001$/),
      parent: { subscription_details: { subscription: subscription.id, metadata: { subscription: '7' } } },
      confirmation_secret: { type: 'payment_intent', client_secret: expect.stringMatching(/^pi_.*_secret_/) },
      payments: { data: [{ object: 'invoice_payment', status: 'open', amount_requested: 1000 }] },
    });
    const secret = invoice.confirmation_secret?.client_secret ?? '';
    expect(newTypes()).toEqual([
      'customer.subscription.created',
      'invoice.created',
      'payment_intent.created',
      'invoice.finalized',
    ]);
    const { paymentIntentId } = double.pay(secret, 'pm_card_visa');
    expect(newTypes()).toEqual([
      'payment_method.attached',
      'charge.succeeded',
      'payment_intent.succeeded',
      'invoice_payment.paid',
      'invoice.paid',
      'invoice.payment_succeeded',
      'customer.subscription.updated',
    ]);
    const paid = await stripe.subscriptions.retrieve(subscription.id, { expand: ['latest_invoice'] });
    expect(paid).toMatchObject({
      status: 'active',
      default_payment_method: expect.stringMatching(/^pm_/),
      latest_invoice: { status: 'paid', amount_paid: 1000, amount_remaining: 0, attempt_count: 1 },
    });
    expect(await stripe.paymentIntents.retrieve(paymentIntentId)).toMatchObject({ customer, metadata: {} });
    expect(double.chargesFor(subscription.id)).toMatchObject([{ amount: 1000, status: 'succeeded' }]);
  });

  it('says of which invoice a payment is, and with what an invoice was paid', async () => {
    const id = await active();
    const { invoice, paymentIntentId } = await latestPayment(id);
    const byPayment = await stripe.invoicePayments.list({
      payment: { type: 'payment_intent', payment_intent: paymentIntentId },
    });
    expect(byPayment.data).toMatchObject([{ invoice: invoice.id, status: 'paid', amount_paid: 1000 }]);
    expect((await stripe.invoicePayments.list({ invoice: invoice.id })).data).toEqual(byPayment.data);
    expect((await stripe.invoicePayments.list({ invoice: 'in_0' })).data).toEqual([]);
    expect((await stripe.invoices.list({ subscription: id })).data).toMatchObject([{ id: invoice.id }]);
    expect(await stripe.invoices.retrieve(invoice.id)).toMatchObject({ status: 'paid', customer });
    const other = await stripe.paymentIntents.create({ amount: 1099, currency: 'eur' });
    const none = { payment: { type: 'payment_intent' as const, payment_intent: other.id } };
    expect((await stripe.invoicePayments.list(none)).data).toEqual([]);
  });

  it('is active at once with a saved card, or incomplete when that card is refused', async () => {
    const visa = await saveCard('pm_card_visa');
    const paid = { payment_behavior: 'allow_incomplete' as const, default_payment_method: visa };
    expect(await subscribe(paid)).toMatchObject({ status: 'active', latest_invoice: { status: 'paid' } });
    const poor = await saveCard('pm_card_chargeCustomerFail');
    expect(await subscribe({ ...paid, default_payment_method: poor })).toMatchObject({
      status: 'incomplete',
    });
    const careful = await saveCard('pm_card_authenticationRequired');
    const asked = await subscribe({ ...paid, default_payment_method: careful });
    expect(asked.status).toBe('incomplete');
    const { paymentIntent } = await latestPayment(asked.id);
    expect(paymentIntent.status).toBe('requires_action');
    expect(newTypes()).toContain('invoice.payment_action_required');
    expect(double.counts().subscriptions).toEqual({ active: 1, incomplete: 2 });
  });

  it.each([
    [{ items: [] }, 'parameter_missing'],
    [{ colour: 'red' }, 'parameter_unknown'],
    [{ customer: 'cus_0' }, 'resource_missing'],
    [{ payment_behavior: 'error_if_incomplete' }, undefined],
    [{ default_payment_method: 'pm_card_visa' }, 'resource_missing'],
    [{ payment_behavior: 'allow_incomplete' }, 'resource_missing'],
  ])('is refused with %j', async (params, code) => {
    await expect(subscribe(params as object)).rejects.toMatchObject({
      type: 'StripeInvalidRequestError',
      statusCode: 400,
      code,
    });
    expect(double.counts().subscriptions).toEqual({});
  });

  it.each([
    [{ product: 'prod_0' }, 'resource_missing'],
    [{ product_data: { name: 'Inline' } }, 'parameter_unknown'],
    [{ unit_amount: 1 }, 'amount_too_small'],
    [{ recurring: undefined }, undefined],
  ])('is refused for a price with %j', async (price, code) => {
    await expect(subscribe({ items: [monthly(price)] })).rejects.toMatchObject({ statusCode: 400, code });
  });

  it('takes a price of the catalogue, if it is recurring and active', async () => {
    const recurring = { interval: 'week' as const };
    const price = await stripe.prices.create({ currency: 'eur', product, unit_amount: 700, recurring });
    expect(await subscribe({ items: [{ price: price.id }] })).toMatchObject({
      latest_invoice: { amount_due: 700 },
    });
    await stripe.prices.update(price.id, { active: false });
    await expect(subscribe({ items: [{ price: price.id }] })).rejects.toMatchObject({ param: 'price' });
    const once = await stripe.prices.create({
      currency: 'eur',
      product_data: { name: 'A' },
      unit_amount: 700,
    });
    await expect(subscribe({ items: [{ price: once.id }] })).rejects.toMatchObject({ param: 'items' });
    expect((await stripe.prices.list({ product })).data).toMatchObject([{ id: price.id, type: 'recurring' }]);
    expect(await stripe.prices.retrieve(once.id, { expand: ['product'] })).toMatchObject({
      type: 'one_time',
      product: { name: 'A' },
    });
    await expect(stripe.products.create({ id: product, name: 'B' })).rejects.toMatchObject({
      code: 'resource_already_exists',
    });
    expect(await stripe.products.update(product, { name: 'C' })).toMatchObject({ name: 'C' });
    expect((await stripe.products.list()).data).toHaveLength(2);
  });

  it('whose first payment fails can be paid with another card', async () => {
    const { id } = await subscribe();
    double.payInvoice(id, 'pm_card_visa_chargeDeclined');
    expect(newTypes().slice(-3)).toEqual([
      'charge.failed',
      'payment_intent.payment_failed',
      'invoice.payment_failed',
    ]);
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'incomplete' });
    double.payInvoice(id, 'pm_card_visa');
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'active' });
    expect(double.chargesFor(id).map(({ status }) => status)).toEqual(['failed', 'succeeded']);
  });

  it('expires 23 hours after nobody paid, and its invoice with it', async () => {
    const { id } = await subscribe();
    double.playTimeForward(23 * HOUR - 60_000);
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'incomplete' });
    double.playTimeForward(60_000);
    const { invoice, paymentIntent } = await latestPayment(id);
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'incomplete_expired' });
    expect(invoice.status).toBe('void');
    expect(paymentIntent).toMatchObject({ status: 'canceled', cancellation_reason: 'void_invoice' });
    expect(() => double.payInvoice(id, 'pm_card_visa')).toThrow('canceled');
    expect(newTypes().slice(-3)).toEqual([
      'payment_intent.canceled',
      'invoice.voided',
      'customer.subscription.updated',
    ]);
  });
});

describe('time at the Stripe double', () => {
  it('brings a renewal at each end of a period, paid while the payer is away', async () => {
    const id = await active();
    const before = await stripe.subscriptions.retrieve(id);
    newTypes();
    await playOneMonth(id);
    expect(newTypes()).toEqual([
      'invoice.created',
      'payment_intent.created',
      'invoice.finalized',
      'customer.subscription.updated',
      'charge.succeeded',
      'payment_intent.succeeded',
      'invoice_payment.paid',
      'invoice.paid',
      'invoice.payment_succeeded',
    ]);
    const after = await stripe.subscriptions.retrieve(id, { expand: ['latest_invoice'] });
    const end = before.items.data[0]?.current_period_end;
    expect(after).toMatchObject({
      status: 'active',
      items: { data: [{ current_period_start: end }] },
      latest_invoice: {
        status: 'paid',
        billing_reason: 'subscription_cycle',
        attempt_count: 1,
        created: end,
        period_start: before.items.data[0]?.current_period_start,
        period_end: end,
        lines: { data: [{ amount: 1000, quantity: 2, period: { start: end } }] },
      },
    });
    double.playTimeForward(360 * DAY);
    expect(double.chargesFor(id)).toHaveLength(2 + 11);
    expect(double.counts().invoices).toEqual({ paid: 13 });
  });

  it('is told by signed webhooks, with what changed', async () => {
    const id = await active();
    await playOneMonth(id);
    await double.settled();
    const events = receiver.received.map(({ rawBody, headers }) =>
      Stripe.webhooks.constructEvent(rawBody, headers['stripe-signature'] ?? '', 'whsec_billing'),
    );
    expect(events.map(({ id: event }) => event).sort()).toEqual(
      double
        .events()
        .map(({ id: event }) => event)
        .sort(),
    );
    const updates = events.filter(({ type }) => type === 'customer.subscription.updated');
    expect(updates.map(({ data }) => data.previous_attributes)).toEqual([
      { status: 'incomplete' },
      { latest_invoice: expect.stringMatching(/^in_/) },
    ]);
  });

  it('tries a refused renewal three times more, then the subscription ends', async () => {
    const id = await active();
    await stripe.subscriptions.update(id, {
      default_payment_method: await saveCard('pm_card_chargeCustomerFail'),
    });
    const at = await playOneMonth(id);
    const refused = await latestPayment(id);
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'past_due' });
    expect(refused).toMatchObject({
      invoice: {
        status: 'open',
        attempt_count: 1,
        next_payment_attempt: Math.floor(at.getTime() / 1000) + (3 * DAY) / 1000,
      },
      paymentIntent: { status: 'requires_payment_method', last_payment_error: { code: 'card_declined' } },
    });
    newTypes();
    double.playTimeForward(3 * DAY);
    double.playTimeForward(5 * DAY);
    expect(newTypes().filter((type) => type === 'invoice.payment_failed')).toHaveLength(2);
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'past_due' });
    double.playTimeForward(7 * DAY);
    expect(newTypes().slice(-2)).toEqual(['invoice.payment_failed', 'customer.subscription.deleted']);
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({
      status: 'canceled',
      cancellation_details: { reason: 'payment_failed' },
    });
    expect((await latestPayment(id)).invoice).toMatchObject({
      status: 'open',
      attempt_count: 4,
      next_payment_attempt: null,
    });
    double.playTimeForward(365 * DAY);
    expect(newTypes()).toEqual([]);
    expect(double.chargesFor(refused.invoice.id).map(({ status }) => status)).toEqual(
      Array.from({ length: 4 }, () => 'failed'),
    );
  });

  it('lets a refused renewal be paid by the payer, or by a later try with another card', async () => {
    const [byPayer, byRetry] = [await active(), await active()];
    const poor = { default_payment_method: await saveCard('pm_card_chargeCustomerFail') };
    for (const id of [byPayer, byRetry]) await stripe.subscriptions.update(id, poor);
    await playOneMonth(byRetry);
    double.payInvoice(byPayer, 'pm_card_mastercard');
    await stripe.subscriptions.update(byRetry, {
      default_payment_method: await saveCard('pm_card_visa'),
    });
    double.playTimeForward(3 * DAY);
    for (const id of [byPayer, byRetry]) {
      expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'active' });
      expect(double.chargesFor(id).map(({ status }) => status)).toEqual(['succeeded', 'failed', 'succeeded']);
    }
  });

  it('asks for the payer when the bank does', async () => {
    const id = await active('pm_card_authenticationRequired');
    newTypes();
    await playOneMonth(id);
    expect(newTypes().slice(-4)).toEqual([
      'payment_intent.requires_action',
      'invoice.payment_action_required',
      'invoice.payment_failed',
      'customer.subscription.updated',
    ]);
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'past_due' });
    const { paymentIntentId } = await latestPayment(id);
    expect(double.authenticate(paymentIntentId, 'complete')).toMatchObject({ status: 'succeeded' });
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'active' });
  });

  it.each([
    ['void', 'void', 'canceled'],
    ['markUncollectible', 'uncollectible', 'requires_payment_method'],
  ] as const)('lets go of what is owed: %s', async (deed, status, ofPayment) => {
    const id = await active();
    await stripe.subscriptions.update(id, {
      default_payment_method: await saveCard('pm_card_chargeCustomerFail'),
    });
    await playOneMonth(id);
    const { invoice, paymentIntentId } = await latestPayment(id);
    await expect(stripe.paymentIntents.cancel(paymentIntentId)).rejects.toMatchObject({
      statusCode: 400,
      code: 'payment_intent_unexpected_state',
    });
    const call = { void: 'voidInvoice', markUncollectible: 'markUncollectible' } as const;
    expect(await stripe.invoices[call[deed]](invoice.id)).toMatchObject({
      status,
      next_payment_attempt: null,
    });
    expect((await latestPayment(id)).paymentIntent.status).toBe(ofPayment);
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'active' });
    await expect(stripe.invoices[call[deed]](invoice.id)).rejects.toMatchObject({ statusCode: 400 });
    if (deed === 'void') return;
    double.payInvoice(invoice.id, 'pm_card_visa');
    expect(await stripe.invoices.retrieve(invoice.id)).toMatchObject({ status: 'paid' });
  });

  it('collects nothing without a saved card', async () => {
    const id = await active();
    const { default_payment_method } = await stripe.subscriptions.retrieve(id);
    await stripe.paymentMethods.detach(default_payment_method as string);
    await playOneMonth(id);
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({
      status: 'past_due',
      default_payment_method: null,
    });
    expect(double.chargesFor(id)).toHaveLength(1);
    const settings = { default_payment_method: await saveCard('pm_card_visa') };
    await stripe.customers.update(customer, { invoice_settings: settings });
    double.playTimeForward(3 * DAY);
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'active' });
  });

  it('goes forward only', () => {
    expect(() => double.playTimeForward(-1)).toThrow(RangeError);
    const before = double.playTimeForward(0).getTime();
    expect(double.playTimeForward(DAY).getTime() - before).toBeGreaterThanOrEqual(DAY);
  });

  it('counts months from the first day, whatever their length', () => {
    const anchor = Date.UTC(2027, 0, 31, 12) / 1000;
    const recurring = { interval: 'month', interval_count: 1 } as Stripe.Price.Recurring;
    const ends = [1, 2, 3, 13].map((periods) => new Date(endOfPeriod(anchor, recurring, periods) * 1000));
    expect(ends.map((date) => date.toISOString().slice(0, 13))).toEqual([
      '2027-02-28T12',
      '2027-03-31T12',
      '2027-04-30T12',
      '2028-02-29T12',
    ]);
    const every = (interval: 'day' | 'week' | 'year') =>
      new Date(endOfPeriod(anchor, { ...recurring, interval, interval_count: 2 }, 1) * 1000)
        .toISOString()
        .slice(0, 10);
    expect([every('day'), every('week'), every('year')]).toEqual(['2027-02-02', '2027-02-14', '2029-01-31']);
  });
});

describe('cancelling at the Stripe double', () => {
  it('now ends the subscription, and no renewal comes', async () => {
    const id = await active();
    newTypes();
    const details = { cancellation_details: { comment: 'too dear', feedback: 'too_expensive' as const } };
    const cancelled = await stripe.subscriptions.cancel(id, details);
    expect(cancelled).toMatchObject({
      status: 'canceled',
      canceled_at: expect.any(Number),
      ended_at: expect.any(Number),
      cancellation_details: {
        reason: 'cancellation_requested',
        comment: 'too dear',
        feedback: 'too_expensive',
      },
    });
    double.playTimeForward(365 * DAY);
    expect(newTypes()).toEqual(['customer.subscription.deleted']);
    await expect(stripe.subscriptions.cancel(id)).rejects.toMatchObject({
      statusCode: 404,
      code: 'resource_missing',
    });
    await expect(stripe.subscriptions.update(id, { cancel_at_period_end: true })).rejects.toMatchObject({
      code: 'invalid_canceled_subscription_fields',
    });
    expect(await stripe.subscriptions.update(id, { metadata: { a: 'b' } })).toMatchObject({
      metadata: { subscription: '7', a: 'b' },
    });
    expect((await stripe.subscriptions.list({ customer })).data).toEqual([]);
    expect((await stripe.subscriptions.list({ customer, status: 'all' })).data).toHaveLength(1);
    expect((await stripe.subscriptions.list({ customer, status: 'ended' })).data).toHaveLength(1);
  });

  it('at the end of the period lets it run until then, and can be taken back', async () => {
    const [kept, left] = [await active(), await active()];
    for (const id of [kept, left]) {
      const { items, ...changed } = await stripe.subscriptions.update(id, { cancel_at_period_end: true });
      expect(changed).toMatchObject({
        status: 'active',
        cancel_at_period_end: true,
        cancel_at: items.data[0]?.current_period_end,
      });
    }
    expect(await stripe.subscriptions.update(kept, { cancel_at_period_end: false })).toMatchObject({
      cancel_at: null,
      canceled_at: null,
    });
    await playOneMonth(left);
    double.playTimeForward(DAY);
    expect(await stripe.subscriptions.retrieve(left)).toMatchObject({ status: 'canceled' });
    expect(await stripe.subscriptions.retrieve(kept)).toMatchObject({ status: 'active' });
    expect(double.chargesFor(left)).toHaveLength(1);
    expect(double.chargesFor(kept)).toHaveLength(2);
  });

  it('what was never paid lets it expire, and its invoice is void', async () => {
    const { id } = await subscribe();
    const { invoice, paymentIntentId } = await latestPayment(id);
    await expect(stripe.paymentIntents.cancel(paymentIntentId)).rejects.toMatchObject({ statusCode: 400 });
    await expect(stripe.subscriptions.update(id, { cancel_at_period_end: true })).rejects.toMatchObject({
      statusCode: 400,
    });
    expect(await stripe.subscriptions.cancel(id)).toMatchObject({ status: 'incomplete_expired' });
    expect(await stripe.invoices.retrieve(invoice.id)).toMatchObject({ status: 'void' });
    expect((await stripe.invoicePayments.list({ invoice: invoice.id })).data).toMatchObject([
      { status: 'canceled' },
    ]);
  });

  it('happens to all subscriptions of a customer who is deleted', async () => {
    const id = await active();
    newTypes();
    await stripe.customers.del(customer);
    expect(newTypes()).toEqual([
      'customer.subscription.deleted',
      'payment_method.detached',
      'customer.deleted',
    ]);
    double.playTimeForward(60 * DAY);
    expect(double.chargesFor(id)).toHaveLength(1);
  });
});

describe('an invoice at the Stripe double', () => {
  it('can be collected by the server, and is void or paid only once', async () => {
    const { id } = await subscribe();
    const { invoice } = await latestPayment(id);
    await expect(stripe.invoices.pay(invoice.id)).rejects.toMatchObject({ statusCode: 400 });
    const poor = await saveCard('pm_card_chargeCustomerFail');
    await expect(stripe.invoices.pay(invoice.id, { payment_method: poor })).rejects.toMatchObject({
      type: 'StripeCardError',
      code: 'card_declined',
    });
    const careful = await saveCard('pm_card_authenticationRequired');
    await expect(stripe.invoices.pay(invoice.id, { payment_method: careful })).rejects.toMatchObject({
      code: 'invoice_payment_intent_requires_action',
      payment_intent: { status: 'requires_action' },
    });
    const visa = await saveCard('pm_card_visa');
    expect(await stripe.invoices.pay(invoice.id, { payment_method: visa })).toMatchObject({ status: 'paid' });
    await expect(stripe.invoices.pay(invoice.id)).rejects.toThrow('already paid');
    await expect(stripe.invoices.voidInvoice(invoice.id)).rejects.toMatchObject({ statusCode: 400 });
    expect(double.chargesFor(id).map(({ status }) => status)).toEqual(['failed', 'succeeded']);
  });

  it('is paid on the page that its address leads to', async () => {
    const { id, latest_invoice } = await subscribe();
    const address = (latest_invoice as Stripe.Invoice).hosted_invoice_url ?? '';
    const body = new URLSearchParams({ card: '4242424242424242' });
    expect(await (await fetch(address, { method: 'POST', body })).text()).toContain('10.00 EUR were paid.');
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'active' });
  });
});

describe('billing at the Stripe double', () => {
  it('is ruled over HTTP too', async () => {
    const post = async (path: string, form: Record<string, string>) => {
      const body = new URLSearchParams(form);
      return (await fetch(new URL(`/_double/${path}`, double.url), { method: 'POST', body })).json();
    };
    const { id } = await subscribe();
    expect(await post('invoice/pay', { invoice: id, card: 'pm_card_visa' })).toMatchObject({
      status: 'succeeded',
    });
    const { now } = (await post('time/forward', { milliseconds: String(40 * DAY) })) as { now: string };
    expect(new Date(now).getTime()).toBeGreaterThan(Date.now() + 39 * DAY);
    const counts = (await (await fetch(new URL('/_double/counts', double.url))).json()) as object;
    expect(counts).toMatchObject({ subscriptions: { active: 1 }, invoices: { paid: 2 } });
    const charges = await fetch(new URL(`/_double/charges?for=${id}`, double.url));
    expect(await charges.json()).toHaveLength(2);
  });

  it('makes one subscription of two equal requests, and can go wrong on purpose', async () => {
    double.answerNext('subscriptions.create', {
      answer: { kind: 'status', status: 502 },
      when: 'AFTER_WORK',
    });
    const once = () =>
      stripe.subscriptions.create(
        { customer, items: [monthly()], payment_behavior: 'default_incomplete' },
        { idempotencyKey: 'subscription-1' },
      );
    await expect(once()).rejects.toMatchObject({ statusCode: 502 });
    const { id } = await once();
    expect((await stripe.subscriptions.list({ customer })).data).toMatchObject([{ id }]);
  });
});
