import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { pino } from 'pino';
import { createBankProvider } from '../src/providers/bank/bank-provider.js';
import type { Provider } from '../src/providers/provider.js';
import type { AmountStyle, BankWriting } from '../src/sandbox/bank/writing.js';
import { booksOf, storedEvents, untilStatus } from './support/books.js';
import { emailSettings, MERCHANT } from './support/email-settings.js';
import { eventually } from './support/eventually.js';
import { startMailServer, type MailServer } from './support/mail-server.js';
import { BANK, newEventId, notify } from './support/notifying-provider.js';
import {
  BANK_WEBHOOK_SECRET,
  dataOf,
  RETURN_URL,
  startTestApp,
  type RunningApp,
} from './support/running-app.js';
import { expectSettled } from './support/settled.js';

/** As gateways send them: `{reference}`, `{typed}` and `{payment}` stand for a payment's own. */
const NOTICES = JSON.parse(
  readFileSync(new URL('./fixtures/bank-notices.json', import.meta.url), 'utf8'),
) as { readonly readable: Record<string, object>; readonly unreadable: Record<string, object> };

const ERROR = 50;

interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly provider?: string;
}

const logged: LogLine[] = [];
let mails: MailServer;
let settings: Awaited<ReturnType<typeof emailSettings>>;
let app: RunningApp;
beforeAll(async () => {
  mails = await startMailServer();
  settings = await emailSettings(mails.url, { reminderAfterMilliseconds: 3_600_000 });
  const log = pino({ level: 'warn' }, { write: (line) => logged.push(JSON.parse(line) as LogLine) });
  app = await startTestApp({ emails: settings, log });
});
afterEach(() => app.bank.write({}));
afterAll(async () => {
  await expectSettled(app);
  await app.stop();
  settings.delivery.close();
  await mails.stop();
});

interface Opened {
  readonly id: string;
  readonly reference: string;
  readonly providerReference: string;
  readonly email: string;
}

/** Of 15000 francs at the bank, by somebody who can be written to. */
async function open(): Promise<Opened> {
  const { sku } = await app.addProduct({ unitAmount: 15_000, currency: 'XOF' });
  const email = `${newEventId()}@customer.example`;
  const answer = await app.graphql(
    'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { order { id } orderToken } }',
    { input: { lines: [{ sku, quantity: 1 }], customer: { name: 'Awa Diop', email } } },
    app.apiKey,
  );
  const { order, orderToken } = dataOf(answer).createOrder;
  const { id } = await app.pay(order.id, orderToken, { method: 'BANK', returnUrl: RETURN_URL });
  const reference = `${id}-1`;
  const { id: providerReference } = app.bank.payment(reference) as { id: string };
  return { id, reference, providerReference, email };
}

function bodyOf(notice: object, { reference, providerReference }: Opened): string {
  const typed = reference.toLowerCase().replaceAll('-', ' ');
  return (
    JSON.stringify(notice)
      .replaceAll('{reference}', reference)
      .replaceAll('{typed}', typed)
      .replaceAll('{payment}', providerReference)
      // JSON.parse of the fixture has lost their last digits.
      .replace(/9007199254740992\d+/g, '9007199254740993001')
      // Each payment of the tests has money and events of its own.
      .replace(/TRX-\d+/, (id) => `${id}-${reference}`)
      .replace(/evt-\d+-\d+/, (id) => `${id}-${reference}`)
  );
}

const LIST = `query ($filter: WebhookEventFilter) { webhookEvents(filter: $filter) {
  edges { node { id eventId status outcome payload paymentIntent { id } } } } }`;

async function listed(filter: object): Promise<any[]> {
  const { webhookEvents } = dataOf(await app.graphql(LIST, { filter }, app.operatorToken));
  return webhookEvents.edges.map(({ node }: any) => node);
}

async function replay(id: string, dryRun = false): Promise<any> {
  const mutation = `mutation ($id: ID!, $dryRun: Boolean!) {
    replayWebhookEvent(id: $id, dryRun: $dryRun) { applied outcome webhookEvent { status } } }`;
  return dataOf(await app.graphql(mutation, { id, dryRun }, app.operatorToken)).replayWebhookEvent;
}

const alerts = () => logged.filter(({ level, msg }) => level === ERROR && msg.includes('can’t be read'));

