import { remindOfPaymentTask } from '../src/notifications/email/remind-of-payment.js';
import { PaymentIntent } from '../src/payments/payment-intent.js';
import { untilStatus } from './support/books.js';
import { emailSettings } from './support/email-settings.js';
import { eventually } from './support/eventually.js';
import { startMailServer, type MailServer } from './support/mail-server.js';
import { bankPaymentOf, emailsOf, orderOf, type MailedOrder } from './support/mailed-orders.js';
import { cancelPayment, readPayment } from './support/payment-calls.js';
import { dataOf, startTestApp, type RunningApp } from './support/running-app.js';

const HOUR = 60 * 60 * 1_000;

let mails: MailServer;
let app: RunningApp;
let settings: Awaited<ReturnType<typeof emailSettings>>;
beforeAll(async () => {
  mails = await startMailServer();
  settings = await emailSettings(mails.url, { reminderAfterMilliseconds: HOUR });
  app = await startTestApp({ emails: settings });
});
afterAll(async () => {
  await app.stop();
  settings.delivery.close();
  await mails.stop();
});

interface Reminder {
  readonly key: string;
  readonly run_at: Date;
}

function reminders(): Promise<Reminder[]> {
  return app.dataSource.query(
    `SELECT key, run_at FROM graphile_worker._private_jobs WHERE key LIKE 'reminder:%'`,
  );
}

/** Its reminder is written down for later. */
async function unfinished(order: MailedOrder): Promise<string> {
  const id = await bankPaymentOf(app, order);
  await eventually(
    async () => (await reminders()).length,
    (count) => count > 0,
  );
  return id;
}

/** The time that all reminders wait for has come; and they have been looked at. */
async function timePasses(): Promise<void> {
  await app.dataSource.query(
    `UPDATE graphile_worker._private_jobs SET run_at = now() WHERE key LIKE 'reminder:%'`,
  );
  await eventually(reminders, (left) => left.length === 0);
}

/** No e-mail is on its way, and none about this payment was made but these. */
async function expectTemplates(paymentIntentId: string, ...templates: string[]): Promise<void> {
  await eventually(
    () => app.dataSource.query(`SELECT 1 FROM email_message WHERE status = 'QUEUED'`),
    (waiting: unknown[]) => waiting.length === 0,
  );
  expect((await emailsOf(app, paymentIntentId)).map(({ template }) => template)).toEqual(templates);
}

const expire = async (id: string) => {
  await app.dataSource.query('UPDATE payment_intent SET expires_at = now() WHERE reference = $1', [id]);
  await untilStatus(app, id, 'EXPIRED');
};

test('a payment left unfinished is reminded of once its time has come, and not before, with a link that pays it', async () => {
  const order = await orderOf(app);
  const before = Date.now();
  const id = await unfinished(order);
  const [{ run_at } = { run_at: new Date(0) }] = await reminders();
  expect(Math.abs(run_at.getTime() - before - HOUR)).toBeLessThan(10_000);
  expect(await emailsOf(app, id)).toEqual([]);
  await timePasses();
  const [mail] = await mails.until(1, order.email);
  expect(mail!.subject).toContain('n’est pas encore payée');
  const [, token = ''] = /&token=(\S+)/.exec(mail!.text!) ?? [];
  expect(await readPayment(app, id, token)).toMatchObject({
    status: 'PENDING',
    order: { id: order.orderId },
  });
  await expectTemplates(id, 'PAYMENT_REMINDER');
});

test('an order is reminded of once ever, however many payments are left unfinished', async () => {
  const order = await orderOf(app);
  const first = await unfinished(order);
  await expire(first);
  await timePasses();
  await mails.until(1, order.email);
  const second = await unfinished(order);
  await timePasses();
  await expectTemplates(second);
  await expectTemplates(first, 'PAYMENT_REMINDER');
  expect(await mails.until(1, order.email)).toHaveLength(1);
});

