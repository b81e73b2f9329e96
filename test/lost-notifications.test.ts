import { booksOf, storedEvents, untilStatus } from './support/books.js';
import { eventually } from './support/eventually.js';
import { expectInvariants } from './support/invariants.js';
import { BANK, STRIPE, type OpenPayment } from './support/notifying-provider.js';
import { startTestApp, type RunningApp } from './support/running-app.js';
import { watch } from './support/subscriber.js';
import { GOOD_CARD } from './support/ways-to-pay.js';
import { expectErrors } from './support/unexpected-errors.js';

const SOON_MILLISECONDS = 50;
const DOWN = { answer: { kind: 'status', status: 500, shouldRetry: false } } as const;
const ONE_CAPTURE = [{ kind: 'CAPTURE', amount: 1_500 }];

let app: RunningApp;
afterEach(() => app.stop());

const eventsOf = async (type: string) => (await storedEvents(app)).filter((event) => event.type === type);

/** As if the time for the check had come. */
const checkNow = ({ id }: OpenPayment) =>
  app.dataSource.query('UPDATE payment_intent SET next_check_at = now() WHERE reference = $1', [id]);

const refundsOf = async ({ id }: { readonly id: string }) =>
  (await booksOf(app, id)).movements.filter(({ kind }) => kind === 'REFUND');

