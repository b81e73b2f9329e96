import { startTestApp, type RunningApp } from './support/running-app.js';
import { churn, versionsUpTo } from './support/churned-payment.js';
import {
  notify,
  STRIPE,
  stripeEvent,
  stripePaymentIntent,
  type OpenPayment,
} from './support/notifying-provider.js';
import { subscribe, watch, WATCH_PAYMENT, type Subscriber } from './support/subscriber.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const versions = (watcher: { readonly heard: readonly { version: number }[] }) =>
  watcher.heard.map(({ version }) => version);

const watchFrom = (payment: OpenPayment, sinceVersion?: number) =>
  watch(app, payment.id, payment.token, sinceVersion);

const untilVersion = (watcher: Subscriber<{ version: number }>, last: number) =>
  watcher.until((heard) => heard.at(-1)?.version === last, 10_000);

describe('paymentStatusChanged', () => {
  test('gives the present state first, and then each change in order', async () => {
    const payment = await STRIPE.open(app);
    await churn(app, payment, 3);
    const watcher = watchFrom(payment);
    await untilVersion(watcher, 4);
    expect(watcher.heard).toMatchObject([{ status: 'PARTIALLY_REFUNDED', previousStatus: null, version: 4 }]);

    const last = await churn(app, payment, 5, 4);
    await untilVersion(watcher, last);

    expect(versions(watcher)).toEqual(versionsUpTo(9, 3));
    const heard = watcher.heard;
    heard.slice(1).forEach(({ previousStatus }, index) => expect(previousStatus).toBe(heard[index]!.status));
    expect(heard.at(-1)).toMatchObject({
      status: 'PARTIALLY_REFUNDED',
      paymentIntent: {
        id: payment.id,
        status: 'PARTIALLY_REFUNDED',
        capturedAmount: 1_500,
        paidAt: expect.any(String),
      },
    });
    await watcher.close();
  });

  test('dates the present state when it came to be so, to whoever asks and whenever they do', async () => {
    const payment = await STRIPE.open(app);
    await churn(app, payment, 3);
    const all = watchFrom(payment, 0);
    await untilVersion(all, 4);
    const dates = all.heard.map(({ occurredAt }) => occurredAt);
    const [first, second, tooFar] = [watchFrom(payment), watchFrom(payment), watchFrom(payment, 99)];
    for (const watcher of [first, second, tooFar]) {
      await untilVersion(watcher, 4);
      expect(watcher.heard.map(({ occurredAt }) => occurredAt)).toEqual([dates.at(-1)]);
      await watcher.close();
    }
    expect([...dates].sort()).toEqual(dates);
    await all.close();
  });

  test('shows each change as the payment was right after it, not as it is now', async () => {
    const payment = await STRIPE.open(app);
    await churn(app, payment, 4);
    const watcher = watchFrom(payment, 0);
    await untilVersion(watcher, 5);
    for (const { status, version, paymentIntent } of watcher.heard) {
      expect(paymentIntent).toMatchObject({ status, version });
    }
    await watcher.close();
  });

  test.each([0, 1, 3, 5])('with sinceVersion %s gives exactly what was missed', async (sinceVersion) => {
    const payment = await STRIPE.open(app);
    await churn(app, payment, 5);
    const watcher = watchFrom(payment, sinceVersion);
    await untilVersion(watcher, 6);
    await churn(app, payment, 1, 6);
    await untilVersion(watcher, 7);
    expect(versions(watcher)).toEqual(versionsUpTo(7, sinceVersion));
    await watcher.close();
  });

  test('with the present version gives nothing until the next change', async () => {
    const payment = await STRIPE.open(app);
    await churn(app, payment, 2);
    const upToDate = watchFrom(payment, 3);
    const witness = watchFrom(payment);
    await untilVersion(witness, 3);
    await churn(app, payment, 1, 3);
    await untilVersion(upToDate, 4);
    expect(versions(upToDate)).toEqual([4]);
    await Promise.all([upToDate.close(), witness.close()]);
  });

  test('a negative sinceVersion is refused with the field at fault', async () => {
    const payment = await STRIPE.open(app);
    const watcher = watchFrom(payment, -1);
    await watcher.untilEnded();
    expect(watcher.heard).toEqual([]);
    expect(JSON.stringify(watcher.errors)).toContain('sinceVersion');
    await watcher.close();
  });

  test('a payment that is not the caller’s, or is none, is NOT_FOUND, and neither is told from the other', async () => {
    const [mine, theirs] = [await STRIPE.open(app), await STRIPE.open(app)];
    const errorsFor = async (id: string, token?: string) => {
      const watcher = subscribe(app.webSocketUrl, WATCH_PAYMENT, { id }, token);
      await watcher.untilEnded();
      await watcher.close();
      expect(watcher.heard).toEqual([]);
      return JSON.parse(JSON.stringify(watcher.errors.flat()));
    };
    const theirErrors = await errorsFor(theirs.id, mine.token);
    expect(theirErrors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
    expect(await errorsFor(`TXN-${'0'.repeat(26)}`, mine.token)).toEqual(theirErrors);
  });

  test('200 watchers of one payment all see the same, each version once', async () => {
    const payment = await STRIPE.open(app);
    const watchers = Array.from({ length: 200 }, () => watchFrom(payment));
    await Promise.all(watchers.map((watcher) => untilVersion(watcher, 1)));
    const last = await churn(app, payment, 10);
    await Promise.all(watchers.map((watcher) => untilVersion(watcher, last)));
    for (const watcher of watchers) expect(versions(watcher)).toEqual(versionsUpTo(last));
    await Promise.all(watchers.map((watcher) => watcher.close()));
  });
});

describe('paymentIntentsChanged', () => {
  const WATCH_ALL = `
    subscription ($filter: PaymentIntentFilter) {
      paymentIntentsChanged(filter: $filter) { status previousStatus version paymentIntent { id } }
    }`;
  const watchAll = (filter: object | undefined, token: string | undefined) =>
    subscribe(app.webSocketUrl, WATCH_ALL, { filter }, token);

  /** Until they listen, which nothing announces: another subscription on the same server is asked after it. */
  async function untilListening(payment: OpenPayment): Promise<void> {
    const witness = watchFrom(payment);
    await untilVersion(witness, 1);
    await witness.close();
  }

  test('tells operators and backends of every payment, or of those they ask for', async () => {
    const [one, other] = [await STRIPE.open(app), await STRIPE.open(app)];
    const all = watchAll(undefined, app.operatorToken);
    const ofOneOrder = watchAll({ orderId: one.orderId }, app.apiKey);
    const paid = watchAll({ status: ['PAID'] }, app.apiKey);
    await untilListening(one);

    for (const payment of [one, other]) {
      const processing = stripePaymentIntent(payment, { status: 'processing' });
      await notify(app, STRIPE, stripeEvent('payment_intent.processing', processing));
      await notify(app, STRIPE, STRIPE.paid(payment));
    }

    await all.until((heard) => heard.length === 4);
    await ofOneOrder.until((heard) => heard.length === 2);
    await paid.until((heard) => heard.length === 2);
    const told = (watcher: Subscriber) =>
      watcher.heard.map(({ paymentIntent, status }) => [paymentIntent.id, status]);
    expect(told(all)).toEqual([
      [one.id, 'PROCESSING'],
      [one.id, 'PAID'],
      [other.id, 'PROCESSING'],
      [other.id, 'PAID'],
    ]);
    expect(told(ofOneOrder)).toEqual([
      [one.id, 'PROCESSING'],
      [one.id, 'PAID'],
    ]);
    expect(told(paid)).toEqual([
      [one.id, 'PAID'],
      [other.id, 'PAID'],
    ]);
    await Promise.all([all.close(), ofOneOrder.close(), paid.close()]);
  });

  test('is refused for payers, and for who says not at all who they are', async () => {
    const { token } = await STRIPE.open(app);
    for (const [who, code] of [
      [token, 'FORBIDDEN'],
      [undefined, 'UNAUTHENTICATED'],
    ] as const) {
      const watcher = watchAll(undefined, who);
      await watcher.untilEnded();
      expect(watcher.errors.flat()).toMatchObject([{ extensions: { code } }]);
      expect(watcher.heard).toEqual([]);
      await watcher.close();
    }
  });
});
