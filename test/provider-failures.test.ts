import { randomUUID } from 'node:crypto';
import { codeOf, dataOf, startTestApp, type RunningApp } from './support/running-app.js';
import { eventually } from './support/eventually.js';
import {
  available,
  cancelPayment,
  createPayment,
  orderOf,
  readOrder,
  readPayment,
  untilStatus,
} from './support/payment-calls.js';
import { watch } from './support/subscriber.js';
import { BANK, CARD, GOOD_CARD } from './support/ways-to-pay.js';
import { expectSettled } from './support/settled.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterEach(() => expectSettled(app));
afterAll(() => app.stop());

const failStripe = (status: number, times = 1) =>
  app.stripe.answerNext('payment_intents.create', {
    answer: { kind: 'status', status, shouldRetry: false },
    times,
  });
const failBank = (status: number) => app.bank.answerNext('createPayment', { kind: 'status', status });

async function onlyPaymentOf(orderId: string, token: string): Promise<any> {
  const { paymentIntents } = await readOrder(app, orderId, token);
  expect(paymentIntents).toHaveLength(1);
  return readPayment(app, paymentIntents[0].id, token);
}

describe('a provider that is unavailable', () => {
  test.each([
    ['Stripe', CARD, () => failStripe(429)],
    ['the bank', BANK, () => failBank(429)],
  ])('(%s) is said so, and the same request with the same key then works', async (_, way, fail) => {
    const { orderId, token, sku } = await orderOf(app);
    const input = { ...way, idempotencyKey: randomUUID() };
    fail();

    const refused = await createPayment(app, orderId, token, input);

    expect([codeOf(refused), refused.errors![0]!.extensions.retryable]).toEqual([
      'PROVIDER_UNAVAILABLE',
      true,
    ]);
    const begun = await onlyPaymentOf(orderId, token);
    expect(begun).toMatchObject({ status: 'PENDING', nextAction: null });
    expect(await available(app, sku)).toBe(9);
    const { paymentIntent, nextAction } = dataOf(
      await createPayment(app, orderId, token, input),
    ).createPaymentIntent;
    expect(paymentIntent).toMatchObject({ id: begun.id, version: 1 });
    if (way === BANK) app.bank.pay(`${begun.id}-1`);
    else app.stripe.pay(nextAction.clientSecret, GOOD_CARD);
    await untilStatus(app, begun.id, token, 'PAID');
    expect((await onlyPaymentOf(orderId, token)).attempts).toHaveLength(1);
  });

  test('leaves another way to pay open', async () => {
    const { orderId, token } = await orderOf(app);
    failBank(429);
    expect(codeOf(await createPayment(app, orderId, token, BANK))).toBe('PROVIDER_UNAVAILABLE');
    const payment = await app.pay(orderId, token, CARD);
    app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD);
    await untilStatus(app, payment.id, token, 'PAID');
    expect((await onlyPaymentOf(orderId, token)).id).toBe(payment.id);
  });

  test('is said to a payer who cancels, too; the payment stays as it was', async () => {
    const { orderId, token, sku } = await orderOf(app);
    const { id } = await app.pay(orderId, token, CARD);
    app.stripe.answerNext('payment_intents.cancel', {
      answer: { kind: 'status', status: 503, shouldRetry: false },
    });
    expect(codeOf(await cancelPayment(app, id, token))).toBe('PROVIDER_UNAVAILABLE');
    expect((await readPayment(app, id, token)).status).toBe('PENDING');
    expect(await available(app, sku)).toBe(9);
    expect(dataOf(await cancelPayment(app, id, token)).cancelPaymentIntent.status).toBe('CANCELLED');
  });
});

