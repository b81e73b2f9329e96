import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pino } from 'pino';
import { Webhook } from 'standardwebhooks';
import { startCourier } from '../src/notifications/merchant-webhooks/courier.js';
import { EndpointSecrets } from '../src/notifications/merchant-webhooks/endpoint-secrets.js';
import { anyNetwork } from '../src/notifications/merchant-webhooks/receiver-network.js';
import { MESSAGE_TYPES, graphQLName } from '../src/notifications/merchant-webhooks/message-type.js';
import { deleteOldDeliveries } from '../src/notifications/merchant-webhooks/delete-old-deliveries.js';
import { PAYMENT_STATUSES } from '../src/payments/transitions.js';
import { eventually } from './support/eventually.js';
import {
  idOf,
  startMerchantReceiver,
  verified,
  type MerchantReceiver,
  type ReceivedMessage,
} from './support/merchant-receiver.js';
import {
  addEndpoint,
  deliveriesTo,
  makeDue,
  openPayment,
  pageOfDeliveries,
  sendTest,
  untilTried,
} from './support/merchant-webhooks.js';
import { codeOf, dataOf, SECRET, startTestApp, type RunningApp } from './support/running-app.js';
import { expectErrors } from './support/unexpected-errors.js';

let app: RunningApp;
let receiver: MerchantReceiver;
beforeAll(async () => {
  app = await startTestApp({ merchantWebhooks: { allowPrivate: true, timeoutMilliseconds: 2_000 } });
});
beforeEach(async () => {
  receiver = await startMerchantReceiver();
});
afterEach(async () => {
  await app.dataSource.query('DELETE FROM webhook_endpoint');
  await receiver.stop();
});
afterAll(() => app.stop());

const UPDATE = `mutation ($input: UpdateWebhookEndpointInput!) {
  updateWebhookEndpoint(input: $input) { id url types status disabledReason failingSince }
}`;
const ROTATE = `mutation ($input: RotateWebhookEndpointSecretInput!) {
  rotateWebhookEndpointSecret(input: $input) { secret webhookEndpoint { id previousSecretUntil } }
}`;
const DELETE = 'mutation ($id: ID!) { deleteWebhookEndpoint(id: $id) }';
const ENDPOINTS = '{ webhookEndpoints { id url types status disabledReason } }';
const REPLAY = 'mutation ($id: ID!) { replayWebhookDelivery(id: $id) { id status tries { answerStatus } } }';
const REPLAY_RANGE = `mutation ($input: ReplayWebhookDeliveriesInput!) {
  replayWebhookDeliveries(input: $input) { count }
}`;

const ask = (query: string, variables = {}) => app.graphql(query, variables, app.apiKey);

async function untilReceived(count: number): Promise<void> {
  await eventually(
    () => receiver.received,
    (received) => received.length >= count,
  );
}

async function rotate(id: string, overlapHours: number) {
  return dataOf(await ask(ROTATE, { input: { id, overlapHours } })).rotateWebhookEndpointSecret;
}

function verifies(message: ReceivedMessage, secret: string): boolean {
  try {
    verified(message, secret);
    return true;
  } catch {
    return false;
  }
}

/** Their time is over. */
async function endEarlierSecrets(): Promise<void> {
  await app.dataSource.query(
    `UPDATE webhook_endpoint SET earlier_secrets = (
       SELECT jsonb_agg(jsonb_set(earlier, '{until}', to_jsonb(now() - interval '1 s')))
       FROM jsonb_array_elements(earlier_secrets) AS earlier)
     WHERE earlier_secrets <> '[]'`,
  );
}

async function actsOn(subject: string): Promise<{ action: string; actor: string }[]> {
  return app.dataSource.query('SELECT action, actor FROM audit_log WHERE subject = $1 ORDER BY id', [
    subject,
  ]);
}

