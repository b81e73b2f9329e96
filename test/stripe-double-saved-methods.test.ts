import Stripe from 'stripe';
import { startStripeDouble, type StripeDouble } from '../src/sandbox/stripe/stripe-double.js';

let double: StripeDouble;
let stripe: Stripe;

beforeEach(async () => {
  double = await startStripeDouble({
    secretKey: 'sk_test_saved',
    publishableKey: 'pk_test_saved',
    webhookSecret: 'whsec_saved',
    webhookUrl: () => 'http://127.0.0.1:1/',
    webhooks: false,
  });
  stripe = new Stripe('sk_test_saved', {
    host: double.url.hostname,
    port: double.url.port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
    timeout: 5000,
  });
});

afterEach(() => double.stop());

const createCustomer = () =>
  stripe.customers.create({ email: 'awa@example.com', name: 'Awa', metadata: { payer: '7' } });

/** A customer with one saved card. */
const saved = async (card = 'pm_card_visa') => {
  const customer = await createCustomer();
  const setup = await stripe.setupIntents.create({ customer: customer.id });
  const { paymentMethodId = '' } = double.completeSetup(setup.id, card);
  return { customer: customer.id, method: paymentMethodId };
};

const payWith = (
  { customer, method }: { customer?: string; method: string },
  more: Partial<Stripe.PaymentIntentCreateParams> = {},
) =>
  stripe.paymentIntents.create({
    amount: 1099,
    currency: 'eur',
    ...(customer !== undefined && { customer }),
    payment_method: method,
    confirm: true,
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
    ...more,
  });

const types = () => double.events().map(({ type }) => type);

describe('a customer at the Stripe double', () => {
  it('is made, changed, listed and deleted', async () => {
    const { id } = await createCustomer();
    expect(await stripe.customers.update(id, { name: 'Awa D.', metadata: { payer: '' } })).toMatchObject({
      email: 'awa@example.com',
      name: 'Awa D.',
      metadata: {},
    });
    expect((await stripe.customers.list({ email: 'awa@example.com' })).data).toMatchObject([{ id }]);
    expect((await stripe.customers.list({ email: 'other@example.com' })).data).toEqual([]);
    expect(await stripe.customers.del(id)).toEqual({ id, object: 'customer', deleted: true });
    expect(await stripe.customers.retrieve(id)).toMatchObject({ id, deleted: true });
    expect((await stripe.customers.list()).data).toEqual([]);
    await expect(stripe.customers.update(id, { name: 'B' })).rejects.toMatchObject({ statusCode: 404 });
    await expect(stripe.customers.create({ email: 'nobody' })).rejects.toMatchObject({
      code: 'email_invalid',
    });
    expect(types()).toEqual(['customer.created', 'customer.updated', 'customer.deleted']);
  });

  it('takes its saved cards with it when it is deleted', async () => {
    const { customer, method } = await saved();
    await stripe.customers.del(customer);
    expect(await stripe.paymentMethods.retrieve(method)).toMatchObject({ customer: null });
    await expect(payWith({ customer, method })).rejects.toMatchObject({
      code: 'resource_missing',
      param: 'customer',
    });
  });
});