describe('the list of events at Stripe', () => {
  beforeEach(async () => {
    app = await startTestApp({ notificationListPauseMilliseconds: SOON_MILLISECONDS });
  });

  test('brings a notification that was lost, and a subscriber hears of it as if it had come', async () => {
    const payment = await STRIPE.open(app);
    const watcher = watch(app, payment.id, payment.token);
    await watcher.until((heard) => heard.length === 1);
    app.stripe.pauseWebhooks();

    app.stripe.pay(payment.providerReference, GOOD_CARD);

    const heard = await watcher.until((all) => all.at(-1)?.status === 'PAID');
    expect(heard.map(({ status }) => status)).toEqual(['PENDING', 'PAID']);
    expect(await booksOf(app, payment.id)).toMatchObject({
      movements: ONE_CAPTURE,
      orderStatus: 'CONFIRMED',
    });
    expect(await eventsOf('payment_intent.succeeded')).toMatchObject([{ status: 'APPLIED', headers: {} }]);
    await watcher.close();
  });

  test('is caught up with after a night of downtime, each thing once', async () => {
    const product = await app.addProduct({ stock: 20 });
    const payments = await openSeveral(app, product.sku, 6);
    const refunded = payments[0]!;
    app.stripe.pauseWebhooks();

    await app.restart(() => {
      for (const { providerReference } of payments) app.stripe.pay(providerReference, GOOD_CARD);
      app.stripe.refundInDashboard(refunded.providerReference, 400);
      return Promise.resolve();
    });

    await untilStatus(app, refunded.id, 'PARTIALLY_REFUNDED');
    for (const { id } of payments.slice(1)) await untilStatus(app, id, 'PAID');
    expect(await refundsOf(refunded)).toEqual([{ kind: 'REFUND', amount: 400 }]);
    expect(await eventsOf('payment_intent.succeeded')).toHaveLength(payments.length);

    // What had been lost comes after all, and changes nothing.
    const before = await storedEvents(app);
    app.stripe.resumeWebhooks();
    await app.stripe.settled();
    expect(await eventsOf('payment_intent.succeeded')).toHaveLength(payments.length);
    expect((await storedEvents(app)).length).toBeGreaterThanOrEqual(before.length);
    expect(await booksOf(app, refunded.id)).toMatchObject({ captured: 1_500, refunded: 400, version: 3 });
    for (const { id } of payments) expect(app.stripe.chargesFor(`${id}-1`)).toHaveLength(1);
    await expectInvariants(app.dataSource, [product]);
  });

  test('is read on when Stripe answers again', async () => {
    const payment = await STRIPE.open(app);
    app.stripe.pauseWebhooks();
    app.stripe.answerNext('events.list', DOWN);

    app.stripe.pay(payment.providerReference, GOOD_CARD);

    expect(await untilStatus(app, payment.id, 'PAID')).toMatchObject({ movements: ONE_CAPTURE });
  });

  test('is read again from the same place as long as something of it could not be stored', async () => {
    const payment = await STRIPE.open(app);
    await eventually(cursor, (rows) => rows.length > 0);
    await app.dataSource.query(`UPDATE provider_cursor SET read_until_at = now() - interval '1 hour'`);
    const [before] = await cursor();
    expectErrors(/: error: no$/);
    await app.dataSource.query(`
      CREATE FUNCTION refuse_event() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
      CREATE TRIGGER refused BEFORE INSERT ON webhook_event FOR EACH ROW EXECUTE FUNCTION refuse_event()`);
    app.stripe.pauseWebhooks();
    app.stripe.pay(payment.providerReference, GOOD_CARD);
    const asked = app.stripe.requests('events.list');
    await eventually(() => expect(app.stripe.requests('events.list')).toBeGreaterThan(asked + 20));

    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PENDING', movements: [] });
    const [after] = await cursor();
    expect(after!.read_until_at).toEqual(before!.read_until_at);
    await app.dataSource.query('DROP TRIGGER refused ON webhook_event');

    await untilStatus(app, payment.id, 'PAID');
    await eventually(cursor, ([row]) => row!.read_until_at > before!.read_until_at);
  });

  test('and webhooks that come at the same moment apply each notification once', async () => {
    const product = await app.addProduct({ stock: 20 });
    const payments = await openSeveral(app, product.sku, 6);

    for (const { providerReference } of payments) app.stripe.pay(providerReference, GOOD_CARD);
    for (const { id } of payments) await untilStatus(app, id, 'PAID');
    await app.stripe.settled();

    const told = await eventsOf('payment_intent.succeeded');
    expect(told.map(({ status }) => status)).toEqual(payments.map(() => 'APPLIED'));
    await expectInvariants(app.dataSource, [product]);
  });

  test('is left alone by a node while another one reads it', async () => {
    const payment = await STRIPE.open(app);
    await eventually(cursor, (rows) => rows.length > 0);
    // Not with the claim of a round that is under way here: it would be given free.
    await eventually(async () => {
      const [, claimed] = await app.dataSource.query<[unknown, number]>(
        `UPDATE provider_cursor SET claimed_until = now() + interval '1 minute' WHERE claimed_until IS NULL`,
      );
      expect(claimed).toBe(1);
    });
    app.stripe.pauseWebhooks();
    app.stripe.pay(payment.providerReference, GOOD_CARD);
    const asked = app.stripe.requests('events.list');
    await new Promise((resolve) => setTimeout(resolve, 5 * SOON_MILLISECONDS));

    expect(app.stripe.requests('events.list')).toBe(asked);
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PENDING' });
    await app.dataSource.query(`UPDATE provider_cursor SET claimed_until = now()`);
    await untilStatus(app, payment.id, 'PAID');
  });

  test('is read from the creation of the oldest open payment when it is read for the first time', async () => {
    const payment = await STRIPE.open(app);
    await app.dataSource.query(
      `UPDATE payment_intent SET created_at = now() - interval '1 day' WHERE reference = $1`,
      [payment.id],
    );
    await app.dataSource.query('DELETE FROM provider_cursor');

    const [begun] = await eventually(cursor, (rows) => rows.length > 0);

    const [oldest] = await app.dataSource.query('SELECT min(created_at) AS "createdAt" FROM payment_intent');
    expect(begun).toMatchObject({ provider: 'stripe', read_until_at: oldest.createdAt });
  });
});

describe('the check of open payments', () => {
  beforeEach(async () => {
    app = await startTestApp();
  });

  test.each([STRIPE, BANK])(
    'heals a lost notification of $name, and a subscriber hears of it',
    async (provider) => {
      const payment = await provider.open(app);
      const watcher = watch(app, payment.id, payment.token);
      await watcher.until((heard) => heard.length === 1);
      app.stripe.pauseWebhooks();
      app.bank.pauseWebhooks();
      if (provider === STRIPE) app.stripe.pay(payment.providerReference, GOOD_CARD);
      else app.bank.pay(payment.attemptReference);

      await checkNow(payment);

      await watcher.until((all) => all.at(-1)?.status === 'PAID');
      expect(await booksOf(app, payment.id)).toMatchObject({ version: 2, movements: ONE_CAPTURE });
      await watcher.close();
    },
  );

  test('asks again when the provider did not answer, and no more once the payment is final', async () => {
    const payment = await STRIPE.open(app);
    app.stripe.pauseWebhooks();
    app.stripe.pay(payment.providerReference, GOOD_CARD);
    app.stripe.answerNext('payment_intents.retrieve', DOWN);

    await checkNow(payment);
    await eventually(() => expect(app.stripe.requests('payment_intents.retrieve')).toBe(1));
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PENDING' });
    await eventually(async () => expect(await nextCheckOf(payment)).toBeInstanceOf(Date));
    await checkNow(payment);

    await untilStatus(app, payment.id, 'PAID');
    await eventually(async () => expect(await nextCheckOf(payment)).toBeNull());
  });
});

