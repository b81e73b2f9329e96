import {
  RETURN_URL,
  codeOf,
  CREATE_PAYMENT,
  dataOf,
  startTestApp,
  type RunningApp,
} from './support/running-app.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import {
  available,
  cancelOrder,
  cancelPayment,
  changeQuantity,
  readOrder,
  readPayment,
  sessionIn,
  untilStatus,
  updatePayment,
} from './support/payment-calls.js';

const GOOD_CARD = '4242424242424242';
const BANK_DEBIT = '000123456789';
const REDIRECTED_CARD = { method: 'CARD', presentation: 'REDIRECT', returnUrl: RETURN_URL };
const BANK = { method: 'BANK', returnUrl: RETURN_URL };

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterEach(async () => {
  await app.stripe.settled();
  await app.bank.settled();
  await expectInvariants(app.dataSource);
});
afterAll(() => app.stop());

const create = (orderId: string, token: string, input: object = {}) =>
  app.graphql(CREATE_PAYMENT, { input: { orderId, ...input } }, token);

async function orderOf(quantity = 1, stock = 10) {
  const product = await app.addProduct({ stock });
  const order = await app.order(product.sku, quantity);
  return { ...order, product, sku: product.sku };
}

async function paidOrder() {
  const order = await orderOf();
  const payment = await app.pay(order.orderId, order.token, { method: 'CARD' });
  app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD);
  await untilStatus(app, payment.id, order.token, 'PAID');
  return { ...order, payment };
}