describe('a payment’s webhook', () => {
  test('says of an order that costs nothing that it is paid, as of any other', async () => {
    const { secret } = await addEndpoint(app, receiver.url, ['PAYMENT_PAID']);
    const { sku } = await app.addProduct({ unitAmount: 0 });
    const { orderId, token } = await app.order(sku);
    const { id } = await app.pay(orderId, token);
    await untilReceived(1);
    expect(receiver.received.map((message) => verified(message, secret))).toMatchObject([
      {
        type: 'payment.paid',
        data: { paymentIntentId: id, previousStatus: 'PENDING', version: 2, amount: 0, capturedAmount: 0 },
      },
    ]);
  });

  test('is sent for each step, signed, with the payment as it was at that step', async () => {
    const { secret } = await addEndpoint(app, receiver.url);
    const payment = await openPayment(app);
    app.stripe.pay(payment.nextAction.clientSecret, '4242424242424242');
    await untilReceived(2);

    const messages = receiver.received.map((message) => verified(message, secret));
    const byVersion = messages.sort((one, other) => one.data.version - other.data.version);
    expect(byVersion[0]).toMatchObject({
      type: 'payment.pending',
      apiVersion: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      data: { previousStatus: null, status: 'PENDING', version: 1, capturedAmount: 0 },
    });
    const paid = byVersion.at(-1);
    expect(paid).toEqual({
      type: 'payment.paid',
      timestamp: paid.data.occurredAt,
      apiVersion: expect.any(String),
      data: {
        paymentIntentId: payment.id,
        orderId: payment.orderId,
        orderNumber: null,
        status: 'PAID',
        previousStatus: expect.any(String),
        version: byVersion.length,
        amount: 1_500,
        currency: 'EUR',
        capturedAmount: 1_500,
        refundedAmount: 0,
        disputedAmount: 0,
        failureCode: null,
        refundId: null,
        disputeId: null,
        occurredAt: expect.stringMatching(/^\d{4}-.+Z$/),
      },
    });
    expect(new Set(receiver.received.map(idOf)).size).toBe(receiver.received.length);
    for (const message of receiver.received) {
      expect(idOf(message)).toMatch(/^msg_[0-9A-Z]{26}$/);
      expect(message.headers).toMatchObject({
        'content-type': 'application/json',
        'webhook-timestamp': expect.stringMatching(/^\d{10}$/),
      });
    }
  });

  test('names the merchant’s own number of the order', async () => {
    const { secret } = await addEndpoint(app, receiver.url);
    const { sku } = await app.addProduct();
    const create =
      'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } orderToken } }';
    const number = `T1-${Date.now()}`;
    const answer = await ask(create, { input: { number, lines: [{ sku, quantity: 1 }] } });
    const { order, orderToken } = dataOf(answer).createOrder;
    await app.pay(order.id, orderToken, { method: 'CARD' });
    await untilReceived(1);
    expect(verified(receiver.received[0]!, secret).data).toMatchObject({
      orderId: order.id,
      orderNumber: number,
    });
  });

  test('is sent only to the endpoints that have asked for its type', async () => {
    const { secret } = await addEndpoint(app, receiver.url, ['PAYMENT_PAID', 'PAYMENT_REFUNDED']);
    const payment = await openPayment(app);
    app.stripe.pay(payment.nextAction.clientSecret, '4242424242424242');
    await untilReceived(1);
    expect(verified(receiver.received[0]!, secret).type).toBe('payment.paid');
  });

  test('is not genuine when it was altered or signed with another secret', async () => {
    const endpoint = await addEndpoint(app, receiver.url);
    const other = await addEndpoint(app, receiver.url, ['PAYMENT_DISPUTED']);
    await sendTest(app, endpoint);
    await untilReceived(1);
    const message = receiver.received[0]!;
    expect(verified(message, endpoint.secret)).toMatchObject({ type: 'webhook.test' });
    expect(() => verified(message, other.secret)).toThrow('No matching signature');
    expect(() => verified({ ...message, text: message.text + ' ' }, endpoint.secret)).toThrow();
  });

  test('is sent at once, and not when somebody happens to look', async () => {
    const busy = await startTestApp({
      jobPauseMilliseconds: 60_000,
      merchantWebhooks: { allowPrivate: true },
    });
    try {
      await addEndpoint(busy, receiver.url);
      await openPayment(busy);
      await untilReceived(1);
    } finally {
      await busy.stop();
    }
  });

  test('is sent once, however many servers look for what is to be sent', async () => {
    receiver.answer((response) => void setTimeout(() => response.writeHead(200).end(), 20));
    const endpoint = await addEndpoint(app, receiver.url);
    const { manager } = app.dataSource;
    const dependencies = {
      manager,
      secrets: new EndpointSecrets(SECRET),
      network: anyNetwork(),
      timeoutMilliseconds: 2_000,
      now: () => new Date(),
      announceDisabled: () => Promise.resolve(),
      log: pino({ level: 'silent' }),
    };
    const others = [1, 2, 3].map(() => startCourier(dependencies, 5));
    try {
      await manager.query(
        `INSERT INTO webhook_delivery (id, message_id, endpoint_id, type, payload, status, next_try_at)
         SELECT gen_random_uuid(), 'msg_' || n, e.id, 'webhook.test', '{}', 'PENDING', now()
         FROM webhook_endpoint e, generate_series(1, 150) n WHERE e.reference = $1`,
        [endpoint.id],
      );
      await eventually(
        () => deliveriesTo(app, endpoint, { status: 'SUCCEEDED' }),
        (arrived) => arrived.length === 150,
      );
    } finally {
      await Promise.all(others.map((courier) => courier.stop()));
    }
    expect(receiver.received).toHaveLength(150);
    expect(new Set(receiver.received.map(idOf)).size).toBe(150);
  });

  test('told twice by the relay is one delivery', async () => {
    const endpoint = await addEndpoint(app, receiver.url);
    const payment = await openPayment(app);
    await untilReceived(1);
    await app.dataSource.query(
      'UPDATE outbox_event SET told_at = NULL WHERE key = (SELECT id FROM payment_intent WHERE reference = $1)',
      [payment.id],
    );
    await eventually(
      () => app.dataSource.query('SELECT 1 FROM outbox_event WHERE told_at IS NULL'),
      (untold) => untold.length === 0,
    );
    await sendTest(app, endpoint);
    await eventually(() => receiver.received.some(({ text }) => text.includes('webhook.test')), Boolean);
    const deliveries = await deliveriesTo(app, endpoint, { type: 'PAYMENT_PENDING' });
    expect(deliveries).toHaveLength(1);
    expect(deliveries[0].tries).toHaveLength(1);
  });

  test('whose answer was lost is sent again with the same id, and a new time', async () => {
    const endpoint = await addEndpoint(app, receiver.url);
    expectErrors(/the answer is lost/);
    // A sequence counts what is rolled back, too.
    await app.dataSource.query(`
      CREATE SEQUENCE lost_answers;
      CREATE FUNCTION lose_answer() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN PERFORM nextval('lost_answers'); RAISE EXCEPTION 'the answer is lost'; END $$;
      CREATE TRIGGER lose_answer BEFORE INSERT ON webhook_delivery_try
        FOR EACH ROW EXECUTE FUNCTION lose_answer()`);
    const id = await sendTest(app, endpoint);
    try {
      await untilReceived(1);
      await eventually(
        () => app.dataSource.query('SELECT is_called AS "isLost" FROM lost_answers'),
        ([{ isLost }]) => isLost,
      );
    } finally {
      await app.dataSource.query(
        'DROP TRIGGER lose_answer ON webhook_delivery_try; DROP FUNCTION lose_answer(); DROP SEQUENCE lost_answers',
      );
    }
    // Nobody else tries it while it is claimed.
    const claimed = 'SELECT claimed_until > now() AS claimed FROM webhook_delivery WHERE message_id = $1';
    expect(await app.dataSource.query(claimed, [id])).toEqual([{ claimed: true }]);
    await app.dataSource.query(
      `UPDATE webhook_delivery SET claimed_until = now() - interval '1 s' WHERE message_id = $1`,
      [id],
    );
    await untilReceived(2);
    expect(receiver.received.map(idOf)).toEqual([id, id]);
    expect(await untilTried(app, endpoint, id)).toMatchObject({ status: 'SUCCEEDED' });
  });

  test('is left by a server that stops to the one that comes after it', async () => {
    const endpoint = await addEndpoint(app, receiver.url);
    await app.restart(async () => {
      await app.dataSource.query(
        `INSERT INTO webhook_delivery (id, message_id, endpoint_id, type, payload, status, next_try_at)
         SELECT gen_random_uuid(), 'msg_left', id, 'webhook.test', '{}', 'PENDING', now()
         FROM webhook_endpoint WHERE reference = $1`,
        [endpoint.id],
      );
    });
    await untilReceived(1);
    expect(idOf(receiver.received[0]!)).toBe('msg_left');
  });
});

