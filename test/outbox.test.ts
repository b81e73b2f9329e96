import { startTestApp, type RunningApp } from './support/running-app.js';
import { churn, versionsUpTo } from './support/churned-payment.js';
import { notify, STRIPE, type OpenPayment } from './support/notifying-provider.js';
import { subscribe, watch } from './support/subscriber.js';
import { eventually } from './support/eventually.js';
import { expectErrors } from './support/unexpected-errors.js';

interface OutboxRow {
  readonly version: number;
  readonly status: string;
  readonly told: boolean;
}

let app: RunningApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

function outboxOf({ id }: OpenPayment): Promise<OutboxRow[]> {
  return app.dataSource.query(
    `SELECT version, payload->>'status' AS status, told_at IS NOT NULL AS told FROM outbox_event
     WHERE key = (SELECT id FROM payment_intent WHERE reference = $1) ORDER BY id`,
    [id],
  );
}

const untilAllIsTold = () =>
  eventually(async () =>
    expect(await app.dataSource.query('SELECT 1 FROM outbox_event WHERE told_at IS NULL')).toEqual([]),
  );

/** As after a crash between telling and marking. */
async function tellAgain({ id }: OpenPayment): Promise<void> {
  await app.dataSource.query(
    `UPDATE outbox_event SET told_at = NULL
     WHERE key = (SELECT id FROM payment_intent WHERE reference = $1)`,
    [id],
  );
  await untilAllIsTold();
}

const versions = (watcher: { readonly heard: readonly { version: number }[] }) =>
  watcher.heard.map(({ version }) => version);

test('each change is one row, in order and without holes, and is marked when it was told', async () => {
  const payment = await STRIPE.open(app);
  const last = await churn(app, payment, 10);
  await untilAllIsTold();
  const rows = await outboxOf(payment);
  expect(rows.map(({ version }) => version)).toEqual(versionsUpTo(last));
  expect(rows[0]).toEqual({ version: 1, status: 'PENDING', told: true });
  expect(rows.at(-1)).toEqual({ version: last, status: 'PARTIALLY_REFUNDED', told: true });
});

test('notifications that arrive all at once leave no hole either', async () => {
  const payment = await STRIPE.open(app);
  await churn(app, payment, 1);
  await Promise.all(Array.from({ length: 10 }, (_, index) => churn(app, payment, 2, 2 + index)));
  const rows = await outboxOf(payment);
  expect(rows.map(({ version }) => version)).toEqual(versionsUpTo(13));
  expect(rows.at(-1)).toMatchObject({ status: 'PARTIALLY_REFUNDED' });
});

test('what changes nothing writes nothing', async () => {
  const payment = await STRIPE.open(app);
  const before = await outboxOf(payment);
  expect(await notify(app, STRIPE, STRIPE.ofAnotherType('evt_of_another_type'))).toBe(200);
  expect(await notify(app, STRIPE, STRIPE.paid(payment), {})).toBe(400);
  await untilAllIsTold();
  expect(await outboxOf(payment)).toEqual(before.map((row) => ({ ...row, told: true })));
});

test('what is told twice is heard once by who watches the payment', async () => {
  const payment = await STRIPE.open(app);
  const watcher = watch(app, payment.id, payment.token);
  await watcher.until((heard) => heard.length === 1);
  await churn(app, payment, 3);
  await watcher.until((heard) => heard.length === 4);

  await tellAgain(payment);
  await tellAgain(payment);
  await churn(app, payment, 1, 4);

  await watcher.until((heard) => heard.at(-1)?.version === 5);
  expect(versions(watcher)).toEqual([1, 2, 3, 4, 5]);
  await watcher.close();
});

// `watchAllPayments` remembers no versions: an operator's page has to drop by (payment, version) what it has seen.
test('what is told twice is heard once by who watches every payment', async () => {
  const payment = await STRIPE.open(app);
  const query = 'subscription { paymentIntentsChanged { version paymentIntent { id } } }';
  const operator = subscribe(app.webSocketUrl, query, {}, app.operatorToken);
  const witness = watch(app, payment.id, payment.token);
  await witness.until((heard) => heard.length === 1);
  await churn(app, payment, 1);
  await operator.until((heard) => heard.length > 0);
  await tellAgain(payment);
  await churn(app, payment, 1, 2);
  await operator.until((heard) => heard.at(-1).version === 3);
  await Promise.all([operator.close(), witness.close()]);
  expect(versions(operator)).toEqual([2, 3]);
});

test('when telling can’t be marked, it is told again until it can, and heard once', async () => {
  const payment = await STRIPE.open(app);
  const watcher = watch(app, payment.id, payment.token);
  await watcher.until((heard) => heard.length === 1);
  await untilAllIsTold();
  expectErrors(/cannot be marked/);
  await app.dataSource.query(`
    CREATE FUNCTION refuse_mark() RETURNS trigger LANGUAGE plpgsql
      AS $$ BEGIN RAISE EXCEPTION 'cannot be marked'; END $$;
    CREATE TRIGGER refuse_mark BEFORE UPDATE ON outbox_event FOR EACH ROW EXECUTE FUNCTION refuse_mark()`);
  await churn(app, payment, 4);
  await watcher.until((heard) => heard.length === 5);
  expect((await outboxOf(payment)).slice(1).every(({ told }) => !told)).toBe(true);

  await app.dataSource.query('DROP TRIGGER refuse_mark ON outbox_event; DROP FUNCTION refuse_mark()');
  await untilAllIsTold();
  await churn(app, payment, 1, 5);

  await watcher.until((heard) => heard.at(-1)?.version === 6);
  expect(versions(watcher)).toEqual(versionsUpTo(6));
  await watcher.close();
});

test('what another process has written is told by this one too', async () => {
  const payment = await STRIPE.open(app);
  const watcher = watch(app, payment.id, payment.token);
  await watcher.until((heard) => heard.length === 1);
  await app.dataSource.query(
    `INSERT INTO outbox_event (topic, key, version, payload)
     SELECT topic, key, 2, payload || '{"status": "PROCESSING", "previousStatus": "PENDING", "version": 2}'
     FROM outbox_event WHERE key = (SELECT id FROM payment_intent WHERE reference = $1)`,
    [payment.id],
  );
  await watcher.until((heard) => heard.at(-1)?.version === 2);
  expect(versions(watcher)).toEqual([1, 2]);
  await watcher.close();
});
