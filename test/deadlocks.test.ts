import pg from 'pg';
import { untilStatus } from './support/books.js';
import { eventually } from './support/eventually.js';
import { dataOf, startTestApp, type RunningApp } from './support/running-app.js';
import { expectSettled } from './support/settled.js';
import { refundPayment } from './support/staff-calls.js';
import { expectErrors } from './support/unexpected-errors.js';
import { GOOD_CARD } from './support/ways-to-pay.js';

let app: RunningApp;
let other: pg.Client;
beforeAll(async () => {
  app = await startTestApp();
  other = new pg.Client({ connectionString: app.databaseUrl });
  await other.connect();
});
afterEach(() => expectSettled(app));
afterAll(async () => {
  await other.end();
  await app.stop();
});

async function paidPayment(): Promise<{ id: string; orderId: string }> {
  const { sku } = await app.addProduct();
  const { orderId, token } = await app.order(sku);
  const payment = await app.pay(orderId, token, { method: 'CARD' });
  app.stripe.pay(payment.nextAction.clientSecret, GOOD_CARD);
  await untilStatus(app, payment.id, 'PAID');
  await expectSettled(app);
  return { id: payment.id, orderId };
}

const waitingForLocks = (): Promise<{ pid: number }[]> =>
  app.dataSource.query(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );

test('a refund that PostgreSQL breaks off to resolve a deadlock is written all the same, once', async () => {
  const payment = await paidPayment();
  await other.query('BEGIN');
  await other.query('SELECT FROM payment_intent WHERE reference = $1 FOR UPDATE', [payment.id]);
  const refunding = refundPayment(app, payment, { amount: 500 });
  // It has the order's row, and waits for the payment's: PostgreSQL breaks off the one that waited first.
  await eventually(waitingForLocks, (waiting) => waiting.length > 0);
  await other.query('SELECT FROM orders WHERE reference = $1 FOR UPDATE', [payment.orderId]);
  await other.query('COMMIT');

  expect(dataOf(await refunding).refundPayment).toMatchObject({ amount: 500, status: 'SUCCEEDED' });
  await eventually(
    () =>
      app.dataSource.query(
        'SELECT deadlocks::integer FROM pg_stat_database WHERE datname = current_database()',
      ),
    ([{ deadlocks }]) => deadlocks === 1,
  );
});

test('a lock that is not to be had in time is SERVICE_UNAVAILABLE, and the refund can be asked for again', async () => {
  const payment = await paidPayment();
  expectErrors(/canceling statement/);
  await other.query('BEGIN');
  await other.query('SELECT FROM orders WHERE reference = $1 FOR UPDATE', [payment.orderId]);
  const refunding = refundPayment(app, payment, { amount: 500 });
  const [waiting] = await eventually(waitingForLocks, ({ length }) => length > 0);
  // As its own limit would, which is ten seconds.
  await other.query('SELECT pg_cancel_backend($1)', [waiting!.pid]);
  expect((await refunding).errors![0]!.extensions).toMatchObject({
    code: 'SERVICE_UNAVAILABLE',
    retryable: true,
  });
  await other.query('COMMIT');
  expect(dataOf(await refundPayment(app, payment, { amount: 500 })).refundPayment.status).toBe('SUCCEEDED');
});
