import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { startTestApp, type RunningApp } from './support/running-app.js';
import { churn, versionsUpTo } from './support/churned-payment.js';
import { STRIPE, type OpenPayment } from './support/notifying-provider.js';
import { paidPayment } from './support/payments-with-money.js';
import { GOOD_CARD } from './support/ways-to-pay.js';
import { watch, WATCH_PAYMENT } from './support/subscriber.js';
import { eventually } from './support/eventually.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

/** Connects again and again, each time for so many milliseconds, until the last version has been heard. */
async function hearWithInterruptions(
  payment: OpenPayment,
  interruptions: readonly number[],
  last: number,
): Promise<number[]> {
  const heard: number[] = [];
  for (const milliseconds of interruptions) {
    const watcher = watch(app, payment.id, payment.token, heard.at(-1) ?? 0);
    await sleep(milliseconds);
    await watcher.close();
    heard.push(...watcher.heard.map(({ version }) => version));
  }
  const watcher = watch(app, payment.id, payment.token, heard.at(-1) ?? 0);
  if (heard.at(-1) !== last) await watcher.until((rest) => rest.at(-1)?.version === last, 10_000);
  await watcher.close();
  return [...heard, ...watcher.heard.map(({ version }) => version)];
}

test('whoever is cut off at any moments, and says what they saw last, hears every version once and in order', async () => {
  const interruptions = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 10 });
  const watchers = fc.array(interruptions, { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(watchers, fc.integer({ min: 1, max: 40 }), async (plans, changes) => {
      const payment = await STRIPE.open(app);
      const last = changes + 1;
      const [, ...heard] = await Promise.all([
        churn(app, payment, changes),
        ...plans.map((plan) => hearWithInterruptions(payment, plan, last)),
      ]);
      for (const versions of heard) expect(versions).toEqual(versionsUpTo(last));
    }),
    { numRuns: 8 },
  );
});

test('who subscribes without a version in the middle of a burst misses nothing from there on', async () => {
  const payment = await STRIPE.open(app);
  const burst = churn(app, payment, 60);
  const watchers = [];
  for (let count = 0; count < 30; count += 1) {
    watchers.push(watch(app, payment.id, payment.token));
    await sleep(5);
  }
  const last = await burst;
  for (const watcher of watchers) {
    await watcher.until((heard) => heard.at(-1)?.version === last);
    const versions = watcher.heard.map(({ version }) => version);
    expect(versions).toEqual(versionsUpTo(last, versions[0]! - 1));
    await watcher.close();
  }
});

/** As a frontend does it: graphql-ws connects again by itself, and each time says what it saw last. */
function watchForEver({ id, token }: OpenPayment) {
  const heard: number[] = [];
  const closes: number[] = [];
  const faults: unknown[] = [];
  const client = createClient({
    url: app.webSocketUrl,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 50,
    // By default a refused connection, while nobody listens, ends it: that is an error, and no close.
    shouldRetry: () => true,
    retryWait: () => sleep(20),
    on: { closed: (event) => closes.push((event as { code: number }).code) },
  });
  const variables = {
    id,
    get sinceVersion() {
      return heard.at(-1) ?? 0;
    },
  };
  client.subscribe<{ paymentStatusChanged: { version: number } }>(
    { query: WATCH_PAYMENT, variables },
    {
      next: ({ data }) => heard.push(data!.paymentStatusChanged.version),
      error: (error) => faults.push((error as Error).message),
      complete: () => undefined,
    },
  );
  return {
    heard,
    closes,
    faults,
    close: async () => {
      await client.dispose();
    },
  };
}

test('a server that stops closes its watchers so that graphql-ws connects again, and they miss nothing', async () => {
  const payment = await STRIPE.open(app);
  const watchers = Array.from({ length: 20 }, () => watchForEver(payment));
  await eventually(() => watchers.forEach(({ heard }) => expect(heard).toEqual([1])));
  await churn(app, payment, 3);

  await app.restart();
  // Connections that fetch kept open to the server of before fail once.
  await eventually(async () => expect((await fetch(`${app.url}/readyz`)).status).toBe(200));
  const last = await churn(app, payment, 3, 4);

  await eventually(() => {
    const seen = watchers.map(({ heard, closes, faults }) => ({ heard, closes: closes[0], faults }));
    // 1001, "going away": no fatal code for graphql-ws. What follows are tries while nobody listened.
    const whole = { heard: versionsUpTo(last), closes: 1001, faults: [] };
    expect(seen).toEqual(seen.map(() => whole));
  });
  await Promise.all(watchers.map((watcher) => watcher.close()));
});

describe('a watcher who names a version that the payment has not reached', () => {
  test('is told the present state at once, and every change from there on', async () => {
    const payment = await STRIPE.open(app);
    const watcher = watch(app, payment.id, payment.token, 5);
    await watcher.until((heard) => heard.length === 1);
    app.stripe.pay(payment.providerReference, GOOD_CARD);
    await watcher.until((heard) => heard.at(-1)?.status === 'PAID');
    await watcher.close();
    expect(
      watcher.heard.map(({ version, status, previousStatus }) => [version, status, previousStatus]),
    ).toEqual([
      [1, 'PENDING', null],
      [2, 'PAID', 'PENDING'],
    ]);
  });

  test.each([3, 2_147_483_647])(
    'is told so of a payment that is over, too: version %d of 2',
    async (version) => {
      const payment = await paidPayment(app, STRIPE);
      const watcher = watch(app, payment.id, payment.token, version);
      await watcher.until((heard) => heard.length > 0);
      await watcher.close();
      expect(watcher.heard).toMatchObject([{ version: 2, status: 'PAID', previousStatus: null }]);
    },
  );
});
