import { PAUSES_MILLISECONDS } from '../src/notifications/merchant-webhooks/retry-schedule.js';
import { emailSettings, MERCHANT } from './support/email-settings.js';
import { eventually } from './support/eventually.js';
import { startMailServer, type MailServer } from './support/mail-server.js';
import { startMerchantReceiver, type MerchantReceiver } from './support/merchant-receiver.js';
import { addEndpoint, makeDue, sendTest, untilTried } from './support/merchant-webhooks.js';
import { dataOf, startTestApp, type RunningApp } from './support/running-app.js';

let mails: MailServer;
let settings: Awaited<ReturnType<typeof emailSettings>>;
let app: RunningApp;
let receiver: MerchantReceiver;
beforeAll(async () => {
  mails = await startMailServer();
  settings = await emailSettings(mails.url);
  app = await startTestApp({ emails: settings, merchantWebhooks: { allowPrivate: true } });
  receiver = await startMerchantReceiver();
});
afterAll(async () => {
  await app.stop();
  await receiver.stop();
  settings.delivery.close();
  await mails.stop();
});

const UPDATE = `mutation ($input: UpdateWebhookEndpointInput!) {
  updateWebhookEndpoint(input: $input) { status disabledReason }
}`;
const LIST = `{ emailMessages(filter: { template: ENDPOINT_DISABLED }) {
  edges { node { id status recipient order { id } intent { id } } } } }`;
const RESEND = 'mutation ($id: ID!) { resendEmail(id: $id) { id status order { id } } }';

/** An endpoint at which what is sent to it is answered 410. */
async function gone(path = '?token=hush') {
  receiver.answer(410);
  const endpoint = await addEndpoint(app, `${receiver.url}${path}`);
  await sendTest(app, endpoint);
  return endpoint;
}

const mailsAbout = (id: string) => mails.mails.filter(({ text }) => text?.includes(id));

const untilMailed = (id: string, count = 1) =>
  eventually(
    () => mailsAbout(id),
    (found) => found.length === count,
  );

const change = async (id: string, enabled: boolean) =>
  dataOf(await app.graphql(UPDATE, { input: { id, enabled } }, app.apiKey)).updateWebhookEndpoint;

test('a merchant whose endpoint answers 410 reads that it was disabled, why, and how to enable it', async () => {
  const { id, secret } = await gone();
  const [mail] = await untilMailed(id);
  expect(mail!.to?.[0]?.address).toBe(MERCHANT);
  expect(mail!.subject).toBe(`Webhooks to ${receiver.url}?… were stopped`);
  for (const body of [mail!.text, mail!.html]) {
    expect(body).toContain('answered 410');
    expect(body).toContain(`updateWebhookEndpoint(input: { id: "${id}", enabled: true })`);
    expect(body).not.toContain('hush');
    expect(body).not.toContain(secret);
  }
});

test('one that has failed for days reads since when', async () => {
  receiver.answer(500);
  const endpoint = await addEndpoint(app, receiver.url);
  const message = await sendTest(app, endpoint);
  await untilTried(app, endpoint, message);
  await app.dataSource.query(
    `UPDATE webhook_endpoint SET first_failed_at = '2026-01-02T03:04:05Z' WHERE reference = $1`,
    [endpoint.id],
  );
  await app.dataSource.query('UPDATE webhook_delivery SET tries = $2 WHERE message_id = $1', [
    message,
    PAUSES_MILLISECONDS.length,
  ]);
  await makeDue(app, message);
  const [mail] = await untilMailed(endpoint.id);
  expect(mail!.text).toContain('nothing could be delivered to it since January 2, 2026 at 3:04 AM UTC');
});

test('each time that it is disabled is told once, and what a person disables is not', async () => {
  const { id } = await gone();
  await untilMailed(id);
  expect(await change(id, true)).toMatchObject({ status: 'ENABLED' });
  await Promise.all([1, 2, 3].map(() => sendTest(app, { id })));
  await untilMailed(id, 2);
  await change(id, true);
  expect(await change(id, false)).toMatchObject({ disabledReason: 'BY_HAND' });
  const witness = await gone();
  await untilMailed(witness.id);
  expect(mailsAbout(id)).toHaveLength(2);
});

test('it is listed without an order, and sent again by hand, also once its endpoint is gone', async () => {
  const endpoint = await gone();
  await untilMailed(endpoint.id);
  const [{ node }] = dataOf(await app.graphql(LIST, {}, app.operatorToken)).emailMessages.edges;
  expect(node).toMatchObject({ recipient: MERCHANT, order: null, intent: null });
  for (const count of [2, 3]) {
    await eventually(
      async () => dataOf(await app.graphql(LIST, {}, app.operatorToken)).emailMessages.edges[0].node.status,
      (status) => status === 'SENT',
    );
    expect(dataOf(await app.graphql(RESEND, { id: node.id }, app.operatorToken)).resendEmail).toEqual({
      id: node.id,
      status: 'QUEUED',
      order: null,
    });
    await untilMailed(endpoint.id, count);
    await app.dataSource.query('DELETE FROM webhook_endpoint WHERE reference = $1', [endpoint.id]);
  }
  const acts = await app.dataSource.query(
    `SELECT actor FROM audit_log WHERE subject = $1 AND action = 'email.resent'`,
    [endpoint.id],
  );
  expect(acts).toEqual([{ actor: 'operator:olga' }, { actor: 'operator:olga' }]);
});

test('the database refuses a second one for the same time', async () => {
  const { id } = await gone();
  await untilMailed(id);
  const copy = app.dataSource.query(
    `INSERT INTO email_message SELECT (jsonb_populate_record(e, jsonb_build_object('id', gen_random_uuid()))).*
     FROM email_message e WHERE e.data -> 'endpoint' ->> 'reference' = $1`,
    [id],
  );
  await expect(copy).rejects.toThrow(/email_message_once_without_order/);
});
