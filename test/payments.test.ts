import { RETURN_URL, codeOf, dataOf, startTestApp, type RunningApp } from './support/running-app.js';
import {
  available,
  cancelOrder,
  cancelPayment,
  createPayment,
  orderOf,
  readOrder,
  readPayment,
  sessionIn,
  untilStatus,
} from './support/payment-calls.js';
import { BANK, BANK_DEBIT, GOOD_CARD } from './support/ways-to-pay.js';
import { expectSettled } from './support/settled.js';

const REDIRECTED_CARD = { method: 'CARD', presentation: 'REDIRECT', returnUrl: RETURN_URL };

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterEach(() => expectSettled(app));
afterAll(() => app.stop());

async function paidOrder() {
  const order = await orderOf(app);
  const payment = await app.pay(order.orderId, order.token, { method: 'CARD' });
  app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD);
  await untilStatus(app, payment.id, order.token, 'PAID');
  return { ...order, payment };
}

describe('createPaymentIntent', () => {
  test('by card in the frontend’s page gives a client secret that really pays, for the order’s total', async () => {
    const { orderId, token } = await orderOf(app, {}, 3);
    const payment = await app.pay(orderId, token, { method: 'CARD', presentation: 'EMBEDDED' });
    expect(payment).toMatchObject({
      id: expect.stringMatching(/^TXN-[0-9A-Z]{26}$/),
      amount: 4_500,
      currency: 'EUR',
    });
    expect(payment.nextAction.publishableKey).toBe('pk_test_of_tests');

    const { paymentIntentId } = app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD);

    await untilStatus(app, payment.id, token, 'PAID');
    expect(app.stripe.chargesFor(paymentIntentId)).toEqual([
      expect.objectContaining({ amount: 4_500, currency: 'eur', status: 'succeeded' }),
    ]);
    expect(await readPayment(app, payment.id, token)).toMatchObject({
      capturedAmount: 4_500,
      nextAction: null,
      order: { status: 'CONFIRMED' },
      attempts: [{ number: 1, provider: 'stripe', status: 'SUCCEEDED', amount: 4_500 }],
    });
  });

  test('by card with a redirect gives the page of a Checkout Session, where the payer pays', async () => {
    const { orderId, token } = await orderOf(app);
    const payment = await app.pay(orderId, token, REDIRECTED_CARD);
    expect(payment.nextAction).toMatchObject({ __typename: 'RedirectToUrl' });
    const page = await fetch(payment.nextAction.url);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('15.00')]);

    app.stripe.pay(sessionIn(payment.nextAction.url), GOOD_CARD);

    await untilStatus(app, payment.id, token, 'PAID');
    expect(app.stripe.chargesFor(`${payment.id}-1`)).toHaveLength(1);
  });

  test('by bank gives the bank’s page, with the amount in the order’s own currency', async () => {
    const { sku } = await app.addProduct({ currency: 'XOF', unitAmount: 15_000 });
    const { orderId, token } = await app.order(sku, 2);
    const payment = await app.pay(orderId, token, BANK);
    expect((await fetch(payment.nextAction.url)).status).toBe(200);
    expect(app.bank.payment(`${payment.id}-1`)).toMatchObject({ amount: '30000', currency: 'XOF' });

    app.bank.pay(`${payment.id}-1`);

    await untilStatus(app, payment.id, token, 'PAID');
  });

  test('without saying how takes the first way that there is', async () => {
    const { orderId, token } = await orderOf(app);
    expect((await app.pay(orderId, token)).nextAction.__typename).toBe('ConfirmWithStripe');
  });

  test('asked again gives the same payment and the same client secret, from a closed browser too', async () => {
    const { orderId, token } = await orderOf(app);
    const first = await app.pay(orderId, token, { method: 'CARD' });
    const before = app.stripe.requests('payment_intents.create');

    const again = await app.pay(orderId, token, { method: 'CARD' });

    expect(again).toEqual(first);
    expect(app.stripe.requests('payment_intents.create')).toBe(before);
    expect((await readPayment(app, first.id, token)).nextAction.clientSecret).toBe(
      first.nextAction.clientSecret,
    );
  });

  test('asked again after a restart of the server gives the same client secret', async () => {
    const { orderId, token } = await orderOf(app);
    const first = await app.pay(orderId, token);
    await app.restart();
    expect(await app.pay(orderId, token)).toEqual(first);
  });

  test('keeps the client secret out of the database', async () => {
    const { orderId, token } = await orderOf(app);
    const { nextAction } = await app.pay(orderId, token);
    const secret = nextAction.clientSecret.split('_secret_')[1];
    const tables: { table: string }[] = await app.dataSource.query(
      `SELECT table_name AS table FROM information_schema.tables WHERE table_schema = 'public'`,
    );
    expect(tables.map(({ table }) => table)).toEqual(
      expect.arrayContaining(['payment_attempt', 'outbox_event']),
    );
    for (const { table } of tables) {
      const rows = await app.dataSource.query(`SELECT * FROM ${table} t WHERE t::text LIKE $1`, [
        `%${secret}%`,
      ]);
      // What Stripe tells us is kept as it came; the next test is about that.
      if (table !== 'webhook_event') expect({ table, rows }).toEqual({ table, rows: [] });
    }
  });

  // As Stripe sends it, the payload of payment_intent.* has the client secret in it.
  test('keeps the client secret out of the stored notifications too', async () => {
    const { orderId, token } = await orderOf(app);
    const { nextAction } = await app.pay(orderId, token);
    await app.stripe.settled();
    const rows = await app.dataSource.query('SELECT type FROM webhook_event WHERE payload LIKE $1', [
      `%${nextAction.clientSecret}%`,
    ]);
    expect(rows).toEqual([]);
  });

  test('of a paid order is refused', async () => {
    const { orderId, token } = await paidOrder();
    expect(codeOf(await createPayment(app, orderId, token))).toBe('ORDER_ALREADY_PAID');
  });

  test('of a cancelled order is refused', async () => {
    const { orderId, token } = await orderOf(app);
    expect(dataOf(await cancelOrder(app, orderId, token)).cancelOrder.status).toBe('CANCELLED');
    expect(codeOf(await createPayment(app, orderId, token))).toBe('ORDER_CANCELLED');
  });

  test('in a way that there is not says which ways there are', async () => {
    const { orderId, token } = await orderOf(app);
    const answer = await createPayment(app, orderId, token, { method: 'BANK', presentation: 'EMBEDDED' });
    expect(codeOf(answer)).toBe('NO_WAY_TO_PAY');
    for (const way of ['stripe CARD EMBEDDED', 'stripe CARD REDIRECT', 'bank-x BANK REDIRECT']) {
      expect(answer.errors![0]!.message).toContain(way);
    }
  });

  test('for less than the provider takes says how much it takes', async () => {
    const { sku } = await app.addProduct({ unitAmount: 10 });
    const { orderId, token } = await app.order(sku);
    const answer = await createPayment(app, orderId, token, { method: 'CARD' });
    expect(codeOf(answer)).toBe('BAD_USER_INPUT');
    expect(answer.errors![0]!.message).toContain('stripe takes at least 50 EUR (minor units).');
  });

  test.each([
    ['is missing', {}],
    ['is of an origin that nobody allowed', { returnUrl: 'https://evil.example/return' }],
    ['is no URL at all', { returnUrl: 'nonsense' }],
    ['is a script', { returnUrl: 'javascript:alert(1)' }],
    ['names a user', { returnUrl: 'https://evil.example@shop.example/return' }],
  ])('with a redirect is refused when returnUrl %s, and leaves nothing behind', async (_, input) => {
    const { orderId, token, sku } = await orderOf(app);
    const answer = await createPayment(app, orderId, token, { method: 'BANK', ...input });
    expect(codeOf(answer)).toBe('BAD_USER_INPUT');
    expect(answer.errors![0]!.extensions.fields).toEqual([expect.objectContaining({ path: 'returnUrl' })]);
    expect((await readOrder(app, orderId, token)).paymentIntents).toEqual([]);
    expect(await available(app, sku)).toBe(10);
  });

  test.each([
    ['https://shop.example\\@evil.example/', 'https://shop.example/@evil.example/'],
    [' https://shop.example/re\nturn?a=b ', 'https://shop.example/return?a=b'],
    ['HTTPS://SHOP.EXAMPLE', 'https://shop.example/'],
    ['https://shop.example/é', 'https://shop.example/%C3%A9'],
  ])(
    'with the returnUrl %j sends the payer where a browser would go: to %s',
    async (returnUrl, understood) => {
      const { orderId, token } = await orderOf(app);
      const opened = async (url: string) => {
        const answer = await createPayment(app, orderId, token, { method: 'BANK', returnUrl: url });
        return dataOf(answer).createPaymentIntent.nextAction.url as string;
      };
      const page = await opened(returnUrl);
      // The same request again is the same way to pay.
      expect(await opened(understood)).toBe(page);
      const left = await fetch(`${page}/cancel`, { method: 'POST', redirect: 'manual' });
      const { origin, pathname } = new URL(left.headers.get('location')!);
      expect(origin + pathname).toBe(understood.split('?')[0]);
    },
  );

  test('for more than there is names the SKU and how many are left, and leaves nothing behind', async () => {
    const { orderId, token, sku } = await orderOf(app, { stock: 3 }, 4);
    const before = app.stripe.counts().objects.paymentIntents;
    const answer = await createPayment(app, orderId, token);
    expect(codeOf(answer)).toBe('OUT_OF_STOCK');
    expect(answer.errors![0]!.message).toContain(`${sku} (3 left)`);
    expect(await readOrder(app, orderId, token)).toMatchObject({ reservedUntil: null, paymentIntents: [] });
    expect(await available(app, sku)).toBe(3);
    expect(app.stripe.counts().objects.paymentIntents).toBe(before);
  });

  test('holds one short product’s order as a whole: nothing of it is reserved', async () => {
    const [plenty, rare] = [await app.addProduct({ stock: 5 }), await app.addProduct({ stock: 1 })];
    const answer = await app.graphql(
      'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } orderToken } }',
      {
        input: {
          lines: [
            { sku: plenty.sku, quantity: 2 },
            { sku: rare.sku, quantity: 2 },
          ],
        },
      },
    );
    const { order, orderToken } = dataOf(answer).createOrder;
    const refused = await createPayment(app, order.id, orderToken);
    expect(codeOf(refused)).toBe('OUT_OF_STOCK');
    expect(refused.errors![0]!.message).toContain(rare.sku);
    expect(refused.errors![0]!.message).not.toContain(plenty.sku);
    expect(await available(app, plenty.sku)).toBe(5);
  });
});