describe('verifyPaymentIntent', () => {
  beforeEach(async () => {
    app = await startTestApp();
    app.stripe.pauseWebhooks();
  });

  const VERIFY = 'mutation ($id: ID!) { verifyPaymentIntent(id: $id) { id status version } }';
  const verify = async ({ id, token }: OpenPayment) => {
    const { data, errors } = await app.graphql(VERIFY, { id }, token);
    return errors ?? data.verifyPaymentIntent;
  };
  const asked = () => app.stripe.requests('payment_intents.retrieve');

  /** So long ago that its notification should have come; or that the provider may be asked again. */
  async function age({ id }: OpenPayment, seconds: number, column: 'created_at' | 'asked_at' = 'created_at') {
    await app.dataSource.query(
      `UPDATE payment_intent SET ${column} = ${column} - make_interval(secs => $2) WHERE reference = $1`,
      [id, seconds],
    );
  }

  async function paidUnheard(): Promise<OpenPayment> {
    const payment = await STRIPE.open(app);
    app.stripe.pay(payment.providerReference, GOOD_CARD);
    return payment;
  }

  test('asks nobody about a payment that is younger than 30 s', async () => {
    const payment = await paidUnheard();
    await age(payment, 25);
    expect(await verify(payment)).toMatchObject({ status: 'PENDING' });
    expect(asked()).toBe(0);
  });

  test('asks the provider about an older one, and says what came of it', async () => {
    const payment = await paidUnheard();
    await age(payment, 31);
    expect(await verify(payment)).toMatchObject({ id: payment.id, status: 'PAID', version: 2 });
    expect(asked()).toBe(1);
    expect(await verify(payment)).toMatchObject({ status: 'PAID' });
    expect(asked()).toBe(1);
  });

  test('asks once, however many ask at once', async () => {
    const payment = await paidUnheard();
    await age(payment, 31);
    const answers = await Promise.all(Array.from({ length: 20 }, () => verify(payment)));
    expect(asked()).toBe(1);
    expect(new Set(answers.map(({ status }) => status))).toContain('PAID');
    expect(await booksOf(app, payment.id)).toMatchObject({ version: 2, movements: ONE_CAPTURE });
  });

  test('asks again only when five seconds have gone by', async () => {
    const payment = await STRIPE.open(app);
    await age(payment, 60);
    await verify(payment);
    app.stripe.pay(payment.providerReference, GOOD_CARD);

    expect(await verify(payment)).toMatchObject({ status: 'PENDING' });
    expect(asked()).toBe(1);
    await age(payment, 5, 'asked_at');

    expect(await verify(payment)).toMatchObject({ status: 'PAID' });
    expect(asked()).toBe(2);
  });

  test('answers what is known when the provider is down', async () => {
    const payment = await paidUnheard();
    await age(payment, 31);
    app.stripe.answerNext('payment_intents.retrieve', DOWN);
    expect(await verify(payment)).toMatchObject({ status: 'PENDING', version: 1 });
  });
});

const cursor = () => app.dataSource.query<{ read_until_at: Date }[]>('SELECT * FROM provider_cursor');

async function nextCheckOf({ id }: OpenPayment): Promise<Date | null> {
  const [row] = await app.dataSource.query<{ next_check_at: Date | null }[]>(
    'SELECT next_check_at FROM payment_intent WHERE reference = $1',
    [id],
  );
  return row!.next_check_at;
}

async function openSeveral(
  { pay, order, stripe }: RunningApp,
  sku: string,
  count: number,
): Promise<{ id: string; providerReference: string }[]> {
  const payments = [];
  for (let number = 0; number < count; number += 1) {
    const { orderId, token } = await order(sku);
    const { id, nextAction } = await pay(orderId, token, { method: 'CARD' });
    payments.push({ id, providerReference: nextAction.clientSecret.split('_secret_')[0] });
  }
  await stripe.settled();
  return payments;
}