describe('a SetupIntent at the Stripe double', () => {
  it('saves the card that the payer gives, and charges nothing', async () => {
    const customer = await createCustomer();
    const setup = await stripe.setupIntents.create({ customer: customer.id, metadata: { method: '1' } });
    expect(setup).toMatchObject({ status: 'requires_payment_method', usage: 'off_session' });
    const { status, paymentMethodId } = double.completeSetup(setup.client_secret ?? '', '4242424242424242');
    expect(status).toBe('succeeded');
    const read = await stripe.setupIntents.retrieve(setup.id, { expand: ['payment_method', 'customer'] });
    expect(read).toMatchObject({
      status: 'succeeded',
      metadata: { method: '1' },
      customer: { email: 'awa@example.com' },
      payment_method: {
        id: paymentMethodId,
        customer: customer.id,
        type: 'card',
        card: { brand: 'visa', last4: '4242', exp_month: 12, funding: 'credit' },
      },
    });
    expect(double.charges()).toEqual([]);
    expect(types()).toEqual([
      'customer.created',
      'setup_intent.created',
      'payment_method.attached',
      'setup_intent.succeeded',
    ]);
    expect(() => double.completeSetup(setup.id, 'pm_card_visa')).toThrow('succeeded');
    await expect(stripe.setupIntents.cancel(setup.id)).rejects.toMatchObject({
      code: 'setup_intent_unexpected_state',
      setup_intent: { status: 'succeeded' },
    });
  });

  it('saves nothing when the payer fails to authenticate, or their bank declines', async () => {
    const { id: customer } = await createCustomer();
    const { id } = await stripe.setupIntents.create({ customer });
    expect(double.failSetup(id, 'pm_card_authenticationRequired')).toMatchObject({
      status: 'requires_payment_method',
      declineCode: 'setup_intent_authentication_failure',
    });
    expect(double.completeSetup(id, 'pm_card_visa_chargeDeclinedInsufficientFunds')).toMatchObject({
      status: 'requires_payment_method',
      declineCode: 'insufficient_funds',
    });
    expect(await stripe.setupIntents.retrieve(id)).toMatchObject({
      last_setup_error: { code: 'card_declined', decline_code: 'insufficient_funds' },
    });
    expect((await stripe.customers.listPaymentMethods(customer)).data).toEqual([]);
    expect(await stripe.setupIntents.cancel(id)).toMatchObject({ status: 'canceled' });
    expect(types().slice(-3)).toEqual([
      'setup_intent.setup_failed',
      'setup_intent.setup_failed',
      'setup_intent.canceled',
    ]);
  });

  it('confirmed by the server asks for 3-D Secure, or says as an error that it was declined', async () => {
    const { id: customer } = await createCustomer();
    const asked = await stripe.setupIntents.create({
      customer,
      payment_method: 'pm_card_authenticationRequired',
      confirm: true,
      return_url: 'https://shop.example/saved',
    });
    expect(asked).toMatchObject({ status: 'requires_action', next_action: { type: 'redirect_to_url' } });
    expect(double.completeSetup(asked.id)).toMatchObject({ status: 'succeeded' });
    await expect(
      stripe.setupIntents.create({
        customer,
        payment_method: 'pm_card_chargeDeclined',
        confirm: true,
        automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
      }),
    ).rejects.toMatchObject({
      type: 'StripeCardError',
      code: 'card_declined',
      setup_intent: { status: 'requires_payment_method' },
    });
  });

  it('has a page that stands in for the Payment Element, which goes back to the shop', async () => {
    const { id: customer } = await createCustomer();
    const { client_secret } = await stripe.setupIntents.create({ customer });
    const visit = (url: string, form?: Record<string, string>) =>
      fetch(new URL(url, double.url), {
        redirect: 'manual',
        ...(form && { method: 'POST', body: new URLSearchParams(form) }),
      });
    const address = `/setup/${client_secret}?return_url=${encodeURIComponent('https://shop.example/saved')}`;
    expect(await (await visit(address)).text()).toContain('Save this card');
    const declined = await visit(address, { card: '4000000000009995' });
    expect(await declined.text()).toContain('insufficient funds');
    const asked = await visit(address, { card: '4000002760003184' });
    const done = await visit(asked.headers.get('location') ?? '', { result: 'complete' });
    const location = new URL(done.headers.get('location') ?? '');
    expect(location.searchParams.get('redirect_status')).toBe('succeeded');
    expect(location.searchParams.get('setup_intent_client_secret')).toBe(client_secret);
    expect((await stripe.paymentMethods.list({ customer, type: 'card' })).data).toHaveLength(1);
  });
});

