import type { EmailSettings } from '../src/notifications/email/email-dependencies.js';
import { emailSettings } from './support/email-settings.js';
import { eventually } from './support/eventually.js';
import { startMailServer, type MailServer } from './support/mail-server.js';
import { bankPaymentOf, emailsOf, newAddress, orderOf } from './support/mailed-orders.js';
import { dataOf, startTestApp, type RunningApp } from './support/running-app.js';

const RESEND = 'mutation ($id: ID!) { resendEmail(id: $id) { status } }';
const READ = 'query ($id: ID!) { paymentIntent(id: $id) { status } }';

describe('who is written to of payments that are not finished', () => {
  let mails: MailServer;
  let settings: EmailSettings;
  let app: RunningApp;

  beforeAll(async () => {
    mails = await startMailServer();
    settings = await emailSettings(mails.url, { unfinishedPerDay: 3 });
    app = await startTestApp({ emails: settings });
  });
  afterAll(async () => {
    await app.stop();
    settings.delivery.close();
    await mails.stop();
  });

  /** @returns what became of its e-mail. */
  const failedPayment = async (order: Awaited<ReturnType<typeof orderOf>>) => {
    const id = await bankPaymentOf(app, order);
    app.bank.decline(`${id}-1`);
    const [email] = await eventually(
      () => emailsOf(app, id),
      ([first]) => first !== undefined && first.status !== 'QUEUED',
    );
    return email!;
  };

  it('has three e-mails of it in a day, however their address is written; operators see which were withheld, and why', async () => {
    const email = newAddress();
    for (let n = 0; n < 3; n += 1) {
      expect(await failedPayment(await orderOf(app, { email }))).toMatchObject({ status: 'SENT' });
    }
    const withheld = await failedPayment(await orderOf(app, { email: email.toUpperCase() }));
    expect(withheld).toMatchObject({
      status: 'DROPPED',
      lastError: 'this recipient had 3 e-mails about unfinished payments in the last day',
    });
    expect(await failedPayment(await orderOf(app))).toMatchObject({ status: 'SENT' });

    // A person may send it all the same.
    dataOf(await app.graphql(RESEND, { id: withheld.id }, app.operatorToken));
    await eventually(async () => {
      const [row] = await app.dataSource.query('SELECT status FROM email_message WHERE id = $1', [
        withheld.id,
      ]);
      expect(row.status).toBe('SENT');
    });
  });

  it('has one in an hour for one order', async () => {
    const order = await orderOf(app);
    expect(await failedPayment(order)).toMatchObject({ status: 'SENT' });
    expect(await failedPayment(order)).toMatchObject({
      status: 'DROPPED',
      lastError: 'the order was written about within the last hour',
    });
  });

  it('has every receipt', async () => {
    const email = newAddress();
    for (let n = 0; n < 5; n += 1) {
      const id = await bankPaymentOf(app, await orderOf(app, { email }));
      app.bank.pay(`${id}-1`);
      await eventually(async () =>
        expect(dataOf(await app.graphql(READ, { id }, app.apiKey)).paymentIntent.status).toBe('PAID'),
      );
    }
    expect(await mails.until(5, email)).toHaveLength(5);
  });
});