describe('a provider that refuses the request', () => {
  test.each([
    ['Stripe', CARD, () => failStripe(401)],
    ['the bank', BANK, () => failBank(422)],
  ])(
    '(%s) ends the payment as FAILED with its stock back, and a new request opens a new one',
    async (_, way, fail) => {
      const { orderId, token, sku } = await orderOf(app);
      fail();

      const refused = await createPayment(app, orderId, token, way);

      expect([codeOf(refused), refused.errors![0]!.extensions.retryable]).toEqual([
        'PROVIDER_REJECTED',
        false,
      ]);
      const failed = await onlyPaymentOf(orderId, token);
      expect(failed).toMatchObject({
        status: 'FAILED',
        version: 2,
        failureCode: expect.any(String),
        order: { status: 'OPEN', reservedUntil: null },
        attempts: [{ status: 'FAILED' }],
      });
      expect(await available(app, sku)).toBe(10);
      const next = await app.pay(orderId, token, way);
      expect([next.id === failed.id, next.status]).toEqual([false, 'PENDING']);
    },
  );

  test('says the same again when the same key is repeated, and asks nobody', async () => {
    const { orderId, token } = await orderOf(app);
    const input = { ...BANK, idempotencyKey: randomUUID() };
    failBank(422);
    const refused = await createPayment(app, orderId, token, input);
    const asked = app.bank.counts().requests.createPayment;
    const again = await createPayment(app, orderId, token, input);
    expect([codeOf(refused), codeOf(again)]).toEqual(['PROVIDER_REJECTED', 'PROVIDER_REJECTED']);
    expect(app.bank.counts().requests.createPayment).toBe(asked);
  });

  test('says nothing of its inside: no key, no address, no words of the provider’s', async () => {
    const { orderId, token } = await orderOf(app);
    failStripe(401);
    const [error] = (await createPayment(app, orderId, token, CARD)).errors!;
    expect(error!.message).toBe('The card provider refused the request.');
    expect(Object.keys(error!.extensions).sort()).toEqual(['code', 'retryable']);
  });

  test('declined by the provider at once is PAYMENT_DECLINED', async () => {
    const { orderId, token, sku } = await orderOf(app);
    failBank(402);
    expect(codeOf(await createPayment(app, orderId, token, BANK))).toBe('PAYMENT_DECLINED');
    expect((await onlyPaymentOf(orderId, token)).status).toBe('FAILED');
    expect(await available(app, sku)).toBe(10);
  });
});