describe('createPaymentIntent', () => {
  test('by card in the frontend’s page gives a client secret that really pays, for the order’s total', async () => {
    const { orderId, token } = await orderOf(3);
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
    const { orderId, token } = await orderOf();
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
    const { orderId, token } = await orderOf();
    expect((await app.pay(orderId, token)).nextAction.__typename).toBe('ConfirmWithStripe');
  });

  test('asked again gives the same payment and the same client secret, from a closed browser too', async () => {
    const { orderId, token } = await orderOf();
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
    const { orderId, token } = await orderOf();
    const first = await app.pay(orderId, token);
    await app.restart();
    expect(await app.pay(orderId, token)).toEqual(first);
  });

  test('keeps the client secret out of the database', async () => {
    const { orderId, token } = await orderOf();
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

  // The raw payload of payment_intent.* holds the client secret in clear, so a copy of the database is enough after all.
  test('keeps the client secret out of the stored notifications too', async () => {
    const { orderId, token } = await orderOf();
    const { nextAction } = await app.pay(orderId, token);
    await app.stripe.settled();
    const rows = await app.dataSource.query('SELECT type FROM webhook_event WHERE payload LIKE $1', [
      `%${nextAction.clientSecret}%`,
    ]);
    expect(rows).toEqual([]);
  });

  test('of a paid order is refused', async () => {
    const { orderId, token } = await paidOrder();
    expect(codeOf(await create(orderId, token))).toBe('ORDER_ALREADY_PAID');
  });

  test('of a cancelled order is refused', async () => {
    const { orderId, token } = await orderOf();
    expect(dataOf(await cancelOrder(app, orderId, token)).cancelOrder.status).toBe('CANCELLED');
    expect(codeOf(await create(orderId, token))).toBe('ORDER_CANCELLED');
  });

  test('in a way that there is not says which ways there are', async () => {
    const { orderId, token } = await orderOf();
    const answer = await create(orderId, token, { method: 'BANK', presentation: 'EMBEDDED' });
    expect(codeOf(answer)).toBe('NO_WAY_TO_PAY');
    for (const way of ['stripe CARD EMBEDDED', 'stripe CARD REDIRECT', 'bank-x BANK REDIRECT']) {
      expect(answer.errors![0]!.message).toContain(way);
    }
  });

  test('for less than the provider takes says that there is no such way', async () => {
    const { sku } = await app.addProduct({ unitAmount: 10 });
    const { orderId, token } = await app.order(sku);
    expect(codeOf(await create(orderId, token, { method: 'CARD' }))).toBe('NO_WAY_TO_PAY');
  });

  test.each([
    ['is missing', {}],
    ['is of an origin that nobody allowed', { returnUrl: 'https://evil.example/return' }],
    ['is no URL at all', { returnUrl: 'nonsense' }],
    ['is a script', { returnUrl: 'javascript:alert(1)' }],
  ])('with a redirect is refused when returnUrl %s, and leaves nothing behind', async (_, input) => {
    const { orderId, token, sku } = await orderOf();
    const answer = await create(orderId, token, { method: 'BANK', ...input });
    expect(codeOf(answer)).toBe('BAD_USER_INPUT');
    expect(answer.errors![0]!.extensions.fields).toEqual([expect.objectContaining({ path: 'returnUrl' })]);
    expect((await readOrder(app, orderId, token)).paymentIntents).toEqual([]);
    expect(await available(app, sku)).toBe(10);
  });

  test('for more than there is names the SKU and how many are left, and leaves nothing behind', async () => {
    const { orderId, token, sku } = await orderOf(4, 3);
    const before = app.stripe.counts().objects.paymentIntents;
    const answer = await create(orderId, token);
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
    const refused = await create(order.id, orderToken);
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
    const { orderId, token } = await orderOf();
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
    const { orderId, token } = await orderOf();
    for (const option of await options(orderId, token)) {
      const { orderId: another, token: itsToken } = await orderOf();
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
    const { orderId, token, sku } = await orderOf(2);
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
    const [byBank, byCard] = [await orderOf(), await orderOf()];
    const atBank = await app.pay(byBank.orderId, byBank.token, BANK);
    const inCheckout = await app.pay(byCard.orderId, byCard.token, REDIRECTED_CARD);

    dataOf(await cancelPayment(app, atBank.id, byBank.token));
    dataOf(await cancelPayment(app, inCheckout.id, byCard.token));

    expect(app.bank.payment(`${atBank.id}-1`)).toMatchObject({ status: 'CANCELLED' });
    expect(() => app.stripe.pay(sessionIn(inCheckout.nextAction.url), GOOD_CARD)).toThrow('expired');
  });

  test('asked twice is one change', async () => {
    const { orderId, token } = await orderOf();
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
    const { orderId, token } = await orderOf();
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
    const { orderId, token, sku } = await orderOf();
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
    const { orderId, token, sku } = await orderOf();
    const payment = await app.pay(orderId, token);
    expect(dataOf(await cancelOrder(app, orderId, token)).cancelOrder.status).toBe('CANCELLED');
    expect((await readPayment(app, payment.id, token)).status).toBe('CANCELLED');
    expect(() => app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD)).toThrow('canceled');
    expect(await available(app, sku)).toBe(10);
  });
});

describe('an order that changes before it is paid', () => {
  test('updatePaymentIntent gives the same PaymentIntent at Stripe the new amount', async () => {
    const { orderId, token, sku } = await orderOf(1);
    const payment = await app.pay(orderId, token);
    await changeQuantity(app, orderId, token, sku, 3);

    const updated = dataOf(await updatePayment(app, payment.id, token)).updatePaymentIntent;

    expect(updated).toMatchObject({
      id: payment.id,
      status: 'PENDING',
      amount: 4_500,
      nextAction: { clientSecret: payment.nextAction.clientSecret },
      attempts: [{ number: 1, amount: 4_500 }],
    });
    app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD);
    await untilStatus(app, payment.id, token, 'PAID');
    expect(app.stripe.chargesFor(`${payment.id}-1`)).toEqual([expect.objectContaining({ amount: 4_500 })]);
    expect(await available(app, sku)).toBe(7);
  });

  test.each([
    ['a bank', BANK],
    ['Checkout', REDIRECTED_CARD],
  ])(
    'at %s, which can’t change an amount, a new attempt takes the place of the old one',
    async (_, input) => {
      const { orderId, token, sku } = await orderOf(1);
      const payment = await app.pay(orderId, token, input);
      await changeQuantity(app, orderId, token, sku, 2);

      const updated = dataOf(await updatePayment(app, payment.id, token)).updatePaymentIntent;

      expect(updated).toMatchObject({
        id: payment.id,
        status: 'PENDING',
        amount: 3_000,
        attempts: [
          { number: 1, amount: 1_500, status: 'CANCELLED' },
          { number: 2, amount: 3_000, status: 'PENDING' },
        ],
      });
      expect(updated.nextAction.url).not.toBe(payment.nextAction.url);
      if (input === BANK) app.bank.pay(`${payment.id}-2`);
      else app.stripe.pay(sessionIn(updated.nextAction.url), GOOD_CARD);
      await untilStatus(app, payment.id, token, 'PAID');
      expect(await readPayment(app, payment.id, token)).toMatchObject({ capturedAmount: 3_000 });
    },
  );

  test('createPaymentIntent follows the order by itself', async () => {
    const { orderId, token, sku } = await orderOf(1);
    const payment = await app.pay(orderId, token);
    await changeQuantity(app, orderId, token, sku, 2);
    expect(await app.pay(orderId, token)).toMatchObject({
      id: payment.id,
      amount: 3_000,
      nextAction: { clientSecret: payment.nextAction.clientSecret },
    });
    app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD);
    await untilStatus(app, payment.id, token, 'PAID');
  });

  test('the old amount, paid before the payment was told, goes to REVIEW and confirms nothing', async () => {
    const { orderId, token, sku } = await orderOf(1);
    const payment = await app.pay(orderId, token);
    await changeQuantity(app, orderId, token, sku, 2);

    app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD);

    expect(await untilStatus(app, payment.id, token, 'REVIEW', 0)).toEqual(['PENDING', 'REVIEW']);
    expect(await readPayment(app, payment.id, token)).toMatchObject({
      failureCode: 'AMOUNT_MISMATCH',
      capturedAmount: 1_500,
      order: { status: 'OPEN', amount: 3_000 },
    });
    expect(codeOf(await updatePayment(app, payment.id, token))).toBe('PAYMENT_NOT_UPDATABLE');
    expect(codeOf(await cancelPayment(app, payment.id, token))).toBe('PAYMENT_NOT_CANCELLABLE');
    expect(await app.pay(orderId, token)).toMatchObject({
      id: payment.id,
      status: 'REVIEW',
      nextAction: null,
    });
  });

  test('the old amount, paid at the bank on the replaced attempt, goes to REVIEW', async () => {
    const { orderId, token, sku } = await orderOf(1);
    const payment = await app.pay(orderId, token, BANK);
    await changeQuantity(app, orderId, token, sku, 2);
    dataOf(await updatePayment(app, payment.id, token));

    app.bank.payLate(`${payment.id}-1`);

    await untilStatus(app, payment.id, token, 'REVIEW');
    expect(await readPayment(app, payment.id, token)).toMatchObject({
      failureCode: 'AMOUNT_MISMATCH',
      capturedAmount: 1_500,
    });
  });

  test('once the provider is processing, the amount can’t change any more', async () => {
    const { orderId, token, sku } = await orderOf(1);
    const payment = await app.pay(orderId, token);
    app.stripe.pay(payment.nextAction.clientSecret, BANK_DEBIT);
    await untilStatus(app, payment.id, token, 'PROCESSING');
    await changeQuantity(app, orderId, token, sku, 2);

    expect(codeOf(await updatePayment(app, payment.id, token))).toBe('PAYMENT_NOT_UPDATABLE');
    expect(await app.pay(orderId, token)).toMatchObject({
      id: payment.id,
      status: 'PROCESSING',
      nextAction: null,
    });
  });

  test.each([
    ['createPaymentIntent', (orderId: string, token: string) => create(orderId, token)],
    ['updatePaymentIntent', (_: string, token: string, id: string) => updatePayment(app, id, token)],
  ])('%s, repeated after Stripe was unavailable, brings Stripe the new amount', async (_, repeat) => {
    const { orderId, token, sku } = await orderOf(1);
    const payment = await app.pay(orderId, token);
    await changeQuantity(app, orderId, token, sku, 2);
    app.stripe.answerNext('payment_intents.update', { answer: { kind: 'status', status: 429 } });
    const refused = await repeat(orderId, token, payment.id);
    expect([codeOf(refused), refused.errors![0]!.extensions.retryable]).toEqual([
      'PROVIDER_UNAVAILABLE',
      true,
    ]);

    expect(codeOf(await repeat(orderId, token, payment.id))).toBeUndefined();

    app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD);
    await untilStatus(app, payment.id, token, 'PAID');
    expect(await readPayment(app, payment.id, token)).toMatchObject({ capturedAmount: 3_000 });
  });

  test('the last amount counts, even when Stripe takes an earlier one after it', async () => {
    const { orderId, token, sku } = await orderOf(1);
    const payment = await app.pay(orderId, token);
    await changeQuantity(app, orderId, token, sku, 2);
    const asked = app.stripe.requests('payment_intents.update');
    // The SDK asks again once it has waited, and by then the order has changed once more.
    app.stripe.answerNext('payment_intents.update', { answer: { kind: 'hang' } });
    const early = updatePayment(app, payment.id, token);
    await eventually(
      () => app.stripe.requests('payment_intents.update'),
      (requests) => requests > asked,
    );
    await changeQuantity(app, orderId, token, sku, 3);
    dataOf(await updatePayment(app, payment.id, token));
    dataOf(await early);

    app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD);

    await untilStatus(app, payment.id, token, 'PAID');
    expect(await readPayment(app, payment.id, token)).toMatchObject({ capturedAmount: 4_500 });
  });

  test('a replaced attempt that can’t be ended is watched, and not replaced again by each repetition', async () => {
    const { orderId, token, sku } = await orderOf(1);
    const payment = await app.pay(orderId, token, BANK);
    await changeQuantity(app, orderId, token, sku, 2);
    app.bank.answerNext('cancelPayment', { kind: 'status', status: 500 });
    dataOf(await updatePayment(app, payment.id, token));
    expect((await readPayment(app, payment.id, token)).attempts).toMatchObject([
      { status: 'PENDING' },
      { status: 'PENDING' },
    ]);

    const again = await app.pay(orderId, token, BANK);

    expect(again.nextAction.url).toBe((await readPayment(app, payment.id, token)).nextAction.url);
    expect((await readPayment(app, payment.id, token)).attempts).toHaveLength(2);
    expect(app.bank.payment(`${payment.id}-2`)).toMatchObject({
      amount: '30.00',
      payment_url: again.nextAction.url,
    });
  });

  test('updatePaymentIntent is one new attempt, however many ask for it at once', async () => {
    const { orderId, token, sku } = await orderOf(1);
    const payment = await app.pay(orderId, token, BANK);
    await changeQuantity(app, orderId, token, sku, 2);

    const answers = await Promise.all(Array.from({ length: 10 }, () => create(orderId, token, BANK)));

    expect(answers.map(codeOf)).toEqual(answers.map(() => undefined));
    const { attempts } = await readPayment(app, payment.id, token);
    expect(attempts).toEqual([
      expect.objectContaining({ number: 1, status: 'CANCELLED' }),
      expect.objectContaining({ number: 2, status: 'PENDING', amount: 3_000 }),
    ]);
    expect(new Set(answers.map((answer) => dataOf(answer).createPaymentIntent.nextAction.url)).size).toBe(1);
  });
});
