import { startTestApp, RETURN_URL, type RunningApp } from './support/running-app.js';
import { booksOf, storedEvents, untilEvent, untilStatus } from './support/books.js';
import { eventually } from './support/eventually.js';
import { BANK, newEventId, notify, STRIPE, type OpenPayment } from './support/notifying-provider.js';
import { watch } from './support/subscriber.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const ONE_CAPTURE = [{ kind: 'CAPTURE', amount: 1_500 }];

/** Keeps everybody else from writing the order until it is let go. */
async function holdOrder({ orderId }: OpenPayment): Promise<() => Promise<void>> {
  const runner = app.dataSource.createQueryRunner();
  await runner.startTransaction();
  await runner.query('SELECT 1 FROM orders WHERE reference = $1 FOR UPDATE', [orderId]);
  return async () => {
    await runner.commitTransaction();
    await runner.release();
  };
}

function untilWaitingForLock(count: number): Promise<void> {
  return eventually(async () => {
    const waiting = await app.dataSource.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    expect(waiting).toHaveLength(count);
  });
}

describe.each([STRIPE, BANK])('a notification of $name', (provider) => {
  test('that is sent 20 times at once is applied once, and each is answered 200', async () => {
    const payment = await provider.open(app, { stock: 3 });
    const eventId = newEventId();
    const body = provider.paid(payment, { eventId });

    const answers = await Promise.all(Array.from({ length: 20 }, () => notify(app, provider, body)));

    expect(new Set(answers)).toEqual(new Set([200]));
    expect(await storedEvents(app, eventId)).toMatchObject([{ status: 'APPLIED' }]);
    expect(await booksOf(app, payment.id)).toMatchObject({
      status: 'PAID',
      version: 2,
      movements: ONE_CAPTURE,
      stock: 2,
      reserved: 0,
    });
  });

  test('under 20 ids at once: every one is kept, and the money is counted once', async () => {
    const payment = await provider.open(app);
    const ids = Array.from({ length: 20 }, newEventId);

    const answers = await Promise.all(
      ids.map((eventId) => notify(app, provider, provider.paid(payment, { eventId }))),
    );

    expect(new Set(answers)).toEqual(new Set([200]));
    for (const eventId of ids) await untilEvent(app, eventId, 'APPLIED');
    expect(await booksOf(app, payment.id)).toMatchObject({ version: 2, movements: ONE_CAPTURE });
  });

  test('that comes again while the first is still being applied is answered 200, and is applied once', async () => {
    const payment = await provider.open(app);
    const eventId = newEventId();
    const body = provider.paid(payment, { eventId });
    const letGo = await holdOrder(payment);

    const answers = Promise.all([notify(app, provider, body), notify(app, provider, body)]);
    await untilWaitingForLock(2);
    expect(await storedEvents(app, eventId)).toEqual([]);
    await letGo();

    expect(await answers).toEqual([200, 200]);
    expect(await storedEvents(app, eventId)).toMatchObject([{ status: 'APPLIED' }]);
    expect(await booksOf(app, payment.id)).toMatchObject({
      status: 'PAID',
      version: 2,
      movements: ONE_CAPTURE,
    });
  });

  test('that names an attempt which is not there yet is kept, and applied once it is', async () => {
    const payment = await provider.open(app);
    // As if the row were still to come: restored from a backup, or written by another node a moment later.
    const elsewhere = payment.id.replace('TXN-', 'TXN-0000').slice(0, payment.id.length);
    const rename = async (from: string, to: string, reference: string) => {
      await app.dataSource.query(
        `UPDATE payment_attempt SET provider_reference = $2
         WHERE intent_id = (SELECT id FROM payment_intent WHERE reference = $1)`,
        [from, reference],
      );
      await app.dataSource.query('UPDATE payment_intent SET reference = $2 WHERE reference = $1', [from, to]);
    };
    await rename(payment.id, elsewhere, `of ${elsewhere}`);
    const eventId = newEventId();
    const body = provider.paid(payment, { eventId });

    expect(await notify(app, provider, body)).toBe(200);
    expect(await storedEvents(app, eventId)).toMatchObject([
      { status: 'WAITING', outcome: 'no such attempt yet', tries: 1 },
    ]);
    expect(await notify(app, provider, body)).toBe(200);
    expect(await storedEvents(app, eventId)).toHaveLength(1);
    await rename(elsewhere, payment.id, payment.providerReference);

    expect(await untilEvent(app, eventId, 'APPLIED')).toMatchObject({ nextTryAt: null });
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PAID', movements: ONE_CAPTURE });
  });
});

