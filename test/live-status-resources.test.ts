import { jest } from '@jest/globals';
import { WebSocket } from 'ws';
import { startTestApp, type RunningApp } from './support/running-app.js';
import { churn, versionsUpTo } from './support/churned-payment.js';
import { STRIPE, type OpenPayment } from './support/notifying-provider.js';
import { subscribe, watch, WATCH_PAYMENT } from './support/subscriber.js';
import { eventually } from './support/eventually.js';
import { expectErrors } from './support/unexpected-errors.js';

/** How many listen on the platform's event targets for what payments do: the pub/sub's listeners are there. */
function countListeners() {
  const isPaymentTopic = ([topic]: readonly unknown[]) => String(topic).startsWith('payment');
  const added = jest.spyOn(EventTarget.prototype, 'addEventListener');
  const removed = jest.spyOn(EventTarget.prototype, 'removeEventListener');
  return () =>
    added.mock.calls.filter(isPaymentTopic).length - removed.mock.calls.filter(isPaymentTopic).length;
}

/** What the server meets when it writes to a socket whose other end is gone. */
const BROKEN_CONNECTION = /EPIPE|ECONNRESET/;

let app: RunningApp;
let listeners: () => number;
beforeAll(async () => {
  listeners = countListeners();
  app = await startTestApp();
});
afterAll(async () => {
  await app.stop();
  jest.restoreAllMocks();
});

const WATCH_ALL = 'subscription { paymentIntentsChanged { version } }';
const watchOne = ({ id, token }: OpenPayment) => watch(app, id, token);

describe('nothing is left of a watcher', () => {
  test('who unsubscribes or hangs up', async () => {
    const payment = await STRIPE.open(app);
    for (let round = 0; round < 20; round += 1) {
      const watchers = Array.from({ length: 10 }, () => watchOne(payment));
      await Promise.all(watchers.map((watcher) => watcher.until((heard) => heard.length === 1)));
      expect(listeners()).toBe(10);
      await Promise.all(watchers.map((watcher) => watcher.close()));
      await eventually(() => expect(listeners()).toBe(0));
    }
  });

  test('whose connection breaks without a word', async () => {
    const payment = await STRIPE.open(app);
    const socket = await rawSocket(payment, 5);
    await eventually(() => expect(listeners()).toBe(5));
    expectErrors(BROKEN_CONNECTION);
    socket.terminate();
    await eventually(() => expect(listeners()).toBe(0));
  });

  test('who is gone before the first answer came', async () => {
    const payment = await STRIPE.open(app);
    expectErrors(BROKEN_CONNECTION);
    for (let round = 0; round < 20; round += 1) (await rawSocket(payment, 3)).terminate();
    await eventually(() => expect(listeners()).toBe(0));
    const witness = watchOne(payment);
    await witness.until((heard) => heard.length === 1);
    expect(listeners()).toBe(1);
    await witness.close();
    await eventually(() => expect(listeners()).toBe(0));
  });

  test('who may not see the payment', async () => {
    const [mine, theirs] = [await STRIPE.open(app), await STRIPE.open(app)];
    const watcher = watch(app, theirs.id, mine.token);
    await watcher.untilEnded();
    await watcher.close();
    expect(listeners()).toBe(0);
  });

  test('who watched everything', async () => {
    const payment = await STRIPE.open(app);
    const watchers = Array.from({ length: 10 }, () =>
      subscribe(app.webSocketUrl, WATCH_ALL, {}, app.operatorToken),
    );
    await eventually(() => expect(listeners()).toBe(10));
    await churn(app, payment, 4);
    await Promise.all(watchers.map((watcher) => watcher.until((heard) => heard.length === 4)));
    await Promise.all(watchers.map((watcher) => watcher.close()));
    await eventually(() => expect(listeners()).toBe(0));
  });
});

test('who does not read holds up nobody, and hears everything once they do', async () => {
  const payment = await STRIPE.open(app);
  const subscriptions = 300;
  const slow = await rawSocket(payment, subscriptions);
  const heard = new Map<string, number[]>();
  slow.on('message', (message: Buffer) => {
    const { type, id, payload } = JSON.parse(message.toString());
    if (type !== 'next') return;
    heard.set(id, [...(heard.get(id) ?? []), payload.data.paymentStatusChanged.version]);
  });
  await eventually(() => expect(heard.size).toBe(subscriptions));
  slow.pause();
  const others = Array.from({ length: 5 }, () => watchOne(payment));
  await Promise.all(others.map((other) => other.until((versions) => versions.length === 1)));

  const last = await churn(app, payment, 40);

  await Promise.all(others.map((other) => other.until((all) => all.at(-1)?.version === last)));
  for (const other of others) expect(other.heard.map(({ version }) => version)).toEqual(versionsUpTo(last));
  expect(Math.max(...[...heard.values()].map((versions) => versions.length))).toBeLessThan(last);

  slow.resume();
  await eventually(() => {
    for (const versions of heard.values()) expect(versions).toEqual(versionsUpTo(last));
  });
  slow.terminate();
  await Promise.all(others.map((other) => other.close()));
});

/** A connection that speaks the protocol by hand, so that it can misbehave. */
async function rawSocket({ id, token }: OpenPayment, subscriptions: number): Promise<WebSocket> {
  const socket = new WebSocket(app.webSocketUrl, 'graphql-transport-ws');
  const send = (message: object) => socket.send(JSON.stringify(message));
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('open', () =>
      send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }),
    );
    // The first message is the acknowledgement.
    socket.once('message', () => resolve());
  });
  const payload = { query: WATCH_PAYMENT, variables: { id } };
  for (let count = 0; count < subscriptions; count += 1) send({ type: 'subscribe', id: `${count}`, payload });
  return socket;
}