describe('paymentOptions', () => {
  const options = async (orderId: string, token: string) =>
    dataOf(
      await app.graphql(
        'query ($id: ID!) { paymentOptions(orderId: $id) { provider method presentation } }',
        { id: orderId },
        token,
      ),
    ).paymentOptions;

  test('are the ways to pay the order, in the order of the configuration', async () => {
    const { orderId, token } = await orderOf(app);
    expect(await options(orderId, token)).toEqual([
      { provider: 'stripe', method: 'CARD', presentation: 'EMBEDDED' },
      { provider: 'stripe', method: 'CARD', presentation: 'REDIRECT' },
      { provider: 'bank-x', method: 'BANK', presentation: 'REDIRECT' },
    ]);
  });

  test('leave out a provider that does not take the currency or so small an amount', async () => {
    const iraq = await app.addProduct({ currency: 'IQD' });
    const penny = await app.addProduct({ unitAmount: 1 });
    for (const { sku } of [iraq, penny]) {
      const { orderId, token } = await app.order(sku);
      expect(await options(orderId, token)).toEqual([
        { provider: 'bank-x', method: 'BANK', presentation: 'REDIRECT' },
      ]);
    }
  });

  test('each really open a payment', async () => {
    const { orderId, token } = await orderOf(app);
    for (const option of await options(orderId, token)) {
      const { orderId: another, token: itsToken } = await orderOf(app);
      expect((await app.pay(another, itsToken, { ...option, returnUrl: RETURN_URL })).status).toBe('PENDING');
    }
  });

  test('are none for a paid order', async () => {
    const { orderId, token } = await paidOrder();
    expect(await options(orderId, token)).toEqual([]);
  });
});