describe('an endpoint', () => {
  test('is shown its secret once, and never again', async () => {
    const endpoint = await addEndpoint(app, receiver.url);
    expect(endpoint.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const [row] = await app.dataSource.query('SELECT * FROM webhook_endpoint WHERE reference = $1', [
      endpoint.id,
    ]);
    const audit = await app.dataSource.query('SELECT * FROM audit_log WHERE subject = $1', [endpoint.id]);
    expect(JSON.stringify([row, audit])).not.toContain(endpoint.secret.slice(6));
    expect(dataOf(await ask(ENDPOINTS)).webhookEndpoints).toEqual([
      { id: endpoint.id, url: receiver.url, types: null, status: 'ENABLED', disabledReason: null },
    ]);
  });

  test('has a secret that opens nowhere else: at no other endpoint, and in no other installation', () => {
    const secrets = new EndpointSecrets(SECRET);
    const { sealed } = secrets.make('one');
    const sign =
      (endpointId: string, by = secrets) =>
      () =>
        by.sign({ endpointId, sealedSecrets: [sealed] }, 'msg_1', new Date(), '{}');
    expect(sign('one')()).toMatch(/^v1,/);
    expect(sign('other')).toThrow();
    expect(sign('one', new EndpointSecrets('the secret of another installation'))).toThrow();
  });

  test('with a new secret is told with both signatures, until the old one’s time is over', async () => {
    const endpoint = await addEndpoint(app, receiver.url);
    const rotated = dataOf(await ask(ROTATE, { input: { id: endpoint.id, overlapHours: 2 } }));
    const { secret } = rotated.rotateWebhookEndpointSecret;
    await sendTest(app, endpoint);
    await untilReceived(1);
    const message = receiver.received[0]!;
    const signatures = String(message.headers['webhook-signature']).split(' ');
    expect(signatures).toHaveLength(2);
    expect(verified(message, secret)).toEqual(verified(message, endpoint.secret));
    const at = new Date(Number(message.headers['webhook-timestamp']) * 1_000);
    expect(new Webhook(secret).sign(idOf(message), at, message.text)).toBe(signatures[0]);

    await endEarlierSecrets();
    await sendTest(app, endpoint);
    await untilReceived(2);
    expect(verified(receiver.received[1]!, secret)).toBeDefined();
    expect(() => verified(receiver.received[1]!, endpoint.secret)).toThrow('No matching signature');
  });

  test('rotated again is still signed with each secret whose time is not over, as was promised', async () => {
    const endpoint = await addEndpoint(app, receiver.url);
    const secrets = [endpoint.secret];
    for (const overlapHours of [48, 2]) secrets.unshift((await rotate(endpoint.id, overlapHours)).secret);
    expect(await signedWith(secrets)).toEqual([0, 1, 2]);

    // The present one is known to others; what was promised of the earlier ones still holds.
    const { secret, webhookEndpoint } = await rotate(endpoint.id, 0);
    secrets.unshift(secret);
    expect(await signedWith(secrets)).toEqual([0, 2, 3]);
    const [{ hours }] = await app.dataSource.query(
      'SELECT extract(epoch FROM $1::timestamptz - now()) / 3600 AS hours',
      [webhookEndpoint.previousSecretUntil],
    );
    expect(Number(hours)).toBeCloseTo(48, 1);

    await endEarlierSecrets();
    expect(await signedWith(secrets)).toEqual([0]);
    expect((await rotate(endpoint.id, 1)).webhookEndpoint.previousSecretUntil).not.toBeNull();
    const [{ kept }] = await app.dataSource.query(
      'SELECT jsonb_array_length(earlier_secrets) AS kept FROM webhook_endpoint WHERE reference = $1',
      [endpoint.id],
    );
    expect(kept).toBe(1);

    /** Which of these verify what is sent now. */
    async function signedWith(candidates: readonly string[]): Promise<number[]> {
      const before = receiver.received.length;
      await sendTest(app, endpoint);
      await untilReceived(before + 1);
      const message = receiver.received[before]!;
      return candidates.flatMap((candidate, place) => (verifies(message, candidate) ? [place] : []));
    }
  });

  test('has five earlier secrets at most, by which no header grows without end', async () => {
    const endpoint = await addEndpoint(app, receiver.url);
    for (let times = 0; times < 5; times += 1) await rotate(endpoint.id, 24);
    const refused = await ask(ROTATE, { input: { id: endpoint.id, overlapHours: 24 } });
    expect(refused.errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', fields: [{ path: 'overlapHours' }] } },
    ]);
    const { secret } = await rotate(endpoint.id, 0);
    await sendTest(app, endpoint);
    await untilReceived(1);
    expect(verifies(receiver.received[0]!, secret)).toBe(true);
    const more = `'{"sealed":"x","until":"2030-01-01T00:00:00Z"}'::jsonb`;
    await expect(
      app.dataSource.query(`UPDATE webhook_endpoint SET earlier_secrets = earlier_secrets || ${more}`),
    ).rejects.toThrow('webhook_endpoint_earlier_secrets_few');
  });

  test('whose secret is known to others is signed with the new one alone, at once', async () => {
    const endpoint = await addEndpoint(app, receiver.url);
    await ask(ROTATE, { input: { id: endpoint.id, overlapHours: 0 } });
    await sendTest(app, endpoint);
    await untilReceived(1);
    expect(() => verified(receiver.received[0]!, endpoint.secret)).toThrow('No matching signature');
  });

  test('that is disabled is sent nothing, and what it missed can be replayed', async () => {
    const endpoint = await addEndpoint(app, receiver.url);
    const disabled = await ask(UPDATE, { input: { id: endpoint.id, enabled: false } });
    expect(dataOf(disabled).updateWebhookEndpoint).toMatchObject({
      status: 'DISABLED',
      disabledReason: 'BY_HAND',
    });
    const since = new Date(Date.now() - 1_000);
    const payment = await openPayment(app);
    const [missed] = await eventually(
      () => deliveriesTo(app, endpoint),
      (all) => all.length > 0,
    );
    expect(missed).toMatchObject({ status: 'FAILED', tries: [], nextTryAt: null });
    const range = { endpointId: endpoint.id, since, until: new Date(Date.now() + 1_000), status: 'FAILED' };
    expect(codeOf(await ask(REPLAY_RANGE, { input: range }))).toBe('WEBHOOK_ENDPOINT_DISABLED');
    expect(codeOf(await ask(REPLAY, { id: missed.id }))).toBe('WEBHOOK_ENDPOINT_DISABLED');

    const enabled = await ask(UPDATE, { input: { id: endpoint.id, enabled: true } });
    expect(dataOf(enabled).updateWebhookEndpoint).toMatchObject({ status: 'ENABLED', disabledReason: null });
    expect(dataOf(await ask(REPLAY_RANGE, { input: range }))).toEqual({
      replayWebhookDeliveries: { count: 1 },
    });
    await untilReceived(1);
    expect(verified(receiver.received[0]!, endpoint.secret).data.paymentIntentId).toBe(payment.id);
  });

  test('can change where it is and what it is told, and be deleted', async () => {
    const endpoint = await addEndpoint(app, 'http://127.0.0.1:9/nowhere', ['PAYMENT_PAID']);
    const input = { id: endpoint.id, url: receiver.url, types: null };
    expect(dataOf(await ask(UPDATE, { input })).updateWebhookEndpoint).toMatchObject({
      url: receiver.url,
      types: null,
    });
    await openPayment(app);
    await untilReceived(1);
    expect(dataOf(await ask(DELETE, { id: endpoint.id }))).toEqual({ deleteWebhookEndpoint: endpoint.id });
    expect(dataOf(await ask(ENDPOINTS)).webhookEndpoints).toEqual([]);
    await openPayment(app);
    await eventually(
      () => app.dataSource.query('SELECT 1 FROM outbox_event WHERE told_at IS NULL'),
      (untold) => untold.length === 0,
    );
    expect(receiver.received).toHaveLength(1);
  });

  test.each([
    ['sendTestWebhook', 'mutation { sendTestWebhook(endpointId: "WHE-NONE") { id } }'],
    ['deleteWebhookEndpoint', 'mutation { deleteWebhookEndpoint(id: "WHE-NONE") }'],
    ['updateWebhookEndpoint', 'mutation { updateWebhookEndpoint(input: { id: "WHE-NONE" }) { id } }'],
    [
      'rotateWebhookEndpointSecret',
      'mutation { rotateWebhookEndpointSecret(input: { id: "WHE-NONE" }) { secret } }',
    ],
    ['replayWebhookDelivery', 'mutation { replayWebhookDelivery(id: "msg_none") { id } }'],
  ])('that does not exist is NOT_FOUND for %s', async (_name, query) => {
    expect(codeOf(await ask(query))).toBe('NOT_FOUND');
  });

  test.each(['ftp://backend.example/', 'backend.example', 'https://user:password@backend.example/'])(
    'can’t be at %s',
    async (url) => {
      const create =
        'mutation ($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) { secret } }';
      const answer = await ask(create, { input: { url } });
      expect(codeOf(answer)).toBe('BAD_USER_INPUT');
      expect(answer.errors?.[0]?.extensions.fields?.[0]?.path).toBe('url');
    },
  );
});

