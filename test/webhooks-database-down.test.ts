import { startTestApp, type RunningApp } from './support/running-app.js';
import { booksOf, storedEvents } from './support/books.js';
import { startNodeBehindProxy, type NodeBehindProxy } from './support/node-behind-proxy.js';
import { BANK, newEventId, notify, STRIPE } from './support/notifying-provider.js';
import { watch } from './support/subscriber.js';
import { eventually } from './support/eventually.js';

let app: RunningApp;
let node: NodeBehindProxy;
beforeAll(async () => {
  app = await startTestApp();
  node = await startNodeBehindProxy(app);
});
afterAll(async () => {
  await node.stop();
  await app.stop();
});

const statusOf = async (path: string) => {
  const response = await fetch(`${node.url}${path}`);
  await response.arrayBuffer();
  return response.status;
};

describe.each([STRIPE, BANK])('a notification of $name while the database is down', (provider) => {
  test('is answered 503, again and again, and applied when it is sent once more afterwards', async () => {
    const payment = await provider.open(app);
    const eventId = newEventId();
    const body = provider.paid(payment, { eventId });
    await node.database.cut();

    const answers = [];
    for (let tries = 0; tries < 10; tries += 1) answers.push(await notify(node, provider, body));
    expect(new Set(answers)).toEqual(new Set([503]));
    expect(await statusOf('/readyz')).toBe(503);
    expect(await statusOf('/healthz')).toBe(200);
    expect(await storedEvents(app, eventId)).toEqual([]);

    await node.database.restore();
    await eventually(async () => expect(await notify(node, provider, body)).toBe(200));
    expect(await statusOf('/readyz')).toBe(200);
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PAID', version: 2, captured: 1_500 });
    expect(await storedEvents(app, eventId)).toMatchObject([{ status: 'APPLIED' }]);
  });

  test('that goes down in the middle of applying it: 503, nothing half done, and applied afterwards', async () => {
    const payment = await provider.open(app);
    const eventId = newEventId();
    const body = provider.paid(payment, { eventId });
    const runner = app.dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.query('SELECT 1 FROM orders WHERE reference = $1 FOR UPDATE', [payment.orderId]);
    const answer = notify(node, provider, body);
    await eventually(async () => {
      const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      expect(await app.dataSource.query(waiting)).toHaveLength(1);
    });

    await node.database.cut();
    expect(await answer).toBe(503);
    // The server process of the lost connection may still finish what it was told, or not: both must be right.
    await runner.commitTransaction();
    await runner.release();
    await node.database.restore();

    await eventually(async () => expect(await notify(node, provider, body)).toBe(200));
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PAID', version: 2, captured: 1_500 });
    expect(await storedEvents(app, eventId)).toMatchObject([{ status: 'APPLIED' }]);
  });

  test('and a bad signature is still refused', async () => {
    await node.database.cut();
    expect(await notify(node, provider, provider.ofAnotherType(newEventId()), {})).toBe(
      provider.refusalStatus,
    );
    await node.database.restore();
    await eventually(async () => expect(await statusOf('/readyz')).toBe(200));
  });
});

test('who watches through an outage hears what happened after it', async () => {
  const payment = await BANK.open(app);
  const watcher = watch(node, payment.id, payment.token);
  await watcher.until((heard) => heard.length === 1);
  await node.database.cut();
  expect(await statusOf('/readyz')).toBe(503);
  await node.database.restore();
  await eventually(async () => expect(await notify(node, BANK, BANK.paid(payment))).toBe(200));
  // The other node's relay may have been faster, and its own watchers are the ones it told.
  await app.dataSource.query('UPDATE outbox_event SET told_at = NULL');
  await eventually(async () => {
    await app.dataSource.query('UPDATE outbox_event SET told_at = NULL');
    expect(watcher.heard.map(({ status }) => status)).toEqual(['PENDING', 'PAID']);
  });
  await watcher.close();
});