test('of two payments of an order, only the newer one is reminded of', async () => {
  const order = await orderOf(app);
  const first = await unfinished(order);
  await expire(first);
  const second = await unfinished(order);
  await eventually(reminders, (waiting) => waiting.length === 2);
  await timePasses();
  await expectTemplates(first);
  await expectTemplates(second, 'PAYMENT_REMINDER');
});

test('an expired payment is reminded of while what was ordered can still be had', async () => {
  const order = await orderOf(app, { stock: 2 });
  const id = await unfinished(order);
  await expire(id);
  await timePasses();
  await expectTemplates(id, 'PAYMENT_REMINDER');
});

test.each<[string, (order: MailedOrder, id: string) => Promise<unknown>]>([
  [
    'that was paid',
    async (_order, id) => {
      app.bank.pay(`${id}-1`);
      await untilStatus(app, id, 'PAID');
    },
  ],
  [
    'that may be under way',
    async (_order, id) => {
      app.bank.authorise(`${id}-1`);
      await untilStatus(app, id, 'PROCESSING');
    },
  ],
  ['that was cancelled', async ({ token }, id) => dataOf(await cancelPayment(app, id, token))],
  [
    'whose order was cancelled',
    async ({ orderId }) =>
      dataOf(await app.graphql(`mutation { cancelOrder(id: "${orderId}") { status } }`, {}, app.apiKey)),
  ],
  [
    'whose stock others have bought',
    async ({ sku }, id) => {
      await expire(id);
      await app.dataSource.query('UPDATE product SET stock = 1 WHERE sku = $1', [sku]);
    },
  ],
])('a payment %s is not reminded of', async (_what, happens) => {
  const order = await orderOf(app, { stock: 2 });
  const id = await unfinished(order);
  await happens(order, id);
  await timePasses();
  const templates = (await emailsOf(app, id)).map(({ template }) => template);
  expect(templates).not.toContain('PAYMENT_REMINDER');
});

test('a payment that failed is told of, and not reminded of too', async () => {
  const order = await orderOf(app);
  const id = await unfinished(order);
  app.bank.decline(`${id}-1`);
  await untilStatus(app, id, 'FAILED');
  await timePasses();
  await expectTemplates(id, 'PAYMENT_FAILED');
});

test.each([
  ['without an address', { customer: { name: 'Awa' } }],
  ['for which the shop has said so', { metadata: { reminders: false } }],
])('nothing is planned for an order %s', async (_what, input) => {
  const order = await orderOf(app, input);
  const id = await bankPaymentOf(app, order);
  await untilTold();
  expect(await reminders()).toEqual([]);
  await expectTemplates(id);
});

async function untilTold(): Promise<void> {
  await eventually(
    () => app.dataSource.query('SELECT 1 FROM outbox_event WHERE told_at IS NULL'),
    (waiting: unknown[]) => waiting.length === 0,
  );
}

test('switched off, nothing is planned', async () => {
  const off = await emailSettings(mails.url);
  const other = await startTestApp({ emails: off });
  try {
    await bankPaymentOf(other, await orderOf(other));
    await eventually(
      () => other.dataSource.query('SELECT 1 FROM outbox_event WHERE told_at IS NULL'),
      (waiting: unknown[]) => waiting.length === 0,
    );
    const sql = `SELECT 1 FROM graphile_worker._private_jobs WHERE key LIKE 'reminder:%'`;
    expect(await other.dataSource.query(sql)).toEqual([]);
  } finally {
    await other.stop();
    off.delivery.close();
  }
});

test('switched off, what was planned before is not sent', async () => {
  const reference = await unfinished(await orderOf(app));
  const { manager } = app.dataSource;
  const { id: intentId } = await manager.findOneByOrFail(PaymentIntent, { reference });
  const { signal } = new AbortController();
  await remindOfPaymentTask(manager, { reminderAfterMilliseconds: 0 }).run({ intentId }, signal);
  await expectTemplates(reference);
  await remindOfPaymentTask(manager, { reminderAfterMilliseconds: 1 }).run({ intentId }, signal);
  await expectTemplates(reference, 'PAYMENT_REMINDER');
  await timePasses();
});