describe('what is done to endpoints', () => {
  test('stands in the audit log, with who did it', async () => {
    const endpoint = await addEndpoint(app, receiver.url);
    const id = await sendTest(app, endpoint);
    await untilTried(app, endpoint, id);
    await ask(ROTATE, { input: { id: endpoint.id } });
    await ask(REPLAY, { id });
    const range = { endpointId: endpoint.id, since: new Date(0), until: new Date() };
    await ask(REPLAY_RANGE, { input: range });
    await ask(UPDATE, { input: { id: endpoint.id, types: ['PAYMENT_PAID'] } });
    await app.graphql(UPDATE, { input: { id: endpoint.id, enabled: false } }, app.operatorToken);
    await ask(UPDATE, { input: { id: endpoint.id, enabled: true } });
    await ask(DELETE, { id: endpoint.id });

    const acts = await actsOn(endpoint.id);
    expect(acts.map(({ action }) => action)).toEqual([
      'webhook_endpoint.created',
      'webhook_endpoint.tested',
      'webhook_endpoint.secret_rotated',
      'webhook_delivery.replayed',
      'webhook_deliveries.replayed',
      'webhook_endpoint.updated',
      'webhook_endpoint.disabled',
      'webhook_endpoint.updated',
      'webhook_endpoint.deleted',
    ]);
    expect(acts[6]!.actor).toBe('operator:olga');
    expect(acts[0]!.actor).toMatch(/^backend:/);
  });

  test('is for backends and operators alone', async () => {
    const { token } = await openPayment(app);
    const endpoint = await addEndpoint(app, receiver.url);
    const create = `mutation { createWebhookEndpoint(input: { url: "${receiver.url}" }) { secret } }`;
    const test = `mutation { sendTestWebhook(endpointId: "${endpoint.id}") { id } }`;
    for (const query of [ENDPOINTS, create, test, '{ webhookDeliveries { pageInfo { hasNextPage } } }']) {
      expect(codeOf(await app.graphql(query, {}, token))).toBe('FORBIDDEN');
      expect(codeOf(await app.graphql(query))).toBe('UNAUTHENTICATED');
    }
  });
});