describe('a genuine notification of a bank that writes otherwise is read:', () => {
  test.each(Object.entries(NOTICES.readable))('%s', async (_name, notice) => {
    const payment = await open();
    expect(await notify(app, BANK, bodyOf(notice, payment))).toBe(200);
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PAID', captured: 15_000 });
  });

  test.each<[string, (text: string) => Buffer<ArrayBuffer>, string]>([
    ['Latin 1', (text) => Buffer.from(text, 'latin1'), 'application/json; charset=ISO-8859-1'],
    ['Latin 1 that does not say so', (text) => Buffer.from(text, 'latin1'), 'application/json'],
    ['UTF-16', (text) => Buffer.from(`\ufeff${text}`, 'utf16le'), 'application/json; charset=utf-16'],
  ])('in %s, and it is applied again from what was kept', async (_name, encode, contentType) => {
    const payment = await open();
    const eventId = newEventId();
    const data = { transfer_id: `tr_é_${payment.id}`.replace('é', 'e'), amount: '15000', currency: 'XOF' };
    const event = { reference: payment.reference, status: 'BOOKED', debtor: { name: 'Société Éléphant' } };
    const text = JSON.stringify({ id: eventId, type: 'transfer.credited', data: { ...data, ...event } });
    const body = encode(text);
    const timestamp = Math.floor(Date.now() / 1_000);
    const signature = createHmac('sha256', BANK_WEBHOOK_SECRET).update(`${timestamp}.`).update(body);
    const headers = {
      'x-signature': `t=${timestamp},v1=${signature.digest('hex')}`,
      'content-type': contentType,
    };
    expect(await notify(app, BANK, body, headers)).toBe(200);
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PAID', captured: 15_000 });
    const [kept] = await storedEvents(app, eventId);
    expect(await replay(kept!.id)).toMatchObject({ applied: true, outcome: 'nothing new' });
  });

  test('an id of 300 characters, and the same money in the bank’s API counts once', async () => {
    const payment = await open();
    app.bank.write({ ids: 'LONG', amount: 'NO_BREAK_SPACES', smallLetters: true });
    app.bank.pay(payment.reference);
    await untilStatus(app, payment.id, 'PAID');
    await app.dataSource.query('UPDATE payment_intent SET next_check_at = now() WHERE reference = $1', [
      payment.id,
    ]);
    const asked = app.bank.counts().requests.getPayment;
    await eventually(() => expect(app.bank.counts().requests.getPayment).toBeGreaterThan(asked));
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PAID', captured: 15_000 });
  });

  test('an id longer than any that can be stored', async () => {
    const payment = await open();
    const body = BANK.paid(
      { ...payment, attemptReference: payment.reference, amount: 15_000, currency: 'XOF' } as never,
      { eventId: 'e'.repeat(100_000), movement: 't'.repeat(100_000) },
    );
    expect(await notify(app, BANK, body)).toBe(200);
    expect(await notify(app, BANK, body)).toBe(200);
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PAID', captured: 15_000 });
    expect(await listed({ paymentIntentId: payment.id })).toHaveLength(1);
  });
});

const SURE: AmountStyle[] = [
  'NUMBER',
  'TWO_DECIMALS',
  'SPACES',
  'NO_BREAK_SPACES',
  'DECIMAL_COMMA',
  'POINTS_AND_DECIMAL_COMMA',
  'PLUS',
  'WITH_CURRENCY',
];

test('whatever hand a bank writes in, its money is in the books as it is, or a person is asked to look', async () => {
  const writing = fc.record<BankWriting>(
    {
      amount: fc.constantFrom<AmountStyle>(...SURE, 'THOUSANDS_COMMA', 'WORDS'),
      smallLetters: fc.boolean(),
      ids: fc.constantFrom('NUMBERS' as const, 'LONG' as const),
      eventIdOfPayment: fc.boolean(),
    },
    { requiredKeys: [] },
  );
  for (const hand of fc.sample(writing, { numRuns: 12, seed: 15 })) {
    const payment = await open();
    app.bank.write(hand);
    app.bank.pay(payment.reference);
    await app.bank.settled();
    const isSure = hand.amount === undefined || SURE.includes(hand.amount);
    const books = await untilStatus(app, payment.id, isSure ? 'PAID' : 'REVIEW');
    expect({ hand, captured: books.captured }).toEqual({ hand, captured: isSure ? 15_000 : 0 });
    app.bank.write({});
    // Asked again, the bank says it in the words of its contract.
    if (!isSure) await untilStatus(app, payment.id, 'PAID');
  }
});

