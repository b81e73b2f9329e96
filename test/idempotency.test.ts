import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import {
  codeOf,
  CREATE_PAYMENT,
  dataOf,
  RETURN_URL,
  startTestApp,
  type GraphQLAnswer,
  type RunningApp,
} from './support/running-app.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import { startKillableServer, type KillableServer } from './support/killable-server.js';
import { createPayment, readPayment, untilStatus } from './support/payment-calls.js';
import { GOOD_CARD } from './support/ways-to-pay.js';

const CROWD = 20;

const crowd = <Result>(one: (index: number) => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: CROWD }, (_, index) => one(index)));

describe('on a running server', () => {
  let app: RunningApp;
  beforeAll(async () => {
    app = await startTestApp();
  });
  afterEach(async () => {
    await app.stripe.settled();
    await expectInvariants(app.dataSource);
  });
  afterAll(() => app.stop());

  const newOrder = async () => app.order((await app.addProduct()).sku);

  /**
   * How many PaymentIntents Stripe has made since then. It may be asked more often: a request that was read just before
   * the answer was stored asks again, with the same key, and is given the same one.
   */
  function countAtStripe(): () => number {
    const before = app.stripe.counts().objects.paymentIntents;
    return () => app.stripe.counts().objects.paymentIntents - before;
  }

  const tried = async (id: string, token: string) => (await readPayment(app, id, token)).attempts.length;

  test('the same request with one key, twenty times at once, is one payment with twenty equal answers', async () => {
    const { orderId, token } = await newOrder();
    const since = countAtStripe();
    const idempotencyKey = randomUUID();

    const answers = await crowd(() => createPayment(app, orderId, token, { method: 'CARD', idempotencyKey }));

    const [first] = answers;
    expect(dataOf(first!).createPaymentIntent.nextAction.clientSecret).toEqual(expect.any(String));
    expect(answers).toEqual(answers.map(() => first));
    expect(since()).toBe(1);
    expect(await tried(dataOf(first!).createPaymentIntent.paymentIntent.id, token)).toBe(1);
  });

  test.each([
    ['without a key', () => ({})],
    ['with a key each', () => ({ idempotencyKey: randomUUID() })],
  ])(
    'twenty requests for one order at once %s are one open payment with one charge object',
    async (_, input) => {
      const { orderId, token } = await newOrder();
      const since = countAtStripe();

      const answers = await crowd(() => createPayment(app, orderId, token, { method: 'CARD', ...input() }));

      const payments = answers.map((answer) => dataOf(answer).createPaymentIntent);
      expect(new Set(payments.map(({ paymentIntent }) => paymentIntent.id)).size).toBe(1);
      expect(new Set(payments.map(({ nextAction }) => nextAction.clientSecret)).size).toBe(1);
      expect(since()).toBe(1);
      expect(await tried(payments[0].paymentIntent.id, token)).toBe(1);
    },
  );

  test('a key that comes back with another input is refused, and nothing changes', async () => {
    const { orderId, token } = await newOrder();
    const idempotencyKey = randomUUID();
    const first = dataOf(
      await createPayment(app, orderId, token, { method: 'CARD', idempotencyKey }),
    ).createPaymentIntent;

    const answer = await createPayment(app, orderId, token, {
      method: 'BANK',
      returnUrl: RETURN_URL,
      idempotencyKey,
    });

    expect(codeOf(answer)).toBe('IDEMPOTENCY_KEY_REUSED');
    expect(answer.errors![0]!.extensions.fields![0]!.path).toBe('idempotencyKey');
    expect(await tried(first.paymentIntent.id, token)).toBe(1);
  });

  test('a key that comes back for another order is refused', async () => {
    const [one, other] = [await newOrder(), await newOrder()];
    const idempotencyKey = randomUUID();
    dataOf(await createPayment(app, one.orderId, app.apiKey, { idempotencyKey }));
    expect(codeOf(await createPayment(app, other.orderId, app.apiKey, { idempotencyKey }))).toBe(
      'IDEMPOTENCY_KEY_REUSED',
    );
  });

  test('of different inputs with one key at once, one is done and the others are refused', async () => {
    const { orderId, token } = await newOrder();
    const idempotencyKey = randomUUID();
    const answers = await crowd((index) =>
      createPayment(app, orderId, token, {
        ...(index % 2 ? { method: 'CARD' } : { method: 'BANK', returnUrl: RETURN_URL }),
        idempotencyKey,
      }),
    );
    const codes = answers.map((answer) => codeOf(answer) ?? 'done');
    expect(new Set(codes)).toEqual(new Set(['done', 'IDEMPOTENCY_KEY_REUSED']));
    expect(codes.filter((code) => code === 'done')).toHaveLength(CROWD / 2);
    const { paymentIntent } = dataOf(answers.find((answer) => !answer.errors)!).createPaymentIntent;
    expect(await tried(paymentIntent.id, token)).toBe(1);
  });

  test('a field that is null and one that is left out are the same input', async () => {
    const { orderId, token } = await newOrder();
    const idempotencyKey = randomUUID();
    const first = await createPayment(app, orderId, token, { method: 'CARD', idempotencyKey });
    expect(
      await createPayment(app, orderId, token, { idempotencyKey, returnUrl: null, method: 'CARD' }),
    ).toEqual(first);
  });

  test('keys of different callers never meet', async () => {
    const [one, other] = [await newOrder(), await newOrder()];
    const idempotencyKey = randomUUID();
    const first = dataOf(
      await createPayment(app, one.orderId, one.token, { idempotencyKey }),
    ).createPaymentIntent;
    const second = dataOf(
      await createPayment(app, other.orderId, other.token, { idempotencyKey }),
    ).createPaymentIntent;
    expect(second.paymentIntent.id).not.toBe(first.paymentIntent.id);
    // The shop's own server, with the key that a payer happened to use, and another input.
    const backend = dataOf(
      await createPayment(app, one.orderId, app.apiKey, { method: 'CARD', idempotencyKey }),
    );
    expect(backend.createPaymentIntent.paymentIntent.id).toBe(first.paymentIntent.id);
  });

  test('repeated after it was paid gives that payment, and nothing to do', async () => {
    const { orderId, token } = await newOrder();
    const idempotencyKey = randomUUID();
    const { paymentIntent, nextAction } = dataOf(
      await createPayment(app, orderId, token, { idempotencyKey }),
    ).createPaymentIntent;
    app.stripe.pay(nextAction.clientSecret, GOOD_CARD);
    await untilStatus(app, paymentIntent.id, token, 'PAID');

    const again = dataOf(await createPayment(app, orderId, token, { idempotencyKey })).createPaymentIntent;

    expect(again).toMatchObject({
      paymentIntent: { id: paymentIntent.id, status: 'PAID' },
      nextAction: null,
    });
  });

  test('createOrder with one key, twenty times at once, is one order', async () => {
    const { sku } = await app.addProduct();
    const idempotencyKey = randomUUID();
    const answers = await crowd(() =>
      app.graphql('mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } } }', {
        input: { lines: [{ sku, quantity: 1 }], idempotencyKey },
      }),
    );
    expect(new Set(answers.map((answer) => dataOf(answer).createOrder.order.id)).size).toBe(1);
  });
});