describe('paid before the provider’s answer has reached us', () => {
  const rowsOf = (orderId: string) =>
    app.dataSource.query<{ reference: string }[]>(
      `SELECT i.reference FROM payment_intent i JOIN orders o ON o.id = i.order_id WHERE o.reference = $1`,
      [orderId],
    );

  async function orderSomething(): Promise<{ orderId: string; token: string }> {
    const { sku } = await app.addProduct();
    return app.order(sku);
  }

  test('at Stripe: the notification is applied, and the answer says PAID with nothing left to do', async () => {
    const { orderId, token } = await orderSomething();
    app.stripe.answerNext('payment_intents.create', { answer: { kind: 'hang' }, when: 'AFTER_WORK' });
    const created = app.pay(orderId, token, { method: 'CARD' });
    const reference = await eventually(async () => {
      const [intent] = await rowsOf(orderId);
      const [told] = await app.dataSource.query<{ id: string }[]>(
        `SELECT payload::jsonb #>> '{data,object,id}' AS id FROM webhook_event
         WHERE type = 'payment_intent.created' AND payload::jsonb #>> '{data,object,metadata}' LIKE $1`,
        [`%${intent?.reference ?? 'nothing'}-1%`],
      );
      return told!.id;
    });

    app.stripe.pay(reference, '4242424242424242');

    expect(await created).toMatchObject({ status: 'PAID', nextAction: null });
    const [intent] = await rowsOf(orderId);
    expect(await booksOf(app, intent!.reference)).toMatchObject({
      status: 'PAID',
      version: 2,
      orderStatus: 'CONFIRMED',
      movements: ONE_CAPTURE,
      attempts: [{ status: 'SUCCEEDED' }],
    });
    expect(app.stripe.chargesFor(reference)).toHaveLength(1);
  });

  test('at a bank, whose answer never comes: the payment is PAID, in the order UNKNOWN or not at all', async () => {
    const { orderId, token } = await orderSomething();
    app.bank.answerNext('createPayment', { kind: 'hang', afterDoing: true }, 5);
    const created = app.pay(orderId, token, { method: 'BANK', returnUrl: RETURN_URL });
    const reference = await eventually(async () => {
      const [intent] = await rowsOf(orderId);
      app.bank.payment(`${intent!.reference}-1`);
      return intent!.reference;
    });

    app.bank.pay(`${reference}-1`);

    // Our mark alone proves nothing: the bank is asked first, and our call may be given up before it has answered.
    expect(await created).toMatchObject({ id: reference, nextAction: null });
    const watcher = watch(app, reference, token, 0);
    await watcher.until((heard) => heard.at(-1)?.status === 'PAID');
    const told = watcher.heard.map(({ status }) => status);
    expect(told.filter((status) => status !== 'UNKNOWN')).toEqual(['PENDING', 'PAID']);
    expect(await booksOf(app, reference)).toMatchObject({ movements: ONE_CAPTURE });
    await watcher.close();
  });
});

test('a payer can go on although the first call got no answer and only a notification told of it', async () => {
  const { sku } = await app.addProduct();
  const { orderId, token } = await app.order(sku);
  const hang = { answer: { kind: 'hang' }, when: 'AFTER_WORK', times: 3 } as const;
  app.stripe.answerNext('payment_intents.create', hang);

  const { id } = await app.pay(orderId, token, { method: 'CARD' });
  await app.stripe.settled();
  const again = await app.pay(orderId, token, { method: 'CARD' });

  expect(again).toMatchObject({ id, status: 'PENDING', nextAction: { __typename: 'ConfirmWithStripe' } });
  app.stripe.pay(again.nextAction.clientSecret, '4242424242424242');
  await untilStatus(app, id, 'PAID');
  expect(app.stripe.chargesFor(`${id}-1`)).toHaveLength(1);
}, 15_000);