describe('a genuine notification that can’t be read is kept, and somebody hears:', () => {
  test.each(Object.entries(NOTICES.unreadable))('%s', async (_name, notice) => {
    const payment = await open();
    const body = bodyOf(notice, payment);
    const before = alerts().length;
    expect(await notify(app, BANK, body)).toBe(200);

    const [kept, ...others] = await listed({ paymentIntentId: payment.id, status: 'UNREADABLE' });
    expect(others).toEqual([]);
    expect(kept).toMatchObject({ payload: body, outcome: expect.stringMatching(/^(paid, and )?no /) });
    expect(await booksOf(app, payment.id)).toMatchObject({
      status: 'REVIEW',
      failureCode: 'NOTIFICATION_UNREADABLE',
      captured: 0,
    });
    expect(alerts()).toHaveLength(before + 1);
    const query = 'query ($id: ID!) { paymentTimeline(id: $id) { kind summary } }';
    const { paymentTimeline } = dataOf(await app.graphql(query, { id: payment.id }, app.operatorToken));
    expect(paymentTimeline).toContainEqual({
      kind: 'NOTIFICATION',
      summary: expect.stringContaining(`noted on ${payment.id}`),
    });

    expect(await notify(app, BANK, body)).toBe(200);
    expect(await listed({ paymentIntentId: payment.id })).toHaveLength(1);
    expect(alerts()).toHaveLength(before + 1);
  });

  test('merchant and customer are written to once, and nobody is told to pay', async () => {
    const payment = await open();
    const reminders = () =>
      app.dataSource.query(`SELECT 1 FROM graphile_worker._private_jobs WHERE key LIKE 'reminder:%'`);
    await eventually(reminders, (waiting: unknown[]) => waiting.length > 0);
    const body = bodyOf(NOTICES.unreadable['an amount that could be two']!, payment);
    for (const _ of [1, 2]) await notify(app, BANK, body);
    await app.dataSource.query(
      `UPDATE graphile_worker._private_jobs SET run_at = now() WHERE key LIKE 'reminder:%'`,
    );
    await eventually(reminders, (waiting: unknown[]) => waiting.length === 0);
    const written = () =>
      app.dataSource.query(
        `SELECT m.template, m.recipient FROM email_message m JOIN payment_intent i ON i.id = m.intent_id
         WHERE i.reference = $1 ORDER BY m.template`,
        [payment.id],
      );
    const found = await eventually(written, (rows: unknown[]) => rows.length >= 2);
    expect(found).toEqual([
      { template: 'PAYMENT_UNDER_REVIEW', recipient: payment.email },
      { template: 'REVIEW_NEEDED', recipient: MERCHANT },
    ]);
    const [mail] = await mails.until(1, payment.email);
    expect(mail!.text).not.toContain('We have received');
  });

  test('a refund that can’t be read leaves the payment as it is, and is noted on it', async () => {
    const payment = await open();
    app.bank.pay(payment.reference);
    await untilStatus(app, payment.id, 'PAID');
    const data = { payment_id: payment.providerReference, reference: payment.reference, refund_id: 'brfd_9' };
    const refund = { ...data, amount: '5,000', currency: 'XOF', status: 'BOOKED' };
    const body = JSON.stringify({ id: newEventId(), type: 'refund.booked', data: refund });
    expect(await notify(app, BANK, body)).toBe(200);
    expect(await booksOf(app, payment.id)).toMatchObject({
      status: 'PAID',
      failureCode: 'NOTIFICATION_UNREADABLE',
      refunded: 0,
    });
  });

  test('one that names nothing is mailed to the merchant, once a day', async () => {
    const bodies = ['transfer=credited', '{"hello":"world"}', 'null', '[1,2', '\u0000{}'];
    const before = alerts().length;
    for (const body of bodies) expect(await notify(app, BANK, body)).toBe(200);
    expect(alerts()).toHaveLength(before + bodies.length);
    expect(
      (await listed({ status: 'UNREADABLE' })).filter((event) => event.paymentIntent === null),
    ).toHaveLength(bodies.length);
    const told = () =>
      mails.mails.filter(({ subject }) => subject === 'A notification of bank-x can’t be read');
    await eventually(told, (found) => found.length > 0);
    const open = `SELECT 1 FROM outbox_event WHERE told_at IS NULL UNION ALL
      SELECT 1 FROM email_message WHERE status = 'QUEUED'`;
    await eventually(
      () => app.dataSource.query(open),
      (left: unknown[]) => left.length === 0,
    );
    expect(told()).toHaveLength(1);
    expect(told()[0]!.to?.[0]?.address).toBe(MERCHANT);
    expect(told()[0]!.text).toContain('the body is not JSON');
  });

  test('what the bank sends again under the same id in a form that can be read is applied', async () => {
    const payment = await open();
    const notice = NOTICES.unreadable['an amount that could be two']!;
    await notify(app, BANK, bodyOf(notice, payment));
    const mended = bodyOf(notice, payment).replace('"15,000"', '"15000"');
    expect(await notify(app, BANK, mended)).toBe(200);
    expect(await booksOf(app, payment.id)).toMatchObject({
      status: 'PAID',
      captured: 15_000,
      failureCode: null,
      orderStatus: 'CONFIRMED',
    });
  });

  test('eight times at once it is one, and noted once', async () => {
    const payment = await open();
    const body = bodyOf(NOTICES.unreadable['an amount in words']!, payment);
    const answers = await Promise.all(Array.from({ length: 8 }, () => notify(app, BANK, body)));
    expect(new Set(answers)).toEqual(new Set([200]));
    expect(await listed({ paymentIntentId: payment.id })).toHaveLength(1);
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'REVIEW', version: 2 });
  });
});