describe('a saved payment method at the Stripe double', () => {
  it('is listed until it is detached, and then never works again', async () => {
    const { customer, method } = await saved();
    const lists = async () => [
      (await stripe.paymentMethods.list({ customer, type: 'card' })).data,
      (await stripe.customers.listPaymentMethods(customer)).data,
    ];
    for (const list of await lists()) expect(list).toMatchObject([{ id: method, customer }]);
    expect(await stripe.paymentMethods.detach(method)).toMatchObject({ id: method, customer: null });
    for (const list of await lists()) expect(list).toEqual([]);
    await expect(stripe.paymentMethods.detach(method)).rejects.toMatchObject({ statusCode: 400 });
    await expect(stripe.paymentMethods.attach(method, { customer })).rejects.toMatchObject({
      statusCode: 400,
    });
    await expect(payWith({ customer, method })).rejects.toThrow('may not be used again');
    expect(double.charges()).toEqual([]);
    expect(types().at(-1)).toBe('payment_method.detached');
  });

  it('can be attached directly, unless its bank would not let it pay', async () => {
    const { id: customer } = await createCustomer();
    const attached = await stripe.paymentMethods.attach('pm_card_mastercard', { customer });
    expect(attached).toMatchObject({ customer, card: { brand: 'mastercard', last4: '4444' } });
    expect(attached.id).not.toBe('pm_card_mastercard');
    await expect(stripe.paymentMethods.attach('pm_card_chargeDeclined', { customer })).rejects.toMatchObject({
      type: 'StripeCardError',
      code: 'card_declined',
    });
    const settings = { invoice_settings: { default_payment_method: attached.id } };
    expect(await stripe.customers.update(customer, settings)).toMatchObject(settings);
    const { id: other } = await createCustomer();
    await expect(stripe.customers.update(other, settings)).rejects.toMatchObject({
      code: 'resource_missing',
    });
  });

  it('pays for its customer, with the payer there or not, and for nobody else', async () => {
    const { customer, method } = await saved();
    expect(await payWith({ customer, method })).toMatchObject({
      status: 'succeeded',
      payment_method: method,
    });
    const paid = await payWith({ customer, method }, { off_session: true, expand: ['latest_charge'] });
    expect(paid).toMatchObject({ status: 'succeeded', customer, latest_charge: { customer, amount: 1099 } });
    const { id: other } = await createCustomer();
    await expect(payWith({ customer: other, method })).rejects.toMatchObject({
      type: 'StripeInvalidRequestError',
      code: 'resource_missing',
      param: 'payment_method',
    });
    await expect(payWith({ method })).rejects.toThrow('belongs to the Customer');
    expect(double.chargesFor(customer)).toHaveLength(2);
    expect((await stripe.paymentIntents.list({ customer })).data).toHaveLength(2);
    expect((await stripe.paymentIntents.list({ customer: other })).data).toEqual([]);
  });

  it('that wants authentication is refused while the payer is away, and payable when they come back', async () => {
    const { customer, method } = await saved('pm_card_authenticationRequired');
    const error = await payWith({ customer, method }, { off_session: true }).catch(
      (caught: unknown) => caught,
    );
    expect(error).toMatchObject({
      type: 'StripeCardError',
      statusCode: 402,
      code: 'authentication_required',
      decline_code: 'authentication_required',
      payment_method: { id: method },
      payment_intent: {
        status: 'requires_payment_method',
        customer,
        last_payment_error: { code: 'authentication_required', payment_method: { id: method } },
      },
    });
    const { payment_intent } = error as Stripe.errors.StripeCardError;
    const id = payment_intent?.id ?? '';
    expect(types().slice(-3)).toEqual([
      'payment_intent.created',
      'charge.failed',
      'payment_intent.payment_failed',
    ]);
    expect(double.pay(id, method)).toMatchObject({ status: 'requires_action' });
    expect(double.authenticate(id, 'complete')).toMatchObject({ status: 'succeeded' });
    expect(double.chargesFor(id).map(({ status }) => status)).toEqual(['failed', 'succeeded']);
  });

  it('is offered on the page of a payment of its customer, and of nobody else', async () => {
    const { customer, method } = await saved();
    const other = await saved();
    const amount = { amount: 1099, currency: 'eur' };
    const payment = await stripe.paymentIntents.create({ ...amount, customer });
    const pay = async (card?: string) => {
      const url = new URL(`/pay/${payment.client_secret}`, double.url);
      const body = card === undefined ? undefined : new URLSearchParams({ card });
      return (await fetch(url, body && { method: 'POST', body })).text();
    };
    const page = await pay();
    expect(page).toContain(method);
    expect(page).not.toContain(other.method);
    expect(await pay(other.method)).toContain('does not have a payment method');
    expect(await pay(method)).toContain('10.99 EUR were paid.');
  });

  it.each([
    ['pm_card_authenticationRequiredOnSetup', 'succeeded'],
    ['pm_card_authenticationRequiredSetupForOffSession', 'succeeded'],
  ])('%s, once set up, is not asked about off session', async (card, status) => {
    const payer = await saved(card);
    expect(await payWith(payer, { off_session: true })).toMatchObject({ status });
    expect(await payWith(payer, { return_url: 'https://shop.example' })).toMatchObject({
      status: 'requires_action',
    });
  });

  it('that was never set up is asked about off session', async () => {
    const { id: customer } = await createCustomer();
    const { id: method } = await stripe.paymentMethods.attach('pm_card_authenticationRequiredOnSetup', {
      customer,
    });
    await expect(payWith({ customer, method }, { off_session: true })).rejects.toMatchObject({
      code: 'authentication_required',
    });
  });

  it('may be declined as any card', async () => {
    const payer = await saved('pm_card_chargeCustomerFail');
    await expect(payWith(payer, { off_session: true })).rejects.toMatchObject({
      type: 'StripeCardError',
      code: 'card_declined',
      payment_intent: { status: 'requires_payment_method' },
    });
  });

  it('asks on session, unless the server says that it cannot answer', async () => {
    const payer = await saved('pm_card_authenticationRequired');
    await expect(payWith(payer, { error_on_requires_action: true })).rejects.toMatchObject({
      code: 'authentication_required',
    });
    expect(await payWith(payer)).toMatchObject({
      status: 'requires_action',
      next_action: { type: 'redirect_to_url' },
    });
    const asked = await payWith(payer, { use_stripe_sdk: true });
    expect(asked).toMatchObject({ status: 'requires_action', next_action: { type: 'use_stripe_sdk' } });
    expect(double.authenticate(asked.id, 'complete')).toMatchObject({ status: 'succeeded' });
  });

  it('is confirmed only with an address to come back to, unless nothing can lead away', async () => {
    const payer = await saved();
    const anything = { automatic_payment_methods: { enabled: true } };
    await expect(payWith(payer, anything)).rejects.toMatchObject({ statusCode: 400, param: 'return_url' });
    expect((await stripe.paymentIntents.list()).data).toEqual([]);
    const returning = { ...anything, return_url: 'https://shop.example' };
    expect(await payWith(payer, returning)).toMatchObject({ status: 'succeeded' });
  });

  it('is not off session before it is confirmed', async () => {
    const payer = await saved();
    await expect(payWith(payer, { confirm: false, off_session: true })).rejects.toMatchObject({
      param: 'off_session',
    });
  });

  it('stays behind a payment that says so, and only when it paid', async () => {
    const { id: customer } = await createCustomer();
    const { id } = await stripe.paymentIntents.create({
      amount: 1099,
      currency: 'eur',
      customer,
      setup_future_usage: 'off_session',
    });
    double.pay(id, 'pm_card_visa_chargeDeclined');
    expect((await stripe.customers.listPaymentMethods(customer)).data).toEqual([]);
    double.pay(id, 'pm_card_visa');
    const [method] = (await stripe.customers.listPaymentMethods(customer)).data;
    expect(await stripe.paymentIntents.retrieve(id)).toMatchObject({ payment_method: method?.id });
    expect(await payWith({ customer, method: method?.id ?? '' }, { off_session: true })).toMatchObject({
      status: 'succeeded',
    });
  });

  it('that nobody saved pays once', async () => {
    const { id: customer } = await createCustomer();
    const { payment_method } = await payWith({ customer, method: 'pm_card_visa' });
    expect((await stripe.customers.listPaymentMethods(customer)).data).toEqual([]);
    await expect(payWith({ customer, method: payment_method as string })).rejects.toThrow(
      'may not be used again',
    );
  });

  it('stays behind a Checkout Session that says so', async () => {
    const { id: customer } = await createCustomer();
    const session = await stripe.checkout.sessions.create({
      mode: 'payment',
      customer,
      line_items: [
        { quantity: 1, price_data: { currency: 'eur', unit_amount: 1099, product_data: { name: 'Pagne' } } },
      ],
      success_url: 'https://shop.example/done',
      payment_intent_data: { setup_future_usage: 'off_session' },
    });
    double.pay(session.id, 'pm_card_visa');
    expect((await stripe.customers.listPaymentMethods(customer)).data).toHaveLength(1);
  });
});

describe('the controls of saved methods', () => {
  it('work over HTTP too', async () => {
    const { id: customer } = await createCustomer();
    const { id } = await stripe.setupIntents.create({ customer });
    const post = async (form: Record<string, string>) => {
      const body = new URLSearchParams(form);
      return (await fetch(new URL('/_double/setup', double.url), { method: 'POST', body })).json();
    };
    const card = '4000002760003184';
    expect(await post({ setup_intent: id, card, result: 'fail' })).toMatchObject({
      status: 'requires_payment_method',
    });
    expect(await post({ setup_intent: id, card })).toMatchObject({
      setupIntentId: id,
      status: 'succeeded',
      paymentMethodId: expect.stringMatching(/^pm_/),
    });
  });
});