describe('when the power fails between writing a payment down and the provider’s answer', () => {
  let server: KillableServer;
  let database: pg.Client;
  beforeAll(async () => {
    server = await startKillableServer();
    database = new pg.Client({ connectionString: server.databaseUrl });
    await database.connect();
  }, 60_000);
  afterAll(async () => {
    await database.end();
    await server.stop();
  });

  const ask = async (query: string, input: object, token?: string): Promise<GraphQLAnswer> => {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ query, variables: { input } }),
    });
    return (await response.json()) as GraphQLAnswer;
  };

  async function newOrder(): Promise<{ orderId: string; token: string }> {
    const sku = randomUUID();
    await database.query(
      `INSERT INTO product (id, sku, name, unit_amount, currency, stock) VALUES ($1, $2, 'Something', 1500, 'EUR', 1)`,
      [uuidv7(), sku],
    );
    const { createOrder } = dataOf(
      await ask(
        'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } orderToken } }',
        {
          lines: [{ sku, quantity: 1 }],
        },
      ),
    );
    return { orderId: createOrder.order.id, token: createOrder.orderToken };
  }

  const paymentsOf = async (orderId: string) =>
    (
      await database.query(
        `SELECT i.reference, i.status, a.provider_reference FROM payment_intent i
           JOIN orders o ON o.id = i.order_id JOIN payment_attempt a ON a.intent_id = i.id WHERE o.reference = $1`,
        [orderId],
      )
    ).rows as { reference: string; status: string; provider_reference: string | null }[];

  test.each([
    ['before the provider did anything', 'BEFORE_WORK', { idempotencyKey: randomUUID() }],
    ['after the provider did it', 'AFTER_WORK', { idempotencyKey: randomUUID() }],
    ['after the provider did it, and the client sends no key', 'AFTER_WORK', {}],
  ] as const)(
    '%s, the same request gives the same payment, with one charge object',
    async (_, when, key) => {
      const { orderId, token } = await newOrder();
      const before = server.stripe.counts().objects.paymentIntents;
      const asked = server.stripe.requests('payment_intents.create');
      server.stripe.pauseWebhooks();
      server.stripe.answerNext('payment_intents.create', { answer: { kind: 'hang' }, when });
      const lost = ask(CREATE_PAYMENT, { orderId, ...key }, token).catch(() => 'lost');
      await eventually(
        () => server.stripe.requests('payment_intents.create'),
        (requests) => requests > asked,
      );
      const [begun, ...more] = await paymentsOf(orderId);
      expect([begun, more]).toEqual([
        expect.objectContaining({ status: 'PENDING', provider_reference: null }),
        [],
      ]);

      await server.kill();
      expect(await lost).toBe('lost');
      server.stripe.resumeWebhooks();
      await server.start();
      const first = dataOf(await ask(CREATE_PAYMENT, { orderId, ...key }, token)).createPaymentIntent;
      const second = dataOf(await ask(CREATE_PAYMENT, { orderId, ...key }, token)).createPaymentIntent;

      expect(first.paymentIntent).toMatchObject({ id: begun!.reference, status: 'PENDING' });
      expect(second).toEqual(first);
      expect(server.stripe.counts().objects.paymentIntents - before).toBe(1);
      server.stripe.pay(first.nextAction.clientSecret, GOOD_CARD);
      await eventually(
        () => paymentsOf(orderId),
        (payments) => payments.length === 1 && payments[0]!.status === 'PAID',
      );
    },
    60_000,
  );
});