test('an answer of a bank that says paid and can’t be read is noted on the payment, once', async () => {
  const payment = await open();
  app.bank.pauseWebhooks();
  app.bank.write({ amount: 'WORDS' });
  app.bank.pay(payment.reference);
  const ask = async () => {
    const asked = app.bank.counts().requests.getPayment;
    await app.dataSource.query('UPDATE payment_intent SET next_check_at = now() WHERE reference = $1', [
      payment.id,
    ]);
    await eventually(() => expect(app.bank.counts().requests.getPayment).toBeGreaterThan(asked));
  };
  await ask();
  const books = await untilStatus(app, payment.id, 'REVIEW');
  expect(books).toMatchObject({ failureCode: 'ANSWER_UNREADABLE', version: 2 });
  await ask();
  await ask();
  expect(await booksOf(app, payment.id)).toMatchObject({ version: 2 });
  app.bank.write({});
  await ask();
  await untilStatus(app, payment.id, 'PAID');
  app.bank.resumeWebhooks();
  await app.bank.settled();
});

test('one that was kept is applied by a replay once its bank is read as it writes', async () => {
  const options = {
    name: 'bank-x',
    baseUrl: new URL('http://127.0.0.1:9'),
    apiKey: 'never-used',
    webhookSecrets: [BANK_WEBHOOK_SECRET],
  };
  const learnt = createBankProvider({
    ...options,
    currencies: ['XOF'],
    notification: { currency: { from: 'ALWAYS', currency: 'XOF' } },
  });
  let reader: Pick<Provider, 'readKeptNotification'> | undefined;
  const other = await startTestApp({
    decorate: (provider) =>
      provider.name === 'bank-x'
        ? {
            ...provider,
            readKeptNotification: (...kept) => (reader ?? provider).readKeptNotification(...kept),
          }
        : provider,
  });
  const first = app;
  app = other;
  try {
    const payment = await open();
    await notify(app, BANK, bodyOf(NOTICES.unreadable['no currency']!, payment));
    const [kept] = await listed({ status: 'UNREADABLE' });
    expect(await replay(kept.id)).toMatchObject({
      applied: false,
      outcome: 'read again, it is still not understood: paid, and no currency that we can count in',
      webhookEvent: { status: 'UNREADABLE' },
    });
    reader = learnt;
    expect(await replay(kept.id, true)).toMatchObject({ applied: true });
    expect(await replay(kept.id)).toMatchObject({ applied: true, webhookEvent: { status: 'APPLIED' } });
    expect(await booksOf(app, payment.id)).toMatchObject({ status: 'PAID', captured: 15_000 });
    await expectSettled(app);
  } finally {
    app = first;
    await other.stop();
  }
});
