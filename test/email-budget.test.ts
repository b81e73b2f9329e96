import { mailboxKey } from '../src/notifications/email/email-budget.js';
import { untilStatus } from './support/books.js';
import { emailSettings } from './support/email-settings.js';
import { eventually } from './support/eventually.js';
import { startMailServer, type MailServer } from './support/mail-server.js';
import { bankPaymentOf, emailsOf, newAddress, orderOf, type MailedOrder } from './support/mailed-orders.js';
import { dataOf, startTestApp, type RunningApp } from './support/running-app.js';

let mails: MailServer;
let app: RunningApp;
let settings: Awaited<ReturnType<typeof emailSettings>>;
beforeAll(async () => {
  mails = await startMailServer();
  settings = await emailSettings(mails.url);
  app = await startTestApp({ emails: settings });
});
afterAll(async () => {
  await app.stop();
  settings.delivery.close();
  await mails.stop();
});

async function failedPaymentOf(order: MailedOrder): Promise<string> {
  const id = await bankPaymentOf(app, order);
  app.bank.decline(`${id}-1`);
  await untilStatus(app, id, 'FAILED');
  return id;
}

/** All e-mails about these payments, once each has one and none waits to be sent. */
function emailsAbout(ids: readonly string[]) {
  return eventually(
    async () => (await Promise.all(ids.map((id) => emailsOf(app, id)))).flat(),
    (rows) => rows.length >= ids.length && rows.every(({ status }) => status !== 'QUEUED'),
  );
}

function count(rows: readonly { readonly status: string }[], wanted: string): number {
  return rows.filter(({ status }) => status === wanted).length;
}

test('25 payments that fail at once send five e-mails to a stranger, however the address is spelled', async () => {
  const [name, domain] = newAddress().split('@');
  const orders = await Promise.all(
    Array.from({ length: 25 }, (_, index) =>
      orderOf(app, { email: index % 2 ? `${name}+${index}@${domain}` : `${name}@${domain!.toUpperCase()}` }),
    ),
  );
  const rows = await emailsAbout(await Promise.all(orders.map(failedPaymentOf)));
  expect([count(rows, 'SENT'), count(rows, 'WITHHELD')]).toEqual([5, 20]);
  const received = mails.mails.filter(({ to }) => to?.[0]?.address?.toLowerCase().startsWith(name!));
  expect(received).toHaveLength(5);
  expect(rows.find(({ status }) => status === 'WITHHELD')?.lastError).toBe(
    'withheld: this address was sent 5 e-mails within 24 hours for which nobody had paid',
  );
});

test('one order’s failed payments are mailed once an hour', async () => {
  const order = await orderOf(app);
  const first = await failedPaymentOf(order);
  const second = await failedPaymentOf(order);
  const rows = await emailsAbout([first, second]);
  expect(rows.map(({ status }) => status)).toEqual(['SENT', 'WITHHELD']);
  await app.dataSource.query(`UPDATE email_message SET created_at = created_at - interval '61 minutes'`);
  const later = await emailsAbout([await failedPaymentOf(order)]);
  expect(later.map(({ status }) => status)).toEqual(['SENT']);
});

test('orders that cost nothing are no way to send more', async () => {
  const email = newAddress();
  const { sku } = await app.addProduct({ unitAmount: 0 });
  const ids: string[] = [];
  for (let index = 0; index < 7; index += 1) {
    const order = await orderOf(app, { email, lines: [{ sku, quantity: 1 }] });
    ids.push((await app.pay(order.orderId, order.token)).id);
  }
  const rows = await emailsAbout(ids);
  expect([count(rows, 'SENT'), count(rows, 'WITHHELD')]).toEqual([5, 2]);
});

test('whoever paid is written to, whatever their address was sent before', async () => {
  const email = newAddress();
  for (let index = 0; index < 6; index += 1) await failedPaymentOf(await orderOf(app, { email }));
  const paid = await bankPaymentOf(app, await orderOf(app, { email }));
  app.bank.pay(`${paid}-1`);
  const rows = await emailsAbout([paid]);
  expect(rows.map(({ template, status }) => [template, status])).toEqual([['ORDER_CONFIRMED', 'SENT']]);
});

test('an operator sees what was withheld, and sends it', async () => {
  const order = await orderOf(app);
  await failedPaymentOf(order);
  await emailsAbout([await failedPaymentOf(order)]);
  const list = `query ($orderId: ID) {
    emailMessages(filter: { orderId: $orderId, status: WITHHELD }) { edges { node { id lastError } } }
  }`;
  const { emailMessages } = dataOf(await app.graphql(list, { orderId: order.orderId }, app.operatorToken));
  const [{ node }] = emailMessages.edges;
  expect(node.lastError).toBe('withheld: a failed payment of this order was mailed within 60 minutes');
  const resend = 'mutation ($id: ID!) { resendEmail(id: $id) { status } }';
  dataOf(await app.graphql(resend, { id: node.id }, app.operatorToken));
  await mails.until(2, order.email);
});

test.each([
  ['Awa@Customer.Example', 'awa@customer.example'],
  ['awa+shop+x@customer.example', 'awa@customer.example'],
  ['+awa@customer.example', '+awa@customer.example'],
])('%s is the mailbox %s', (address, key) => {
  expect(mailboxKey(address)).toBe(key);
});