describe('a provider that does not answer', () => {
  test.each([
    ['a lost connection', { kind: 'close' }, false],
    ['a lost connection, after it had done it', { kind: 'close' }, true],
    ['a 502', { kind: 'status', status: 502 }, false],
    ['a 502, after it had done it', { kind: 'status', status: 502 }, true],
    [
      'a page of some proxy, after it had done it',
      { kind: 'status', status: 200, body: '<h1>WiFi</h1>' },
      true,
    ],
  ] as const)(
    '(%s) leaves the payment UNKNOWN, told to watchers; repeating heals it with one payment there',
    async (_, fault, afterDoing) => {
      const { orderId, token, sku } = await orderOf(app);
      const before = app.bank.counts().payments;
      app.bank.answerNext('createPayment', { ...fault, afterDoing });

      const unknown = await app.pay(orderId, token, BANK);

      expect(unknown).toMatchObject({ status: 'UNKNOWN', version: 2, nextAction: null });
      expect(await available(app, sku)).toBe(9);
      const watcher = watch(app, unknown.id, token, 0);
      await watcher.until((heard) => heard.length === 2);
      const healed = await app.pay(orderId, token, BANK);
      expect(healed).toMatchObject({
        id: unknown.id,
        status: 'PENDING',
        nextAction: { url: expect.any(String) },
      });
      app.bank.pay(`${unknown.id}-1`);
      await watcher.until((heard) => heard.at(-1)?.status === 'PAID');
      expect(watcher.heard.map(({ status }) => status)).toEqual(['PENDING', 'UNKNOWN', 'PENDING', 'PAID']);
      await watcher.close();
      expect(app.bank.counts().payments - before).toBe(1);
    },
  );

  const threeLostAnswers = { answer: { kind: 'status', status: 500 }, when: 'AFTER_WORK', times: 3 } as const;

  test('Stripe, whose answer is lost three times, leaves UNKNOWN too; repeating gives one PaymentIntent that works', async () => {
    const { orderId, token } = await orderOf(app);
    const before = app.stripe.counts().objects.paymentIntents;
    app.stripe.pauseWebhooks();
    let unknown;
    try {
      app.stripe.answerNext('payment_intents.create', threeLostAnswers);
      unknown = await app.pay(orderId, token, CARD);
      expect(unknown).toMatchObject({ status: 'UNKNOWN', version: 2, nextAction: null });
      const healed = await app.pay(orderId, token, CARD);
      expect(healed).toMatchObject({ id: unknown.id, status: 'PENDING', version: 3 });
      app.stripe.pay(healed.nextAction.clientSecret, GOOD_CARD);
    } finally {
      app.stripe.resumeWebhooks();
    }
    await untilStatus(app, unknown.id, token, 'PAID');
    expect(app.stripe.counts().objects.paymentIntents - before).toBe(1);
  });

  test('Stripe’s notification may come although its answer never did: the payer still gets a client secret', async () => {
    const { orderId, token } = await orderOf(app);
    const before = app.stripe.counts().objects.paymentIntents;
    app.stripe.answerNext('payment_intents.create', threeLostAnswers);
    const first = await app.pay(orderId, token, CARD);
    await app.stripe.settled();

    const again = await app.pay(orderId, token, CARD);

    expect(again).toMatchObject({
      id: first.id,
      status: 'PENDING',
      nextAction: { clientSecret: expect.any(String) },
    });
    app.stripe.pay(again.nextAction.clientSecret, GOOD_CARD);
    await untilStatus(app, first.id, token, 'PAID');
    expect(app.stripe.counts().objects.paymentIntents - before).toBe(1);
  });

  test('a refusal after an unanswered call proves nothing of that call: it stays UNKNOWN', async () => {
    const { orderId, token, sku } = await orderOf(app);
    app.bank.answerNext('createPayment', { kind: 'close', afterDoing: true });
    const unknown = await app.pay(orderId, token, BANK);
    failBank(422);
    expect(await app.pay(orderId, token, BANK)).toMatchObject({ id: unknown.id, status: 'UNKNOWN' });
    expect(await available(app, sku)).toBe(9);
    // And indeed the bank has it: the money is believed.
    app.bank.pay(`${unknown.id}-1`);
    await untilStatus(app, unknown.id, token, 'PAID');
  });

  test('holds nothing up: others buy the same product meanwhile', async () => {
    const { orderId, token, sku } = await orderOf(app);
    const other = await app.order(sku);
    const asked = app.bank.counts().requests.createPayment;
    app.bank.answerNext('createPayment', { kind: 'hang' });
    let answered = false;
    const slow = app.pay(orderId, token, BANK).finally(() => (answered = true));
    await eventually(
      () => app.bank.counts().requests.createPayment,
      (requests) => requests > asked,
    );

    const quick = await app.pay(other.orderId, other.token, CARD);
    app.stripe.pay(quick.nextAction.clientSecret, GOOD_CARD);
    await untilStatus(app, quick.id, other.token, 'PAID');

    expect(answered).toBe(false);
    expect((await slow).status).toBe('UNKNOWN');
  });

  test('holds no transaction open while it is waited for', async () => {
    const { orderId, token } = await orderOf(app);
    const asked = app.bank.counts().requests.createPayment;
    app.bank.answerNext('createPayment', { kind: 'hang' });
    let isAnswered = false;
    const slow = app.pay(orderId, token, BANK).finally(() => (isAnswered = true));
    await eventually(
      () => app.bank.counts().requests.createPayment,
      (requests) => requests > asked,
    );
    // The relay opens short ones of its own.
    await eventually(
      (): Promise<unknown[]> =>
        app.dataSource.query(
          `SELECT state, query FROM pg_stat_activity
           WHERE datname = current_database() AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'`,
        ),
      (open) => open.length === 0,
    );
    expect(isAnswered).toBe(false);
    await slow;
  });
});