describe('webhookDeliveries', () => {
  test('shows each try with what was asked and answered, but for the signature', async () => {
    receiver.answer((response) => response.writeHead(500, { 'x-odd': '1' }).end('no\u0000 good'));
    const endpoint = await addEndpoint(app, receiver.url);
    const id = await sendTest(app, endpoint);
    const failed = await untilTried(app, endpoint, id);
    expect(failed).toMatchObject({ id, type: 'WEBHOOK_TEST', status: 'PENDING' });
    expect(failed.payload).toBe(receiver.received[0]!.text);
    expect(failed.tries).toEqual([
      {
        url: receiver.url,
        requestHeaders: {
          'content-type': 'application/json',
          'user-agent': 'Quittance',
          'webhook-id': id,
          'webhook-timestamp': receiver.received[0]!.headers['webhook-timestamp'],
        },
        answerStatus: 500,
        answerBody: 'no\uFFFD good',
        error: null,
        milliseconds: expect.any(Number),
        startedAt: expect.any(String),
      },
    ]);
    receiver.answer(200);
    await makeDue(app, id);
    const arrived = await untilTried(app, endpoint, id, 2);
    expect(arrived).toMatchObject({ status: 'SUCCEEDED', nextTryAt: null });
    expect(arrived.endpoint).toMatchObject({ id: endpoint.id, failingSince: null });
  });

  test('lists them the newest first, page by page, and none twice', async () => {
    const endpoint = await addEndpoint(app, receiver.url);
    const sent: string[] = [];
    for (let count = 0; count < 7; count += 1) sent.unshift(await sendTest(app, endpoint));
    const filter = { endpointId: endpoint.id };
    const read: string[] = [];
    let after: string | null = null;
    do {
      const page: any = await pageOfDeliveries(app, { filter, first: 3, after });
      read.push(...page.edges.map(({ node }: any) => node.id));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after);
    expect(read).toEqual(sent);
    const unknown = await ask('{ webhookDeliveries(after: "msg_none") { pageInfo { hasNextPage } } }');
    expect(codeOf(unknown)).toBe('BAD_USER_INPUT');
  });

  test('is narrowed by endpoint, status, type and time', async () => {
    const endpoint = await addEndpoint(app, receiver.url);
    const other = await addEndpoint(app, receiver.url, ['PAYMENT_PAID']);
    const id = await sendTest(app, endpoint);
    await untilTried(app, endpoint, id);
    await sendTest(app, other);
    await openPayment(app);
    await eventually(
      () => deliveriesTo(app, endpoint),
      (all) => all.length === 2,
    );
    const ids = async (filter: object) => (await deliveriesTo(app, endpoint, filter)).map((one) => one.id);
    expect(await ids({ type: 'WEBHOOK_TEST' })).toEqual([id]);
    expect(await ids({ type: 'WEBHOOK_TEST', status: 'FAILED' })).toEqual([]);
    expect(await ids({ until: new Date(0) })).toEqual([]);
    expect(await ids({ since: new Date(Date.now() + 60_000) })).toEqual([]);
    expect(await ids({ since: new Date(0), until: new Date(Date.now() + 60_000) })).toHaveLength(2);
  });

  test('forgets what is old, but for what is still being sent', async () => {
    receiver.answer(500);
    const endpoint = await addEndpoint(app, receiver.url);
    const waiting = await sendTest(app, endpoint);
    await untilTried(app, endpoint, waiting);
    receiver.answer(200);
    const old = await sendTest(app, endpoint);
    const young = await sendTest(app, endpoint);
    await untilTried(app, endpoint, old);
    await untilTried(app, endpoint, young);
    await app.dataSource.query(
      `UPDATE webhook_delivery SET created_at = now() - interval '2 days' WHERE message_id <> $1`,
      [young],
    );
    await deleteOldDeliveries(app.dataSource.manager, 24 * 60 * 60 * 1_000);
    const left = (await deliveriesTo(app, endpoint)).map(({ id }) => id);
    expect(left.sort()).toEqual([waiting, young].sort());
  });
});