describe('cancelPaymentIntent', () => {
  test('ends the payment at the provider and gives the stock back; the order stays open and payable', async () => {
    const { orderId, token, sku } = await orderOf(app, {}, 2);
    const payment = await app.pay(orderId, token);
    expect(await available(app, sku)).toBe(8);

    const cancelled = dataOf(await cancelPayment(app, payment.id, token)).cancelPaymentIntent;

    expect(cancelled).toMatchObject({
      status: 'CANCELLED',
      version: 2,
      nextAction: null,
      order: { status: 'OPEN', reservedUntil: null },
      attempts: [{ status: 'CANCELLED' }],
    });
    expect(() => app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD)).toThrow('canceled');
    expect(await available(app, sku)).toBe(10);
    const next = await app.pay(orderId, token);
    expect(next.id).not.toBe(payment.id);
    expect(next.nextAction.clientSecret).not.toBe(payment.nextAction.clientSecret);
  });

  test('ends a bank payment and a Checkout Session too', async () => {
    const [byBank, byCard] = [await orderOf(app), await orderOf(app)];
    const atBank = await app.pay(byBank.orderId, byBank.token, BANK);
    const inCheckout = await app.pay(byCard.orderId, byCard.token, REDIRECTED_CARD);

    dataOf(await cancelPayment(app, atBank.id, byBank.token));
    dataOf(await cancelPayment(app, inCheckout.id, byCard.token));

    expect(app.bank.payment(`${atBank.id}-1`)).toMatchObject({ status: 'CANCELLED' });
    expect(() => app.stripe.pay(sessionIn(inCheckout.nextAction.url), GOOD_CARD)).toThrow('expired');
  });

  test('asked twice is one change', async () => {
    const { orderId, token } = await orderOf(app);
    const payment = await app.pay(orderId, token);
    const [first, second] = [
      await cancelPayment(app, payment.id, token),
      await cancelPayment(app, payment.id, token),
    ];
    expect(dataOf(second)).toEqual(dataOf(first));
  });

  test('of a paid payment is refused', async () => {
    const { payment, token } = await paidOrder();
    expect(codeOf(await cancelPayment(app, payment.id, token))).toBe('PAYMENT_NOT_CANCELLABLE');
  });

  test('of a payment that is being processed is refused', async () => {
    const { orderId, token } = await orderOf(app);
    const payment = await app.pay(orderId, token);
    app.stripe.pay(payment.nextAction.clientSecret, BANK_DEBIT);
    await untilStatus(app, payment.id, token, 'PROCESSING');
    expect(codeOf(await cancelPayment(app, payment.id, token))).toBe('PAYMENT_NOT_CANCELLABLE');
  });

  test.each([
    ['card', { method: 'CARD' }],
    ['Checkout Session', REDIRECTED_CARD],
    ['bank', BANK],
  ])('makes it PAID instead when the provider (%s) says that it was paid meanwhile', async (_, input) => {
    const { orderId, token, sku } = await orderOf(app);
    const payment = await app.pay(orderId, token, input);
    app.stripe.pauseWebhooks();
    app.bank.pauseWebhooks();
    try {
      if (input === BANK) app.bank.pay(`${payment.id}-1`);
      else app.stripe.pay(payment.nextAction.clientSecret ?? sessionIn(payment.nextAction.url), GOOD_CARD);

      expect(codeOf(await cancelPayment(app, payment.id, token))).toBe('PAYMENT_NOT_CANCELLABLE');

      expect(await readPayment(app, payment.id, token)).toMatchObject({
        status: 'PAID',
        capturedAmount: 1_500,
        order: { status: 'CONFIRMED' },
      });
      expect(await available(app, sku)).toBe(9);
    } finally {
      app.stripe.resumeWebhooks();
      app.bank.resumeWebhooks();
    }
    await app.stripe.settled();
    await app.bank.settled();
    expect(await readPayment(app, payment.id, token)).toMatchObject({
      status: 'PAID',
      version: 2,
      capturedAmount: 1_500,
    });
  });

  test('cancelOrder ends the order’s open payment with it', async () => {
    const { orderId, token, sku } = await orderOf(app);
    const payment = await app.pay(orderId, token);
    expect(dataOf(await cancelOrder(app, orderId, token)).cancelOrder.status).toBe('CANCELLED');
    expect((await readPayment(app, payment.id, token)).status).toBe('CANCELLED');
    expect(() => app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD)).toThrow('canceled');
    expect(await available(app, sku)).toBe(10);
  });
});