describe('a replay', () => {
  test('sends the same message with the same id and a new time', async () => {
    const endpoint = await addEndpoint(app, receiver.url);
    const id = await sendTest(app, endpoint);
    await untilTried(app, endpoint, id);
    const answer = dataOf(await ask(REPLAY, { id })).replayWebhookDelivery;
    expect(answer.id).toBe(id);
    expect(answer.tries[0]).toMatchObject({ answerStatus: 200 });
    await untilTried(app, endpoint, id, 2);
    const [first, second] = receiver.received;
    expect(idOf(second!)).toBe(idOf(first!));
    expect(second!.text).toBe(first!.text);
    expect(verified(second!, endpoint.secret)).toBeDefined();
  });

  test('of a range sends what fits it, and leaves the rest', async () => {
    const endpoint = await addEndpoint(app, receiver.url);
    const other = await addEndpoint(app, receiver.url);
    const ids: string[] = [];
    for (const to of [endpoint, endpoint, endpoint, other]) ids.push(await sendTest(app, to));
    await untilReceived(4);
    await untilTried(app, other, ids[3]!);
    for (const id of ids.slice(0, 3)) await untilTried(app, endpoint, id);
    await app.dataSource.query(
      `UPDATE webhook_delivery SET created_at = now() - interval '1 hour' WHERE message_id = $1`,
      [ids[0]],
    );
    const input = { endpointId: endpoint.id, since: new Date(Date.now() - 60_000), until: new Date() };
    const count = async (more = {}) =>
      dataOf(await ask(REPLAY_RANGE, { input: { ...input, ...more } })).replayWebhookDeliveries.count;
    expect(await count({ status: 'FAILED' })).toBe(0);
    expect(await count()).toBe(2);
    await untilReceived(6);
    expect(receiver.received.slice(4).map(idOf).sort()).toEqual(ids.slice(1, 3).sort());
  });
});

describe('the types of messages', () => {
  test('are one for each status and for what a status does not say, and all are in the documentation for merchants', async () => {
    const names = MESSAGE_TYPES.filter((type) => type !== 'webhook.test').map(graphQLName);
    expect(names).toEqual([
      ...PAYMENT_STATUSES.map((status) => `PAYMENT_${status}`),
      ...['PAYMENT_UPDATED', 'REFUND_FAILED', 'DISPUTE_WON', 'DISPUTE_LOST'],
    ]);
    const documentation = await readFile(resolve('docs/webhooks.md'), 'utf8');
    expect(MESSAGE_TYPES.filter((type) => !documentation.includes(`\`${type}\``))).toEqual([]);
  });
});
